"""Attention: a decoder's over the steps of an encoder, and a transformer's over its own."""

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.fitted import fitted
from keras_v2.attention import AttentionDecoder, NormedAdditiveAttention

STEPS, DEPTH, UNITS = 6, 4, 4  # of the memory; what it is projected to
WORDS, INPUTS, ATTENTION = 3, 2, 5  # of a decoder
HIDDEN, HEADS, INTERMEDIATE = 8, 2, 6  # of a transformer


def counted(length: Any) -> Any:
    """Returns which steps count, (batch, steps), for a length (batch,)."""
    return ops.less(ops.arange(STEPS, dtype="int32"), ops.expand_dims(length, -1))


def attended(attention: Any, project_query: bool) -> keras.Model:
    """One query attends to a memory.

    Args:
        attention: of Keras.
        project_query: whether the query is projected, as the memory is.
    """
    memory = keras.Input((STEPS, DEPTH), name="memory")
    length = keras.Input((), dtype="int32", name="length")
    query = keras.Input((UNITS,), name="query")
    keys = layers.Dense(UNITS, use_bias=False, name="memory_layer")(memory)
    asked = layers.Dense(UNITS, use_bias=False, name="query_layer")(query)
    asked = ops.expand_dims(asked if project_query else query, 1)
    context = attention([asked, memory, keys], mask=[None, counted(length)])
    inputs = {"memory": memory, "length": length, "query": query}
    return fitted(inputs, layers.Reshape((DEPTH,), name="context")(context))


def bahdanau_attention() -> keras.Model:
    """`AdditiveAttention`, between projections of the query and the memory."""
    return attended(layers.AdditiveAttention(name="attention"), project_query=True)


def bahdanau_attention_normalized() -> keras.Model:
    """`NormedAdditiveAttention`, between the same projections."""
    return attended(NormedAdditiveAttention(name="attention"), project_query=True)


def luong_attention() -> keras.Model:
    """`Attention` with a scale, between the query and a projection of the memory."""
    return attended(layers.Attention(use_scale=True, name="attention"), project_query=False)


def teacher_forced(attention: Any, project_query: bool) -> keras.Model:
    """A decoder that is fed the right words."""
    words = keras.Input((WORDS, INPUTS), name="words")
    memory = keras.Input((STEPS, DEPTH), name="memory")
    length = keras.Input((), dtype="int32", name="length")
    decoder = AttentionDecoder(
        layers.GRUCell(UNITS, reset_after=False, name="gru_cell"),
        attention,
        UNITS,
        attention_units=ATTENTION,
        project_query=project_query,
        name="decoder",
    )
    outputs = decoder(words, memory, memory_mask=counted(length))
    return fitted({"words": words, "memory": memory, "length": length}, outputs)


def attention_wrapper_bahdanau() -> keras.Model:
    """`AttentionDecoder` with `AdditiveAttention`, which projects its query."""
    return teacher_forced(layers.AdditiveAttention(name="attention"), project_query=True)


def attention_wrapper_luong() -> keras.Model:
    """`AttentionDecoder` with `Attention`, which does not."""
    return teacher_forced(layers.Attention(use_scale=True, name="attention"), project_query=False)


def words_of(hidden: int) -> dict[str, Any]:
    """Returns the inputs: word vectors of a text, and how many of them count."""
    return {
        "words": keras.Input((STEPS, hidden), name="words"),
        "length": keras.Input((), dtype="int32", name="length"),
    }


def self_attention(inputs: dict[str, Any], masked: bool = True) -> Any:
    """Attends to the words that count: `MultiHeadAttention` leaves out what the mask does."""
    attention = layers.MultiHeadAttention(HEADS, HIDDEN // HEADS, use_bias=False, name="attention")
    mask = ops.expand_dims(counted(inputs["length"]), 1)  # (batch, 1, steps)
    words = inputs["words"]
    return attention(words, words, attention_mask=mask if masked else None)


def multi_head_attention() -> keras.Model:
    """`MultiHeadAttention` keeps its kernels by heads, (hidden, heads, size)."""
    inputs = words_of(HIDDEN)
    return fitted(inputs, self_attention(inputs))


def block(approximate: bool) -> keras.Model:
    """A layer of BERT, with one `gelu` or the other."""
    inputs = words_of(HIDDEN)
    added = layers.Add()([inputs["words"], self_attention(inputs)])
    attention = layers.LayerNormalization(epsilon=1e-12, name="attention_norm")(added)
    units = layers.Dense(INTERMEDIATE, name="intermediate")(attention)
    units = ops.gelu(units, approximate=approximate)
    added = layers.Add()([layers.Dense(HIDDEN, name="output")(units), attention])
    return fitted(inputs, layers.LayerNormalization(epsilon=1e-12, name="output_norm")(added))


def transformer_block() -> keras.Model:
    """`gelu` by tanh, `LayerNormalization` with TensorFlow 1's epsilon."""
    return block(approximate=True)
