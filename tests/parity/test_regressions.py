"""Runs held against each other: what is planted is caught, what is unchanged raises no alarm."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from parity import pairs
from parity.cases import Request
from parity.figures import PROCESSOR, TIME, Figure, Summary
from parity.history import History
from parity.moved import REPEATS, SAME, WORSE, Moved, compare
from parity.wire import Arrays
from tests.parity.commands import PAIR, Command, error

pytestmark = pytest.mark.usefixtures("small", "lent")
ROOT = Path(__file__).parents[2]
QUICK = ("run", "sms_rnn", "--no-stock", "--dtype", "float32")
NOISY = (*QUICK, "--repeats", str(REPEATS))
HISTORY = Path("results/history.sqlite")
RESULTS = Path("results/parity")


def plant(monkeypatch: pytest.MonkeyPatch, builder: str) -> None:
    """Give the pair a Keras side that is not as it was."""
    planted = dataclasses.replace(PAIR, keras=f"tests.parity.broken_twins:{builder}")
    monkeypatch.setitem(pairs._TABLE, "sms_rnn", planted)


def recorded() -> list[Summary]:
    return History(HISTORY).runs()


def latest() -> Moved:
    """Return what moved between the last two runs of the history."""
    return compare(*recorded()[-2:])


def document() -> dict[str, Any]:
    """Return what the last run has written; it follows its schema."""
    found: dict[str, Any] = json.loads((RESULTS / "results.json").read_text("utf-8"))
    schema = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))
    jsonschema.validate(found, schema)
    return found


# Differences


def test_a_difference_that_grows_within_its_bound_is_caught(
    parity: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parity(*NOISY).code == 0
    plant(monkeypatch, "coarse_logits")
    ended = parity(*QUICK, "--against", "last")
    assert ended.code == 1
    assert recorded()[-1].pairs["sms_rnn"].code == 0, "every difference is within its bound"
    assert document()["exit_code"] == 1
    worse = {move.now.what: move.factor for move in latest().named(WORSE)}
    assert 2 < worse["float32 graph -> keras forward"] < 4
    assert re.search(r"against run 1 \(.*\): [1-9]\d* worse, 0 cannot be told", ended.out)
    said = (RESULTS / "summary.md").read_text("utf-8")
    assert "| sms_rnn | float32 graph -> keras forward |" in said
    assert parity("trend").code == 1
    assert Path("results/trend/sms_rnn.png").exists()
    assert parity("diff", "1", "2").code == 1
    assert "by chance 1 in" in Path("results/diff/moved.md").read_text("utf-8")
    assert parity("diff", "2", "1").code == 0, "an improvement"


def test_an_unchanged_run_is_asked_for_no_repeats(parity: Command) -> None:
    assert parity(*NOISY).code == 0
    ended = parity(*QUICK, "--fresh", "--against", "last")
    assert ended.code == 0
    before, now = recorded()
    assert {len(figure.sample) for figure in before.figures} == {REPEATS}
    assert {len(figure.sample) for figure in now.figures} == {1}
    assert {move.verdict for move in latest().moves} == {SAME}
    assert "0 worse" in ended.out
    assert [each["repeats"] for each in document()["outcomes"][0]["comparisons"]] == [{}]


@pytest.mark.slow
def test_fifty_unchanged_runs_raise_no_alarm(parity: Command) -> None:
    assert parity(*NOISY).code == 0
    codes = [parity(*QUICK, "--fresh", "--against", "1").code for _ in range(50)]
    assert codes == [0] * 50
    assert len(recorded()) == 51


def test_growth_against_one_value_is_not_called_noise(
    parity: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A baseline without repeats cannot tell, and what cannot be told is no success."""
    assert parity(*QUICK).code == 0
    plant(monkeypatch, "coarse_logits")
    ended = parity(*QUICK, "--against", "last")
    assert ended.code == 3
    said = (RESULTS / "summary.md").read_text("utf-8")
    assert f"cannot be told: the noise is not known; 1 against {REPEATS} values" in said


# Times


class Processes:
    """Stands in for the engines of the time lane: their steps have a spread of a twentieth.

    Attributes:
        slower: engine -> how many times as long its steps take.
    """

    def __init__(self) -> None:
        self._random = np.random.RandomState(3)
        self.slower: dict[str, float] = {}

    def __call__(self, request: Request, *_: object) -> Arrays:
        spread = float(np.exp(self._random.normal(0, 0.05)))
        seconds = 1e-3 * spread * self.slower.get(request.engine.name, 1.0)
        times = {name: np.array([2.0, 1.0]) * seconds for name in ("seconds", "processor")}
        return {**times, "yardstick": np.array([2e-4, 3e-4]), "memory": np.asarray(5e8)}


def test_against_a_timed_baseline_a_slower_side_is_caught(
    parity: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = Processes()
    monkeypatch.setattr("parity.clock._process", processes)
    assert parity(*QUICK, "--time").code == 0
    assert parity(*QUICK, "--against", "1").code == 0, "nothing has changed"
    processes.slower["keras"] = 1.2
    assert parity(*QUICK, "--against", "1").code == 1
    before, same, now = recorded()
    assert {move.verdict for move in compare(before, same).moves} == {SAME}
    worse = {(move.now.kind, move.now.what) for move in compare(before, now).named(WORSE)}
    assert worse == {(TIME, "keras"), (PROCESSOR, "keras")}
    assert {each["engine"] for each in document()["outcomes"][0]["times"]} == {"graph", "keras"}


@pytest.mark.slow
def test_a_step_that_is_a_fifth_slower_is_caught(
    parity: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fresh processes: a quarter of an hour, on a machine that does nothing else."""
    assert parity(*QUICK, "--time").code == 0
    assert parity(*QUICK, "--against", "1").code == 0, "nothing has changed"
    plant(monkeypatch, "a_fifth_slower")
    assert parity(*QUICK, "--against", "1").code == 1
    before, _, now = recorded()
    worse = {(move.now.kind, move.now.what) for move in compare(before, now).named(WORSE)}
    assert (PROCESSOR, "keras") in worse
    assert {what for _, what in worse} == {"keras"}


# Bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trend",), "there is no history results/history.sqlite yet"),
        ((*QUICK, "--against", "last"), "there is no history results/history.sqlite yet"),
        ((*QUICK, "--against", "nowhere"), "there is no baseline 'nowhere'"),
        ((*QUICK, "--against", "half"), "half/results.json cannot be read"),
        (("diff", "half", "half"), "half/results.json cannot be read"),
        ((*QUICK, "--history", "text"), "text is no SQLite file"),
        (("trend", "--history", "text"), "text is no SQLite file"),
        ((*QUICK, "--history", "text/history"), "cannot write to the history text/history"),
        (("trend", "sms_rmm"), "there is no pair 'sms_rmm'"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    parity: Command, arguments: tuple[str, ...], message: str
) -> None:
    Path("half").mkdir()
    Path("text").write_text("no history " * 99)
    ended = parity(*arguments)
    assert ended.code == 2
    assert message in error(ended)
    assert ended.err.count("\n") == 1
    assert not (RESULTS / "results.json").exists()
    assert Path("text").read_text() == "no history " * 99


def test_a_trend_does_without_what_was_not_asked_and_not_finished(parity: Command) -> None:
    assert parity(*QUICK).code == 0
    (plain,) = recorded()
    costs = [Figure("sms_rnn", kind, "keras", 1e-3, (3.0,) * REPEATS) for kind in (TIME, PROCESSOR)]
    timed = dataclasses.replace(plain, figures=(*plain.figures, *costs))
    unfinished = {"sms_rnn": dataclasses.replace(plain.pairs["sms_rnn"], code=3)}
    for run in (timed, dataclasses.replace(plain, pairs=unfinished, figures=()), plain):
        History(HISTORY).append(run)
    ended = parity("trend", "sms_rnn")
    assert ended.code == 0
    assert "against run 2" in ended.out
    assert "not compared" in ended.out, "every run has its row"


def test_a_trend_needs_two_runs(parity: Command) -> None:
    assert parity(*QUICK).code == 0
    ended = parity("trend", "sms_rnn")
    assert ended.code == 2
    assert "holds fewer than two finished runs of sms_rnn" in error(ended)
