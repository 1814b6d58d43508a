"""Kept trainings: read back as they were, refused when they are anything else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from parity import records
from parity.errors import BadInput
from parity.records import Counts
from tests.parity.studied import record, trained


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    kept = [*trained(graph=[0.1, 0.2]), *trained(keras=[0.3]), record("graph", 0, pair="other")]
    for each in kept:
        records.save(tmp_path, each)
    assert sorted(records.load(tmp_path), key=str) == sorted(kept, key=str)
    assert not list(tmp_path.rglob("*.part"))


def test_a_loss_that_is_no_number_is_kept(tmp_path: Path) -> None:
    records.save(tmp_path, record(final=float("nan")))
    (found,) = records.load(tmp_path)
    assert np.isnan(found.curves["test_loss"][-1])


def test_counts_are_read_back_and_are_no_training(tmp_path: Path) -> None:
    counts = Counts("sms_rnn", "a corpus", {"words": {"corpus": 1_124}})
    records.save_counts(tmp_path, counts)
    assert records.load_counts(tmp_path) == {"sms_rnn": counts}
    assert records.load(tmp_path) == []


def test_an_unfinished_file_is_no_training(tmp_path: Path) -> None:
    records.save(tmp_path, record())
    (tmp_path / "sms_rnn" / "keras-00.json.part").write_text('{"schema"')
    assert [each.side for each in records.load(tmp_path)] == ["graph"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert records.load(tmp_path / "nowhere") == []
    assert records.load_counts(tmp_path / "nowhere") == {}


def damaged(path: Path, kind: str) -> None:
    document = json.loads(path.read_text())
    if kind == "another schema":
        path.write_text(json.dumps({**document, "schema": 99}))
    elif kind == "a field is missing":
        del document["curves"]
        path.write_text(json.dumps(document))
    elif kind == "cut off":
        path.write_text(path.read_text()[:100])
    elif kind == "not ours":
        path.write_text("[1, 2]")
    else:
        path.rename(path.with_name("graph-07.json"))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("another schema", "has schema 99; expected schema 1"),
        ("a field is missing", "does not follow its schema"),
        ("cut off", "cannot be read"),
        ("not ours", "cannot be read"),
        ("another name", "holds sms_rnn, graph, seed 0; expected what its name says"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, kind: str, said: str) -> None:
    records.save(tmp_path, record())
    path = records.path_of(tmp_path, "sms_rnn", "graph", 0)
    damaged(path, kind)
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    with pytest.raises(BadInput) as caught:
        records.load(tmp_path)
    assert said in str(caught.value)
    assert str(path.parent) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


def test_a_file_says_what_it_is_on_a_line_a_field(tmp_path: Path) -> None:
    records.save(tmp_path, record())
    text = records.path_of(tmp_path, "sms_rnn", "graph", 0).read_text()
    assert len(text.splitlines()) == 3 + len(dataclasses.fields(records.Record))
