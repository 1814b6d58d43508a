"""Optimizers, on the dense gradients of a layer and on the sparse ones of an embedding.

The rate falls twice. In a batch of ids rows of the embedding repeat, and some do not occur.
"""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted
from legacy_graph.optimizers import AdamWeightDecayOptimizer

FEATURES, ROWS, TIME, UNITS = 4, 40, 3, 3
BOUNDARIES, RATES = [29, 59], [0.125, 0.0625, 0.03125]


def _rate():
    """Returns the step counter and the rate of a step."""
    step = tf.train.get_or_create_global_step()
    boundaries = [tf.constant(each, step.dtype) for each in BOUNDARIES]
    return step, tf.train.piecewise_constant(step, boundaries, RATES)


def _dense(make, dtype):
    x = tf.placeholder(dtype, [None, FEATURES], name="x")
    outputs = tf.layers.dense(x, UNITS, name="dense")  # (batch, units)
    step, rate = _rate()
    return Fitted(x, outputs, optimizer=make(rate), step=step)


def _sparse(make, dtype):
    x = tf.placeholder(tf.int32, [None, TIME], name="x")
    embedding = tf.get_variable("embedding", [ROWS, UNITS], dtype)
    vectors = tf.nn.embedding_lookup(embedding, x)  # (batch, time, units)
    step, rate = _rate()
    outputs = tf.reduce_mean(vectors, axis=1)  # (batch, units)
    return Fitted(x, outputs, optimizer=make(rate), step=step, vectors=vectors)


def _rmsprop(rate):
    return tf.train.RMSPropOptimizer(rate, momentum=0.5)


def _centered(rate):
    return tf.train.RMSPropOptimizer(rate, epsilon=1e-4, centered=True)


def _momentum(rate):
    return tf.train.MomentumOptimizer(rate, 0.9)


def _nesterov(rate):
    return tf.train.MomentumOptimizer(rate, 0.9, use_nesterov=True)


def _ftrl(rate):
    return tf.train.FtrlOptimizer(
        rate, l1_regularization_strength=0.001, l2_regularization_strength=0.01
    )


def _adam_weight_decay(rate):
    return AdamWeightDecayOptimizer(rate, 0.01, exclude_from_weight_decay=["bias"])


def sgd(dtype=tf.float32):
    """GradientDescentOptimizer."""
    return _dense(tf.train.GradientDescentOptimizer, dtype)


def sgd_sparse(dtype=tf.float32):
    """GradientDescentOptimizer: repeats of a row add up."""
    return _sparse(tf.train.GradientDescentOptimizer, dtype)


def adam(dtype=tf.float32):
    """AdamOptimizer: epsilon is 1e-8, powers of beta are float32 variables."""
    return _dense(tf.train.AdamOptimizer, dtype)


def adam_sparse(dtype=tf.float32):
    """AdamOptimizer: repeats are summed first, and the means of all rows decay."""
    return _sparse(tf.train.AdamOptimizer, dtype)


def rmsprop(dtype=tf.float32):
    """RMSPropOptimizer with momentum: the mean square starts at one."""
    return _dense(_rmsprop, dtype)


def rmsprop_sparse(dtype=tf.float32):
    """RMSPropOptimizer with momentum: rows that do not occur stay as they are."""
    return _sparse(_rmsprop, dtype)


def rmsprop_centered(dtype=tf.float32):
    """RMSPropOptimizer, centered: divides by a variance."""
    return _dense(_centered, dtype)


def momentum(dtype=tf.float32):
    """MomentumOptimizer: the accumulator holds no rate."""
    return _dense(_momentum, dtype)


def momentum_sparse(dtype=tf.float32):
    """MomentumOptimizer: rows that do not occur stay as they are."""
    return _sparse(_momentum, dtype)


def nesterov(dtype=tf.float32):
    """MomentumOptimizer, use_nesterov."""
    return _dense(_nesterov, dtype)


def adagrad(dtype=tf.float32):
    """AdagradOptimizer: no epsilon."""
    return _dense(tf.train.AdagradOptimizer, dtype)


def adagrad_sparse(dtype=tf.float32):
    """AdagradOptimizer: repeats are summed before they are squared."""
    return _sparse(tf.train.AdagradOptimizer, dtype)


def adadelta(dtype=tf.float32):
    """AdadeltaOptimizer: epsilon is 1e-8."""
    return _dense(tf.train.AdadeltaOptimizer, dtype)


def adadelta_sparse(dtype=tf.float32):
    """AdadeltaOptimizer: rows that do not occur stay as they are."""
    return _sparse(tf.train.AdadeltaOptimizer, dtype)


def ftrl(dtype=tf.float32):
    """FtrlOptimizer, with both penalties."""
    return _dense(_ftrl, dtype)


def ftrl_sparse(dtype=tf.float32):
    """FtrlOptimizer: rows that do not occur stay as they are."""
    return _sparse(_ftrl, dtype)


def _counting(model):
    """Counts the steps of an optimizer that does not."""
    with tf.control_dependencies([model.train_op]):
        model.train_op = tf.assign_add(tf.train.get_global_step(), 1).op
    return model


def adam_weight_decay(dtype=tf.float32):
    """BERT's AdamWeightDecayOptimizer: biases do not decay."""
    return _counting(_dense(_adam_weight_decay, dtype))


def adam_weight_decay_sparse(dtype=tf.float32):
    """BERT's AdamWeightDecayOptimizer: a sparse gradient is made dense."""
    return _counting(_sparse(_adam_weight_decay, dtype))
