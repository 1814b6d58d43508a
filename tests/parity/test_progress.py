from __future__ import annotations

import dataclasses
import io
import time

import numpy as np
import pytest
from rich.console import Console

from parity.progress import Board
from tests.parity.samples import MADE_UP, anchored, comparison, named, outcome


def board(terminal: bool = False, brief: bool = False) -> tuple[Board, io.StringIO]:
    file = io.StringIO()
    # All is set: what is seen must not depend on where the tests run.
    console = Console(
        width=80,
        height=25,
        file=file,
        force_terminal=terminal,
        force_interactive=terminal,
        _environ={"TERM": "xterm"},
    )
    return Board(console, brief), file


def test_without_a_terminal_only_verdicts_are_printed() -> None:
    shown, file = board()
    with shown:
        shown.expect(2)
        shown.begin("sms_rnn")
        shown.watch("sms_rnn")("keras", "float32", "curve", 1, 2)
        assert file.getvalue() == ""
        shown.finish(outcome(comparison(), stock=False))
    lines = file.getvalue().splitlines()
    assert lines[0].strip() == "sms_rnn: largest difference at every rung"
    assert "" not in [line.strip() for line in lines]


def test_a_brief_board_names_who_agrees_and_shows_who_does_not() -> None:
    shown, file = board(brief=True)
    with shown:
        shown.finish(outcome(comparison(), stock=False))
        assert file.getvalue() == "sms_rnn: agree\n"
        shown.finish(outcome(comparison({"loss/eval/loss": np.asarray(1.0)}), stock=False))
    assert "sms_rnn: largest difference at every rung" in file.getvalue()
    assert "differs at rung 3 of 6: loss" in file.getvalue()


def test_a_corpus_is_announced_once_and_on_one_line() -> None:
    shown, file = board()
    with shown:
        shown.loaded(MADE_UP)
    assert file.getvalue() == f"{MADE_UP.announcement}\n"


def test_a_failure_is_reported_below_the_table() -> None:
    shown, file = board()
    with shown:
        shown.finish(outcome(anchored(2)))
    assert "sms_rnn  graph -> keras  float32  differs at rung 6 of 6: curve" in file.getvalue()


def test_only_the_bars_of_the_pair_that_is_done_are_taken() -> None:
    shown, _ = board()
    with shown:
        for name in ("sms_rnn", "sms_rnn_mended"):
            shown.watch(name)("keras", "float32", "curve", 1, 2)
        shown.finish(outcome(comparison()))
        assert [title.split()[0] for title in shown._tasks] == ["sms_rnn_mended"]


def test_the_overall_line_names_what_runs_and_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    shown, _ = board()
    assert shown._overall() == ""
    shown.expect(3)
    assert shown._overall() == "pairs proved 0/3"
    for name in ("sms_rnn", "imdb_flatten"):
        shown.begin(name)
    assert shown._overall() == "pairs proved 0/3 · running sms_rnn, imdb_flatten"
    now[0] = 200.0
    shown.finish(outcome(comparison()))
    assert shown._overall() == "pairs proved 1/3 · running imdb_flatten · time left 3:20"
    now[0] = 210.0
    assert shown._overall().endswith("time left 3:10")
    now[0] = 500.0
    assert shown._overall() == "pairs proved 1/3 · running imdb_flatten"
    for name in ("imdb_flatten", "other"):
        shown.finish(named(name, dataclasses.replace(outcome(comparison()))))
    assert shown._overall() == "pairs proved 3/3"


def test_a_terminal_gets_bars_and_the_overall_line() -> None:
    shown, file = board(terminal=True)
    with shown:
        shown.expect(1)
        shown.watch("sms_rnn")("keras", "float32", "curve", 1, 2)
        assert shown._live is not None
        shown._live.refresh()
        assert "sms_rnn  keras float32" in file.getvalue()
        assert "pairs proved 0/1" in file.getvalue()
        shown.finish(outcome(comparison()))
