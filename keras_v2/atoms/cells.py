"""Recurrent cells, unrolled over a sequence."""

from typing import Any

import keras
from keras import layers

from keras_v2.atoms.fitted import fitted

TIME, FEATURES, UNITS = 5, 3, 4


def unrolled(layer: Any) -> keras.Model:
    """Runs a recurrent layer over a sequence; its outputs are fitted."""
    x = keras.Input((TIME, FEATURES), name="x")
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
