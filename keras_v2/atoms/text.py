"""Words to ids, inside the model. These layers need TensorFlow as Keras's backend."""

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.fitted import fitted

WORDS, UNITS, BUCKETS, TIME = ("free", "call", "now", "you", "home"), 3, 2, 4


def embedded(x: Any, lookup: Any, rows: int) -> keras.Model:
    """Looks ids up, (batch, time), and fits the mean of their vectors."""
    vectors = layers.Embedding(rows, UNITS, name="embedding")(lookup(x))  # (batch, time, units)
    return fitted(x, ops.mean(vectors, axis=1))


def vocabulary_table() -> keras.Model:
    """`StringLookup`: buckets of unknown words come before the vocabulary."""
    x = keras.Input((TIME,), dtype="string", name="x")
    lookup = layers.StringLookup(vocabulary=list(WORDS), num_oov_indices=BUCKETS, name="ids")
    return embedded(x, lookup, BUCKETS + len(WORDS))


def hash_bucket() -> keras.Model:
    """`Hashing`: the same hash, unless it is given a salt."""
    x = keras.Input((TIME,), dtype="string", name="x")
    return embedded(x, layers.Hashing(7, name="ids"), 7)


def string_split() -> keras.Model:
    """`TextVectorization`: 0 for what is filled up, 1 for what is unknown, then the vocabulary."""
    x = keras.Input((), dtype="string", name="x")
    lookup = layers.TextVectorization(
        standardize=None, split="whitespace", vocabulary=list(WORDS), name="ids"
    )
    return embedded(x, lookup, 2 + len(WORDS))
