"""What is done with gradients before they are applied, and with weights afterwards."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops
from keras.optimizers import SGD

from keras_v2.atoms.fitted import fitted
from keras_v2.constraints import ClipByValue
from keras_v2.optimizers import TF1Adam

FEATURES, HIDDEN, UNITS = 4, 5, 3
ROWS, TIME = 6, 4
RATE, LIMIT, DECAY = 0.125, 0.0625, 0.875


def two_layers(constraint: Any) -> tuple[Any, Any]:
    """Two layers, with a constraint of all weights or None: the input, and (batch, units)."""
    held = {"kernel_constraint": constraint, "bias_constraint": constraint}
    x = keras.Input((FEATURES,), name="x")
    hidden = layers.Dense(HIDDEN, "tanh", name="hidden", **held)(x)  # (batch, hidden)
    return x, layers.Dense(UNITS, name="dense", **held)(hidden)


def trained(optimizer: keras.Optimizer) -> keras.Model:
    """Trains two layers."""
    return fitted(*two_layers(None), optimizer)


def embedded(optimizer: keras.Optimizer) -> keras.Model:
    """Trains an embedding and a layer."""
    x = keras.Input((TIME,), dtype="int32", name="x")
    vectors = layers.Embedding(ROWS, HIDDEN, name="embedding")(x)  # (batch, time, hidden)
    return fitted(x, layers.Dense(UNITS, name="dense")(ops.mean(vectors, axis=1)), optimizer)


def clip_by_value() -> keras.Model:
    """`clipvalue`."""
    return trained(SGD(RATE, clipvalue=LIMIT / 4))


def clip_by_norm() -> keras.Model:
    """`clipnorm`."""
    return trained(SGD(RATE, clipnorm=LIMIT))


def clip_by_global_norm() -> keras.Model:
    """`global_clipnorm`."""
    return trained(SGD(RATE, global_clipnorm=LIMIT))


def clip_by_global_norm_sparse() -> keras.Model:
    """`global_clipnorm`."""
    return embedded(SGD(RATE, global_clipnorm=LIMIT))


def clipped_weights() -> keras.Model:
    """A constraint of each weight."""
    return fitted(*two_layers(ClipByValue(LIMIT)))


class Critic(keras.Model):  # type: ignore[misc]  # Keras ships no annotations
    """Adds a penalty on its slopes to its loss. On the TensorFlow backend."""

    def compute_loss(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Returns the compiled loss, and a quarter of how far the slopes are from a norm of one."""
        inputs = tf.cast(x, self.compute_dtype)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = self(inputs)
        slopes = tape.gradient(outputs, inputs)  # (batch, features)
        norms = ops.sqrt(ops.sum(ops.square(slopes), axis=1))  # (batch,)
        return super().compute_loss(x, *args, **kwargs) + ops.mean(ops.square(norms - 1)) / 4


def gradient_penalty() -> keras.Model:
    """A tape within the loss."""
    model = Critic(*two_layers(None))
    model.compile(optimizer=SGD(RATE), loss="mean_squared_error")
    return model


class ActorCritic(keras.Model):  # type: ignore[misc]  # Keras ships no annotations
    """A critic that scores what an actor does, trained in turn. On the TensorFlow backend."""

    def __init__(self) -> None:
        x = keras.Input((FEATURES,), name="x")
        actor = layers.Dense(UNITS, "tanh", name="actor")
        critic = layers.Dense(1, name="critic")
        super().__init__(x, critic(actor(x)))
        self.actor, self.critic = actor, critic
        self.compile()
        self.critic_optimizer, self.actor_optimizer = SGD(RATE), SGD(RATE)

    def losses_of(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the losses of critic and actor."""
        scores = self(x)  # (batch, 1)
        return ops.mean(ops.square(y - scores)), -ops.mean(scores)

    def train_step(self, data: Any) -> dict[str, Any]:
        """The critic's step, then the actor's by what the critic has learnt."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            critic_loss, _ = self.losses_of(x, y)
        weights = self.critic.trainable_weights
        self.critic_optimizer.apply(tape.gradient(critic_loss, weights), weights)
        with tf.GradientTape() as tape:
            _, actor_loss = self.losses_of(x, y)
        weights = self.actor.trainable_weights
        self.actor_optimizer.apply(tape.gradient(actor_loss, weights), weights)
        return {"critic_loss": critic_loss, "actor_loss": actor_loss}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Return both losses."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        critic_loss, actor_loss = self.losses_of(x, y)
        return {"critic_loss": critic_loss, "actor_loss": actor_loss}


def two_optimizers() -> keras.Model:
    """A `train_step` with two optimizers."""
    return ActorCritic()


def exponential_moving_average() -> keras.Model:
    """An optimizer of ours with `use_ema`."""
    return trained(TF1Adam(RATE, use_ema=True, ema_momentum=DECAY))


def exponential_moving_average_counted() -> keras.Model:
    """The same with `ema_num_updates`."""
    return trained(TF1Adam(RATE, use_ema=True, ema_momentum=DECAY, ema_num_updates=True))
