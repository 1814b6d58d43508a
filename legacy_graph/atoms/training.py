"""What is done with gradients before they are applied, and with weights afterwards."""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

FEATURES, HIDDEN, UNITS = 4, 5, 3
ROWS, TIME = 6, 4
RATE, LIMIT, DECAY = 0.125, 0.0625, 0.875


def _layers(dtype):
    """Two layers: what is fed, and (batch, units)."""
    x = tf.placeholder(dtype, [None, FEATURES], name="x")
    hidden = tf.layers.dense(x, HIDDEN, tf.tanh, name="hidden")  # (batch, hidden)
    return x, tf.layers.dense(hidden, UNITS, name="dense")


class _Clipped(tf.train.GradientDescentOptimizer):
    """Gradient descent by what a function makes of all gradients."""

    def __init__(self, clip):
        super(_Clipped, self).__init__(RATE)
        self._clip = clip

    def minimize(self, loss, global_step=None):
        gradients, variables = zip(*self.compute_gradients(loss))
        return self.apply_gradients(zip(self._clip(gradients), variables), global_step)


def _by_global_norm(gradients):
    return tf.clip_by_global_norm(gradients, LIMIT)[0]


def clip_by_value(dtype=tf.float32):
    """clip_by_value of every gradient."""
    x, outputs = _layers(dtype)
    limit = LIMIT / 4

    def clip(gradients):
        return [tf.clip_by_value(gradient, -limit, limit) for gradient in gradients]

    return Fitted(x, outputs, optimizer=_Clipped(clip))


def clip_by_norm(dtype=tf.float32):
    """clip_by_norm of every gradient, by its own norm."""
    x, outputs = _layers(dtype)

    def clip(gradients):
        return [tf.clip_by_norm(gradient, LIMIT) for gradient in gradients]

    return Fitted(x, outputs, optimizer=_Clipped(clip))


def clip_by_global_norm(dtype=tf.float32):
    """clip_by_global_norm of all gradients, by their common norm."""
    x, outputs = _layers(dtype)
    return Fitted(x, outputs, optimizer=_Clipped(_by_global_norm))


def clip_by_global_norm_sparse(dtype=tf.float32):
    """clip_by_global_norm with an embedding, whose repeated rows count one by one."""
    x = tf.placeholder(tf.int32, [None, TIME], name="x")
    embedding = tf.get_variable("embedding", [ROWS, HIDDEN], dtype)
    vectors = tf.nn.embedding_lookup(embedding, x)  # (batch, time, hidden)
    outputs = tf.layers.dense(tf.reduce_mean(vectors, axis=1), UNITS, name="dense")
    return Fitted(x, outputs, optimizer=_Clipped(_by_global_norm), vectors=vectors)


def clipped_weights(dtype=tf.float32):
    """The clipping of a Wasserstein critic: weights are cut after each step."""
    model = Fitted(*_layers(dtype))
    with tf.control_dependencies([model.train_op]):
        clips = [
            tf.assign(weight, tf.clip_by_value(weight, -LIMIT, LIMIT))
            for weight in tf.trainable_variables()
        ]
    model.train_op = tf.group(*clips)
    return model


def gradient_penalty(dtype=tf.float32):
    """The penalty of a Wasserstein critic: slopes by its inputs should have the norm of one."""
    x, outputs = _layers(dtype)
    y = tf.placeholder(dtype, [None, UNITS], name="y")
    slopes = tf.gradients(outputs, x)[0]  # (batch, features)
    norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=1))  # (batch,)
    loss = tf.reduce_mean(tf.square(y - outputs)) + tf.reduce_mean(tf.square(norms - 1)) / 4
    return Fitted(x, outputs, y, loss)


class _ActorCritic(object):
    """A critic learns to score what an actor does; the actor learns to be scored high.

    Each has an optimizer over its own variables.
    """

    def __init__(self, dtype):
        self.x = tf.placeholder(dtype, [None, FEATURES], name="x")
        self.y = tf.placeholder(dtype, [None, 1], name="y")
        self.actions = tf.layers.dense(self.x, UNITS, tf.tanh, name="actor")  # (batch, units)
        self.scores = tf.layers.dense(self.actions, 1, name="critic")  # (batch, 1)
        self.critic_loss = tf.reduce_mean(tf.square(self.y - self.scores))
        self.actor_loss = -tf.reduce_mean(self.scores)
        self.critic_step = self._step(self.critic_loss, "critic")
        self.actor_step = self._step(self.actor_loss, "actor")

    @staticmethod
    def _step(loss, scope):
        optimizer = tf.train.GradientDescentOptimizer(RATE)
        return optimizer.minimize(loss, var_list=tf.trainable_variables(scope))


def two_optimizers(dtype=tf.float32):
    """Two optimizers with variables of their own, which step in turn."""
    return _ActorCritic(dtype)


def _averaged(dtype, counted):
    x, outputs = _layers(dtype)
    step = tf.train.get_or_create_global_step()
    model = Fitted(x, outputs, optimizer=tf.train.AdamOptimizer(RATE), step=step)
    averages = tf.train.ExponentialMovingAverage(DECAY, step if counted else None)
    with tf.control_dependencies([model.train_op]):
        model.train_op = averages.apply(tf.trainable_variables())
    return model


def exponential_moving_average(dtype=tf.float32):
    """ExponentialMovingAverage of the weights, which starts at what they are."""
    return _averaged(dtype, counted=False)


def exponential_moving_average_counted(dtype=tf.float32):
    """The same with num_updates: the decay starts low."""
    return _averaged(dtype, counted=True)
