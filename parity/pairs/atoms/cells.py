"""Recurrent cells."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import normal
from parity.weights import basic_rnn, gru, lstm

_SOURCE = "python/ops/rnn_cell_impl.py: "
_cell = functools.partial(atom, family="cells", x=normal(5, 3), y=normal(5, 4))

ROWS: tuple[Pair, ...] = (
    _cell(
        "basic_rnn_cell",
        "BasicRNNCell",
        taps={"outputs": "rnn"},
        rules=basic_rnn("rnn/basic_rnn_cell", "rnn/simple_rnn_cell"),
        tf1="h' = tanh([x, h] W + b)",
        keras="h' = tanh(x K + h R + b): SimpleRNN; K is the upper rows of W, R the lower ones",
        source=_SOURCE + "BasicRNNCell.call",
        slip=Slip("the activation is left out", "forward"),
    ),
    _cell(
        "gru_cell",
        "GRUCell",
        taps={"outputs": "gru"},
        rules=gru("rnn/gru_cell", "gru/gru_cell"),
        tf1="r, u = sigmoid([x, h] W + b); c = tanh([x, r h] V + d); h' = u h + (1 - u) c",
        keras="GRU with reset_after=False; gates z, r, h, where z is u",
        source=_SOURCE + "GRUCell.call",
        slip=Slip("the gates are copied in TensorFlow 1's order, r before u", "forward"),
    ),
    _cell(
        "basic_lstm_cell",
        "BasicLSTMCell",
        taps={"outputs": "lstm"},
        rules=lstm("rnn/basic_lstm_cell", "lstm/lstm_cell"),
        tf1="i, j, f, o = [x, h] W + b; c' = sigmoid(f + 1) c + sigmoid(i) tanh(j); "
        "h' = sigmoid(o) tanh(c')",
        keras="LSTM; gates i, f, c, o, and a bias that holds the 1",
        source=_SOURCE + "BasicLSTMCell.call",
        slip=Slip(
            "the forget bias is not added to the bias",
            "forward",
            lstm("rnn/basic_lstm_cell", "lstm/lstm_cell", forget_bias=0.0),
        ),
    ),
)
