"""20 Newsgroups: word vectors, an LSTM of Keras 1 and a softmax on one number, in Keras 3.

The mended model builds on the same `read`.
"""

from typing import Any

import keras
from keras import layers

from keras_v2.initializers import tf1_glorot
from keras_v2.keras1 import RowDropoutEmbedding, binary_crossentropy, hard_sigmoid
from keras_v2.optimizers import TF1Adam


def read(
    frozen: str,
    vocabulary_size: int,
    sequence_length: int = 1000,
    embedding_size: int = 100,
    rnn_size: int = 100,
    dropout_rate: float = 0.2,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Reads a message with word vectors and an LSTM.

    Word vectors are zeros until a matrix of pretrained ones is loaded:
    `model.get_layer("embedding").set_weights([matrix])`.

    Args:
        frozen: layer that training leaves alone, `embedding` or `lstm`.
        vocabulary_size: number of word ids; id 0 is padding.
        sequence_length: words in a message, padded or cut.
        embedding_size: units of a word vector.
        rnn_size: units of the LSTM.
        dropout_rate: share of the vocabulary, of each gate's inputs and of its state that dropout
            drops.

    Returns:
        The word ids, (batch, time), and the LSTM's last output, (batch, units).
    """
    x = keras.Input((sequence_length,), dtype="int32", name="x")

    embedded = RowDropoutEmbedding(
        vocabulary_size,
        embedding_size,
        rate=dropout_rate,
        embeddings_initializer="zeros",
        trainable=frozen != "embedding",
        name="embedding",
    )(x)  # (batch, time, embedding)
    last = layers.LSTM(
        rnn_size,
        recurrent_activation=hard_sigmoid,
        dropout=dropout_rate,
        recurrent_dropout=dropout_rate,
        trainable=frozen != "lstm",
        name="lstm",
        **tf1_glorot(embedding_size, rnn_size, gates=4),
    )(embedded)  # (batch, units)
    return x, last


def build_model(
    vocabulary_size: int,
    num_classes: int = 20,
    learning_rate: float = 0.001,
    optimizer: keras.Optimizer | None = None,
    **others: Any,
) -> keras.Model:
    """Builds and compiles the model as it was published, slips included.

    Training leaves the LSTM alone, where the word vectors were meant; a message is squeezed through
    one number; the loss is the binary cross-entropy of 20 outputs, so the accuracy is the share of
    right outputs, 0.95 for a guess of no class at all. `newsgroups_lstm_mended` does without.

    Args:
        vocabulary_size: number of word ids; id 0 is padding.
        num_classes: newsgroups to tell apart.
        learning_rate: step size of the default optimizer.
        optimizer: used in place of Adam with TensorFlow 1's arithmetic.
        **others: the other arguments of `read`.

    Returns:
        A compiled model from word ids (batch, time) to probabilities (batch, classes). Labels are
        one-hot, (batch, classes).
    """
    x, last = read("lstm", vocabulary_size, **others)
    neck = layers.Dense(1, activation="sigmoid", name="neck")(last)  # (batch, 1)
    probabilities = layers.Dense(num_classes, activation="softmax", name="probabilities")(neck)

    model = keras.Model(x, probabilities, name="newsgroups_lstm")
    model.compile(
        optimizer=optimizer or TF1Adam(learning_rate),
        loss=binary_crossentropy,
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
    )
    return model
