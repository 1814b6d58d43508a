"""Looking for the masks of a Keras model leaves the model as it is."""

from __future__ import annotations

import keras
import numpy as np

from parity.runners.keras_dropout import Dropout


def test_looking_for_dropout_sites_moves_no_average() -> None:
    norm = keras.layers.BatchNormalization(momentum=0.5)
    model = keras.Sequential([keras.Input((3,)), norm, keras.layers.Dropout(0.5, name="dropout")])
    x = np.full((4, 3), 5.0, np.float32)
    assert [site.name for site in Dropout(model, seed=0).sites(model, x)] == ["dropout"]
    np.testing.assert_array_equal(norm.moving_mean, np.zeros(3))
    model(x, training=True)
    np.testing.assert_array_equal(norm.moving_mean, np.full(3, 2.5))
