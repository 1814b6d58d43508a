"""Recurrent cells of `tf.contrib.rnn`, from core ops: `tf.compat.v1` has no contrib."""

import tensorflow.compat.v1 as tf

NAS_BASE = 8  # branches of the searched cell, each with matrices of its own


class LayerNormBasicLSTMCell(tf.nn.rnn_cell.RNNCell):
    """An LSTM that normalises each gate, and the memory, over its units.

        i, j, f, o = split([x, h] W), each normalised with a gain and a shift of its own
        c' = norm(sigmoid(f + 1) c + sigmoid(i) tanh(j))
        h' = sigmoid(o) tanh(c')

    Variables: `kernel` (inputs + units, 4 x units), and `gamma` and `beta` (units) in each of the
    scopes input, transform, forget, output and state. Contrib's dropout of j is left out.

    Args:
        num_units: units of the cell.
        forget_bias: is added to the forget gate.
    """

    def __init__(self, num_units, forget_bias=1.0):
        super(LayerNormBasicLSTMCell, self).__init__(name="layer_norm_basic_lstm_cell")
        self._num_units = num_units
        self._forget_bias = forget_bias

    @property
    def state_size(self):
        """Units of the memory c and of the state h."""
        return tf.nn.rnn_cell.LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        """Units of the output, which is the new state h."""
        return self._num_units

    def call(self, inputs, state):
        """Returns the output (batch, units) and the new state, a pair of (batch, units)."""
        c, h = state
        rows = inputs.shape.as_list()[-1] + self._num_units
        kernel = tf.get_variable("kernel", [rows, 4 * self._num_units], inputs.dtype)
        gates = tf.split(tf.matmul(tf.concat([inputs, h], 1), kernel), 4, axis=1)
        i, j, f, o = [
            layer_norm(gate, scope)
            for gate, scope in zip(gates, ("input", "transform", "forget", "output"))
        ]  # (batch, units) each
        c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * tf.tanh(j)
        c = layer_norm(c, "state")
        h = tf.tanh(c) * tf.sigmoid(o)
        return h, tf.nn.rnn_cell.LSTMStateTuple(c, h)


class NASCell(tf.nn.rnn_cell.RNNCell):
    """The cell that a search over architectures found for language models.

    Variables: `kernel` (inputs, 8 x units) and `recurrent_kernel` (units, 8 x units). Contrib's
    projection and bias, which are off by default, are left out.

    Args:
        num_units: units of the cell.
    """

    def __init__(self, num_units):
        super(NASCell, self).__init__(name="nas_cell")
        self._num_units = num_units

    @property
    def state_size(self):
        """Units of the memory c and of the state m."""
        return tf.nn.rnn_cell.LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        """Units of the output, which is the new state m."""
        return self._num_units

    def call(self, inputs, state):
        """Returns the output (batch, units) and the new state, a pair of (batch, units)."""
        c, m = state
        columns = NAS_BASE * self._num_units
        recurrent = tf.get_variable("recurrent_kernel", [self._num_units, columns], inputs.dtype)
        kernel = tf.get_variable("kernel", [inputs.shape.as_list()[-1], columns], inputs.dtype)
        a = tf.split(tf.matmul(inputs, kernel), NAS_BASE, axis=1)  # (batch, units) each
        b = tf.split(tf.matmul(m, recurrent), NAS_BASE, axis=1)

        first = tf.tanh(tf.sigmoid(a[0] + b[0]) * tf.nn.relu(a[1] + b[1]))
        second = tf.tanh(tf.sigmoid(a[2] + b[2]) + tf.nn.relu(a[3] * b[3]))
        third = tf.tanh(tf.tanh(a[4] + b[4]) * tf.sigmoid(a[5] + b[5]))
        fourth = tf.sigmoid(tf.tanh(a[6] + b[6]) + tf.sigmoid(a[7] + b[7]))

        c = tf.tanh(first + c) * second
        m = tf.tanh(c * tf.tanh(third + fourth))
        return m, tf.nn.rnn_cell.LSTMStateTuple(c, m)


class HighwayWrapper(tf.nn.rnn_cell.RNNCell):
    """Lets a cell's input past it, as far as a gate says: x g + out (1 - g).

    g = sigmoid(x `carry_w` + `carry_b`), of sizes (inputs, inputs) and (inputs). The cell has as
    many units as inputs. The state is the cell's own. Contrib can also learn the gate of the
    output.

    Args:
        cell: the cell.
        carry_bias_init: first value of the bias.
    """

    def __init__(self, cell, carry_bias_init=1.0):
        super(HighwayWrapper, self).__init__()
        self._cell = cell
        self._carry_bias_init = carry_bias_init

    @property
    def state_size(self):
        """Of the cell."""
        return self._cell.state_size

    @property
    def output_size(self):
        """Of the cell."""
        return self._cell.output_size

    def zero_state(self, batch_size, dtype):
        """Of the cell."""
        return self._cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        """Returns the output (batch, units) and the cell's new state."""
        outputs, state = self._cell(inputs, state, scope=scope)
        size = inputs.shape.as_list()[-1]
        weight = tf.get_variable("carry_w", [size, size], inputs.dtype)
        start = tf.constant_initializer(self._carry_bias_init)
        bias = tf.get_variable("carry_b", [size], inputs.dtype, start)
        carry = tf.sigmoid(tf.nn.xw_plus_b(inputs, weight, bias))  # (batch, inputs)
        return inputs * carry + outputs * (1 - carry), state


def layer_norm(inputs, scope):
    """Returns inputs (batch, units), each row with mean 0 and variance 1, then gain and shift.

    As `tf.contrib.layers.layer_norm` does: 1e-12 is added to the variance.
    """
    units = inputs.shape.as_list()[-1:]
    with tf.variable_scope(scope):
        gamma = tf.get_variable("gamma", units, inputs.dtype, tf.ones_initializer())
        beta = tf.get_variable("beta", units, inputs.dtype, tf.zeros_initializer())
    mean, variance = tf.nn.moments(inputs, [1], keep_dims=True)  # (batch, 1) each
    return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, 1e-12)
