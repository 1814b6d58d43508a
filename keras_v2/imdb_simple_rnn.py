"""IMDB reviews: as `imdb_bilstm`, with one simple recurrent layer, in Keras 3."""

from typing import Any

import keras
from keras import layers

from keras_v2.imdb_bilstm import build_classifier
from keras_v2.initializers import tf1_glorot


def build_model(
    vocabulary_size: int, rnn_size: int = 16, embedding_size: int = 32, **others: Any
) -> keras.Model:
    """Builds and compiles the model that summarises a review by a recurrent layer's last output.

    Args:
        vocabulary_size: number of word ids; id 0 is padding.
        rnn_size: units of the recurrent layer.
        embedding_size: units of a word vector.
        **others: the other arguments of `build_classifier`.

    Returns:
        A compiled model from word ids (batch, time) to logits (batch, classes).
    """
    summary = layers.SimpleRNN(
        rnn_size, name="summary", **tf1_glorot(embedding_size, rnn_size)
    )  # (batch, units)
    return build_classifier(
        "imdb_simple_rnn", summary, vocabulary_size, embedding_size=embedding_size, **others
    )
