"""Recurrent cells, unrolled over a sequence."""

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.fitted import fitted
from keras_v2.cells import LayerNormLSTMCell, NASCell, TF1LSTMCell

TIME, FEATURES, UNITS, PROJECTED = 5, 3, 4, 2


def unrolled(layer: Any, features: int = FEATURES) -> keras.Model:
    """Runs a recurrent layer over a sequence; its outputs are fitted."""
    x = keras.Input((TIME, features), name="x")
    return fitted(x, layer(x))  # (batch, time, units)


def basic_rnn_cell() -> keras.Model:
    """`SimpleRNN` keeps the kernel in two parts."""
    return unrolled(layers.SimpleRNN(UNITS, return_sequences=True, name="rnn"))


def gru_cell() -> keras.Model:
    """`GRU`, with the reset gate before the candidate's product."""
    return unrolled(layers.GRU(UNITS, reset_after=False, return_sequences=True, name="gru"))


def basic_lstm_cell() -> keras.Model:
    """`LSTM` holds the forget bias in its bias."""
    return unrolled(layers.LSTM(UNITS, return_sequences=True, name="lstm"))


def peephole_lstm_cell() -> keras.Model:
    """A cell of our own: `LSTM` has no peepholes."""
    cell = TF1LSTMCell(UNITS, use_peepholes=True, name="cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="lstm"))


def projected_lstm_cell() -> keras.Model:
    """A cell of our own: `LSTM` has no projection."""
    cell = TF1LSTMCell(UNITS, projection=PROJECTED, projection_clip=0.125, name="cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="lstm"))


def clipped_lstm_cell() -> keras.Model:
    """A cell of our own: `LSTM` clips nothing."""
    cell = TF1LSTMCell(UNITS, cell_clip=0.125, name="cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="lstm"))


def layer_norm_lstm_cell() -> keras.Model:
    """A cell of our own."""
    cell = LayerNormLSTMCell(UNITS, name="cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="lstm"))


def nas_cell() -> keras.Model:
    """A cell of our own."""
    return unrolled(layers.RNN(NASCell(UNITS, name="cell"), return_sequences=True, name="nas"))


def residual_wrapper() -> keras.Model:
    """The sum of a layer's input and output."""
    x = keras.Input((TIME, UNITS), name="x")
    rnn = layers.GRU(UNITS, reset_after=False, return_sequences=True, name="gru")
    return fitted(x, layers.Add(name="sum")([x, rnn(x)]))


def highway_wrapper() -> keras.Model:
    """The gate is a `Dense` layer on the input of every step."""
    x = keras.Input((TIME, UNITS), name="x")
    rnn = layers.GRU(UNITS, reset_after=False, return_sequences=True, name="gru")(x)
    carry = layers.Dense(UNITS, "sigmoid", bias_initializer="ones", name="carry")(x)
    return fitted(x, layers.Add(name="sum")([x * carry, rnn * (1 - carry)]))


def multi_rnn_cell() -> keras.Model:
    """`RNN` of several cells; a state is a list with the memory last."""
    x = keras.Input((TIME, FEATURES), name="x")
    cells = [layers.LSTMCell(UNITS, name=name) for name in ("lower", "upper")]
    rnn = layers.RNN(cells, return_sequences=True, return_state=True, name="rnn")
    outputs, *states = rnn(x)
    finals = ops.stack([state for h, c in states for state in (c, h)], 1)  # (batch, 4, units)
    return fitted(x, layers.Concatenate(axis=1, name="together")([outputs, finals]))


def shared_cells() -> keras.Model:
    """One layer, called twice."""
    x = keras.Input((TIME, UNITS), name="x")
    rnn = layers.SimpleRNN(UNITS, return_sequences=True, name="rnn")
    return fitted(x, rnn(rnn(x)))
