"""Normalisation. What is normalised comes from a dense layer, which has to learn through it."""

from typing import Any

import keras
from keras import layers

from keras_v2.atoms.fitted import fitted
from keras_v2.norms import L2Normalization, TF1BatchNormalization

SIZE, CHANNELS, UNITS = 4, 3, 5
IMAGES, ROWS = (SIZE, SIZE, CHANNELS), (CHANNELS,)
DECAY = 0.875


def normalized(shape: tuple[int, ...], layer: Any) -> keras.Model:
    """Normalises, by a layer, what a dense layer makes of inputs of a shape."""
    x = keras.Input(shape, name="x")
    units = layers.Dense(UNITS, use_bias=False, name="dense")(x)
    return fitted(x, layer(units))


def batch_normalization() -> keras.Model:
    """The variance is kept as TensorFlow 1's fused kernel hands it out."""
    return normalized(IMAGES, TF1BatchNormalization(momentum=DECAY, name="norm"))


def batch_norm_without_updates() -> keras.Model:
    """A momentum of one keeps the moving averages."""
    return normalized(ROWS, layers.BatchNormalization(momentum=1.0, name="norm"))


def batch_norm_not_trainable() -> keras.Model:
    """The moments of the batch are used; gamma, beta and the moving averages stay."""
    layer = TF1BatchNormalization(fused=False, momentum=DECAY, trainable=False, name="norm")
    return normalized(ROWS, layer)


def batch_norm_in_inference_mode() -> keras.Model:
    """Gamma and beta learn, over moving averages that stay."""
    return normalized(ROWS, TF1BatchNormalization(inference_mode=True, name="norm"))


def contrib_batch_norm() -> keras.Model:
    """Contrib's defaults: momentum 0.999, no scale."""
    return normalized(IMAGES, TF1BatchNormalization(momentum=0.999, scale=False, name="norm"))


def contrib_batch_norm_zero_debias() -> keras.Model:
    """The moving mean is that of a biased one, divided by what is missing."""
    layer = TF1BatchNormalization(
        momentum=DECAY, scale=False, zero_debias_moving_mean=True, name="norm"
    )
    return normalized(IMAGES, layer)


def batch_norm_by_moments() -> keras.Model:
    """`BatchNormalization` with the hand-made one's decay keeps the variance as it is."""
    return normalized(IMAGES, layers.BatchNormalization(momentum=0.5, name="norm"))


def instance_norm_by_moments() -> keras.Model:
    """`GroupNormalization` with a group for each channel."""
    return normalized(IMAGES, layers.GroupNormalization(groups=-1, epsilon=1e-5, name="norm"))


def layer_norm() -> keras.Model:
    """`GroupNormalization` with one group: over all axes, with parameters of the last alone."""
    return normalized(IMAGES, layers.GroupNormalization(groups=1, epsilon=1e-12, name="norm"))


def layer_norm_of_last_axis() -> keras.Model:
    """`LayerNormalization` with TensorFlow 1's epsilon."""
    return normalized(IMAGES, layers.LayerNormalization(epsilon=1e-12, name="norm"))


def l2_normalized(layer: Any) -> keras.Model:
    """Normalises small vectors: norms about 1e-6."""
    return normalized(ROWS, lambda units: layer(layers.Rescaling(2.0**-20)(units)))


def l2_normalize() -> keras.Model:
    """The squared norm is bounded, not the norm."""
    return l2_normalized(L2Normalization(name="norm"))
