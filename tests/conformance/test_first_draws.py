"""First weights: not the same numbers, but the same distribution, tested statistically.

Two samples of 20,000 numbers are told apart by the Kolmogorov-Smirnov test, which is wrong about
equal distributions once in a million (`RARE`). Seeds are fixed: what agrees once, agrees always.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import initializers
from scipy import stats

from parity.engines import tf1_python

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "atoms" / "initializers.md").read_text("utf-8")
SHAPE = (100, 200)  # (inputs, units), as first_draws.py has it
RARE = 1e-6

# What is written in TensorFlow 1 -> the same distribution in Keras 3, as the page has it.
MEND = {
    "tf.glorot_uniform_initializer()": "GlorotUniform()",
    "tf.glorot_normal_initializer()": "GlorotNormal()",
    "tf.variance_scaling_initializer(2.0)": 'VarianceScaling(2.0, "fan_in", "truncated_normal")',
    "tf.uniform_unit_scaling_initializer()": 'VarianceScaling(1.0, "fan_in", "uniform")',
    "tf.truncated_normal_initializer()": "TruncatedNormal(stddev=1.0)",
    "tf.random_normal_initializer()": "RandomNormal(stddev=1.0)",
    "tf.random_uniform_initializer()": "RandomUniform(0.0, 1.0)",
    "tf.orthogonal_initializer()": "Orthogonal()",
    "tf.get_variable without an initializer": "GlorotUniform()",
    "contrib.layers.xavier_initializer()": "GlorotUniform()",
    "contrib.layers.xavier_initializer(uniform=False)": (
        "TruncatedNormal(stddev=math.sqrt(2.6 / (inputs + units)))"
    ),
    "contrib.layers.variance_scaling_initializer()": (
        "TruncatedNormal(stddev=math.sqrt(2.6 / inputs))"
    ),
}
# The initializer of the same name, as Keras has it by default.
FORGOTTEN = {
    "tf.truncated_normal_initializer()": "TruncatedNormal()",
    "tf.random_normal_initializer()": "RandomNormal()",
    "tf.random_uniform_initializer()": "RandomUniform()",
    "contrib.layers.variance_scaling_initializer()": "VarianceScaling()",
}
Draws = dict[str, np.ndarray]


def in_keras(expression: str) -> np.ndarray:
    keras.utils.set_random_seed(1)
    names = {"math": np, "inputs": SHAPE[0], "units": SHAPE[1]}
    made: Callable[..., object] = eval(expression, {**vars(initializers), **names})
    return np.array(made(SHAPE))


def drawn_by(python: str, folder: Path) -> Draws:
    environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in ("PYTHONPATH", "TF2_BEHAVIOR"):
        environment.pop(name, None)
    script = Path(__file__).with_name("first_draws.py")
    command = [python, "-W", "ignore", str(script), str(folder / "drawn.npz")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(folder / "drawn.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module", params=["graph", pytest.param("tf1", marks=pytest.mark.oracle)])
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Draws:
    python = tf1_python() if request.param == "tf1" else sys.executable
    if python is None:
        pytest.skip("PARITY_TF1_PYTHON is not set: no TensorFlow 1.15.5 to ask")
    return drawn_by(python, tmp_path_factory.mktemp("drawn"))


def test_the_distribution_is_the_same(drawn: Draws) -> None:
    known = {name for name in MEND if not name.startswith("contrib.")}
    assert set(drawn) in (known, set(MEND))
    for name, theirs in drawn.items():
        ours = in_keras(MEND[name])
        assert ours.shape == theirs.shape == SHAPE
        assert stats.ks_2samp(theirs.ravel(), ours.ravel()).pvalue > RARE, name
        # The test is of the bulk; the support ends where it ends.
        ends = [np.abs(each).max() for each in (theirs, ours)]
        assert ends[0] == pytest.approx(ends[1], rel=0.25), name


def test_keras_by_its_defaults_draws_otherwise(drawn: Draws) -> None:
    for name, expression in FORGOTTEN.items():
        if name in drawn:
            ours = in_keras(expression)
            assert stats.ks_2samp(drawn[name].ravel(), ours.ravel()).pvalue < RARE, name


def test_orthogonal_rows_are_orthogonal(drawn: Draws) -> None:
    for rows in (drawn["tf.orthogonal_initializer()"], in_keras("Orthogonal()")):
        np.testing.assert_allclose(rows @ rows.T, np.eye(SHAPE[0]), atol=1e-5)


def test_the_page_has_every_row() -> None:
    for name, mend in MEND.items():
        assert f"| `{name}` | `{mend}` |" in PAGE
