"""Cells that Keras 3 lacks: options, shapes, masks, and that a model of them is saved whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from keras_v2.cells import (
    DropoutCell,
    LayerNormLSTMCell,
    NASCell,
    TF1LSTMCell,
    VariationalStateCell,
)

ROWS, TIME, FEATURES, UNITS = 3, 5, 2, 4
CELLS: Mapping[str, Callable[[], Any]] = {
    "lstm": lambda: TF1LSTMCell(
        UNITS, use_peepholes=True, cell_clip=0.5, projection=3, projection_clip=0.25
    ),
    "layer norm": lambda: LayerNormLSTMCell(UNITS, forget_bias=0.5, epsilon=1e-6),
    "nas": lambda: NASCell(UNITS),
    "dropout": lambda: DropoutCell(layers.LSTMCell(UNITS), 0.25, 0.5, 0.75, seed=3),
    "one state": lambda: DropoutCell(layers.GRUCell(UNITS), 0.25, 0.5, 0.75, seed=3),
    "variational": lambda: VariationalStateCell(layers.LSTMCell(UNITS), 0.25, seed=3),
}


def sequences() -> np.ndarray:
    return np.random.RandomState(0).normal(size=(ROWS, TIME, FEATURES)).astype("float32")


def unrolled(cell: Any, **options: Any) -> keras.Model:
    x = keras.Input((TIME, FEATURES))
    return keras.Model(x, layers.RNN(cell, return_sequences=True, **options)(x))


def randomised(model: keras.Model) -> keras.Model:
    draw = np.random.RandomState(1)
    for weight in model.trainable_variables:
        weight.assign(draw.normal(size=weight.shape))
    return model


@pytest.mark.parametrize("name", CELLS)
def test_a_model_of_the_cell_is_saved_and_loaded_whole(name: str, tmp_path: Path) -> None:
    model = unrolled(CELLS[name]())
    randomised(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(sequences()), model.predict(sequences()))
    assert loaded.to_json() == model.to_json()


@pytest.mark.parametrize("name", CELLS)
def test_outputs_and_states_have_the_sizes_that_the_cell_says(name: str, dtype: str) -> None:
    cell = CELLS[name]()
    outputs, *states = layers.RNN(cell, return_state=True)(sequences().astype(dtype))
    assert outputs.shape == states[0].shape == (ROWS, cell.output_size)
    sizes = [cell.state_size] if isinstance(cell.state_size, int) else cell.state_size
    assert [each.shape[1] for each in states] == sizes
    assert outputs.dtype.name == dtype


def test_without_options_the_lstm_is_that_of_keras() -> None:
    ours, stock = unrolled(TF1LSTMCell(UNITS)), unrolled(layers.LSTMCell(UNITS))
    shapes = [each.shape for each in ours.get_weights()]
    weights = [each for each in stock.get_weights() if each.dtype != np.uint32]  # no seed
    assert shapes == [each.shape for each in weights]
    np.testing.assert_array_equal(ours.get_weights()[2], weights[2])  # ones for the forget gate
    ours.set_weights(weights)
    found, expected = ours.predict(sequences()), stock.predict(sequences())
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_a_bound_holds_the_memory_and_one_the_projected_state() -> None:
    cell = TF1LSTMCell(UNITS, cell_clip=0.25, projection=3, projection_clip=0.125)
    states = [np.zeros((ROWS, 3), "float32"), np.zeros((ROWS, UNITS), "float32")]
    cell.build((None, FEATURES))
    for weight in cell.weights:
        weight.assign(np.full(weight.shape, 2.0))
    h, (carried, c) = cell(np.ones((ROWS, FEATURES), "float32"), states)
    assert np.max(c) == 0.25
    assert np.max(h) == np.max(carried) == 0.125


def test_a_bound_for_no_projection_is_refused() -> None:
    with pytest.raises(ValueError, match="there is none: give `projection`"):
        TF1LSTMCell(UNITS, projection_clip=0.5)


def test_a_normalised_memory_has_mean_0_and_variance_1() -> None:
    _, _, c = layers.RNN(LayerNormLSTMCell(50), return_state=True)(sequences())
    np.testing.assert_allclose(np.mean(c, axis=1), np.zeros(ROWS), atol=1e-5)
    np.testing.assert_allclose(np.var(c, axis=1), np.ones(ROWS), atol=1e-4)


def test_dropout_is_drawn_anew_at_every_step_and_only_in_training() -> None:
    layer = layers.RNN(DropoutCell(layers.LSTMCell(50), output_rate=0.5), return_sequences=True)
    quiet, loud = np.array(layer(sequences())), np.array(layer(sequences(), training=True))
    dropped = loud == 0  # (rows, time, units)
    assert (quiet != 0).all()
    np.testing.assert_allclose(loud[~dropped], 2 * quiet[~dropped], rtol=1e-6)
    assert not any((dropped[:, 0] == dropped[:, step]).all() for step in range(1, TIME))


def test_dropout_of_the_state_leaves_the_memory_and_the_output_alone() -> None:
    cell = DropoutCell(layers.LSTMCell(50), state_rate=0.5)
    output, (h, c) = cell(sequences()[:, 0], [np.zeros((ROWS, 50), "float32")] * 2, training=True)
    assert 0 < np.mean(np.array(h) == 0) < 1
    assert (np.array(c) != 0).all()
    assert (np.array(output) != 0).all()


def test_a_variational_mask_is_one_for_all_steps_and_rows_and_used_in_training_alone() -> None:
    cell = VariationalStateCell(layers.LSTMCell(50), 0.5)
    layer = layers.RNN(cell, return_sequences=True, return_state=True)
    _, h, c, mask = layer(sequences(), training=True)
    assert set(np.unique(mask)) == {0.0, 2.0}
    assert (np.array(mask) == np.array(mask)[:1]).all()
    np.testing.assert_array_equal(np.array(h) == 0, np.array(mask) == 0)
    assert (np.array(c) != 0).all()
    _, h, *_ = layer(sequences(), training=False)
    assert (np.array(h) != 0).all()
