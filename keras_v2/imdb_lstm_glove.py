"""IMDB reviews: frozen word vectors, two LSTM layers and a dense head, in Keras 3."""

from typing import Any

import keras
from keras import layers

from keras_v2.imdb_lstm_cells import build_recurrent
from keras_v2.initializers import tf1_glorot


def build_model(
    vocabulary_size: int,
    rnn_size: int = 64,
    embedding_size: int = 100,
    dropout_rate: float = 0.5,
    **others: Any,
) -> keras.Model:
    """Builds and compiles the model.

    Its word vectors are zeros until a matrix of pretrained ones, which training leaves alone, is
    loaded: `model.get_layer("embedding").set_weights([matrix])`.

    Args:
        vocabulary_size: number of word ids; id 0 is padding.
        rnn_size: units of each LSTM layer.
        embedding_size: units of a word vector.
        dropout_rate: share of a layer's inputs, and of the hidden layer, that dropout drops.
        **others: the other arguments of `build_recurrent`, without `pretrained`.

    Returns:
        A compiled model from word ids (batch, time) to the log odds of a positive review
        (batch, 1).
    """
    recurrent = [
        layers.LSTM(
            rnn_size,
            dropout=dropout_rate,
            return_sequences=sequences,
            name=name,
            **tf1_glorot(inputs, rnn_size, gates=4),
        )
        for name, inputs, sequences in (
            ("lstm_1", embedding_size, True),
            ("lstm_2", rnn_size, False),
        )
    ]
    return build_recurrent(
        "imdb_lstm_glove",
        recurrent,
        vocabulary_size,
        embedding_size=embedding_size,
        dropout_rate=dropout_rate,
        pretrained=True,
        **others,
    )
