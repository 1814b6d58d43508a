"""Embeddings that are more than one matrix and one lookup."""

import keras
from keras import layers, ops

from keras_v2.atoms.fitted import fitted
from keras_v2.embeddings import CombinedEmbedding

ROWS, UNITS, TIME = 9, 4, 5


def partitioned() -> keras.Model:
    """`Embedding`: one matrix, into which the shards are dealt."""
    x = keras.Input((TIME,), dtype="int32", name="x")
    vectors = layers.Embedding(ROWS, UNITS, name="embedding")(x)  # (batch, time, units)
    return fitted(x, ops.mean(vectors, axis=1))


def _combined(combiner: str, weighted: bool = False) -> keras.Model:
    x = keras.Input((TIME,), dtype="int32", name="x")
    weights = keras.Input((TIME,), name="weights")
    embedding = CombinedEmbedding(ROWS, UNITS, combiner, name="embedding")
    outputs = embedding(x, weights if weighted else None)  # (batch, units)
    return fitted({"x": x, "weights": weights} if weighted else x, outputs)


def combined_sum() -> keras.Model:
    """The sum of a row's vectors."""
    return _combined("sum")


def combined_mean() -> keras.Model:
    """Their mean, by weights."""
    return _combined("mean", weighted=True)


def combined_sqrtn() -> keras.Model:
    """Their sum by weights, over the root of the squared weights."""
    return _combined("sqrtn", weighted=True)
