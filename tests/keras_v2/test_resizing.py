"""Images are resized to TensorFlow's own pixels, bit for bit, whatever the sizes are."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_v2.resizing import TF1Resizing

OPS = {
    "bilinear": tf.compat.v1.image.resize_bilinear,
    "nearest": tf.compat.v1.image.resize_nearest_neighbor,
}


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("interpolation", OPS)
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (5, 4), (11, 13)])
def test_pixels_are_those_of_tensorflow(
    size: tuple[int, int], interpolation: str, align_corners: bool
) -> None:
    images = np.random.RandomState(0).normal(size=(2, 5, 4, 3)).astype(np.float32)
    expected = OPS[interpolation](images, size, align_corners=align_corners)
    found = TF1Resizing(*size, interpolation, align_corners)(images)
    np.testing.assert_array_equal(found, expected)


def test_another_interpolation_is_refused() -> None:
    with pytest.raises(ValueError, match="bilinear or nearest, not 'area'"):
        TF1Resizing(2, 2, "area")


def test_a_layer_survives_its_configuration() -> None:
    layer: Any = TF1Resizing(3, 2, "nearest", align_corners=True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert layer.compute_output_shape((None, 5, 4, 3)) == (None, 3, 2, 3)
