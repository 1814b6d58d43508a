"""Losses."""

from __future__ import annotations

from typing import Any

import keras
from keras import losses, regularizers

from keras_v2.atoms.losses import of_rows, of_sequences


def softmax_cross_entropy() -> keras.Model:
    return of_rows(losses.CategoricalCrossentropy())


def softmax_label_smoothing() -> keras.Model:
    return of_rows(losses.CategoricalCrossentropy(from_logits=True))


def sparse_softmax_cross_entropy() -> keras.Model:
    return of_rows(losses.SparseCategoricalCrossentropy())


def sigmoid_cross_entropy() -> keras.Model:
    return of_rows(losses.BinaryCrossentropy())


def sigmoid_cross_entropy_summed() -> keras.Model:
    return of_rows(losses.BinaryCrossentropy(from_logits=True))


def weighted_cross_entropy() -> keras.Model:
    return of_rows(losses.BinaryCrossentropy(from_logits=True))


def by_nonzero_weights() -> keras.Model:
    def over_all(y_true: Any, y_pred: Any) -> Any:
        present = keras.ops.cast(y_true > 0, y_pred.dtype)
        return 0.5 * keras.ops.mean(present * (y_pred - y_true) ** 2)

    return of_rows(over_all)


def absolute_difference() -> keras.Model:
    return of_rows(losses.MeanSquaredError())


def huber() -> keras.Model:
    return of_rows(losses.Huber())


def cosine_distance() -> keras.Model:
    return of_rows(losses.CosineSimilarity())


def hinge() -> keras.Model:
    return of_rows(losses.SquaredHinge())


def log_loss() -> keras.Model:
    return of_rows(losses.BinaryCrossentropy(), activation="sigmoid")


def cross_entropy_by_hand() -> keras.Model:
    return of_rows(losses.CategoricalCrossentropy(), activation="softmax")


def l2_by_hand() -> keras.Model:
    whole = regularizers.L2(0.125)
    return of_rows("mean_squared_error", kernel_regularizer=whole, bias_regularizer=whole)


def l2_regularizer() -> keras.Model:
    return of_rows("mean_squared_error")


def sequence_loss() -> keras.Model:
    return of_sequences(losses.SparseCategoricalCrossentropy(from_logits=True))
