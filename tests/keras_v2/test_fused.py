"""TensorFlow's kernels and the formula are one arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_v2 import optimizers
from keras_v2.optimizers import fused

ROWS, UNITS, STEPS = 6, 3, 30
# Units in the last place of the largest number, that the sums of thirty steps may be apart.
ULPS = 16

Make = Callable[[], keras.Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "rmsprop": lambda: optimizers.TF1RMSprop(0.01, momentum=0.5),
    "centered": lambda: optimizers.TF1RMSprop(0.01, centered=True),
    "adam": lambda: optimizers.TF1Adam(0.01),
    "momentum": lambda: optimizers.TF1Momentum(0.01, 0.9),
    "nesterov": lambda: optimizers.TF1Momentum(0.01, 0.9, nesterov=True),
    "adagrad": lambda: optimizers.TF1Adagrad(0.1),
    "adadelta": lambda: optimizers.TF1Adadelta(0.1),
    "ftrl": lambda: optimizers.TF1Ftrl(0.1, l1=0.01, l2=0.01),
    "ftrl_power": lambda: optimizers.TF1Ftrl(0.1, learning_rate_power=-0.25),
}


def gradients(sparse: bool, dtype: str) -> list[Any]:
    """Dense ones; or slices of some rows, with repeats, of row 5 never."""
    draw = np.random.RandomState(0)
    found = []
    for _ in range(STEPS):
        if not sparse:
            found.append(tf.constant(draw.normal(size=(ROWS, UNITS)), dtype))
            continue
        rows = tf.constant([0, 0, *draw.randint(0, 5, size=3)], tf.int64)
        values = tf.constant(draw.normal(size=(5, UNITS)), dtype)
        found.append(tf.IndexedSlices(values, rows, tf.constant([ROWS, UNITS], tf.int64)))
    return found


def trained(make: Make, sparse: bool, dtype: str) -> list[np.ndarray]:
    """Return the variable and all slots after thirty steps."""
    start = np.random.RandomState(1).normal(size=(ROWS, UNITS)).astype(dtype)
    variable = keras.Variable(start, dtype=dtype)
    optimizer = make()
    optimizer.build([variable])

    step = tf.function(lambda gradient: optimizer.apply([gradient], [variable]))
    for gradient in gradients(sparse, dtype):
        step(gradient)
    return [np.array(variable), *(np.array(each) for each in optimizer.variables)]


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_kernel_and_formula_agree(
    monkeypatch: pytest.MonkeyPatch, name: str, sparse: bool, dtype: str
) -> None:
    asked: list[str] = []
    possible = fused.possible

    def noted(variable: Any, gradient: Any) -> bool:
        asked.append("kernel" if possible(variable, gradient) else "formula")
        return asked[-1] == "kernel"

    monkeypatch.setattr(fused, "possible", noted)
    by_kernel = trained(OPTIMIZERS[name], sparse, dtype)
    assert set(asked) == {"kernel"}
    monkeypatch.setattr(fused, "possible", lambda *_: False)
    by_formula = trained(OPTIMIZERS[name], sparse, dtype)
    for found, expected in zip(by_kernel, by_formula, strict=True):
        largest = max(float(np.abs(expected).max()), 1e-3)
        bound = ULPS * float(np.finfo(dtype).eps) * largest
        np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


def test_xla_is_given_the_formula() -> None:
    seen: list[bool] = []
    variable = keras.Variable(np.zeros(3, "float32"))

    def look() -> None:
        seen.append(fused.possible(variable, tf.zeros(3)))

    for by_xla in (False, True):
        tf.function(look, jit_compile=by_xla)()
    assert seen == [True, False]


def test_without_tensorflow_as_backend_it_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "another")
    alone: dict[str, Any] = {}
    exec(Path(fused.__file__).read_text("utf-8"), alone)
    assert "tf" not in alone
    assert not alone["possible"](keras.Variable(np.zeros(3)), np.zeros(3))
