"""Streaming metrics: the value after each batch, in TensorFlow 1 and in Keras."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from parity.engines import tf1_python

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "atoms" / "metrics.md").read_text("utf-8")
BATCHES, ROWS = 6, 20
# Both divide whole numbers, or sums of float32, once.
ULPS = 8 * float(np.finfo(np.float32).eps)

# What is written in TensorFlow 1 -> the same value in Keras 3, as the page has it.
MEND = {
    "tf.metrics.mean(p)": "Mean()",
    "tf.metrics.accuracy(y, p > 0.5)": "BinaryAccuracy()",
    "tf.metrics.precision(y, p > 0.5)": "Precision()",
    "tf.metrics.recall(y, p > 0.5)": "Recall()",
    "tf.metrics.auc(y, p)": "AUC()",
    "tf.metrics.mean_squared_error(y, p)": "MeanSquaredError()",
    "tf.metrics.mean_iou(y, p > 0.5, 2)": "BinaryIoU()",
}
# Computed otherwise: the metric of the same name, and how far it is off, as the page has it.
OTHERWISE = {'tf.metrics.auc(y, p, curve="PR")': ('AUC(curve="PR")', 2e-4)}


def stream() -> dict[str, np.ndarray]:
    """Labels and probabilities that have something to do with each other, (batches, rows)."""
    draw = np.random.RandomState(0)
    labels = draw.randint(0, 2, (BATCHES, ROWS)).astype(np.int32)
    logits = draw.normal(size=(BATCHES, ROWS)) + labels - 0.5
    return {"labels": labels, "probabilities": (1 / (1 + np.exp(-logits))).astype(np.float32)}


def in_keras(expression: str) -> np.ndarray:
    metric: Any = eval(expression, dict(vars(keras.metrics)))
    found = []
    plain = type(metric) is keras.metrics.Mean
    for labels, probabilities in zip(*stream().values(), strict=True):
        # A column: of a row of several, Keras counts the mean, and an update as one value.
        given = (labels[:, None].astype(np.float32), probabilities[:, None])
        metric.update_state(*(given[1:] if plain else given))
        found.append(float(metric.result()))
    return np.array(found)


@pytest.fixture(scope="module", params=["graph", pytest.param("tf1", marks=pytest.mark.oracle)])
def streamed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, np.ndarray]:
    python = tf1_python() if request.param == "tf1" else sys.executable
    if python is None:
        pytest.skip("PARITY_TF1_PYTHON is not set: no TensorFlow 1.15.5 to ask")
    folder = tmp_path_factory.mktemp("metrics")
    np.savez(folder / "stream.npz", allow_pickle=False, **stream())
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in ("PYTHONPATH", "TF2_BEHAVIOR"):
        environment.pop(name, None)
    script = str(Path(__file__).with_name("streamed_metrics.py"))
    files = [str(folder / "stream.npz"), str(folder / "found.npz")]
    command = [python, "-W", "ignore", script, *files]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(folder / "found.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", MEND)
def test_a_metric_has_the_same_value_after_each_batch(
    streamed: dict[str, np.ndarray], name: str
) -> None:
    np.testing.assert_allclose(in_keras(MEND[name]), streamed[name], rtol=ULPS)


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_metric_that_is_computed_otherwise_is_as_far_off_as_the_page_says(
    streamed: dict[str, np.ndarray], name: str
) -> None:
    expression, off = OTHERWISE[name]
    apart = float(np.abs(in_keras(expression) - streamed[name]).max())
    assert off / 4 < apart < off, apart


def test_every_metric_is_on_the_page(streamed: dict[str, np.ndarray]) -> None:
    assert set(MEND) | set(OTHERWISE) == set(streamed)
    for name, expression in [*MEND.items(), *((n, e) for n, (e, _) in OTHERWISE.items())]:
        assert f"| `{name}` | `{expression}` |" in PAGE, name
