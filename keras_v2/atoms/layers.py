"""Dense layers, weights that two towers share, dropout, activations."""

import math
from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.fitted import fitted

TIME, FEATURES, UNITS = 4, 3, 5


def of_sequences(first: Any, *rest: Any) -> keras.Model:
    """Layers one after the other, of (batch, time, features)."""
    return _chained((TIME, FEATURES), [first, *rest])


def of_rows(first: Any, *rest: Any) -> keras.Model:
    """Layers one after the other, of (batch, features)."""
    return _chained((FEATURES,), [first, *rest])


def _chained(shape: tuple[int, ...], chain: list[Any]) -> keras.Model:
    x = outputs = keras.Input(shape, name="x")
    for layer in chain:
        outputs = layer(outputs)
    return fitted(x, outputs)


def dense() -> keras.Model:
    """`Dense`: over the last axis, however many there are."""
    return of_sequences(layers.Dense(UNITS, "tanh", name="dense"))


def fully_connected() -> keras.Model:
    """`Dense`, rectified."""
    return of_rows(layers.Dense(UNITS, "relu", name="dense"))


def tied_towers() -> keras.Model:
    """One layer, called twice."""
    left, right = keras.Input((FEATURES,), name="left"), keras.Input((FEATURES,), name="right")
    tower = layers.Dense(UNITS, "tanh", name="tower")
    apart = ops.abs(tower(left) - tower(right))  # (batch, units)
    return fitted({"left": left, "right": right}, layers.Identity(name="apart")(apart))


def flatten() -> keras.Model:
    """`Flatten`."""
    return of_sequences(layers.Flatten(), layers.Dense(UNITS, name="dense"))


def dropout_keep_prob() -> keras.Model:
    """`Dropout`: what is dropped, not what is kept."""
    return of_rows(layers.Dense(UNITS, name="dense"), layers.Dropout(0.25, name="dropout"))


def dropout_noise_shape() -> keras.Model:
    """`Dropout` with a noise_shape; None is the size of the batch."""
    dropout = layers.Dropout(0.25, noise_shape=(None, 1, UNITS), name="dropout")
    return of_sequences(layers.Dense(UNITS, name="dense"), dropout)


def dropout_rate() -> keras.Model:
    """`Dropout`."""
    return of_rows(layers.Dense(UNITS, name="dense"), layers.Dropout(0.25, name="dropout"))


def activated(activation: Any) -> keras.Model:
    """An activation of a dense layer."""
    return of_rows(layers.Dense(UNITS, name="dense"), activation)


def leaky_relu() -> keras.Model:
    """`LeakyReLU` with TensorFlow's slope; its own is 0.3."""
    return activated(layers.LeakyReLU(0.2, name="activation"))


def maximum() -> keras.Model:
    """`LeakyReLU` with the idiom's slope."""
    return activated(layers.LeakyReLU(0.125, name="activation"))


def relu6() -> keras.Model:
    """`relu6`."""
    units = [layers.Dense(UNITS, name="dense"), layers.Rescaling(8.0)]
    return of_rows(*units, layers.Activation("relu6", name="activation"))


def elu() -> keras.Model:
    """`elu`."""
    return activated(layers.Activation("elu", name="activation"))


def gelu_by_tanh(x: Any) -> Any:
    """`keras.activations.gelu(x, approximate=True)`, but for one constant.

    On TensorFlow that one computes with 0.044715 as a float32 number, in float64 too.
    """
    return 0.5 * x * (1.0 + ops.tanh((2 / math.pi) ** 0.5 * (x + 0.044715 * x**3)))


def gelu() -> keras.Model:
    """`gelu` by tanh; Keras's default is by erf."""
    return activated(layers.Activation(gelu_by_tanh, name="activation"))
