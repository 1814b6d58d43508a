"""Losses over sequences of tags, and over a sample of the classes."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import integers, normal
from parity.weights import Rule, same


def _dense(name: str) -> tuple[Rule, ...]:
    return tuple(same(f"{name}/{part}", f"{name}/{part}") for part in ("kernel", "bias"))


_atom = functools.partial(atom, family="structured")
_sampled = functools.partial(
    _atom,
    x=normal(4),
    y=integers(1, high=20),
    taps={"outputs": "hidden"},
    rules=(
        *_dense("hidden"),
        same("weights", "classes/kernel"),
        same("biases", "classes/bias"),
    ),
)

ROWS: tuple[Pair, ...] = (
    _atom(
        "crf",
        "tf.contrib.crf: likelihood, and Viterbi's decoding",
        x={"x": normal(5, 4), "lengths": integers(low=1, high=6)},
        y=integers(5, high=3),
        fed={"x": "x", "lengths": "lengths"},
        taps={"outputs": "dense", "tags": "crf"},
        rules=(*_dense("dense"), same("transitions", "crf/transitions")),
        tf1="scores of the tags and of their transitions, less log Z, within the lengths",
        keras="keras_v2.crf.CRF",
        source="contrib/crf/python/ops/crf.py",
        slip=Slip("steps past the lengths count", "loss"),
    ),
    _sampled(
        "sampled_softmax",
        "tf.nn.sampled_softmax_loss of given samples",
        tf1="a softmax over the true class and samples, scores less log of what is expected",
        keras="keras_v2.sampling.SampledSoftmax, fed the same samples",
        source="python/ops/nn_impl.py: sampled_softmax_loss",
        slip=Slip("a softmax over all classes is taken", "loss"),
    ),
    _sampled(
        "nce",
        "tf.nn.nce_loss of given samples",
        tf1="-log(sigmoid(true)) - sum(log(1 - sigmoid(sample))), scores as above",
        keras="keras_v2.sampling.NoiseContrastive, fed the same samples",
        source="python/ops/nn_impl.py: nce_loss",
        slip=Slip("what is expected of a class is not taken off", "loss"),
    ),
)
