"""Recurrent cells."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.cells import FEATURES, PROJECTED, TIME, UNITS, unrolled
from keras_v2.atoms.fitted import fitted
from keras_v2.cells import LayerNormLSTMCell, NASCell, TF1LSTMCell


def basic_rnn_cell() -> keras.Model:
    return unrolled(layers.SimpleRNN(UNITS, activation=None, return_sequences=True, name="rnn"))


class SwappedGates(layers.GRUCell):  # type: ignore[misc]  # Keras is untyped
    """Reads its gates as TensorFlow 1 orders them, r before z."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self._made = self.kernel, self.recurrent_kernel, self.bias

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        for name, weight in zip(("kernel", "recurrent_kernel", "bias"), self._made, strict=True):
            z, r, h = keras.ops.split(weight, 3, axis=-1)
            setattr(self, name, keras.ops.concatenate([r, z, h], axis=-1))
        return super().call(inputs, states, training)


def gru_cell() -> keras.Model:
    cell = SwappedGates(UNITS, reset_after=False, name="gru_cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="gru"))


class OldMemory(TF1LSTMCell):
    """Its output gate looks at the memory as it was."""

    def call(self, inputs: Any, states: Any) -> Any:
        h, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, j, o = ops.split(z, 4, axis=-1)
        i, f = ops.sigmoid(i + self.peephole_input * c), ops.sigmoid(f + self.peephole_forget * c)
        o = ops.sigmoid(o + self.peephole_output * c)
        c = f * c + i * ops.tanh(j)
        h = o * ops.tanh(c)
        return h, [h, c]


def peephole_lstm_cell() -> keras.Model:
    cell = OldMemory(UNITS, use_peepholes=True, name="cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="lstm"))


class ClippedOutside(TF1LSTMCell):
    """Bounds what comes out, and carries it on unbounded."""

    def call(self, inputs: Any, states: Any) -> Any:
        h, states = super().call(inputs, states)
        return ops.clip(h, -0.125, 0.125), states


def projected_lstm_cell() -> keras.Model:
    cell = ClippedOutside(UNITS, projection=PROJECTED, name="cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="lstm"))


def clipped_lstm_cell() -> keras.Model:
    cell = layers.LSTMCell(UNITS, name="cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="lstm"))


def layer_norm_lstm_cell() -> keras.Model:
    cell = LayerNormLSTMCell(UNITS, epsilon=1e-3, name="cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="lstm"))


class Adding(NASCell):
    """Has no branch that multiplies."""

    def meet(self, from_input: Any, from_state: Any) -> Any:
        return ops.relu(from_input + from_state)


def nas_cell() -> keras.Model:
    return unrolled(layers.RNN(Adding(UNITS, name="cell"), return_sequences=True, name="nas"))


class CarriedSum(layers.GRUCell):  # type: ignore[misc]
    """Adds the input, and carries the sum on."""

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        output, _ = super().call(inputs, states, training)
        return inputs + output, [inputs + output]


def residual_wrapper() -> keras.Model:
    x = keras.Input((TIME, UNITS), name="x")
    cell = CarriedSum(UNITS, reset_after=False, name="gru_cell")
    rnn = layers.RNN(cell, return_sequences=True, name="gru")(x)
    return fitted(x, layers.Identity(name="sum")(rnn))


def highway_wrapper() -> keras.Model:
    x = keras.Input((TIME, UNITS), name="x")
    rnn = layers.GRU(UNITS, reset_after=False, return_sequences=True, name="gru")(x)
    transform = layers.Dense(UNITS, "sigmoid", name="carry")(x)
    return fitted(x, layers.Add(name="sum")([rnn * transform, x * (1 - transform)]))


def multi_rnn_cell() -> keras.Model:
    x = keras.Input((TIME, FEATURES), name="x")
    cells = [layers.LSTMCell(UNITS, name=name) for name in ("lower", "upper")]
    rnn = layers.RNN(cells, return_sequences=True, return_state=True, name="rnn")
    outputs, *states = rnn(x)
    finals = ops.stack([each for state in states for each in state], 1)
    return fitted(x, layers.Concatenate(axis=1, name="together")([outputs, finals]))


class Copied(layers.SimpleRNN):  # type: ignore[misc]
    """Two layers, of which the upper one has a copy of the weights: it trains that instead."""

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        lower = super().call(sequences, initial_state, mask, training)  # (batch, time, units)
        weights = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        kernel, recurrent, bias = (ops.stop_gradient(each) for each in weights)
        h, upper = ops.zeros_like(lower[:, 0]), []
        for each in ops.unstack(lower, TIME, axis=1):
            h = ops.tanh(ops.matmul(each, kernel) + ops.matmul(h, recurrent) + bias)
            upper.append(h)
        return ops.stack(upper, 1)


def shared_cells() -> keras.Model:
    return unrolled(Copied(UNITS, return_sequences=True, name="rnn"), features=UNITS)
