"""Normalisation as TensorFlow 1 has it: values, shapes, and the way through a file."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_v2 import norms
from keras_v2.norms import L2Normalization, TF1BatchNormalization

X = np.random.RandomState(0).normal(2, 3, (5, 2, 3, 4)).astype(np.float32)
MEAN, VARIANCE = X.mean((0, 1, 2)), X.var((0, 1, 2))
COUNT = 5 * 2 * 3


def assert_close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)  # float32


def trained(**options: Any) -> tuple[TF1BatchNormalization, np.ndarray]:
    """Return a layer that has seen a batch in training, and what it made of it."""
    layer = TF1BatchNormalization(momentum=0.75, **options)
    return layer, np.array(layer(X, training=True))


def test_the_fused_variance_is_unbiased_and_the_output_is_not() -> None:
    layer, outputs = trained()
    assert_close(outputs, (X - MEAN) / np.sqrt(VARIANCE + 1e-3))
    assert_close(layer.moving_mean, 0.25 * MEAN)
    kept = 0.75 + 0.25 * VARIANCE * COUNT / (COUNT - 1)
    assert_close(layer.moving_variance, kept)


def test_without_fused_it_is_stock_batch_normalization() -> None:
    layer, outputs = trained(fused=False)
    stock = keras.layers.BatchNormalization(momentum=0.75)
    assert_close(outputs, stock(X, training=True))
    assert_close(layer(X), stock(X))
    for one, other in zip(layer.get_weights(), stock.get_weights(), strict=True):
        assert_close(one, other)


def test_zero_debias_gives_the_mean_of_the_first_batch() -> None:
    layer, _ = trained(zero_debias_moving_mean=True)
    assert_close(layer.moving_mean, MEAN)
    layer(X + 1, training=True)
    later = (0.75 * 0.25 * MEAN + 0.25 * (MEAN + 1)) / (1 - 0.75**2)
    assert_close(layer.moving_mean, later)


def test_a_layer_that_is_not_trainable_takes_the_moments_of_the_batch() -> None:
    layer, outputs = trained(trainable=False)
    assert_close(outputs, (X - MEAN) / np.sqrt(VARIANCE + 1e-3))
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(4))
    assert not layer.trainable_variables


def test_inference_mode_reaches_a_functional_model_that_is_fitted() -> None:
    layer = TF1BatchNormalization(inference_mode=True)
    x = keras.Input(X.shape[1:])
    model = keras.Model(x, layer(x))
    model.compile("sgd", "mse")
    model.train_on_batch(X, X)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(4))
    assert np.abs(layer.beta).min() > 0


def test_stock_keras_overrides_training_false_in_a_functional_model() -> None:
    # If this fails, Keras has changed: `inference_mode`, and its slip, can go.
    layer = keras.layers.BatchNormalization()
    x = keras.Input(X.shape[1:])
    model = keras.Model(x, layer(x, training=False))
    model.compile("sgd", "mse")
    model.train_on_batch(X, X)
    assert np.abs(layer.moving_mean).min() > 0


@pytest.mark.parametrize("options", [{"renorm": True}, {"synchronized": True}])
def test_what_the_kernel_has_not_is_refused(options: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="expected neither"):
        TF1BatchNormalization(**options)
    with pytest.raises(ValueError, match="the kernel has no mask"):
        TF1BatchNormalization()(X, mask=np.ones(X.shape[:-1], bool))


def test_short_vectors_do_not_come_to_length_one() -> None:
    found: Any = L2Normalization()(np.array([[3, 4], [3e-7, 4e-7], [0, 0]], np.float32))
    assert_close(found, [[0.6, 0.8], [0.3, 0.4], [0, 0]])
    columns = L2Normalization(axis=0)(np.array([[3.0, 0.0], [4.0, 2.0]]))
    assert_close(columns, [[0.6, 0.0], [0.8, 1.0]])


@pytest.mark.parametrize(
    "layer",
    [
        TF1BatchNormalization(
            momentum=0.75, scale=False, fused=False, zero_debias_moving_mean=True
        ),
        TF1BatchNormalization(inference_mode=True),
        L2Normalization(axis=1, epsilon=1e-3),
    ],
    ids=["zero_debias", "inference_mode", "l2"],
)
def test_a_model_in_a_file_has_equal_layers(layer: keras.layers.Layer, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input(X.shape[1:]), layer])
    model(X, training=True)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.layers[0].get_config() == layer.get_config()
    np.testing.assert_array_equal(again(X), model(X))
    np.testing.assert_array_equal(again(X, training=True), model(X, training=True))


def test_examples_print_what_they_say() -> None:
    results = doctest.testmod(norms, extraglobs={"np": np})
    assert results.attempted
    assert not results.failed
