"""Losses against TensorFlow's own, at the edges that atoms do not reach."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_v2.losses import LogLoss, WeightedBinaryCrossentropy, mean_by_nonzero_weights

v1 = tf.compat.v1
LOSSES = np.random.RandomState(0).uniform(size=(4, 3)).astype(np.float32)
WEIGHTS = {
    "of all": np.random.RandomState(1).uniform(size=(4, 3)).astype(np.float32),
    "of rows": np.array([[0.0], [1.0], [2.0], [0.0]], np.float32),
    "of columns": np.array([[0.0, 0.5, 0.5]], np.float32),
    "none": np.zeros((4, 3), np.float32),
    "one number": np.float32(2.0),
}


@pytest.mark.parametrize("which", WEIGHTS)
def test_a_mean_by_weights_that_are_not_zero_is_that_of_tensorflow(which: str) -> None:
    expected = v1.losses.compute_weighted_loss(LOSSES, WEIGHTS[which])
    found = mean_by_nonzero_weights(tf.constant(LOSSES), WEIGHTS[which])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("logit", [-200.0, -1.0, 0.0, 1.0, 200.0])
@pytest.mark.parametrize("label", [0.0, 0.5, 1.0])
def test_a_weighted_cross_entropy_is_that_of_tensorflow(logit: float, label: float) -> None:
    expected = v1.nn.weighted_cross_entropy_with_logits([label], [logit], 3.0)
    found = WeightedBinaryCrossentropy(3.0)(tf.constant([[label]]), tf.constant([[logit]]))
    np.testing.assert_allclose(found, expected[0], rtol=1e-6)


@pytest.mark.parametrize("probability", [0.0, 1e-8, 0.5, 1.0])
def test_a_log_loss_is_that_of_tensorflow(probability: float) -> None:
    labels, given = tf.constant([[0.0, 1.0]]), tf.constant([[probability, probability]])
    expected = v1.losses.log_loss(labels, given)
    np.testing.assert_allclose(LogLoss()(labels, given), expected, rtol=1e-6)


@pytest.mark.parametrize("loss", [WeightedBinaryCrossentropy(3.0), LogLoss(1e-5)])
def test_a_loss_survives_its_configuration(loss: Any) -> None:
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
