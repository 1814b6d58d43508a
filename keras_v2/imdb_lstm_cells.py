"""IMDB reviews: an embedding, two LSTM cells stepped together and a dense head, in Keras 3.

The variants with other cells or layers build on the same `build_recurrent`.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers
from keras.initializers import RandomUniform

from keras_v2.initializers import tf1_glorot
from keras_v2.optimizers import TF1RMSprop


def build_recurrent(
    name: str,
    recurrent: Sequence[keras.Layer],
    vocabulary_size: int,
    sequence_length: int = 80,
    embedding_size: int = 100,
    hidden_size: int = 64,
    dropout_rate: float = 0.5,
    learning_rate: float = 0.001,
    pretrained: bool = False,
    optimizer: keras.Optimizer | None = None,
) -> keras.Model:
    """Builds and compiles a model around the recurrent layers that summarise a review.

    Args:
        name: name of the model.
        recurrent: layers from word vectors (batch, time, embedding) to features (batch, units).
        vocabulary_size: number of word ids; id 0 is padding.
        sequence_length: words in a review, padded or cut.
        embedding_size: units of a word vector.
        hidden_size: units of the hidden dense layer.
        dropout_rate: share of the hidden layer that dropout drops.
        learning_rate: step size of the default optimizer.
        pretrained: whether word vectors are zeros until a matrix of pretrained ones, which training
            leaves alone, is loaded: `model.get_layer("embedding").set_weights([matrix])`.
        optimizer: used in place of RMSProp with TensorFlow 1's arithmetic.

    Returns:
        A compiled model from word ids (batch, time) to the log odds of a positive review
        (batch, 1), which were published as their sigmoid. Labels are 0 or 1, (batch, 1).
    """
    x = keras.Input((sequence_length,), dtype="int32", name="x")

    features = layers.Embedding(
        vocabulary_size,
        embedding_size,
        embeddings_initializer="zeros" if pretrained else RandomUniform(-0.05, 0.05),
        trainable=not pretrained,
        name="embedding",
    )(x)  # (batch, time, embedding)
    for layer in recurrent:
        features = layer(features)  # (batch, units) in the end

    hidden = layers.Dense(hidden_size, name="hidden")(features)  # (batch, hidden)
    dropped = layers.Dropout(dropout_rate, name="dropout")(hidden)
    activated = layers.ReLU(name="relu")(dropped)
    logits = layers.Dense(1, name="logits")(activated)  # (batch, 1)

    model = keras.Model(x, logits, name=name)
    model.compile(
        optimizer=optimizer or TF1RMSprop(learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        # Log odds of zero are a probability of one half.
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)],
    )
    return model


def build_model(
    vocabulary_size: int,
    rnn_size: int = 64,
    embedding_size: int = 100,
    dropout_rate: float = 0.5,
    **others: Any,
) -> keras.Model:
    """Builds and compiles the model that steps two LSTM cells together along a review.

    Args:
        vocabulary_size: number of word ids; id 0 is padding.
        rnn_size: units of each cell.
        embedding_size: units of a word vector.
        dropout_rate: share of a cell's inputs, and of the hidden layer, that dropout drops.
        **others: the other arguments of `build_recurrent`, without `pretrained`.

    Returns:
        A compiled model from word ids (batch, time) to the log odds of a positive review
        (batch, 1).
    """
    cells = [
        layers.LSTMCell(
            rnn_size,
            dropout=dropout_rate,
            name=f"cell_{i}",
            **tf1_glorot(inputs, rnn_size, gates=4),
        )
        for i, inputs in enumerate((embedding_size, rnn_size))
    ]
    rnn = layers.RNN(layers.StackedRNNCells(cells, name="cells"), name="rnn")
    return build_recurrent(
        "imdb_lstm_cells",
        [rnn],
        vocabulary_size,
        embedding_size=embedding_size,
        dropout_rate=dropout_rate,
        **others,
    )
