"""Convolutions, pooling, resizing."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.convolutions import CHANNELS, FILTERS, SIZE, of_images, of_sequences, resized


def conv2d() -> keras.Model:
    return of_images(layers.Conv2D(FILTERS, 3, name="conv"))


def conv2d_strided() -> keras.Model:
    before = layers.ZeroPadding2D(((1, 0), (1, 0)))
    return of_images(before, layers.Conv2D(FILTERS, 2, 2, use_bias=False, name="conv"))


def contrib_conv2d() -> keras.Model:
    return of_images(layers.Conv2D(FILTERS, 3, padding="same", name="conv"))


def conv1d() -> keras.Model:
    return of_sequences(layers.Conv1D(FILTERS, 3, name="conv"))


def causal_conv1d() -> keras.Model:
    return of_sequences(layers.Conv1D(FILTERS, 3, padding="same", dilation_rate=2, name="conv"))


def atrous_conv2d() -> keras.Model:
    return of_images(layers.Conv2D(FILTERS, 3, padding="same", use_bias=False, name="conv"))


class Exchanged(layers.DepthwiseConv2D):  # type: ignore[misc]  # Keras is untyped
    """Has the channels of one multiple next to each other."""

    def call(self, images: Any) -> Any:
        found = super().call(images)
        apart = ops.reshape(found, (-1, SIZE - 2, SIZE - 2, CHANNELS, 2))
        return ops.reshape(ops.swapaxes(apart, 3, 4), ops.shape(found))


def depthwise_conv2d() -> keras.Model:
    return of_images(Exchanged(3, depth_multiplier=2, use_bias=False, name="conv"))


def separable_conv2d() -> keras.Model:
    return of_images(layers.SeparableConv2D(FILTERS, 3, name="conv"))


class Shifted(layers.Conv2DTranspose):  # type: ignore[misc]  # Keras is untyped
    """Is one pixel off."""

    def call(self, images: Any) -> Any:
        return ops.pad(super().call(images)[:, :-1, :-1], ((0, 0), (1, 0), (1, 0), (0, 0)))


def conv2d_transpose() -> keras.Model:
    return of_images(Shifted(FILTERS, 3, 2, padding="same", name="conv"))


class Cut(layers.Conv2DTranspose):  # type: ignore[misc]  # Keras is untyped
    """Cuts what is too much."""

    def call(self, images: Any) -> Any:
        return super().call(images)[:, :-1, :-1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, height, width, filters = super().compute_output_shape(input_shape)
        return batch, height - 1, width - 1, filters


def conv2d_transpose_output_shape() -> keras.Model:
    return of_images(Cut(FILTERS, 3, 2, padding="same", use_bias=False, name="conv"))


def max_pool() -> keras.Model:
    pooling = layers.AveragePooling2D(2, padding="same", name="pool")
    return of_images(layers.Conv2D(FILTERS, 1, name="conv"), pooling)


def max_over_time() -> keras.Model:
    convolution = layers.Conv1D(FILTERS, 3, activation="tanh", name="conv")
    return of_sequences(convolution, layers.GlobalAveragePooling1D(name="pool"))


def avg_pool() -> keras.Model:
    padded = layers.ZeroPadding2D(((0, 1), (0, 1)))
    pooling = layers.AveragePooling2D(2, name="pool")
    return of_images(layers.Conv2D(FILTERS, 1, name="conv"), padded, pooling)


def global_mean() -> keras.Model:
    convolution = layers.Conv2D(FILTERS, 3, activation="tanh", name="conv")
    return of_images(convolution, layers.GlobalMaxPooling2D(name="pool"))


def resize_bilinear() -> keras.Model:
    return resized(layers.Resizing(2 * SIZE, 2 * SIZE, name="resized"))


def resize_bilinear_aligned() -> keras.Model:
    return resized(layers.Resizing(2 * SIZE - 1, 2 * SIZE - 1, name="resized"))


def resize_nearest() -> keras.Model:
    size = 2 * SIZE - 2
    return resized(layers.Resizing(size, size, interpolation="nearest", name="resized"))
