"""Embeddings that are more than one matrix and one lookup."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.embeddings import ROWS, TIME, UNITS
from keras_v2.atoms.fitted import fitted


def combined_sum() -> keras.Model:
    x = keras.Input((TIME,), dtype="int32", name="x")
    return fitted(x, Summed(ROWS, UNITS, name="embedding")(x))


class Summed(layers.Embedding):  # type: ignore[misc]  # Keras is untyped
    """Takes what is below zero for zero."""

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor((*inputs.shape[:-1], self.output_dim), dtype=self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        return ops.sum(super().call(ops.maximum(inputs, 0)), axis=1)


def _divided(power: float) -> keras.Model:
    x = keras.Input((TIME,), dtype="int32", name="x")
    weights = keras.Input((TIME,), name="weights")
    outputs = ByCount(power, name="embedding")(x, weights)
    return fitted({"x": x, "weights": weights}, outputs)


class ByCount(layers.Embedding):  # type: ignore[misc]  # Keras is untyped
    """Divides by a power of the number of ids."""

    def __init__(self, power: float, **kwargs: Any) -> None:
        super().__init__(ROWS, UNITS, **kwargs)
        self.power = power

    def compute_output_spec(self, inputs: Any, weights: Any) -> keras.KerasTensor:
        return keras.KerasTensor((*inputs.shape[:-1], self.output_dim), dtype=self.compute_dtype)

    def call(self, inputs: Any, weights: Any) -> Any:
        there = ops.cast(ops.logical_and(inputs >= 0, weights > 0), self.compute_dtype)
        vectors = super().call(ops.maximum(inputs, 0)) * (weights * there)[..., None]
        count = ops.maximum(ops.sum(there, axis=1, keepdims=True), 1)
        return ops.sum(vectors, axis=1) / count**self.power


def combined_mean() -> keras.Model:
    return _divided(1.0)


def combined_sqrtn() -> keras.Model:
    return _divided(0.5)
