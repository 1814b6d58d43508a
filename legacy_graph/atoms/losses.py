"""Losses of a dense layer's outputs.

tf.losses computes in float32 whatever it is given; in float64 its formulas are written out.
"""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

FEATURES, UNITS, TIME = 4, 5, 3


def _rows(dtype, target=None):
    """What is fed, (batch, units) of a layer, and a target of that shape."""
    x = tf.placeholder(dtype, [None, FEATURES], name="x")
    y = tf.placeholder(target or dtype, [None, UNITS], name="y")
    return x, tf.layers.dense(x, UNITS, name="dense"), y


def _fits(dtype):
    """Tells whether tf.losses computes in a type."""
    return tf.as_dtype(dtype) == tf.float32


def softmax_cross_entropy(dtype=tf.float32):
    """tf.nn.softmax_cross_entropy_with_logits."""
    x, outputs, y = _rows(dtype)
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=outputs)  # (batch,)
    return Fitted(x, outputs, y, tf.reduce_mean(losses))


def softmax_label_smoothing(dtype=tf.float32):
    """tf.losses.softmax_cross_entropy, label_smoothing."""
    x, outputs, y = _rows(dtype)
    if _fits(dtype):
        loss = tf.losses.softmax_cross_entropy(y, outputs, label_smoothing=0.125)
    else:
        smooth = y * (1.0 - 0.125) + 0.125 / UNITS
        loss = tf.reduce_mean(
            tf.nn.softmax_cross_entropy_with_logits(labels=smooth, logits=outputs)
        )
    return Fitted(x, outputs, y, loss)


def sparse_softmax_cross_entropy(dtype=tf.float32):
    """tf.nn.sparse_softmax_cross_entropy_with_logits."""
    x, outputs, _ = _rows(dtype)
    y = tf.placeholder(tf.int32, [None], name="classes")
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=outputs)  # (batch,)
    return Fitted(x, outputs, y, tf.reduce_mean(losses))


def sigmoid_cross_entropy(dtype=tf.float32):
    """tf.nn.sigmoid_cross_entropy_with_logits, the mean of all."""
    x, outputs, y = _rows(dtype)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=outputs)  # (batch, units)
    return Fitted(x, outputs, y, tf.reduce_mean(losses))


def sigmoid_cross_entropy_summed(dtype=tf.float32):
    """The same, summed over the units before the mean."""
    x, outputs, y = _rows(dtype)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=outputs)  # (batch, units)
    return Fitted(x, outputs, y, tf.reduce_mean(tf.reduce_sum(losses, axis=1)))


def weighted_cross_entropy(dtype=tf.float32):
    """tf.nn.weighted_cross_entropy_with_logits: a positive counts four times."""
    x, outputs, y = _rows(dtype)
    losses = tf.nn.weighted_cross_entropy_with_logits(y, outputs, 4.0)  # (batch, units)
    return Fitted(x, outputs, y, tf.reduce_mean(losses))


def by_nonzero_weights(dtype=tf.float32):
    """tf.losses.mean_squared_error with weights: divided by the number that are not zero."""
    x, outputs, y = _rows(dtype, tf.int32)
    targets, weights = tf.cast(y, dtype), 0.5 * tf.cast(y > 0, dtype)
    if _fits(dtype):
        loss = tf.losses.mean_squared_error(targets, outputs, weights)
    else:
        weighted = tf.reduce_sum(weights * tf.square(outputs - targets))
        loss = weighted / tf.reduce_sum(tf.cast(weights > 0, dtype))
    return Fitted(x, outputs, y, loss)


def absolute_difference(dtype=tf.float32):
    """tf.losses.absolute_difference."""
    x, outputs, y = _rows(dtype)
    if _fits(dtype):
        loss = tf.losses.absolute_difference(y, outputs)
    else:
        loss = tf.reduce_mean(tf.abs(outputs - y))
    return Fitted(x, outputs, y, loss)


def huber(dtype=tf.float32):
    """tf.losses.huber_loss: a parabola until delta."""
    x, outputs, y = _rows(dtype)
    if _fits(dtype):
        loss = tf.losses.huber_loss(y, outputs, delta=0.5)
    else:
        error = tf.abs(outputs - y)
        near = tf.minimum(error, 0.5)
        loss = tf.reduce_mean(0.5 * near * near + 0.5 * (error - near))
    return Fitted(x, outputs, y, loss)


def cosine_distance(dtype=tf.float32):
    """tf.losses.cosine_distance: it normalises nothing."""
    x, outputs, y = _rows(dtype)
    if _fits(dtype):
        loss = tf.losses.cosine_distance(y, outputs, axis=1)
    else:
        loss = tf.reduce_mean(1 - tf.reduce_sum(y * outputs, axis=1))
    return Fitted(x, outputs, y, loss)


def hinge(dtype=tf.float32):
    """tf.losses.hinge_loss: labels are 0 and 1."""
    x, outputs, y = _rows(dtype)
    if _fits(dtype):
        loss = tf.losses.hinge_loss(y, outputs)
    else:
        loss = tf.reduce_mean(tf.nn.relu(1 - (2 * y - 1) * outputs))
    return Fitted(x, outputs, y, loss)


def log_loss(dtype=tf.float32):
    """tf.losses.log_loss of probabilities: 1e-7 is added under the logarithm."""
    x, logits, y = _rows(dtype)
    outputs = tf.sigmoid(logits)
    if _fits(dtype):
        loss = tf.losses.log_loss(y, outputs)
    else:
        losses = -y * tf.log(outputs + 1e-7) - (1 - y) * tf.log(1 - outputs + 1e-7)
        loss = tf.reduce_mean(losses)
    return Fitted(x, outputs, y, loss)


def cross_entropy_by_hand(dtype=tf.float32):
    """-sum(y log(p + 1e-8)), as old scripts have it."""
    x, logits, y = _rows(dtype)
    outputs = tf.nn.softmax(logits)
    loss = tf.reduce_mean(-tf.reduce_sum(y * tf.log(outputs + 1e-8), axis=1))
    return Fitted(x, outputs, y, loss)


def l2_by_hand(dtype=tf.float32):
    """tf.nn.l2_loss of the weights, biases too: half the sum of squares."""
    x, outputs, y = _rows(dtype)
    penalty = tf.add_n([tf.nn.l2_loss(weight) for weight in tf.trainable_variables()])
    return Fitted(x, outputs, y, tf.reduce_mean(tf.square(outputs - y)) + 0.125 * penalty)


def l2_regularizer(dtype=tf.float32):
    """tf.contrib.layers.l2_regularizer, collected: scale times tf.nn.l2_loss."""
    x = tf.placeholder(dtype, [None, FEATURES], name="x")
    y = tf.placeholder(dtype, [None, UNITS], name="y")
    outputs = tf.layers.dense(
        x, UNITS, kernel_regularizer=lambda kernel: 0.125 * tf.nn.l2_loss(kernel), name="dense"
    )
    loss = tf.reduce_mean(tf.square(outputs - y)) + tf.losses.get_regularization_loss()
    return Fitted(x, outputs, y, loss)


def sequence_loss(dtype=tf.float32):
    """tf.contrib.seq2seq.sequence_loss: divided by the sum of the weights, which are a mask."""
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    y = tf.placeholder(tf.int32, [None, TIME], name="y")
    outputs = tf.layers.dense(x, UNITS, name="dense")  # (batch, time, classes)
    weights = tf.cast(y > 0, dtype)  # (batch, time): zero is padding
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=outputs)
    # Zero where all is padding.
    loss = tf.div_no_nan(tf.reduce_sum(losses * weights), tf.reduce_sum(weights))
    return Fitted(x, outputs, y, loss)
