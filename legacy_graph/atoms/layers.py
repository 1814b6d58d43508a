"""Dense layers, weights that two towers share, dropout, activations."""

import numpy as np
import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

TIME, FEATURES, UNITS = 4, 3, 5


def _sequences(dtype):
    """Sequences: what is fed, (batch, time, features)."""
    return tf.placeholder(dtype, [None, TIME, FEATURES], name="x")


def _rows(dtype):
    """Rows: what is fed, (batch, features)."""
    return tf.placeholder(dtype, [None, FEATURES], name="x")


def dense(dtype=tf.float32):
    """tf.layers.dense of more than two axes: a product over the last."""
    x = _sequences(dtype)
    return Fitted(x, tf.layers.dense(x, UNITS, tf.tanh, name="dense"))


def fully_connected(dtype=tf.float32):
    """tf.contrib.layers.fully_connected, slim's: rectified unless told; weights and biases."""
    x = _rows(dtype)
    with tf.variable_scope("fully_connected"):
        weights = tf.get_variable("weights", [FEATURES, UNITS], dtype)
        biases = tf.get_variable("biases", [UNITS], dtype, tf.zeros_initializer())
        outputs = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, weights), biases))  # (batch, units)
    return Fitted(x, outputs)


def _tower(inputs, reuse):
    with tf.variable_scope("tower", reuse=reuse):
        return tf.layers.dense(inputs, UNITS, tf.tanh, name="dense")  # (batch, units)


def tied_towers(dtype=tf.float32):
    """Two towers of the same weights, by reuse=True, and how far apart they are."""
    left = tf.placeholder(dtype, [None, FEATURES], name="left")
    right = tf.placeholder(dtype, [None, FEATURES], name="right")
    outputs = tf.abs(_tower(left, reuse=False) - _tower(right, reuse=True))  # (batch, units)
    return Fitted(left, outputs, left=left, right=right)


def flatten(dtype=tf.float32):
    """tf.layers.flatten of (batch, time, features): features are next to each other."""
    x = _sequences(dtype)
    return Fitted(x, tf.layers.dense(tf.layers.flatten(x), UNITS, name="dense"))


def dropout_keep_prob(dtype=tf.float32):
    """tf.nn.dropout: what is kept, by a placeholder."""
    x = _rows(dtype)
    keep_prob = tf.placeholder(dtype, [], name="keep_prob")
    units = tf.layers.dense(x, UNITS, name="dense")  # (batch, units)
    return Fitted(x, tf.nn.dropout(units, keep_prob), keep_prob=keep_prob)


def dropout_noise_shape(dtype=tf.float32):
    """tf.nn.dropout with a noise_shape: a unit is dropped at all times, or at none."""
    x = _sequences(dtype)
    keep_prob = tf.placeholder(dtype, [], name="keep_prob")
    units = tf.layers.dense(x, UNITS, name="dense")  # (batch, time, units)
    shape = [tf.shape(x)[0], 1, UNITS]
    return Fitted(x, tf.nn.dropout(units, keep_prob, noise_shape=shape), keep_prob=keep_prob)


def dropout_rate(dtype=tf.float32):
    """tf.layers.dropout: what is dropped, where training says so."""
    x = _rows(dtype)
    training = tf.placeholder(tf.bool, [], name="training")
    units = tf.layers.dense(x, UNITS, name="dense")  # (batch, units)
    return Fitted(x, tf.layers.dropout(units, 0.25, training=training), training=training)


def _activated(activation, dtype):
    x = _rows(dtype)
    return Fitted(x, activation(tf.layers.dense(x, UNITS, name="dense")))


def leaky_relu(dtype=tf.float32):
    """tf.nn.leaky_relu: a slope of 0.2."""
    return _activated(tf.nn.leaky_relu, dtype)


def maximum(dtype=tf.float32):
    """The leaky idiom of old scripts: tf.maximum(slope x, x)."""
    return _activated(lambda units: tf.maximum(0.125 * units, units), dtype)


def relu6(dtype=tf.float32):
    """tf.nn.relu6."""
    return _activated(lambda units: tf.nn.relu6(8 * units), dtype)


def elu(dtype=tf.float32):
    """tf.nn.elu."""
    return _activated(tf.nn.elu, dtype)


def gelu(dtype=tf.float32):
    """BERT's and GPT-2's: by tanh."""

    def activation(units):
        inner = np.sqrt(2 / np.pi) * (units + 0.044715 * tf.pow(units, 3))
        return 0.5 * units * (1.0 + tf.tanh(inner))

    return _activated(activation, dtype)
