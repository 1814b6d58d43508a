"""Recurrent cells, unrolled by `dynamic_rnn`."""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

TIME, FEATURES, UNITS = 5, 3, 4


def unrolled(cell, dtype, **options):
    """Runs a cell over a sequence; its outputs are fitted."""
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=dtype, **options)  # (batch, time, units)
    return Fitted(x, outputs)


def basic_rnn_cell(dtype=tf.float32):
    """BasicRNNCell: one kernel for inputs and state."""
    return unrolled(tf.nn.rnn_cell.BasicRNNCell(UNITS), dtype)


def gru_cell(dtype=tf.float32):
    """GRUCell: the reset gate acts before the candidate's product."""
    return unrolled(tf.nn.rnn_cell.GRUCell(UNITS), dtype)


def basic_lstm_cell(dtype=tf.float32):
    """BasicLSTMCell: a forget bias of one is added at run time."""
    return unrolled(tf.nn.rnn_cell.BasicLSTMCell(UNITS), dtype)
