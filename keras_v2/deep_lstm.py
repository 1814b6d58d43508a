"""Five LSTM layers and two dense ones, from sequences to sequences, in Keras 3."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_v2.initializers import tf1_glorot
from keras_v2.optimizers import TF1Adam


def build_model(
    sequence_length: int = 2,
    input_size: int = 3,
    rnn_sizes: Sequence[int] = (64, 64, 128, 192, 256),
    hidden_size: int = 256,
    dropout_rate: float = 0.5,
    learning_rate: float = 0.001,
    optimizer: keras.Optimizer | None = None,
) -> keras.Model:
    """Builds and compiles the model.

    The target was not published. The last layer's output is a sequence of vectors, so the target
    is one, too: the mean absolute error needs the same shape on both sides.

    Args:
        sequence_length: time steps.
        input_size: numbers at each time step.
        rnn_sizes: units of each LSTM layer.
        hidden_size: units of each dense layer, and numbers of the target at each time step.
        dropout_rate: share of each dense layer that dropout drops.
        learning_rate: step size of the default optimizer.
        optimizer: used in place of Adam with TensorFlow 1's arithmetic.

    Returns:
        A compiled model from (batch, time, input) to (batch, time, hidden).
    """
    x = keras.Input((sequence_length, input_size), name="x")

    outputs = x
    for number, size in enumerate(rnn_sizes, start=1):
        outputs = layers.LSTM(
            size,
            return_sequences=True,
            name=f"lstm_{number}",
            **tf1_glorot(outputs.shape[-1], size, gates=4),
        )(outputs)  # (batch, time, units)

    hidden = outputs
    for number in (1, 2):
        hidden = layers.Dense(hidden_size, activation="selu", name=f"hidden_{number}")(hidden)
        hidden = layers.Dropout(dropout_rate, name=f"dropout_{number}")(hidden)

    model = keras.Model(x, hidden, name="deep_lstm")
    model.compile(
        optimizer=optimizer or TF1Adam(learning_rate), loss=keras.losses.MeanAbsoluteError()
    )
    return model
