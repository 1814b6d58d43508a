"""Losses of a dense layer's outputs."""

from typing import Any

import keras
from keras import layers, losses, ops, regularizers

from keras_v2.atoms.fitted import fitted
from keras_v2.losses import (
    LogLoss,
    WeightedBinaryCrossentropy,
    mean_by_nonzero_weights,
    summed_binary_crossentropy,
)
from keras_v2.losses import cosine_distance as distance

FEATURES, UNITS, TIME = 4, 5, 3


def of_rows(loss: Any, **options: Any) -> keras.Model:
    """A layer of rows that learns by a loss."""
    x = keras.Input((FEATURES,), name="x")
    return fitted(x, layers.Dense(UNITS, name="dense", **options)(x), loss=loss)


def of_sequences(loss: Any) -> keras.Model:
    """A layer of sequences that learns by a loss."""
    x = keras.Input((TIME, FEATURES), name="x")
    return fitted(x, layers.Dense(UNITS, name="dense")(x), loss=loss)


def softmax_cross_entropy() -> keras.Model:
    """`CategoricalCrossentropy` of logits."""
    return of_rows(losses.CategoricalCrossentropy(from_logits=True))


def softmax_label_smoothing() -> keras.Model:
    """`CategoricalCrossentropy` with the same smoothing."""
    return of_rows(losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.125))


def sparse_softmax_cross_entropy() -> keras.Model:
    """`SparseCategoricalCrossentropy` of logits."""
    return of_rows(losses.SparseCategoricalCrossentropy(from_logits=True))


def sigmoid_cross_entropy() -> keras.Model:
    """`BinaryCrossentropy` of logits."""
    return of_rows(losses.BinaryCrossentropy(from_logits=True))


def sigmoid_cross_entropy_summed() -> keras.Model:
    """`summed_binary_crossentropy`."""
    return of_rows(summed_binary_crossentropy)


def weighted_cross_entropy() -> keras.Model:
    """`WeightedBinaryCrossentropy`."""
    return of_rows(WeightedBinaryCrossentropy(4.0))


def nonzero_squared_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of what has a label: zero is none."""
    present = ops.cast(y_true > 0, y_pred.dtype)
    return mean_by_nonzero_weights(ops.square(y_pred - y_true), 0.5 * present)


def by_nonzero_weights() -> keras.Model:
    """`mean_by_nonzero_weights`."""
    return of_rows(nonzero_squared_error)


def absolute_difference() -> keras.Model:
    """`MeanAbsoluteError`."""
    return of_rows(losses.MeanAbsoluteError())


def huber() -> keras.Model:
    """`Huber`."""
    return of_rows(losses.Huber(delta=0.5))


def cosine_distance() -> keras.Model:
    """`keras_v2.losses.cosine_distance`."""
    return of_rows(distance)


def hinge() -> keras.Model:
    """`Hinge`, which takes 0 for -1."""
    return of_rows(losses.Hinge())


def log_loss() -> keras.Model:
    """`LogLoss`."""
    return of_rows(LogLoss(), activation="sigmoid")


def crossentropy_by_hand(y_true: Any, y_pred: Any) -> Any:
    """-sum(y log(p + 1e-8)) of probabilities, (batch, classes): (batch,)."""
    return -ops.sum(y_true * ops.log(y_pred + 1e-8), axis=-1)


def cross_entropy_by_hand() -> keras.Model:
    """By hand again: Keras's own looks through a softmax, or bounds what it gives."""
    return of_rows(crossentropy_by_hand, activation="softmax")


def l2_by_hand() -> keras.Model:
    """`L2` has no half: it takes half the factor. Of kernel and bias."""
    half = regularizers.L2(0.125 / 2)
    return of_rows("mean_squared_error", kernel_regularizer=half, bias_regularizer=half)


def l2_regularizer() -> keras.Model:
    """`L2` with half the scale."""
    return of_rows("mean_squared_error", kernel_regularizer=regularizers.L2(0.125 / 2))


def sequence_loss() -> keras.Model:
    """`SparseCategoricalCrossentropy`, whose ignore_class does not count among the steps."""
    return of_sequences(losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0))
