"""Normalisation. What is normalised comes from a dense layer, which has to learn through it."""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

SIZE, CHANNELS, UNITS = 4, 3, 5
DECAY = 0.875


def images(dtype):
    """Images with a dense layer's channels: what is fed, and (batch, height, width, units)."""
    x = tf.placeholder(dtype, [None, SIZE, SIZE, CHANNELS], name="x")
    return x, tf.layers.dense(x, UNITS, use_bias=False)


def rows(dtype):
    """Rows of a dense layer: what is fed, and (batch, units)."""
    x = tf.placeholder(dtype, [None, CHANNELS], name="x")
    return x, tf.layers.dense(x, UNITS, use_bias=False)


def switch(name):
    """Tells training from evaluation."""
    return tf.placeholder(tf.bool, [], name=name)


def batch_norm(
    x,
    is_training,
    decay=0.999,
    center=True,
    scale=False,
    epsilon=0.001,
    zero_debias_moving_mean=False,
    scope="BatchNorm",
):
    """tf.contrib.layers.batch_norm, which is slim's, with its defaults: fused, but in core ops.

    Arguments and variables are named as there. Updates go to the collection of updates. `x` is
    (batch, ..., channels), and so is what is returned.
    """
    channels = x.shape.as_list()[-1]

    def variable(name, initializer, trainable=True):
        return tf.get_variable(
            name, [channels], x.dtype, initializer=initializer, trainable=trainable
        )

    with tf.variable_scope(scope):
        beta = variable("beta", tf.zeros_initializer()) if center else None
        gamma = variable("gamma", tf.ones_initializer()) if scale else None
        moving_mean = variable("moving_mean", tf.zeros_initializer(), trainable=False)
        moving_variance = variable("moving_variance", tf.ones_initializer(), trainable=False)
        mean, variance = tf.nn.moments(x, list(range(x.shape.ndims - 1)))  # (channels,)
        count = tf.cast(tf.size(x) // channels, x.dtype)
        # The fused kernel normalises by the variance and hands out the unbiased one to be kept.
        unbiased = variance * (count / (count - 1.0))
        if zero_debias_moving_mean:
            update_mean = zero_debiased(moving_mean, mean, decay)
        else:
            update_mean = tf.assign_sub(moving_mean, (moving_mean - mean) * (1.0 - decay))
        update_variance = tf.assign_sub(
            moving_variance, (moving_variance - unbiased) * (1.0 - decay)
        )
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update_mean)
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update_variance)
        mean, variance = tf.cond(
            is_training, lambda: (mean, variance), lambda: (moving_mean, moving_variance)
        )
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, epsilon)


def zero_debiased(average, value, decay):
    """Moves an average as `assign_moving_average` does with zero_debias: divided by 1 - decay^n."""
    # The name of the average is one of the scopes of its own shadows, inside the layer's scope.
    with tf.variable_scope(average.op.name):
        biased = tf.get_variable(
            "biased",
            average.shape,
            average.dtype.base_dtype,
            tf.zeros_initializer(),
            trainable=False,
        )
        step = tf.get_variable(
            "local_step", [], average.dtype.base_dtype, tf.zeros_initializer(), trainable=False
        )
    moved = tf.assign_sub(biased, (biased - value) * (1.0 - decay))
    counted = tf.assign_add(step, 1.0)
    kept = tf.constant(decay, counted.dtype.base_dtype)
    return tf.assign(average, moved / (1.0 - tf.pow(kept, counted)))


def batch_normalization(dtype=tf.float32):
    """tf.layers on images: the fused kernel, whose kept variance is N / (N - 1) times as large."""
    x, units = images(dtype)
    is_training = switch("is_training")
    if tf.as_dtype(dtype) == tf.float32:
        outputs = tf.layers.batch_normalization(units, momentum=DECAY, training=is_training)
    else:  # the kernel has no float64
        outputs = batch_norm(units, is_training, DECAY, scale=True, scope="batch_normalization")
    return Fitted(x, outputs, is_training=is_training)


def batch_norm_without_updates(dtype=tf.float32):
    """tf.layers with its updates forgotten: the moving averages stay what they were."""
    x, units = rows(dtype)
    is_training = switch("is_training")
    outputs = tf.layers.batch_normalization(units, training=is_training)
    # As if the training step had no control dependency on the collection.
    tf.get_default_graph().clear_collection(tf.GraphKeys.UPDATE_OPS)
    return Fitted(x, outputs, is_training=is_training)


def batch_norm_not_trainable(dtype=tf.float32):
    """tf.layers with trainable=False: the batch's own moments; its updates are not collected."""
    x, units = rows(dtype)
    is_training = switch("is_training")
    outputs = tf.layers.batch_normalization(
        units, momentum=DECAY, training=is_training, trainable=False
    )
    return Fitted(x, outputs, is_training=is_training)


def batch_norm_in_inference_mode(dtype=tf.float32):
    """tf.layers with training=False throughout: gamma and beta learn, the averages are used."""
    x, units = rows(dtype)
    return Fitted(x, tf.layers.batch_normalization(units, training=False))


def contrib_batch_norm(dtype=tf.float32):
    """tf.contrib.layers.batch_norm, slim.batch_norm: decay 0.999, no scale."""
    x, units = images(dtype)
    is_training = switch("is_training")
    return Fitted(x, batch_norm(units, is_training), is_training=is_training)


def contrib_batch_norm_zero_debias(dtype=tf.float32):
    """The same with zero_debias_moving_mean: the mean is divided by 1 - decay^n, no variance."""
    x, units = images(dtype)
    is_training = switch("is_training")
    outputs = batch_norm(units, is_training, DECAY, zero_debias_moving_mean=True)
    return Fitted(x, outputs, is_training=is_training)


def batch_norm_by_moments(dtype=tf.float32):
    """Batch norm by hand: the moments, and an ExponentialMovingAverage of them."""
    x, units = images(dtype)
    is_training = switch("is_training")
    beta = tf.get_variable("beta", [UNITS], dtype, tf.zeros_initializer())
    gamma = tf.get_variable("gamma", [UNITS], dtype, tf.ones_initializer())
    mean, variance = tf.nn.moments(units, [0, 1, 2], name="moments")
    averages = tf.train.ExponentialMovingAverage(0.5)

    def moved():
        with tf.control_dependencies([averages.apply([mean, variance])]):
            return tf.identity(mean), tf.identity(variance)

    used = tf.cond(is_training, moved, lambda: (averages.average(mean), averages.average(variance)))
    outputs = tf.nn.batch_normalization(units, used[0], used[1], beta, gamma, 1e-3)
    return Fitted(x, outputs, is_training=is_training)


def instance_norm_by_moments(dtype=tf.float32):
    """Instance norm by hand: moments of each image and channel, epsilon 1e-5."""
    x, units = images(dtype)
    scale = tf.get_variable("scale", [UNITS], dtype, tf.ones_initializer())
    offset = tf.get_variable("offset", [UNITS], dtype, tf.zeros_initializer())
    mean, variance = tf.nn.moments(units, [1, 2], keep_dims=True)  # (batch, 1, 1, units)
    return Fitted(x, scale * (units - mean) * tf.rsqrt(variance + 1e-5) + offset)


def normalized(x, begin_norm_axis=1):
    """tf.contrib.layers.layer_norm: moments from an axis on, parameters of the last, 1e-12."""
    with tf.variable_scope("LayerNorm"):
        shape = x.shape.as_list()[-1:]
        beta = tf.get_variable("beta", shape, x.dtype, tf.zeros_initializer())
        gamma = tf.get_variable("gamma", shape, x.dtype, tf.ones_initializer())
        axes = list(range(x.shape.ndims))[begin_norm_axis:]
        mean, variance = tf.nn.moments(x, axes, keep_dims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)


def layer_norm(dtype=tf.float32):
    """tf.contrib.layers.layer_norm: over all axes but the batch, parameters of the last alone."""
    x, units = images(dtype)
    return Fitted(x, normalized(units))


def layer_norm_of_last_axis(dtype=tf.float32):
    """The same with begin_norm_axis=-1, as BERT has it: epsilon 1e-12."""
    x, units = images(dtype)
    return Fitted(x, normalized(units, begin_norm_axis=-1))


def l2_normalize(dtype=tf.float32):
    """tf.nn.l2_normalize of small vectors: their squared norm counts as 1e-12 at least."""
    x, units = rows(dtype)
    small = units * 2.0**-20  # norms about 1e-6: some are above the bound, some below
    return Fitted(x, tf.nn.l2_normalize(small, axis=-1))
