from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from parity.errors import ENGINE_FAILED
from parity.keys import RUNGS
from parity.reports.junit import junit
from parity.results import Comparison, Outcome
from tests.parity.samples import MADE_UP, anchored, comparison, outcome, run

AGREEING = comparison()
TROUBLE = dataclasses.replace(AGREEING, differences=(), curves={}, problem="\x1b[31mit died")


def test_there_is_a_case_a_rung_and_they_are_counted() -> None:
    failing = comparison({"forward/eval/outputs": np.full((2, 2), np.nan)})
    (suite,) = junit(run(outcome(AGREEING, failing, TROUBLE)))
    assert suite.get("name") == "sms_rnn"
    assert len(suite) == 3 * len(RUNGS)
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    # The failing comparison passes one rung, fails one, and leaves four; TROUBLE judges none.
    assert counts == {"tests": "18", "failures": "1", "errors": "6", "skipped": "4"}
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "forward/eval/outputs: not finite"
    assert (failure.text or "").startswith("sms_rnn  graph -> keras  float32  differs at rung 2")
    assert {error.get("message") for error in suite.iter("error")} == {"?[31mit died"}


def test_anchors_decide_about_the_curve() -> None:
    (suite,) = junit(run(outcome(anchored(), anchored(4))))
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "curve/step_loss: 1.0e-02"


@pytest.mark.parametrize(
    "found",
    [
        dataclasses.replace(AGREEING, differences=()),
        dataclasses.replace(AGREEING, differences=AGREEING.differences[:-3]),
    ],
    ids=["nothing compared", "a rung without tensors"],
)
def test_it_is_red_where_something_was_not_compared(found: Comparison) -> None:
    (suite,) = junit(run(outcome(found)))
    assert found.exit_code == ENGINE_FAILED
    assert suite.get("errors") != "0"


def test_it_is_red_for_a_run_that_was_interrupted() -> None:
    (suite,) = junit(run(Outcome("sms_rnn", MADE_UP)))
    assert suite.get("errors") != "0"


def test_a_rung_that_nobody_asked_for_has_no_case() -> None:
    curve = tuple(AGREEING.rung("curve"))
    found = dataclasses.replace(AGREEING, rungs=("curve",), differences=curve)
    (suite,) = junit(run(outcome(found)))
    assert [suite.get(name) for name in ("tests", "errors")] == ["1", "0"]
