"""What is done with cells: lengths, both directions, dropout, and loops by hand."""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

TIME, FEATURES, UNITS = 5, 3, 4


def sequences(dtype):
    """Returns placeholders of sequences, (batch, time, features), and of their lengths."""
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    return x, tf.placeholder(tf.int32, [None], name="lengths")


def dynamic_rnn_lengths(dtype=tf.float32):
    """dynamic_rnn with lengths: outputs past the end, which are 0, and the last state."""
    x, lengths = sequences(dtype)
    cell = tf.nn.rnn_cell.BasicLSTMCell(UNITS)
    outputs, last = tf.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=dtype)
    together = tf.concat([outputs, last.h[:, tf.newaxis]], 1)  # (batch, time + 1, units)
    return Fitted(x, together, lengths=lengths)


def padded_loss(dtype=tf.float32):
    """A mean over all steps: those past the end count, with an output of 0."""
    x, lengths = sequences(dtype)
    cell = tf.nn.rnn_cell.BasicRNNCell(UNITS)
    outputs, _ = tf.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=dtype)
    return Fitted(x, outputs, lengths=lengths)


def static_rnn_lengths(dtype=tf.float32):
    """static_rnn with lengths: the output of the last step is 0 for a row that is shorter."""
    x, lengths = sequences(dtype)
    cell = tf.nn.rnn_cell.BasicLSTMCell(UNITS)
    outputs, _ = tf.nn.static_rnn(cell, tf.unstack(x, axis=1), dtype=dtype, sequence_length=lengths)
    return Fitted(x, outputs[-1], lengths=lengths)


def bidirectional_dynamic_rnn(dtype=tf.float32):
    """Two cells, one of which reads from the end; what it gives is turned back."""
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    return Fitted(x, both_ways(x))


def bidirectional_lengths(dtype=tf.float32):
    """The backward cell starts at the last word of each row, not at the padding."""
    x, lengths = sequences(dtype)
    return Fitted(x, both_ways(x, lengths), lengths=lengths)


def both_ways(x, lengths=None):
    """Returns the outputs of both directions, (batch, time, 2 x units)."""
    cells = [tf.nn.rnn_cell.BasicLSTMCell(UNITS) for _ in range(2)]
    outputs, _ = tf.nn.bidirectional_dynamic_rnn(
        cells[0], cells[1], x, sequence_length=lengths, dtype=x.dtype
    )
    return tf.concat(outputs, 2)


def dropping(cell, dtype, **options):
    """Returns a cell that drops input, state and output, and the share that it keeps."""
    keep_prob = tf.placeholder(dtype, [], name="keep_prob")
    cell = tf.nn.rnn_cell.DropoutWrapper(
        cell, keep_prob, keep_prob, keep_prob, dtype=dtype, **options
    )
    return cell, keep_prob


def dropout_wrapper(dtype=tf.float32):
    """DropoutWrapper draws anew at every step. Unrolled: each draw is an op of its own.

    The last state is fitted, too, which is dropped as well.
    """
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    cell, keep_prob = dropping(tf.nn.rnn_cell.BasicLSTMCell(UNITS), dtype)
    outputs, last = tf.nn.static_rnn(cell, tf.unstack(x, axis=1), dtype=dtype)
    return Fitted(x, tf.stack([*outputs, last.h], 1), keep_prob=keep_prob)


def variational_lstm(dtype=tf.float32):
    """DropoutWrapper with one mask for all steps, around an LSTM: its memory is not dropped."""
    return variational(tf.nn.rnn_cell.BasicLSTMCell(UNITS), dtype)


def variational_gru(dtype=tf.float32):
    """DropoutWrapper with one mask for all steps, around a GRU: the whole state is dropped."""
    return variational(tf.nn.rnn_cell.GRUCell(UNITS), dtype)


def variational(cell, dtype):
    """Runs a cell that drops by one mask for all steps and rows; its outputs are fitted."""
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    cell, keep_prob = dropping(cell, dtype, variational_recurrent=True, input_size=FEATURES)
    outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=dtype)  # (batch, time, units)
    return Fitted(x, outputs, keep_prob=keep_prob)


def while_loop(dtype=tf.float32):
    """A leaky cell in a loop that ends with the longest row: until then, all rows go on."""
    x, lengths = sequences(dtype)
    kernel = tf.get_variable("kernel", [FEATURES, UNITS], dtype)
    recurrent_kernel = tf.get_variable("recurrent_kernel", [UNITS, UNITS], dtype)
    bias = tf.get_variable("bias", [UNITS], dtype, tf.zeros_initializer())

    def step(t, h):
        target = tf.tanh(tf.matmul(x[:, t], kernel) + tf.matmul(h, recurrent_kernel) + bias)
        return t + 1, h + 0.25 * (target - h)

    longest = tf.reduce_max(lengths)
    start = tf.zeros([tf.shape(x)[0], UNITS], dtype)
    _, h = tf.while_loop(
        lambda t, h: t < longest,
        step,
        [0, start],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, UNITS])],
    )
    return Fitted(x, h, lengths=lengths)


def scan(dtype=tf.float32):
    """A mean that forgets, by a share that is learned: without an initializer, from the first."""
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    share = tf.sigmoid(tf.get_variable("share", [FEATURES], dtype, tf.zeros_initializer()))
    steps = tf.transpose(x, [1, 0, 2])  # (time, batch, features)
    means = tf.scan(lambda mean, each: share * mean + (1 - share) * each, steps)
    return Fitted(x, tf.transpose(means, [1, 0, 2]))


def raw_rnn(dtype=tf.float32):
    """A cell that reads what it said, from a first state; what it says past the end is 0."""
    x = tf.placeholder(dtype, [None, UNITS], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")

    def loop_fn(time, output, state, loop_state):
        if output is None:  # before the first step
            return time >= lengths, tf.zeros_like(x), x, None, None
        return time >= lengths, output, state, output, None

    said, _, _ = tf.nn.raw_rnn(tf.nn.rnn_cell.GRUCell(UNITS), loop_fn)
    outputs = said.stack()  # (longest, batch, units)
    outputs = tf.pad(outputs, [[0, TIME - tf.shape(outputs)[0]], [0, 0], [0, 0]])
    outputs = tf.transpose(outputs, [1, 0, 2])
    outputs.set_shape([None, TIME, UNITS])
    return Fitted(x, outputs, lengths=lengths)
