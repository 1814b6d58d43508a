"""Gradients and weights in training."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras.optimizers import SGD

from keras_v2.atoms.fitted import fitted
from keras_v2.atoms.training import (
    DECAY,
    FEATURES,
    HIDDEN,
    LIMIT,
    RATE,
    UNITS,
    ActorCritic,
    embedded,
    trained,
)
from keras_v2.constraints import ClipByValue
from keras_v2.optimizers import TF1Adam


def clip_by_value() -> keras.Model:
    return trained(SGD(RATE))


def clip_by_norm() -> keras.Model:
    return trained(SGD(RATE, global_clipnorm=LIMIT))


def clip_by_global_norm() -> keras.Model:
    return trained(SGD(RATE, clipnorm=LIMIT))


class Summed(SGD):  # type: ignore[misc]  # Keras is untyped
    """Sums slices before it clips."""

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        super().apply([tf.convert_to_tensor(each) for each in grads], trainable_variables)


def clip_by_global_norm_sparse() -> keras.Model:
    return embedded(Summed(RATE, global_clipnorm=LIMIT))


def clipped_weights() -> keras.Model:
    clip = ClipByValue(LIMIT)
    x = keras.Input((FEATURES,), name="x")
    hidden = keras.layers.Dense(HIDDEN, "tanh", kernel_constraint=clip, name="hidden")(x)
    return fitted(x, keras.layers.Dense(UNITS, kernel_constraint=clip, name="dense")(hidden))


def gradient_penalty() -> keras.Model:
    return trained(SGD(RATE))


class Together(ActorCritic):
    """Differentiates both losses before either optimizer steps."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape(persistent=True) as tape:
            critic_loss, actor_loss = self.losses_of(x, y)
        of_critic, of_actor = self.critic.trainable_weights, self.actor.trainable_weights
        critic_gradients = tape.gradient(critic_loss, of_critic)
        actor_gradients = tape.gradient(actor_loss, of_actor)
        self.critic_optimizer.apply(critic_gradients, of_critic)
        self.actor_optimizer.apply(actor_gradients, of_actor)
        return {"critic_loss": critic_loss, "actor_loss": actor_loss}


def two_optimizers() -> keras.Model:
    return Together()


class StockAverages(TF1Adam):
    """Averages as Keras does."""

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        keras.Optimizer._update_model_variables_moving_average(self, trainable_variables)


def exponential_moving_average() -> keras.Model:
    return trained(StockAverages(RATE, use_ema=True, ema_momentum=DECAY))


def exponential_moving_average_counted() -> keras.Model:
    return trained(TF1Adam(RATE, use_ema=True, ema_momentum=DECAY))
