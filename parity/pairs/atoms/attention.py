"""Attention."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import integers, normal
from parity.weights import Rule, gru, reshaped, same

_SOURCE = "contrib/seq2seq/python/ops/attention_wrapper.py: "
_BERT = "none: modeling.py of BERT, "
# A root of four is exact: on TensorFlow, Keras rounds 1 / sqrt(size) to float32 in float64, too.
_HIDDEN, _HEADS, _SIZE = 8, 2, 4

_LENGTH = integers(low=1, high=7)
_MEMORY = {"memory": normal(6, 4), "length": _LENGTH}


def _fed(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_attention = functools.partial(atom, family="attention")
_query = functools.partial(
    _attention,
    x={**_MEMORY, "query": normal(4)},
    y=normal(4),
    fed=_fed("memory", "length", "query"),
    taps={"outputs": "context"},
)
_decoder = functools.partial(
    _attention,
    x={**_MEMORY, "words": normal(3, 2)},
    y=normal(3, 5),
    fed=_fed("memory", "length", "words"),
    taps={"outputs": "decoder"},
)
_bert = functools.partial(
    _attention,
    x={"words": normal(6, _HIDDEN), "length": _LENGTH},
    y=normal(6, _HIDDEN),
    fed=_fed("words", "length"),
)


def _wrapped(*score: Rule) -> tuple[Rule, ...]:
    """Return rules of an AttentionWrapper around a GRUCell; `score` has those of its score."""
    wrapper = "decoder/attention_wrapper"
    return (
        same("memory_layer/kernel", "decoder/memory_layer/kernel"),
        *gru(f"{wrapper}/gru_cell", "decoder/gru_cell"),
        same(f"{wrapper}/attention_layer/kernel", "decoder/attention_layer/kernel"),
        *score,
    )


def _heads() -> tuple[Rule, ...]:
    """Return rules of dense kernels (hidden, hidden), which Keras keeps by heads."""
    flat, split = (_HIDDEN, _HIDDEN), (_HIDDEN, _HEADS, _SIZE)
    merged = (_HEADS, _SIZE, _HIDDEN)
    return (
        *(
            reshaped(f"attention/self/{name}/kernel", f"attention/{name}/kernel", flat, split)
            for name in ("query", "key", "value")
        ),
        reshaped(
            "attention/output/dense/kernel", "attention/attention_output/kernel", flat, merged
        ),
    )


def _layer_norm(tf1: str, keras: str) -> tuple[Rule, ...]:
    scale = same(f"{tf1}/LayerNorm/gamma", f"{keras}/gamma", 0.5, centre=1.0)
    return scale, same(f"{tf1}/LayerNorm/beta", f"{keras}/beta")


def _dense(tf1: str, keras: str) -> tuple[Rule, ...]:
    return tuple(same(f"{tf1}/dense/{part}", f"{keras}/{part}") for part in ("kernel", "bias"))


ROWS: tuple[Pair, ...] = (
    _query(
        "bahdanau_attention",
        "BahdanauAttention",
        rules=(
            same("memory_layer/kernel", "memory_layer/kernel"),
            same("bahdanau_attention/query_layer/kernel", "query_layer/kernel"),
            same("bahdanau_attention/attention_v", "attention/scale", 0.5),
        ),
        tf1="context = softmax(sum(v tanh(memory W + query U))) memory, over the steps that count",
        keras="AdditiveAttention()([query U, memory, memory W]), U and W as Dense layers "
        "without a bias",
        source=_SOURCE + "_bahdanau_score, _compute_attention",
        slip=Slip("AdditiveAttention()([query U, memory W]), whose values are the keys", "forward"),
    ),
    _query(
        "bahdanau_attention_normalized",
        "BahdanauAttention with normalize=True",
        rules=(
            same("memory_layer/kernel", "memory_layer/kernel"),
            same("bahdanau_attention/query_layer/kernel", "query_layer/kernel"),
            same("bahdanau_attention/attention_v", "attention/scale", 0.5),
            same("bahdanau_attention/attention_g", "attention/length", 0.5, centre=1.0),
            same("bahdanau_attention/attention_b", "attention/bias"),
        ),
        tf1="context = softmax(sum(g v / |v| tanh(memory W + query U + b))) memory",
        keras="NormedAdditiveAttention, between the same projections",
        source=_SOURCE + "_bahdanau_score",
        slip=Slip("v is not divided by its norm", "forward"),
    ),
    _query(
        "luong_attention",
        "LuongAttention",
        rules=(
            same("memory_layer/kernel", "memory_layer/kernel"),
            same("luong_attention/attention_g", "attention/scale", 0.5, centre=1.0),
        ),
        tf1="context = softmax(g query (memory W)^T) memory, over the steps that count",
        keras="Attention(use_scale=True)([query, memory, memory W]), W as a Dense layer without "
        "a bias",
        source=_SOURCE + "_luong_score, _compute_attention",
        slip=Slip("Attention()([query, memory W]), whose values are the keys", "forward"),
    ),
    _decoder(
        "attention_wrapper_bahdanau",
        "AttentionWrapper with BahdanauAttention",
        rules=_wrapped(
            same(
                "decoder/attention_wrapper/bahdanau_attention/query_layer/kernel",
                "decoder/query_layer/kernel",
            ),
            same(
                "decoder/attention_wrapper/bahdanau_attention/attention_v",
                "decoder/attention/scale",
                0.5,
            ),
        ),
        tf1="h = GRUCell([word, attention]); attention = [h, context(h)] V, which is the output",
        keras="AttentionDecoder with AdditiveAttention and project_query=True",
        source=_SOURCE + "AttentionWrapper.call",
        slip=Slip("the values are the projected memory", "forward"),
    ),
    _decoder(
        "attention_wrapper_luong",
        "AttentionWrapper with LuongAttention",
        rules=_wrapped(
            same(
                "decoder/attention_wrapper/luong_attention/attention_g",
                "decoder/attention/scale",
                0.5,
                centre=1.0,
            )
        ),
        tf1="h = GRUCell([word, attention]); attention = [h, context(h)] V, which is the output",
        keras="AttentionDecoder with Attention",
        source=_SOURCE + "AttentionWrapper.call",
        slip=Slip("the scores are divided by the root of the depth", "forward"),
    ),
    _bert(
        "multi_head_attention",
        "multi-head attention by hand, masked",
        taps={"outputs": "attention"},
        rules=_heads(),
        tf1="heads split from x W with W (hidden, hidden); softmax(Q K^T / sqrt(size) + "
        "(1 - mask) (-10000)) V",
        keras="MultiHeadAttention with attention_mask; W is (hidden, heads, size). Where no word "
        "counts, it weights all evenly, and TensorFlow 1 by their scores: not compared",
        source=_BERT + "attention_layer",
        slip=Slip("the mask is not passed on", "forward"),
    ),
    _bert(
        "transformer_block",
        "a layer of BERT",
        taps={"attention": "attention_norm", "outputs": "output_norm"},
        rules=(
            *_heads(),
            *_layer_norm("attention/output", "attention_norm"),
            *_dense("intermediate", "intermediate"),
            *_dense("output", "output"),
            *_layer_norm("output", "output_norm"),
        ),
        tf1="x = LayerNorm(x + attention(x)); LayerNorm(x + gelu(x W + b) V + c); gelu by tanh, "
        "epsilon 1e-12",
        keras="gelu with approximate=True, LayerNormalization with epsilon=1e-12",
        source=_BERT + "transformer_model",
        slip=Slip("gelu is left at Keras's, by erf", "forward"),
    ),
)
