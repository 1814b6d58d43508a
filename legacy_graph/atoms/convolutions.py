"""Convolutions, pooling, resizing."""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

SIZE, TIME, CHANNELS, FILTERS = 5, 6, 3, 4


def _images(dtype):
    """Images: what is fed, (batch, height, width, channels)."""
    return tf.placeholder(dtype, [None, SIZE, SIZE, CHANNELS], name="x")


def _sequences(dtype):
    """Sequences: what is fed, (batch, time, channels)."""
    return tf.placeholder(dtype, [None, TIME, CHANNELS], name="x")


def _kernel(shape, dtype):
    return tf.get_variable("kernel", shape, dtype)


def conv2d(dtype=tf.float32):
    """tf.layers.conv2d: valid unless told."""
    x = _images(dtype)
    return Fitted(x, tf.layers.conv2d(x, FILTERS, 3, activation=tf.tanh, name="conv"))


def conv2d_strided(dtype=tf.float32):
    """tf.nn.conv2d, SAME with a stride: an even size is padded at its end alone."""
    x = _images(dtype)
    kernel = _kernel([2, 2, CHANNELS, FILTERS], dtype)
    return Fitted(x, tf.nn.conv2d(x, kernel, strides=[1, 2, 2, 1], padding="SAME"))


def contrib_conv2d(dtype=tf.float32):
    """tf.contrib.layers.conv2d, slim's: SAME and rectified unless told; weights and biases."""
    x = _images(dtype)
    with tf.variable_scope("Conv"):
        weights = tf.get_variable("weights", [3, 3, CHANNELS, FILTERS], dtype)
        biases = tf.get_variable("biases", [FILTERS], dtype, tf.zeros_initializer())
        convolved = tf.nn.conv2d(x, weights, strides=[1, 1, 1, 1], padding="SAME")
        outputs = tf.nn.relu(tf.nn.bias_add(convolved, biases))
    return Fitted(x, outputs)


def conv1d(dtype=tf.float32):
    """tf.layers.conv1d."""
    x = _sequences(dtype)
    return Fitted(x, tf.layers.conv1d(x, FILTERS, 3, activation=tf.tanh, name="conv"))


def causal_conv1d(dtype=tf.float32):
    """A convolution that sees no later step: padded by hand, as WaveNets are."""
    x = _sequences(dtype)
    padded = tf.pad(x, [[0, 0], [4, 0], [0, 0]])
    return Fitted(x, tf.layers.conv1d(padded, FILTERS, 3, dilation_rate=2, name="conv"))


def atrous_conv2d(dtype=tf.float32):
    """tf.nn.atrous_conv2d."""
    x = _images(dtype)
    kernel = _kernel([3, 3, CHANNELS, FILTERS], dtype)
    return Fitted(x, tf.nn.atrous_conv2d(x, kernel, rate=2, padding="SAME"))


def depthwise_conv2d(dtype=tf.float32):
    """tf.nn.depthwise_conv2d: channel by channel, the multiples of each next to each other."""
    x = _images(dtype)
    kernel = _kernel([3, 3, CHANNELS, 2], dtype)
    return Fitted(x, tf.nn.depthwise_conv2d(x, kernel, strides=[1, 1, 1, 1], padding="VALID"))


def separable_conv2d(dtype=tf.float32):
    """tf.layers.separable_conv2d: one bias and one activation, at the end."""
    x = _images(dtype)
    outputs = tf.layers.separable_conv2d(x, FILTERS, 3, activation=tf.tanh, name="conv")
    return Fitted(x, outputs)


def conv2d_transpose(dtype=tf.float32):
    """tf.layers.conv2d_transpose: twice as large."""
    x = _images(dtype)
    return Fitted(x, tf.layers.conv2d_transpose(x, FILTERS, 3, 2, padding="same", name="conv"))


def conv2d_transpose_output_shape(dtype=tf.float32):
    """tf.nn.conv2d_transpose with the other size that has this one at stride 2."""
    x = _images(dtype)
    kernel = _kernel([3, 3, FILTERS, CHANNELS], dtype)
    size = 2 * SIZE - 1
    shape = tf.stack([tf.shape(x)[0], size, size, FILTERS])
    outputs = tf.nn.conv2d_transpose(x, kernel, shape, strides=[1, 2, 2, 1], padding="SAME")
    outputs.set_shape([None, size, size, FILTERS])
    return Fitted(x, outputs)


def max_pool(dtype=tf.float32):
    """tf.nn.max_pool, SAME."""
    x = _images(dtype)
    convolved = tf.layers.conv2d(x, FILTERS, 1, name="conv")
    return Fitted(x, tf.nn.max_pool(convolved, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"))


def max_over_time(dtype=tf.float32):
    """tf.nn.max_pool over all steps, as text CNNs have it."""
    x = _sequences(dtype)
    convolved = tf.layers.conv1d(x, FILTERS, 3, activation=tf.tanh, name="conv")
    steps = TIME - 2
    pooled = tf.nn.max_pool(
        tf.expand_dims(convolved, 1), [1, 1, steps, 1], [1, 1, 1, 1], "VALID"
    )  # (batch, 1, 1, filters)
    return Fitted(x, tf.reshape(pooled, [-1, FILTERS]))


def avg_pool(dtype=tf.float32):
    """tf.nn.avg_pool, SAME: what is padded does not count."""
    x = _images(dtype)
    convolved = tf.layers.conv2d(x, FILTERS, 1, name="conv")
    return Fitted(x, tf.nn.avg_pool(convolved, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"))


def global_mean(dtype=tf.float32):
    """The mean over height and width, by reduce_mean."""
    x = _images(dtype)
    convolved = tf.layers.conv2d(x, FILTERS, 3, activation=tf.tanh, name="conv")
    return Fitted(x, tf.reduce_mean(convolved, [1, 2]))


def _resized(resize, size, dtype):
    x = _images(dtype)
    resized = tf.cast(resize(x, [size, size]), dtype)  # bilinear gives float32 whatever it is given
    return Fitted(x, tf.layers.conv2d(resized, FILTERS, 1, name="conv"), resized=resized)


def resize_bilinear(dtype=tf.float32):
    """tf.image.resize_bilinear: pixels are points, the first of both images the same."""
    return _resized(tf.image.resize_bilinear, 2 * SIZE, dtype)


def resize_bilinear_aligned(dtype=tf.float32):
    """The same with align_corners: the last are the same, too."""

    def resize(images, size):
        return tf.image.resize_bilinear(images, size, align_corners=True)

    return _resized(resize, 2 * SIZE - 1, dtype)


def resize_nearest(dtype=tf.float32):
    """tf.image.resize_nearest_neighbor: the pixel before."""
    return _resized(tf.image.resize_nearest_neighbor, 2 * SIZE - 2, dtype)
