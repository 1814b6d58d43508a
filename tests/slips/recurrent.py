"""What is done with cells."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.fitted import fitted
from keras_v2.atoms.recurrent import (
    FEATURES,
    TIME,
    UNITS,
    LeakyCell,
    LearnedMean,
    sequences,
    spoken,
    variational,
    within,
)
from keras_v2.cells import DropoutCell, VariationalStateCell
from keras_v2.masking import Unmasked


def dynamic_rnn_lengths() -> keras.Model:
    x, lengths = sequences(FEATURES)
    rnn = layers.LSTM(UNITS, return_sequences=True, return_state=True, name="lstm")
    outputs, h, _ = rnn(x, mask=within(lengths))
    together = ops.concatenate([outputs, ops.expand_dims(h, 1)], 1)
    return fitted({"x": x, "lengths": lengths}, Unmasked(name="unmasked")(together))


def padded_loss() -> keras.Model:
    x, lengths = sequences(FEATURES)
    rnn = layers.SimpleRNN(UNITS, return_sequences=True, zero_output_for_mask=True, name="rnn")
    outputs = rnn(x, mask=within(lengths))
    return fitted({"x": x, "lengths": lengths}, layers.Identity(name="unmasked")(outputs))


def static_rnn_lengths() -> keras.Model:
    x, lengths = sequences(FEATURES)
    last = layers.LSTM(UNITS, unroll=True, name="lstm")(x, mask=within(lengths))
    return fitted({"x": x, "lengths": lengths}, layers.Identity(name="last")(last))


class NotTurnedBack(layers.Bidirectional):  # type: ignore[misc]  # Keras is untyped
    """Two layers side by side, one of which has go_backwards."""

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        both = [layer(sequences) for layer in (self.forward_layer, self.backward_layer)]
        return ops.concatenate(both, axis=-1)


def bidirectional_dynamic_rnn() -> keras.Model:
    x = keras.Input((TIME, FEATURES), name="x")
    lstm = layers.LSTM(UNITS, return_sequences=True, name="lstm")
    return fitted(x, NotTurnedBack(lstm, name="both")(x))


def bidirectional_lengths() -> keras.Model:
    x, lengths = sequences(FEATURES)
    lstm = layers.LSTM(UNITS, return_sequences=True, name="lstm")
    outputs = layers.Bidirectional(lstm, name="both")(x)
    mask = ops.expand_dims(ops.cast(within(lengths), outputs.dtype), 2)
    return fitted({"x": x, "lengths": lengths}, Unmasked(name="unmasked")(outputs * mask))


class DroppedMemory(DropoutCell):
    """Drops the memory by the mask of the state."""

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        output, (h, c) = super().call(inputs, states, training)
        if training:
            c = ops.where(h == 0, ops.zeros_like(c), c / (1 - self.state_rate))
        return output, [h, c]


def dropout_wrapper() -> keras.Model:
    x = keras.Input((TIME, FEATURES), name="x")
    cell = DroppedMemory(layers.LSTMCell(UNITS, name="lstm_cell"), 0.5, 0.5, 0.5, name="cell")
    rnn = layers.RNN(cell, return_sequences=True, return_state=True, unroll=True, name="rnn")
    outputs, h, _ = rnn(x)
    together = layers.Concatenate(axis=1, name="together")([outputs, ops.expand_dims(h, 1)])
    return fitted(x, together)


def variational_lstm() -> keras.Model:
    x = keras.Input((TIME, FEATURES), name="x")
    dropped = layers.Dropout(0.5, noise_shape=(None, 1, FEATURES), name="input_dropout")(x)
    lstm = layers.LSTMCell(UNITS, name="inner")
    cell = VariationalStateCell(lstm, 0.5, name="cell")
    outputs = layers.RNN(cell, return_sequences=True, name="rnn")(dropped)
    last = layers.Dropout(0.5, noise_shape=(None, 1, UNITS), name="output_dropout")
    return fitted(x, last(outputs))


class CarriedWhole(VariationalStateCell):
    """A GRU, whose gates read a dropped state, and which carries on that without the mask."""

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        h, mask = states
        read = h * mask if training else h
        x = ops.split(ops.matmul(inputs, self.cell.kernel) + self.cell.bias, 3, axis=-1)
        to_z, to_r, to_c = ops.split(self.cell.recurrent_kernel, 3, axis=-1)
        z = ops.sigmoid(x[0] + ops.matmul(read, to_z))
        r = ops.sigmoid(x[1] + ops.matmul(read, to_r))
        c = ops.tanh(x[2] + ops.matmul(r * read, to_c))
        h = z * h + (1 - z) * c
        return h, [h, mask]


def variational_gru() -> keras.Model:
    gru = layers.GRUCell(UNITS, reset_after=False, name="inner")
    return variational(gru, wrapper=CarriedWhole)


def while_loop() -> keras.Model:
    x, lengths = sequences(FEATURES)
    last = layers.RNN(LeakyCell(UNITS), name="rnn")(x, mask=within(lengths))
    return fitted({"x": x, "lengths": lengths}, last)


class FromZeros(LearnedMean):
    """Starts from a mean of zeros."""

    def call(self, inputs: Any) -> Any:
        return self.means(ops.zeros_like(inputs[:, 0]), inputs)


def scan() -> keras.Model:
    x = keras.Input((TIME, FEATURES), name="x")
    return fitted(x, FromZeros(name="mean")(x))


def raw_rnn() -> keras.Model:
    x, lengths = keras.Input((UNITS,), name="x"), keras.Input((), dtype="int32", name="lengths")
    said = layers.Identity(name="said")(spoken(x))
    return fitted({"x": x, "lengths": lengths}, said)
