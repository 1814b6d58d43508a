from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from parity import wire
from parity.errors import BadInput
from parity.wire import FED, FORMAT, KINDS, Job, Model

ARRAYS = {"weights/a/b": np.arange(6.0).reshape(2, 3), "scalar": np.array(2, np.int32)}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    wire.save(str(tmp_path / "new"), "job", {"kind": "climb"}, ARRAYS)
    document, arrays = wire.load(str(tmp_path / "new"), "job")
    assert document == {"kind": "climb"}
    assert {k: (v.dtype, v.tolist()) for k, v in arrays.items()} == {
        k: (v.dtype, v.tolist()) for k, v in ARRAYS.items()
    }


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    document, arrays = tmp_path / "a.json", tmp_path / "a.npz"
    wire.write_json(str(document), {"old": True})
    wire.write_arrays(str(arrays), {"old": np.ones(1)})
    with pytest.raises(TypeError):
        wire.write_json(str(document), {"half": 1, "new": object()})
    with pytest.raises(ZeroDivisionError):
        wire.write_arrays(str(arrays), {"half": np.ones(1), "new": Unwritable()})
    assert json.loads(document.read_text()) == {"old": True}
    assert list(wire.read_arrays(str(arrays))) == ["old"]


class Unwritable:
    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise ZeroDivisionError


def test_nothing_is_left_beside_a_file(tmp_path: Path) -> None:
    wire.save(str(tmp_path), "result", {}, ARRAYS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result.json", "result.npz"]


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pickled.npz"
    np.savez(path, weights=np.array([{"any": "object"}], dtype=object))
    with pytest.raises(BadInput, match=r"pickled\.npz cannot be read"):
        wire.read_arrays(str(path))


def unreadable(folder: Path) -> dict[str, Path]:
    """Return files of every kind that are no .npz file of plain arrays."""
    whole = folder / "whole.npz"
    np.savez_compressed(whole, weights=np.random.RandomState(0).rand(999))
    content = whole.read_bytes()
    files = {
        "truncated": content[:-300],
        "corrupt": content[:200] + bytes(50) + content[250:],
        "empty": b"",
        "text": b"no weights here\n",
        "zip": b"PK\x03\x04 but not really",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    np.save(folder / "single.npy", np.ones(3))
    names = [*files, "single.npy", "missing", "."]
    return {name: folder / name for name in names}


BROKEN = ("truncated", "corrupt", "empty", "text", "zip", "single.npy", "missing", ".")


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_npz_file_is_bad_input(tmp_path: Path, kind: str) -> None:
    path = unreadable(tmp_path)[kind]
    with pytest.raises(BadInput) as caught:
        wire.read_arrays(str(path))
    assert str(path) in str(caught.value)
    assert "cannot be read: " in str(caught.value)
    assert "expected an .npz file of plain arrays" in str(caught.value)


MODEL = Model(
    pair="sms_rnn",
    builder="legacy_graph.sms_rnn:SmsRnn",
    hyperparameters={"vocabulary_size": 30},
    dtype="float64",
    taps=("outputs", "logits"),
    sites={"dropout": "dropout"},
    feeds={"train": {"keep_prob": 0.5}},
    metrics=("loss", "accuracy"),
    optimizer="keras.optimizers:Adam",
    learning_rate=0.25,
    seed=3,
    replay=FED,
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_survives_the_journey(kind: str) -> None:
    job = Job(kind, MODEL, ("update", "curve"), start=7, snapshots=(9, 11))
    assert Job.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_a_job_of_defaults_survives_the_journey() -> None:
    job = Job("climb", Model("sms_rnn", "m:a", {}))
    assert Job.from_json(json.loads(json.dumps(job.to_json()))) == job


def test_a_new_field_changes_no_question_that_does_not_use_it() -> None:
    model = {"pair": "sms_rnn", "builder": "m:a", "hyperparameters": {}}
    said = Job("climb", Model("sms_rnn", "m:a", {})).to_json()
    assert said == {"kind": "climb", "model": model, "format": FORMAT}


@pytest.mark.parametrize("number", [None, 0, FORMAT - 1, FORMAT + 1, str(FORMAT)])
def test_a_job_of_another_version_is_refused(number: object) -> None:
    document = {**Job("climb", MODEL).to_json(), "format": number}
    with pytest.raises(BadInput) as caught:
        Job.from_json(document)
    assert caught.value.received == f"this job has format {number!r}"
    assert caught.value.expected == f"format {FORMAT}"
    assert caught.value.mend


def test_an_unknown_job_lists_the_known_ones() -> None:
    document = {**Job("climb", MODEL).to_json(), "kind": "dance"}
    with pytest.raises(BadInput, match="there is no job 'dance'; expected one of lead, climb, "):
        Job.from_json(document)


def test_names_are_nested_and_taken_apart() -> None:
    one = np.ones(())
    nested = wire.within("curve", {"a": one, "b/c": one})
    assert nested == {"curve/a": one, "curve/b/c": one}
    assert wire.under({**nested, "curves/d": one}, "curve") == {"a": one, "b/c": one}


@pytest.mark.parametrize("sizes", [[4, 4, 2], [4, 4], [3], [1, 1, 1]])
def test_batches_take_the_rows_in_order(sizes: list[int]) -> None:
    order = np.random.RandomState(0).permutation(sum(sizes))
    rows = wire.batches(order, np.array(sizes))
    assert [len(each) for each in rows] == sizes
    np.testing.assert_array_equal(np.concatenate(rows), order)
