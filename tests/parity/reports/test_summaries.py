from __future__ import annotations

import dataclasses

import numpy as np

from parity.errors import INTERRUPTED
from parity.figures import figures, summarize
from parity.moved import compare
from parity.reports import summaries
from parity.results import Outcome
from tests.parity.samples import MADE_UP, TIMES, anchored, comparison, measured, named, outcome, run

BROKEN = comparison({"loss/eval/loss": np.asarray(9.0)})


def test_a_pair_is_a_row_a_dtype() -> None:
    said = summaries.markdown(run(outcome(measured(), comparison(dtype="float64"))))
    assert said.startswith("# 1 pair agrees: at every rung Keras computes what TensorFlow 1 ")
    rows = [line for line in said.splitlines() if line.startswith("| sms_rnn")]
    assert [row.split(" | ")[1] for row in rows] == ["32", "64"]
    assert all(row.endswith("agree |") for row in rows)
    assert "4.0e-05" in rows[0]
    assert "tf-parity 9.9, commit 0123456+, x86_64" in said


def test_the_share_of_a_bound_is_that_of_what_decides() -> None:
    """A free run beyond its bound that anchors excuse is no share of more than all of it."""
    beyond = anchored().nearest("curve")
    assert beyond
    assert beyond.used > 1
    assert ">100%" not in summaries.markdown(run(outcome(anchored())))
    (curve,) = [f for f in figures(outcome(anchored())) if f.what.endswith("curve")]
    assert curve.used == 0


def test_made_up_data_is_announced() -> None:
    assert f"**{MADE_UP.announcement}**" in summaries.markdown(run(outcome(comparison())))


def test_a_failure_is_told_with_its_report() -> None:
    said = summaries.markdown(run(outcome(BROKEN), named("other", outcome(comparison()))))
    assert said.startswith("# 1 pair differs: sms_rnn at loss; 1 pair agrees.\n")
    assert "| ✗ 8.2e+00 |" in said
    assert "differ |" in said
    assert "```text\nsms_rnn  graph -> keras  float32  differs at rung 3 of 6: loss" in said


def test_what_was_not_finished_never_agrees() -> None:
    found = dataclasses.replace(outcome(comparison()), finished=False)
    said = summaries.markdown(run(found, Outcome("late", MADE_UP), exit_code=INTERRUPTED))
    assert said.startswith("# 2 pairs not compared: sms_rnn, late.\n")
    assert "not compared |" in said


def test_costs_and_moves_have_their_sections() -> None:
    timed = run(dataclasses.replace(outcome(comparison()), times=TIMES))
    found = summarize(timed, "run 4")
    said = summaries.markdown(timed, compare(found, found))
    assert "| sms_rnn | keras | 4.05 | 577 | 2 |" in said
    assert "## What moved\n\nAgainst run 4" in said
    assert "## A training step" in said
    assert "What moved" not in summaries.markdown(timed)
