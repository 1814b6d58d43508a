from __future__ import annotations

import dataclasses
import io

import numpy as np
from rich.console import Console

from parity.checks import Outcome
from parity.pairs import PAIRS
from parity.progress import Board, summary, unjudged, verdicts
from tests.parity.samples import comparison, outcome


def printed(found: object) -> str:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(found)
    return capture.get()


def named(name: str, found: Outcome) -> Outcome:
    return dataclasses.replace(found, pair=dataclasses.replace(found.pair, name=name))


DIFFERING = comparison({"update/step 1/weights/softmax/bias": np.full(2, 9.0)})


def test_the_summary_has_the_worst_of_all_engines() -> None:
    (row,) = [
        line
        for line in printed(summary([outcome(comparison(), DIFFERING)])).splitlines()
        if "✗" in line
    ]
    assert row.split()[:2] == ["sms_rnn", "32"]
    assert row.split()[-1] == "differ"


def test_a_pair_that_was_not_finished_is_not_called_agreement() -> None:
    unfinished = dataclasses.replace(outcome(comparison()), finished=False)
    assert "not compared" in printed(summary([unfinished]))
    assert "agree" in printed(summary([outcome(comparison())]))


def test_tables_fit_in_80_columns() -> None:
    longest = max(PAIRS, key=len)
    found = named(longest, outcome(comparison(), DIFFERING))
    for table in (summary([found]), verdicts(found)):
        assert "…" not in printed(table)


def test_a_board_takes_only_the_bars_of_the_pair_that_is_done() -> None:
    with Board(Console(width=80, force_terminal=False, file=io.StringIO())) as board:
        board.expect(2)
        for name in ("sms_rnn", "sms_rnn_mended"):
            board.watch(name)("keras", "float32", "curve", 1, 2)
        board.finish(outcome(comparison()))
        assert [title.split()[0] for title in board._tasks] == ["pairs", "sms_rnn_mended"]


def test_a_pair_that_met_no_tensorflow_1_is_named() -> None:
    judged = dataclasses.replace(comparison(), reference="recorded")
    assert unjudged([outcome(judged)]) == ""
    assert "sms_rnn; `tox -e oracle`" in unjudged([outcome(comparison())])
