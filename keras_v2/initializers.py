"""Keras initializers that draw first weights as TensorFlow 1 did."""

import math

from keras.initializers import RandomUniform


def tf1_glorot(inputs: int, units: int, gates: int = 1) -> dict[str, RandomUniform]:
    """Returns the initializers of a recurrent layer's or cell's two kernels.

    A cell of TensorFlow 1 has one kernel, [inputs + units, gates x units], and draws it as one
    glorot uniform matrix: within sqrt(6 / (rows + columns)). Keras has a part of it in each of its
    kernels, and by itself draws the first within another limit and the second orthogonal.

        keras.layers.LSTM(units, **tf1_glorot(inputs, units, gates=4))

    Args:
        inputs: features of the layer's input.
        units: of the layer.
        gates: matrices side by side in a kernel: 1 for a simple recurrent layer, 4 for an LSTM.
            TensorFlow 1's GRUCell has two kernels with a limit each, so this is not for a GRU.

    Returns:
        ``kernel_initializer``, for (inputs, gates x units), and ``recurrent_initializer``, for
        (units, gates x units).

    References:
        `BasicRNNCell.build`, `LSTMCell.build` in tensorflow/python/ops/rnn_cell_impl.py;
        `VarianceScaling` in tensorflow/python/ops/init_ops.py (TensorFlow 1.15).
    """
    limit = math.sqrt(6 / (inputs + units + gates * units))
    return {
        "kernel_initializer": RandomUniform(-limit, limit),
        "recurrent_initializer": RandomUniform(-limit, limit),
    }
