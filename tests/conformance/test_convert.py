"""Every pair is carried across, from `Saver` to Keras and back to `Saver`."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from parity import converting, pairs, subjects
from parity.cases import Request
from parity.checkpoints import open_file, tensorflow_files
from parity.converting import Options
from parity.engines import tf1_python
from parity.executor import Executor
from parity.subjects import Ask, Subject
from parity.wire import Arrays
from tests.conformance.tiny import TINY

SIDE = Path(__file__).with_name("saver_side.py")
ROOT = Path(__file__).parents[2]
EACH = pytest.mark.parametrize("name", TINY)


@pytest.fixture(scope="module", params=["graph", pytest.param("tf1", marks=pytest.mark.oracle)])
def python(request: pytest.FixtureRequest) -> str:
    python = sys.executable if request.param == "graph" else tf1_python()
    if python is None:
        pytest.skip("no TensorFlow 1.15.5 to ask")
    return python


def model(name: str) -> dict[str, Any]:
    sizes = dict(TINY[name]().hyperparameters)
    return {"builder": pairs.find(name).graph, "sizes": sizes}


def restore(python: str, folder: Path, models: list[dict[str, Any]]) -> None:
    job = folder / "job.json"
    job.write_text(json.dumps(models))
    done = subprocess.run(
        [python, str(SIDE), str(job)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "TF_USE_LEGACY_KERAS": "1",
            "CUDA_VISIBLE_DEVICES": "-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def subject(name: str) -> Subject:
    return subjects.of_pair(pairs.find(name), TINY[name]().hyperparameters)


def values_of(path: Path) -> Arrays:
    with open_file(path) as reader:
        return {name: reader.read(name) for name in reader.variables}


def state_of(ask: Ask, subject: Subject, seed: int = 0) -> Arrays:
    """Draw a whole checkpoint, in whole 4096ths (see `Layout`), for the shapes that Keras has."""
    places = subjects.places_of(ask(subjects.question(subject, "float32")))
    layout = subject.layout({})
    draw = np.random.RandomState(seed)
    weights, slots = (
        {
            path: (draw.randint(-9999, 9999, place.shape) / 4096).astype(place.dtype)
            for path, place in places.of(kind).items()
        }
        for kind in ("weight", "slot")
    )
    return {**layout.weights_to_tf1(weights), **layout.slots_to_tf1(slots)}


@pytest.fixture(scope="module")
def carried(python: str, executor: Executor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a checkpoint of every pair is carried to Keras, and back to Saver."""
    folder, restores = tmp_path_factory.mktemp("carried"), []

    def ask(request: Request) -> Mapping[str, np.ndarray]:
        return executor.submit(request, keep=False).result().arrays

    for name in TINY:
        source = folder / f"{name}.made-7"
        with tensorflow_files.writing(source) as writer:
            for variable, value in state_of(ask, subject(name)).items():
                writer.write(variable, value)
        for ending in (".keras", ".weights.h5"):
            target = folder / f"{name}{ending}"
            converting.convert(ask, subject(name), source, target, Options())
        back = folder / f"{name}.back"
        converting.convert(ask, subject(name), folder / f"{name}.keras", back, Options())
        restores.append({**model(name), "restore": str(back)})
    restore(python, folder, restores)
    return folder


def test_a_model_that_no_memory_holds_tells_its_places(executor: Executor) -> None:
    vast = subjects.of_pair(pairs.find("sms_rnn"), {"vocabulary_size": 2_000_000_000})
    answer = executor.submit(subjects.question(vast, "float32"), keep=False).result()
    places = subjects.places_of(answer.arrays)
    assert places.of("weight")["embedding/embeddings"].shape == (2_000_000_000, 50)
    assert places.of("slot")["embedding_embeddings_momentum"].shape == (2_000_000_000, 50)
    assert places.others["optimizer/vars/1"] == np.float32(0.0005)


@EACH
def test_saver_restores_what_came_back_bit_by_bit(carried: Path, name: str) -> None:
    expected = values_of(carried / f"{name}.made-7")
    with np.load(f"{carried / name}.back.npz") as restored:
        assert set(restored.files) == set(expected)
        for variable, value in expected.items():
            np.testing.assert_array_equal(restored[variable], value, variable, strict=True)


@EACH
def test_keras_loads_what_was_written(carried: Path, name: str) -> None:
    row = pairs.find(name)
    module, _, builder = row.keras.partition(":")
    sizes = TINY[name]().hyperparameters
    built = getattr(importlib.import_module(module), builder)(**sizes)
    built.optimizer.build(built.trainable_variables)
    built.load_weights(carried / f"{name}.weights.h5")
    loaded = keras.models.load_model(carried / f"{name}.keras")
    expected = values_of(carried / f"{name}.made-7")
    weights = {n: v for n, v in expected.items() if row.layout.path_of(n)}
    slots = {n: v for n, v in expected.items() if n not in weights}
    wanted = row.layout.weights_to_keras(weights)
    wanted_slots = row.layout.slots_to_keras(slots, 7)
    found = {v.path: np.array(v) for v in built.variables if v.path in wanted}
    assert set(found) == set(wanted)
    for path, value in wanted.items():
        np.testing.assert_array_equal(found[path], value, path, strict=True)
    state = {v.path.partition("/")[2]: np.array(v) for v in built.optimizer.variables}
    assert state.pop("learning_rate") == np.float32(built.optimizer.get_config()["learning_rate"])
    assert set(state) == set(wanted_slots)
    for path, value in wanted_slots.items():
        np.testing.assert_array_equal(state[path], value, path, strict=True)
    # Keras gives the cells of a model that it has read other paths, so these go by order.
    one, other = ([*each.weights, *each.optimizer.variables] for each in (built, loaded))
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(np.array(left), np.array(right), left.path, strict=True)
