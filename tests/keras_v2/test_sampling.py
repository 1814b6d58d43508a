"""Losses over a sample of the classes against TensorFlow's own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_v2.sampling import NoiseContrastive, SampledSoftmax

CLASSES, FEATURES, SAMPLED = 12, 4, [3, 0, 7]
EXPECTED = np.linspace(0.9, 0.1, CLASSES).astype(np.float32)
THEIRS = {SampledSoftmax: tf.nn.sampled_softmax_loss, NoiseContrastive: tf.nn.nce_loss}


@pytest.mark.parametrize("kind", THEIRS)
def test_losses_are_those_of_tensorflow_also_where_a_sample_is_true(kind: Any) -> None:
    draw = np.random.RandomState(0)
    hidden = draw.normal(size=(5, FEATURES)).astype(np.float32)
    true = np.array([3, 1, 0, 11, 7])
    layer = kind(CLASSES)
    layer.build((None, FEATURES))
    layer.bias.assign(draw.normal(size=CLASSES))
    expected = THEIRS[kind](
        layer.kernel.value,
        layer.bias.value,
        true[:, None],
        hidden,
        len(SAMPLED),
        CLASSES,
        sampled_values=(np.array(SAMPLED), EXPECTED[true][:, None], EXPECTED[SAMPLED]),
    )
    found = layer.loss(tf.constant(hidden), tf.constant(true), SAMPLED, EXPECTED)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("kind", THEIRS)
def test_a_layer_gives_scores_of_all_classes_and_survives_its_configuration(kind: Any) -> None:
    layer = kind(CLASSES)
    assert layer(np.ones((2, FEATURES), np.float32)).shape == (2, CLASSES)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
