"""Weights in files: where they came from is written with them, and held against the corpus."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from parity import wire
from parity.checkpoints import ABOUT, load_weights, save_weights
from parity.errors import BadInput
from parity.wire import Arrays
from tests.conformance.tiny import tiny

PAIR, DATASET = tiny("sms_rnn")


@pytest.fixture
def weights() -> Arrays:
    draw = np.random.RandomState(0)
    shapes = {"embedding": (30, 50), "softmax/weight": (10, 2), "softmax/bias": (2,)}
    return {name: draw.rand(*shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def path(tmp_path: Path, weights: Arrays) -> Path:
    path = tmp_path / "weights.npz"
    save_weights(path, PAIR, DATASET, weights, {"engine": "keras", "seed": 0})
    return path


def test_saved_weights_are_loaded_bit_by_bit(path: Path, weights: Arrays) -> None:
    found = load_weights(path, PAIR, DATASET)
    assert set(found) == set(weights)
    for name, value in weights.items():
        np.testing.assert_array_equal(found[name], value, strict=True)


def test_a_weights_file_says_where_it_came_from(path: Path) -> None:
    assert json.loads(str(wire.read_arrays(str(path))[ABOUT])) == {
        "pair": "sms_rnn",
        "corpus": "tiny",
        "corpus_sha256": "0" * 64,
        "made_by": {"engine": "keras", "seed": 0},
    }


def test_a_weights_file_without_a_note_is_taken(tmp_path: Path, weights: Arrays) -> None:
    path = tmp_path / "exported.npz"
    np.savez(path, **weights)  # type: ignore[arg-type]  # NumPy's stub takes them for its options
    assert set(load_weights(path, PAIR, DATASET)) == set(weights)


def test_missing_weights_say_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="train some with `parity train sms_rnn`"):
        load_weights(tmp_path / "none.npz", PAIR, DATASET)


def test_weights_of_another_pair_are_refused(path: Path) -> None:
    other = dataclasses.replace(PAIR, name="imdb_lstm")
    with pytest.raises(BadInput, match="holds weights of 'sms_rnn'; expected of 'imdb_lstm'"):
        load_weights(path, other, DATASET)


def test_weights_of_another_corpus_are_refused(path: Path) -> None:
    origin = dataclasses.replace(DATASET.origin, digest="1" * 64)
    other = dataclasses.replace(DATASET, origin=origin)
    with pytest.raises(BadInput, match=r"was trained on tiny .*0{12}.* here is sha256 1{12}"):
        load_weights(path, PAIR, other)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(
    tmp_path: Path, weights: Arrays, value: float
) -> None:
    weights["softmax/weight"][3, 1] = value
    path = tmp_path / "weights.npz"
    save_weights(path, PAIR, DATASET, weights, {})
    with pytest.raises(BadInput, match=r"softmax/weight\[3, 1\] is (nan|inf), one of 1 values"):
        load_weights(path, PAIR, DATASET)


@pytest.mark.parametrize("note", ["no JSON", "{}", '{"pair": "sms_rnn"}', "[1]"])
def test_a_note_that_cannot_be_read_is_bad_input_or_no_note(
    tmp_path: Path, weights: Arrays, note: str
) -> None:
    path = tmp_path / "weights.npz"
    np.savez(path, **weights, **{ABOUT: np.array(note)})  # type: ignore[arg-type]
    if note == "{}":
        assert set(load_weights(path, PAIR, DATASET)) == set(weights)
        return
    with pytest.raises(BadInput, match=r"weights\.npz: its note"):
        load_weights(path, PAIR, DATASET)


def test_a_failed_write_leaves_the_old_weights(path: Path, weights: Arrays) -> None:
    with pytest.raises(TypeError):
        save_weights(path, PAIR, DATASET, weights, {"engine": object()})
    assert set(load_weights(path, PAIR, DATASET)) == set(weights)
    assert [each.name for each in path.parent.iterdir()] == ["weights.npz"]


def test_weights_of_text_are_refused(tmp_path: Path, weights: Arrays) -> None:
    path = tmp_path / "weights.npz"
    np.savez(path, **{**weights, "softmax/bias": np.array(["a", "b"])})  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"softmax/bias holds <U1; expected numbers"):
        load_weights(path, PAIR, DATASET)
