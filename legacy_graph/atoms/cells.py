"""Recurrent cells, unrolled by `dynamic_rnn`."""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted
from legacy_graph.contrib_cells import HighwayWrapper, LayerNormBasicLSTMCell, NASCell

TIME, FEATURES, UNITS, PROJECTED = 5, 3, 4, 2


def unrolled(cell, dtype, features=FEATURES):
    """Runs a cell over a sequence; its outputs are fitted."""
    x = tf.placeholder(dtype, [None, TIME, features], name="x")
    outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=dtype)  # (batch, time, units)
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


def peephole_lstm_cell(dtype=tf.float32):
    """LSTMCell whose gates see the memory: the output gate the new one."""
    return unrolled(tf.nn.rnn_cell.LSTMCell(UNITS, use_peepholes=True), dtype)


def projected_lstm_cell(dtype=tf.float32):
    """LSTMCell whose state is projected, and clipped after that."""
    cell = tf.nn.rnn_cell.LSTMCell(UNITS, num_proj=PROJECTED, proj_clip=0.125)
    return unrolled(cell, dtype)


def clipped_lstm_cell(dtype=tf.float32):
    """LSTMCell whose memory is clipped."""
    return unrolled(tf.nn.rnn_cell.LSTMCell(UNITS, cell_clip=0.125), dtype)


def layer_norm_lstm_cell(dtype=tf.float32):
    """LayerNormBasicLSTMCell of contrib."""
    return unrolled(LayerNormBasicLSTMCell(UNITS), dtype)


def nas_cell(dtype=tf.float32):
    """NASCell of contrib."""
    return unrolled(NASCell(UNITS), dtype)


def residual_wrapper(dtype=tf.float32):
    """ResidualWrapper: the input is added to the output, not to the state."""
    cell = tf.nn.rnn_cell.ResidualWrapper(tf.nn.rnn_cell.GRUCell(UNITS))
    return unrolled(cell, dtype, features=UNITS)


def highway_wrapper(dtype=tf.float32):
    """HighwayWrapper of contrib: the gate says how much of the input is carried."""
    return unrolled(HighwayWrapper(tf.nn.rnn_cell.GRUCell(UNITS)), dtype, features=UNITS)


def multi_rnn_cell(dtype=tf.float32):
    """MultiRNNCell: outputs of the upper cell, and the final states of both, memory first."""
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(UNITS) for _ in range(2)])
    outputs, (lower, upper) = tf.nn.dynamic_rnn(cell, x, dtype=dtype)
    finals = tf.stack([lower.c, lower.h, upper.c, upper.h], 1)  # (batch, 4, units)
    return Fitted(x, tf.concat([outputs, finals], 1))


def shared_cells(dtype=tf.float32):
    """MultiRNNCell of one cell twice, `[cell] * 2`: both layers have the same weights."""
    cell = tf.nn.rnn_cell.BasicRNNCell(UNITS)
    return unrolled(tf.nn.rnn_cell.MultiRNNCell([cell] * 2), dtype, features=UNITS)
