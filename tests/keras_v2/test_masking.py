"""The end of a mask."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers

from keras_v2.masking import Unmasked

X = np.array([[[1.0], [2.0], [0.0]], [[3.0], [0.0], [0.0]]], "float32")  # zeros are masked


def loss(*ends: keras.Layer) -> float:
    """Return the squared error to zeros of outputs behind a mask."""
    x = keras.Input((3, 1))
    outputs = layers.Masking()(x)
    for end in ends:
        outputs = end(outputs)
    model = keras.Model(x, outputs)
    model.compile(loss="mean_squared_error")
    return float(model.evaluate(X, np.zeros_like(X), verbose=0))


def test_a_loss_behind_it_is_a_mean_over_all_steps() -> None:
    # 1, 4 and 9 are within: of six steps, or of three.
    np.testing.assert_allclose(loss(Unmasked()), 14 / 6, rtol=1e-6)
    np.testing.assert_allclose(loss(), 14 / 3, rtol=1e-6)


def test_values_pass_unchanged_and_it_is_saved_with_a_model(tmp_path: Path) -> None:
    x = keras.Input((3, 1))
    model = keras.Model(x, Unmasked()(layers.Masking()(x)))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(X), X)
