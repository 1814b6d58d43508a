"""IMDB reviews: an embedding, a summary by two LSTMs and two dense layers, in Keras 3.

The variants that summarise a review in another way build on the same `build_classifier`.
"""

from typing import Any

import keras
from keras import layers
from keras.initializers import RandomUniform

from keras_v2.initializers import tf1_glorot
from keras_v2.optimizers import TF1Adam


def build_classifier(
    name: str,
    summary: keras.Layer,
    vocabulary_size: int,
    sequence_length: int = 400,
    embedding_size: int = 32,
    hidden_size: int = 256,
    num_classes: int = 2,
    dropout_rate: float = 0.3,
    learning_rate: float = 0.001,
    optimizer: keras.Optimizer | None = None,
) -> keras.Model:
    """Builds and compiles a model around the layer that summarises a review.

    Args:
        name: name of the model.
        summary: layer from word vectors (batch, time, embedding) to features (batch, features).
        vocabulary_size: number of word ids; id 0 is padding.
        sequence_length: words in a review, padded or cut.
        embedding_size: units of a word vector.
        hidden_size: units of the hidden dense layer.
        num_classes: classes to tell apart.
        dropout_rate: share of the hidden layer that dropout drops.
        learning_rate: step size of the default optimizer.
        optimizer: used in place of Adam with TensorFlow 1's arithmetic.

    Returns:
        A compiled model from word ids (batch, time) to logits (batch, classes), which were
        published as their softmax. Labels are one-hot, (batch, classes).
    """
    x = keras.Input((sequence_length,), dtype="int32", name="x")

    embedded = layers.Embedding(
        vocabulary_size,
        embedding_size,
        embeddings_initializer=RandomUniform(-0.05, 0.05),
        name="embedding",
    )(x)  # (batch, time, embedding)

    hidden = layers.Dense(hidden_size, activation="relu", name="hidden")(summary(embedded))
    dropped = layers.Dropout(dropout_rate, name="dropout")(hidden)  # (batch, hidden)
    logits = layers.Dense(num_classes, name="logits")(dropped)  # (batch, classes)

    model = keras.Model(x, logits, name=name)
    model.compile(
        optimizer=optimizer or TF1Adam(learning_rate),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    return model


def build_model(
    vocabulary_size: int, rnn_size: int = 32, embedding_size: int = 32, **others: Any
) -> keras.Model:
    """Builds and compiles the model that summarises a review by one LSTM in each direction.

    Args:
        vocabulary_size: number of word ids; id 0 is padding.
        rnn_size: units of each LSTM.
        embedding_size: units of a word vector.
        **others: the other arguments of `build_classifier`.

    Returns:
        A compiled model from word ids (batch, time) to logits (batch, classes).
    """
    lstm = layers.LSTM(rnn_size, name="lstm", **tf1_glorot(embedding_size, rnn_size, gates=4))
    summary = layers.Bidirectional(lstm, name="summary")  # (batch, 2 x units)
    return build_classifier(
        "imdb_bilstm", summary, vocabulary_size, embedding_size=embedding_size, **others
    )
