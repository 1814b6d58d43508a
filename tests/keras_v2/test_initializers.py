"""The kernels of a recurrent layer as TensorFlow 1 draws them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_v2.initializers import tf1_glorot

INPUTS, UNITS = 30, 20


@pytest.mark.parametrize(("layer", "gates"), [(keras.layers.SimpleRNN, 1), (keras.layers.LSTM, 4)])
def test_both_kernels_are_parts_of_one_glorot_matrix(layer: type, gates: int) -> None:
    built = layer(UNITS, **tf1_glorot(INPUTS, UNITS, gates))
    built.build((None, None, INPUTS))
    kernel, recurrent, _ = built.get_weights()
    stacked = np.concatenate([kernel, recurrent])  # as TensorFlow 1 keeps it
    limit = np.sqrt(6 / sum(stacked.shape))
    for part in kernel, recurrent:
        assert 0.95 * limit < np.abs(part).max() <= limit
    assert np.unique(stacked).size > 0.99 * stacked.size, "one draw is not the other"
