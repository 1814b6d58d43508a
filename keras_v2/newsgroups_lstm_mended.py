"""20 Newsgroups: as `newsgroups_lstm`, without its slips, in Keras 3."""

from typing import Any

import keras
from keras import layers

from keras_v2.newsgroups_lstm import read
from keras_v2.optimizers import TF1Adam


def build_model(
    vocabulary_size: int,
    num_classes: int = 20,
    learning_rate: float = 0.001,
    optimizer: keras.Optimizer | None = None,
    **others: Any,
) -> keras.Model:
    """Builds and compiles the model as it was meant.

    Training leaves the word vectors alone and changes the LSTM; no layer of one unit; categorical
    cross-entropy.

    Args:
        vocabulary_size: number of word ids; id 0 is padding.
        num_classes: newsgroups to tell apart.
        learning_rate: step size of the default optimizer.
        optimizer: used in place of Adam with TensorFlow 1's arithmetic.
        **others: the other arguments of `read`.

    Returns:
        A compiled model from word ids (batch, time) to logits (batch, classes). Labels are
        one-hot, (batch, classes).
    """
    x, last = read("embedding", vocabulary_size, **others)
    logits = layers.Dense(num_classes, name="logits")(last)  # (batch, classes)

    model = keras.Model(x, logits, name="newsgroups_lstm_mended")
    model.compile(
        optimizer=optimizer or TF1Adam(learning_rate),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    return model
