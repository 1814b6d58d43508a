"""The history file: only ever added to, by several processes at once."""

from __future__ import annotations

import dataclasses
import math
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from parity.errors import BadInput
from parity.figures import Figure, Summary, summarize
from parity.history import History
from tests.parity.samples import comparison, named, outcome, run

ROOT = Path(__file__).parents[2]
SUMMARY = summarize(run(outcome(comparison()), named("other", outcome(comparison()))), "run 1")

WRITER = """
import sys
from collections.abc import Callable
from pathlib import Path
from parity.history import History
from tests.parity.test_history import SUMMARY
for _ in range(10):
    History(Path(sys.argv[1])).append(SUMMARY)
"""


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "new" / "history.sqlite")


def of(commit: str, code: int = 0) -> Summary:
    return dataclasses.replace(SUMMARY, commit=commit, exit_code=code)


def test_a_run_survives_the_journey(history: History) -> None:
    odd = Figure("other", "difference", "not finite", math.inf, (math.inf, 1e-300), None)
    timed = Figure("other", "time", "keras", 2e-3, (2.0, 3.0), yardstick=(1e-3, 2e-3))
    kept = (*SUMMARY.figures, odd, timed)
    given = dataclasses.replace(SUMMARY, figures=kept, options={"seed": "1"})
    assert history.append(given) == 1
    assert history.runs() == [given]
    assert history.run(1) == given
    assert history.run(2) is None


def test_runs_are_found_by_what_they_hold(history: History) -> None:
    alone = dataclasses.replace(SUMMARY, pairs={"other": SUMMARY.pairs["other"]})
    for each in (SUMMARY, alone, of("abc+", 1)):
        history.append(each)
    assert [each.name for each in history.runs()] == ["run 1", "run 2", "run 3"]
    assert [each.name for each in history.runs(["other", "sms_rnn"])] == ["run 1", "run 3"]
    assert [each.name for each in history.runs(["other"], last=2)] == ["run 2", "run 3"]
    assert [each.name for each in history.runs(agreed=True, last=1)] == ["run 2"]
    assert history.runs(["stranger"]) == []


def test_a_commit_is_that_of_an_unchanged_checkout(history: History) -> None:
    for commit in ("abc", "abc+", "", "abd", "abcd"):
        history.append(of(commit))
    assert [each.commit for each in history.runs(commit="abcdef")] == ["abc", "abcd"]


@pytest.mark.parametrize(
    "statement", ["DELETE FROM run", "UPDATE figure SET value = 0", "DELETE FROM proved"]
)
def test_it_is_only_added_to(history: History, statement: str) -> None:
    history.append(SUMMARY)
    with sqlite3.connect(history.path) as file, pytest.raises(sqlite3.Error, match="only added to"):
        file.execute(statement)
    file.close()
    assert history.runs() == [SUMMARY]


def test_processes_may_write_at_once(history: History) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(history.path)], env=environment)
        for _ in range(4)
    ]
    assert [writer.wait(300) for writer in writers] == [0] * 4
    found = history.runs()
    assert [each.name for each in found] == [f"run {number}" for number in range(1, 41)]
    assert all(len(each.figures) == len(SUMMARY.figures) for each in found)


def test_a_run_that_cannot_be_written_whole_is_not_written(history: History) -> None:
    history.append(SUMMARY)
    twice = dataclasses.replace(SUMMARY, figures=SUMMARY.figures * 2)
    with pytest.raises(BadInput, match="cannot write to the history"):
        history.append(twice)
    assert history.runs() == [SUMMARY]


def test_no_history_yet_says_what_makes_one(history: History) -> None:
    with pytest.raises(BadInput, match=r"there is no history .* yet; every `parity run` adds"):
        history.runs()
    assert not history.path.exists()
    history.path.parent.mkdir()
    history.path.touch()
    with pytest.raises(BadInput, match=r"is empty; `parity run` fills it"):
        history.runs()


def strange(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE mine (x)")
    file.close()


def later(path: Path) -> None:
    History(path).append(SUMMARY)
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("no database" * 99), "is no SQLite file; expected a history"),
        (strange, "is an SQLite file of something else; expected a history"),
        (later, "has format 99; expected format 2"),
    ],
    ids=["text", "strange", "later"],
)
def test_a_file_that_is_no_history_stays_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / "history.sqlite"
    make(path)
    before = path.read_bytes()
    for use in (History(path).prepare, History(path).runs, lambda: History(path).append(SUMMARY)):
        with pytest.raises(BadInput, match=message) as caught:
            use()
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"cannot write to the history .*; name another one"):
        History(tmp_path / "file" / "history.sqlite").prepare()
    with pytest.raises(BadInput, match="cannot write to the history"):
        History(tmp_path).prepare()
