"""Convolutions, pooling, resizing."""

from typing import Any

import keras
from keras import layers

from keras_v2.atoms.fitted import fitted
from keras_v2.resizing import TF1Resizing

SIZE, TIME, CHANNELS, FILTERS = 5, 6, 3, 4


def of_images(first: Any, *rest: Any) -> keras.Model:
    """Layers one after the other, of (batch, height, width, channels)."""
    return _chained((SIZE, SIZE, CHANNELS), [first, *rest])


def of_sequences(first: Any, *rest: Any) -> keras.Model:
    """Layers one after the other, of (batch, time, channels)."""
    return _chained((TIME, CHANNELS), [first, *rest])


def _chained(shape: tuple[int, ...], chain: list[Any]) -> keras.Model:
    x = outputs = keras.Input(shape, name="x")
    for layer in chain:
        outputs = layer(outputs)
    return fitted(x, outputs)


def conv2d() -> keras.Model:
    """`Conv2D`."""
    return of_images(layers.Conv2D(FILTERS, 3, activation="tanh", name="conv"))


def conv2d_strided() -> keras.Model:
    """`Conv2D`, which pads as TensorFlow does."""
    convolution = layers.Conv2D(FILTERS, 2, 2, padding="same", use_bias=False, name="conv")
    return of_images(convolution)


def contrib_conv2d() -> keras.Model:
    """`Conv2D` with slim's defaults."""
    return of_images(layers.Conv2D(FILTERS, 3, padding="same", activation="relu", name="conv"))


def conv1d() -> keras.Model:
    """`Conv1D`."""
    return of_sequences(layers.Conv1D(FILTERS, 3, activation="tanh", name="conv"))


def causal_conv1d() -> keras.Model:
    """`Conv1D` with causal padding."""
    return of_sequences(layers.Conv1D(FILTERS, 3, padding="causal", dilation_rate=2, name="conv"))


def atrous_conv2d() -> keras.Model:
    """`Conv2D` with a dilation_rate."""
    convolution = layers.Conv2D(
        FILTERS, 3, padding="same", dilation_rate=2, use_bias=False, name="conv"
    )
    return of_images(convolution)


def depthwise_conv2d() -> keras.Model:
    """`DepthwiseConv2D`."""
    return of_images(layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, name="conv"))


def separable_conv2d() -> keras.Model:
    """`SeparableConv2D`."""
    return of_images(layers.SeparableConv2D(FILTERS, 3, activation="tanh", name="conv"))


def conv2d_transpose() -> keras.Model:
    """`Conv2DTranspose`."""
    return of_images(layers.Conv2DTranspose(FILTERS, 3, 2, padding="same", name="conv"))


def conv2d_transpose_output_shape() -> keras.Model:
    """`Conv2DTranspose` with an output_padding."""
    convolution = layers.Conv2DTranspose(
        FILTERS, 3, 2, padding="same", output_padding=0, use_bias=False, name="conv"
    )
    return of_images(convolution)


def max_pool() -> keras.Model:
    """`MaxPooling2D`."""
    pooling = layers.MaxPooling2D(2, padding="same", name="pool")
    return of_images(layers.Conv2D(FILTERS, 1, name="conv"), pooling)


def max_over_time() -> keras.Model:
    """`GlobalMaxPooling1D`."""
    convolution = layers.Conv1D(FILTERS, 3, activation="tanh", name="conv")
    return of_sequences(convolution, layers.GlobalMaxPooling1D(name="pool"))


def avg_pool() -> keras.Model:
    """`AveragePooling2D`."""
    pooling = layers.AveragePooling2D(2, padding="same", name="pool")
    return of_images(layers.Conv2D(FILTERS, 1, name="conv"), pooling)


def global_mean() -> keras.Model:
    """`GlobalAveragePooling2D`."""
    convolution = layers.Conv2D(FILTERS, 3, activation="tanh", name="conv")
    return of_images(convolution, layers.GlobalAveragePooling2D(name="pool"))


def resized(layer: Any) -> keras.Model:
    """Resizes images before they are convolved."""
    return of_images(layer, layers.Conv2D(FILTERS, 1, name="conv"))


def resize_bilinear() -> keras.Model:
    """`TF1Resizing`."""
    return resized(TF1Resizing(2 * SIZE, 2 * SIZE, name="resized"))


def resize_bilinear_aligned() -> keras.Model:
    """`TF1Resizing` with align_corners."""
    size = 2 * SIZE - 1
    return resized(TF1Resizing(size, size, align_corners=True, name="resized"))


def resize_nearest() -> keras.Model:
    """`TF1Resizing`."""
    size = 2 * SIZE - 2
    return resized(TF1Resizing(size, size, "nearest", name="resized"))
