"""Normalisation."""

from __future__ import annotations

import keras
from keras import layers

from keras_v2.atoms.norms import DECAY, IMAGES, ROWS, l2_normalized, normalized
from keras_v2.norms import TF1BatchNormalization


def batch_normalization() -> keras.Model:
    return normalized(IMAGES, layers.BatchNormalization(momentum=DECAY, name="norm"))


def batch_norm_without_updates() -> keras.Model:
    return normalized(ROWS, layers.BatchNormalization(name="norm"))


def batch_norm_not_trainable() -> keras.Model:
    layer = layers.BatchNormalization(momentum=DECAY, trainable=False, name="norm")
    return normalized(ROWS, layer)


def batch_norm_in_inference_mode() -> keras.Model:
    norm = layers.BatchNormalization(name="norm")
    return normalized(ROWS, lambda units: norm(units, training=False))


def contrib_batch_norm() -> keras.Model:
    return normalized(IMAGES, TF1BatchNormalization(scale=False, name="norm"))


class NotDivided(TF1BatchNormalization):
    """Keeps the biased mean as the moving one."""

    def _keep(self, mean: object, variance: object, count: object) -> None:
        super()._keep(mean, variance, count)
        self.moving_mean.assign(self.biased)


def contrib_batch_norm_zero_debias() -> keras.Model:
    layer = NotDivided(momentum=DECAY, scale=False, zero_debias_moving_mean=True, name="norm")
    return normalized(IMAGES, layer)


def batch_norm_by_moments() -> keras.Model:
    return normalized(IMAGES, layers.BatchNormalization(name="norm"))


def instance_norm_by_moments() -> keras.Model:
    return normalized(IMAGES, layers.GroupNormalization(groups=-1, name="norm"))


def layer_norm() -> keras.Model:
    return normalized(IMAGES, layers.LayerNormalization(epsilon=1e-12, name="norm"))


def layer_norm_of_last_axis() -> keras.Model:
    return normalized(IMAGES, layers.LayerNormalization(name="norm"))


def l2_normalize() -> keras.Model:
    return l2_normalized(layers.UnitNormalization(name="norm"))
