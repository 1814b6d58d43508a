"""Recurrent cells."""

from __future__ import annotations

import keras
from keras import layers

from keras_v2.atoms.cells import UNITS, unrolled


def basic_rnn_cell() -> keras.Model:
    return unrolled(layers.SimpleRNN(UNITS, activation=None, return_sequences=True, name="rnn"))


class SwappedGates(layers.GRUCell):  # type: ignore[misc]  # Keras is untyped
    """Reads its gates as TensorFlow 1 orders them, r before z."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self._made = self.kernel, self.recurrent_kernel, self.bias

    def call(self, inputs: object, states: object, training: bool = False) -> object:
        for name, weight in zip(("kernel", "recurrent_kernel", "bias"), self._made, strict=True):
            z, r, h = keras.ops.split(weight, 3, axis=-1)
            setattr(self, name, keras.ops.concatenate([r, z, h], axis=-1))
        return super().call(inputs, states, training)


def gru_cell() -> keras.Model:
    cell = SwappedGates(UNITS, reset_after=False, name="gru_cell")
    return unrolled(layers.RNN(cell, return_sequences=True, name="gru"))
