"""What most rows share."""

from __future__ import annotations

from collections.abc import Mapping

from parity.layout import Layout
from parity.pair import Data, Pair, Schedule, Stock, Wiring
from parity.published import Margin, Published
from parity.weights import Rule, same

# What Keras's own optimizers do differently: on any weights, and on those of an embedding.
FROM_ZERO = "slots start at zero, so the first steps are several times too long"
EPSILON = "epsilon is 1e-7, not 1e-8"
_UNSUMMED = "words that repeat in a batch are not summed"
SPARSE_RMSPROP = f"{FROM_ZERO}; {_UNSUMMED}; slots of absent words decay"
SPARSE_ADAM = f"{EPSILON}; {_UNSUMMED}"


def row(
    name: str,
    title: str,
    data: Data,
    wiring: Wiring,
    layout: Layout,
    schedule: Schedule,
    stock: Stock,
    published: Published | None = None,
    caution: str = "",
) -> Pair:
    """A pair whose builders are called after it: the graph model's class is its name in CapWords.

    Args:
        name: of the pair.
        title: one line for people.
        data: the corpus.
        wiring: which part of one model answers to which part of the other.
        layout: the weight rules.
        schedule: the training run.
        stock: the optimizer of Keras that a rewrite would pick.
        published: what the original authors printed, if anything.
        caution: what the user of its predictions should know.
    """
    model = "".join(word.capitalize() for word in name.split("_"))
    return Pair(
        name=name,
        title=title,
        graph=f"legacy_graph.{name}:{model}",
        keras=f"keras_v2.{name}:build_model",
        data=data,
        wiring=wiring,
        layout=layout,
        schedule=schedule,
        stock=stock,
        published=published or Published(),
        caution=caution,
    )


def wired(
    taps: Mapping[str, str],
    dropout: Mapping[str, str],
    keep_prob: float,
    metrics: tuple[str, ...] = ("loss", "accuracy"),
    output: str = "softmax",
) -> Wiring:
    """Wire a model whose placeholder ``keep_prob`` says how much dropout keeps while training."""
    return Wiring(taps, dropout, {"keep_prob": keep_prob}, {"keep_prob": 1.0}, metrics, output)


def adam(
    largest: float, cause: str = SPARSE_ADAM, margins: Mapping[str, Margin] | None = None
) -> Stock:
    """Keras's own Adam, and the gap that it opens."""
    return Stock("keras.optimizers:Adam", largest, cause, margins or {})


def rmsprop(
    largest: float, cause: str = SPARSE_RMSPROP, margins: Mapping[str, Margin] | None = None
) -> Stock:
    """Keras's own RMSprop, and the gap that it opens."""
    return Stock("keras.optimizers:RMSprop", largest, cause, margins or {})


def dense(name: str) -> tuple[Rule, ...]:
    """A dense layer that has the same name on both sides."""
    return same(f"{name}/kernel", f"{name}/kernel"), same(f"{name}/bias", f"{name}/bias")


def embedding(spread: float) -> Rule:
    """The word vectors, (words, units), drawn within `spread` of zero."""
    return same("embedding", "embedding/embeddings", spread)
