"""Dense layers, dropout, activations."""

from __future__ import annotations

import keras
from keras import layers, ops

from keras_v2.atoms.fitted import fitted
from keras_v2.atoms.layers import FEATURES, UNITS, activated, of_rows, of_sequences


def dense() -> keras.Model:
    return of_sequences(layers.Dense(UNITS, name="dense"))


def fully_connected() -> keras.Model:
    return of_rows(layers.Dense(UNITS, name="dense"))


def tied_towers() -> keras.Model:
    left, right = keras.Input((FEATURES,), name="left"), keras.Input((FEATURES,), name="right")
    tower = layers.Dense(UNITS, "tanh", name="tower")
    apart = ops.abs(tower(left) - ops.stop_gradient(tower(right)))
    return fitted({"left": left, "right": right}, layers.Identity(name="apart")(apart))


def flatten() -> keras.Model:
    flat = [layers.Permute((2, 1)), layers.Flatten()]
    return of_sequences(*flat, layers.Dense(UNITS, name="dense"))


def dropout_keep_prob() -> keras.Model:
    return of_rows(layers.Dense(UNITS, name="dense"), layers.Dropout(0.75, name="dropout"))


def dropout_noise_shape() -> keras.Model:
    return of_sequences(layers.Dense(UNITS, name="dense"), layers.Dropout(0.25, name="dropout"))


def dropout_rate() -> keras.Model:
    return of_rows(layers.Dense(UNITS, name="dense"), layers.Dropout(0.75, name="dropout"))


def leaky_relu() -> keras.Model:
    return activated(layers.LeakyReLU(name="activation"))


def maximum() -> keras.Model:
    return activated(layers.LeakyReLU(name="activation"))


def relu6() -> keras.Model:
    units = [layers.Dense(UNITS, name="dense"), layers.Rescaling(8.0)]
    return of_rows(*units, layers.Activation("relu", name="activation"))


def elu() -> keras.Model:
    return activated(layers.Activation("selu", name="activation"))


def gelu() -> keras.Model:
    return activated(layers.Activation("gelu", name="activation"))
