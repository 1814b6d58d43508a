"""Gradients and weights in training."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras.optimizers import SGD

from keras_v2.atoms.fitted import fitted
from keras_v2.atoms.training import DECAY, FEATURES, HIDDEN, LIMIT, RATE, UNITS, embedded, trained
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


class StockAverages(TF1Adam):
    """Averages as Keras does."""

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        keras.Optimizer._update_model_variables_moving_average(self, trainable_variables)


def exponential_moving_average() -> keras.Model:
    return trained(StockAverages(RATE, use_ema=True, ema_momentum=DECAY))


def exponential_moving_average_counted() -> keras.Model:
    return trained(TF1Adam(RATE, use_ema=True, ema_momentum=DECAY))
