"""Learning rates that change with the step, under gradient descent.

A rate is a number of Python, so it decays in float32, whatever the type of the weights.
"""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

FEATURES, UNITS, RATE, STEPS = 4, 3, 0.125, 8


def _trained(schedule, dtype):
    """Trains a layer with `schedule(step)`."""
    x = tf.placeholder(dtype, [None, FEATURES], name="x")
    outputs = tf.layers.dense(x, UNITS, name="dense")  # (batch, units)
    step = tf.train.get_or_create_global_step()
    optimizer = tf.train.GradientDescentOptimizer(schedule(step))
    return Fitted(x, outputs, optimizer=optimizer, step=step)


def exponential_decay(dtype=tf.float32):
    """exponential_decay."""
    return _trained(lambda step: tf.train.exponential_decay(RATE, step, STEPS, 0.5), dtype)


def exponential_decay_staircase(dtype=tf.float32):
    """exponential_decay, staircase: at whole intervals."""

    def schedule(step):
        return tf.train.exponential_decay(RATE, step, STEPS, 0.5, staircase=True)

    return _trained(schedule, dtype)


def natural_exp_decay(dtype=tf.float32):
    """natural_exp_decay."""
    return _trained(lambda step: tf.train.natural_exp_decay(RATE, step, STEPS, 0.5), dtype)


def inverse_time_decay(dtype=tf.float32):
    """inverse_time_decay."""
    return _trained(lambda step: tf.train.inverse_time_decay(RATE, step, STEPS, 0.5), dtype)


def piecewise_constant(dtype=tf.float32):
    """piecewise_constant: the step of a boundary still has the rate before it."""

    def schedule(step):
        boundaries = [tf.constant(each, step.dtype) for each in (STEPS, 2 * STEPS)]
        return tf.train.piecewise_constant(step, boundaries, [RATE, RATE / 2, RATE / 4])

    return _trained(schedule, dtype)


def polynomial_decay(dtype=tf.float32):
    """polynomial_decay: ends at its last step, and stays there."""

    def schedule(step):
        return tf.train.polynomial_decay(RATE, step, STEPS, RATE / 8, power=2.0)

    return _trained(schedule, dtype)


def polynomial_decay_cycle(dtype=tf.float32):
    """polynomial_decay, cycle: begins again over twice as many steps."""

    def schedule(step):
        return tf.train.polynomial_decay(RATE, step, STEPS, RATE / 8, cycle=True)

    return _trained(schedule, dtype)


def cosine_decay(dtype=tf.float32):
    """cosine_decay."""
    return _trained(lambda step: tf.train.cosine_decay(RATE, step, STEPS, 0.25), dtype)


def cosine_decay_restarts(dtype=tf.float32):
    """cosine_decay_restarts: begins again over twice as many steps."""

    def schedule(step):
        return tf.train.cosine_decay_restarts(RATE, step, STEPS, m_mul=0.5)

    return _trained(schedule, dtype)


def linear_cosine_decay(dtype=tf.float32):
    """linear_cosine_decay."""

    def schedule(step):
        return tf.train.linear_cosine_decay(RATE, step, 2 * STEPS, alpha=0.125, beta=0.0625)

    return _trained(schedule, dtype)


def warmup(dtype=tf.float32):
    """BERT's rate: a line up, by a condition, before a line down that has counted all along."""

    def schedule(step):
        decayed = tf.train.polynomial_decay(RATE, step, 4 * STEPS, 0.0)
        done = tf.cast(step, tf.float32) / tf.cast(STEPS, tf.float32)
        rising = tf.cast(step < STEPS, tf.float32)
        return (1.0 - rising) * decayed + rising * (RATE * done)

    return _trained(schedule, dtype)


def noam_decay(dtype=tf.float32):
    """The transformer's rate, written by hand."""

    def schedule(step):
        number = tf.cast(step + 1, tf.float32)
        return RATE * 16**-0.5 * tf.minimum(tf.rsqrt(number), number * STEPS**-1.5)

    return _trained(schedule, dtype)
