from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from rich.console import Console

from parity.figures import Summary, summarize
from parity.moved import REPEATS, Moved, compare
from parity.reports import moves
from parity.results import Run, Timing
from tests.parity.samples import comparison, named, outcome, recording, run

PNG = b"\x89PNG\r\n\x1a\n"
NEW = {"keras": {"tensorflow": "9.9.9", "keras": "10.0", "numpy": "9.9", "device": "CPU:0"}}


def timing(engine: str, seconds: float) -> Timing:
    spread = tuple(seconds * (1 + 0.01 * i) for i in range(REPEATS))
    return Timing(engine, 40, spread, spread, (1e-3,) * REPEATS, (5e8,) * REPEATS)


def run_of(size: float, seconds: float = 2e-3) -> Run:
    """Return a run whose forward difference is about `size`, and whose Keras steps take so long."""
    logits = recording()["forward/eval/logits"] + size
    repeats = {"forward": tuple(size * (1 + 0.02 * i) for i in range(1, REPEATS))}
    found = dataclasses.replace(comparison({"forward/eval/logits": logits}), repeats=repeats)
    times = [timing("graph", 2e-3), timing("keras", seconds)]
    return run(dataclasses.replace(outcome(found), times=times))


def summary(size: float, seconds: float = 2e-3) -> Summary:
    return summarize(run_of(size, seconds), "run 7")


@pytest.fixture
def worse() -> Moved:
    now = dataclasses.replace(summary(4e-7, 4e-3), engines=NEW, name="run 8")
    return compare(summary(1e-7), now)


def shown(moved: Moved) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(moves.table(moved))
    return console.export_text()


def test_the_headline_counts_every_verdict(worse: Moved) -> None:
    said = moves.headline(worse)
    assert said.startswith("against run 7 (2025-01-01, commit 0123456+): 3 worse, 0 cannot be told")


def test_the_table_shows_what_moved_and_what_a_step_costs(worse: Moved) -> None:
    said = shown(worse)
    forward = next(line for line in said.splitlines() if "keras forward" in line)
    assert all(word in forward for word in ("1.0e-07", "4.0e-07", "worse"))
    keras = next(line for line in said.splitlines() if " a step of keras  " in line)
    assert all(word in keras for word in ("2.15 ms", "4.3 ms", "2 ", "worse"))
    graph = next(line for line in said.splitlines() if " a step of graph  " in line)
    assert "the same" in graph
    assert "peak memory of graph" in said
    assert "curve" not in said, "what stayed is counted in the headline"


def test_versions_that_changed_are_told(worse: Moved) -> None:
    assert "keras: keras: 9.9 before, 10.0 now" in moves.remarks(worse)
    assert "graph: numpy: 9.9 before, none now" in moves.remarks(worse)


def test_a_verdict_that_changed_comes_first() -> None:
    broken = run(outcome(comparison({"loss/eval/loss": recording()["loss/eval/loss"] + 9})))
    moved = compare(summary(1e-7), summarize(broken, "run 8"))
    assert moves.remarks(moved)[0] == "verdict of sms_rnn: agree before, differ now"
    assert "not held against the baseline: sms_rnn: " in moves.remarks(moved)[1]


def test_what_cannot_be_told_says_why() -> None:
    one = summarize(run(outcome(comparison())), "run 7")
    other = recording()["forward/eval/logits"] + 1e-7
    moved = compare(one, summarize(run(outcome(comparison({"forward/eval/logits": other}))), "B"))
    assert "1 cannot be told: the noise is not known; 1 against 1 values" in moves.remarks(moved)


def test_pairs_of_one_run_are_told() -> None:
    both = run(outcome(comparison()), named("other", outcome(comparison())))
    one = run(outcome(comparison()))
    before, now = summarize(both, "A"), summarize(one, "B")
    assert moves.remarks(compare(before, now)) == [
        "only in A: other",
        "versions and machine are the same",
    ]


def test_markdown_is_one_table(worse: Moved) -> None:
    said = moves.markdown(worse)
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert rows[0] == "| pair | figure | before | now | factor | of bound | verdict |"
    assert {row.count("|") for row in rows} == {8}
    assert any("| worse: by chance 1 in" in row for row in rows)
    assert said.startswith("Against run 7")


def test_nothing_moved_draws_nothing(tmp_path: Path) -> None:
    plain = summarize(run(outcome(comparison())), "run 7")
    assert moves.write(tmp_path, compare(plain, plain)) == []


def test_what_moved_is_drawn(worse: Moved, tmp_path: Path) -> None:
    (path,) = moves.write(tmp_path / "new", worse)
    assert path.read_bytes().startswith(PNG)
    picture = moves.draw(worse)
    (axes,) = picture.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[0].startswith("sms_rnn: ")
    assert len(labels) == len(moves.shown(worse))
    legend = {text.get_text() for text in picture.legends[0].get_texts()}
    assert "now: worse" in legend
    plt.close(picture)


def test_a_difference_of_zero_can_be_drawn() -> None:
    before = summarize(run(outcome(comparison())), "run 7")
    moved = compare(before, summary(1e-7))
    plt.close(moves.draw(moved))
    assert "from 0" in moves.markdown(moved)
