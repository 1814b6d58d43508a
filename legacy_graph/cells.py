"""Recurrent cells that TensorFlow 1 lacks, written as its own are."""

import tensorflow.compat.v1 as tf


class ResetAfterGRUCell(tf.nn.rnn_cell.RNNCell):
    """A GRU that resets after the matrix product, with two biases: cuDNN's and Keras 2's.

        u = sigmoid(x W_u + b_u + h R_u + d_u)
        r = sigmoid(x W_r + b_r + h R_r + d_r)
        c = tanh(x W_c + b_c + r (h R_c + d_c))
        h' = u h + (1 - u) c

    `tf.nn.rnn_cell.GRUCell` has h' the same, but (r h) R_c and one bias. Contrib's
    `CudnnCompatibleGRUCell` adds up the two biases of a gate, so that it trains them half as fast.

    Variables: `kernel` (inputs, 3 x units), `recurrent_kernel` (units, 3 x units) and `bias`
    (2, 3 x units), all with the gates in the order u, r, c.

    Args:
        num_units: units of the cell.
        name: scope of the variables.
    """

    def __init__(self, num_units, name=None):
        super(ResetAfterGRUCell, self).__init__(name=name)
        self._num_units = num_units

    @property
    def state_size(self):
        """Units of the state h."""
        return self._num_units

    @property
    def output_size(self):
        """Units of the output, which is the new state."""
        return self._num_units

    def build(self, inputs_shape):
        """Creates the variables for inputs (batch, inputs)."""
        inputs, gates = tf.TensorShape(inputs_shape).as_list()[-1], 3 * self._num_units
        self.kernel = self.add_weight(
            "kernel", [inputs, gates], initializer=tf.glorot_uniform_initializer()
        )
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel", [self._num_units, gates], initializer=tf.orthogonal_initializer()
        )
        self.bias = self.add_weight("bias", [2, gates], initializer=tf.zeros_initializer())
        self.built = True

    def call(self, inputs, state):
        """Returns output and new state, the same tensor (batch, units)."""
        from_input = tf.matmul(inputs, self.kernel) + self.bias[0]  # (batch, 3 x units)
        from_state = tf.matmul(state, self.recurrent_kernel) + self.bias[1]
        u_input, r_input, c_input = tf.split(from_input, 3, axis=1)
        u_state, r_state, c_state = tf.split(from_state, 3, axis=1)
        u = tf.sigmoid(u_input + u_state)
        r = tf.sigmoid(r_input + r_state)
        c = tf.tanh(c_input + r * c_state)
        h = u * state + (1 - u) * c
        return h, h


class Keras1LSTMCell(tf.nn.rnn_cell.RNNCell):
    """The recurrent half of Keras 1's LSTM: hard gates, and a mask of the state for each gate.

    With what the gates get from the input, x, the masks n, and hard(z) = clip(0.2 z + 0.5, 0, 1):

        i = hard(x_i + (h n_i) R_i)     f = hard(x_f + (h n_f) R_f)     o = hard(x_o + (h n_o) R_o)
        j = tanh(x_j + (h n_j) R_j)     c' = f c + i j                  h' = o tanh(c')

    `tf.nn.rnn_cell.LSTMCell` has the sigmoid for its gates and no way to change that;
    `DropoutWrapper` has one mask for all gates, and drops what a state becomes, not what is read.

    Args:
        kernels: recurrent kernels of the gates i, f, o, j, (4, units, units). Made outside of the
            loop over time, or each of its steps would keep a copy for the way back.
        masks: masks of the state h for each gate, (4, batch, units).
    """

    def __init__(self, kernels, masks):
        super(Keras1LSTMCell, self).__init__()
        self._kernels = kernels
        self._masks = masks
        self._num_units = kernels.shape.as_list()[-1]

    @property
    def state_size(self):
        """Units of the memory c and of the state h."""
        return tf.nn.rnn_cell.LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        """Units of the output, which is the new state h."""
        return self._num_units

    def call(self, inputs, state):
        """Returns the output (batch, units) and the new state, a pair of (batch, units).

        Inputs are what the gates i, f, o, j get from the input, forget bias included,
        (batch, 4 x units).
        """
        c, h = state
        from_state = tf.matmul(h * self._masks, self._kernels)  # (4, batch, units)
        z = inputs + tf.concat(tf.unstack(from_state), 1)  # (batch, 4 x units)
        gates, j = tf.split(z, [3 * self._num_units, self._num_units], axis=1)
        i, f, o = tf.split(hard_sigmoid(gates), 3, axis=1)  # (batch, units) each
        c = f * c + i * tf.tanh(j)
        h = o * tf.tanh(c)
        return h, tf.nn.rnn_cell.LSTMStateTuple(c, h)


def hard_sigmoid(x):
    """Returns the broken line that stood for the sigmoid up to Keras 2; Keras 3 has x / 6."""
    return tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)
