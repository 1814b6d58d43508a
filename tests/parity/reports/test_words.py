from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from parity.reports.words import bounded, explain, explain_all, figure, parting
from parity.results import STEP_LOSS, Comparison
from tests.parity.samples import (
    EMBEDDING,
    KERNEL,
    KERNEL_PATH,
    anchor,
    anchored,
    comparison,
    measured,
    outcome,
    recording,
)

AGREEING = comparison()
OUTPUTS = {"forward/eval/outputs": np.array([[0.5, -0.25], [0.125, 0.25]])}
TROUBLE = dataclasses.replace(AGREEING, differences=(), curves={}, problem="engine 'graph' died")

REPORT = """\
sms_rnn  graph -> keras  float32  differs at rung 2 of 6: forward

  first tensor    forward/eval/outputs  (2, 2)
                  in Keras: rnn
  worst element   [1, 1]  0 expected, 0.25 found
  beyond bound    1 of 4 elements
  would pass at   5.0e-01; the bound is 1.0e-06 (unit: largest value of the tensor)
  bound           general
  float64 twin    was not run
  not judged      loss, gradients, update, curve, above this rung"""

ANCHOR = """\
sms_rnn  graph -> keras  float32  differs at rung 6 of 6: curve

  handed over     weights and slots of graph after step 4, then 2 more steps; 2 others agree
  free run        the float32 runs part from step 4 (graph parts from itself there: own rounding \
3.8e-05)
  first tensor    curve/step_loss  (2,)
  first step      6, number 2 from there
  worst element   [1]  0.7 expected, 0.71 found
  beyond bound    1 of 2 elements
  would pass at   1.0e-02; the bound is 2.0e-06 (unit: one)
  bound           general
  float64 twin    had no anchor there; its curve of 6 steps: passed"""


def lines(changes: dict[str, Any], *twins: Comparison, dtype: str = "float32") -> list[str]:
    found = comparison(changes, dtype)
    return explain(found, outcome(found, *twins)).splitlines()


def test_a_difference_is_reported_where_it_starts() -> None:
    found = comparison(OUTPUTS)
    assert explain(found, outcome(found)) == REPORT


def test_the_first_step_of_a_curve_is_counted_from_one() -> None:
    curve = recording()[STEP_LOSS].copy()
    curve[3:] += 0.5
    assert "  first step      4 of 6" in lines({STEP_LOSS: curve})


def test_the_step_of_an_update_is_named() -> None:
    found = lines({f"update/step 1/slots/{EMBEDDING}/RMSProp": np.zeros((4, 2))})
    assert "  first step      1" in found
    assert "                  in Keras: embedding/embeddings: velocity" in found


def test_a_tensor_is_named_as_keras_names_it() -> None:
    kernel = {f"gradients/{KERNEL}": np.zeros((3, 2))}
    assert f"                  in Keras: {KERNEL_PATH}" in lines(kernel)
    assert not any("in Keras" in line for line in lines({"loss/eval/loss": np.asarray(0.5)}))


def test_the_twin_tells_rounding_from_meaning() -> None:
    same, both = comparison(dtype="float64"), comparison(OUTPUTS, "float64")
    passes = "  float64 twin    0: it passes, so what is left here is rounding"
    assert passes in lines(OUTPUTS, same)
    fails = "  float64 twin    5.0e-01: it fails too, so this is not rounding"
    assert fails in lines(OUTPUTS, both)
    other = lines(OUTPUTS, comparison(OUTPUTS), dtype="float64")
    assert "  float64 twin    is this one; in float32 it is 5.0e-01" in other
    lost = dataclasses.replace(same, differences=(), problem="it died")
    assert "  float64 twin    could not be compared: it died" in lines(OUTPUTS, lost)


def test_other_failures_of_the_rung_are_counted() -> None:
    zeros = {f"forward/eval/{name}": np.zeros((2, 2)) for name in ("outputs", "logits")}
    assert "  also            forward/eval/logits 1.0e+00" in lines(zeros)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.ones((2, 3)), "shape (2, 2) expected, (2, 3) found"),
        (np.full((2, 2), np.nan), "would pass at   not finite"),
    ],
)
def test_what_cannot_be_compared_says_why(value: np.ndarray, said: str) -> None:
    assert said in "\n".join(lines({"forward/eval/outputs": value}))


def test_a_lost_tensor_says_on_which_side() -> None:
    text = "\n".join(lines({"loss/eval/stranger": np.asarray(1.0)}))
    assert "differs at rung 3 of 6: loss" in text
    assert "missing on the reference's side" in text


def test_an_engine_that_failed_is_not_called_a_difference() -> None:
    text = explain(TROUBLE, outcome(TROUBLE))
    assert text == "sms_rnn  graph -> keras  float32  could not be compared\n  engine 'graph' died"


def test_rungs_without_a_tensor_are_named() -> None:
    some = tuple(d for d in AGREEING.differences if d.rung not in ("loss", "curve"))
    found = dataclasses.replace(AGREEING, differences=some)
    assert explain(found, outcome(found)).endswith("nothing was compared at: loss, curve")


def test_what_fails_alike_is_told_once() -> None:
    both = [comparison(OUTPUTS), comparison(OUTPUTS, "float64")]
    (text,) = explain_all(outcome(AGREEING, *both))
    assert text.endswith("  the same in     graph -> keras float64")


def test_a_report_says_how_the_bound_was_arrived_at() -> None:
    own = {STEP_LOSS: np.array([0, 0, 0, 0, 0, 3.8e-5])}
    curve = recording()[STEP_LOSS] + np.array([0, 0, 0, 0, 0, 1e-3])
    found = comparison({STEP_LOSS: curve}, own=own)
    said = explain(found, outcome(found)).splitlines()
    assert "  would pass at   1.0e-03; the bound is 1.5e-04 (unit: one)" in said
    assert "  bound           measured: own rounding 3.8e-05, 5 runs" in said


def test_a_bound_that_grows_is_the_one_of_the_worst_element() -> None:
    own = {STEP_LOSS: np.array([0, 0, 0, 0, 0, 1e-2])}
    curve = recording()[STEP_LOSS] + np.array([0, 4e-6, 0, 0, 0, 3e-2])
    found = comparison({STEP_LOSS: curve}, own=own)
    text = "4.0e-06; the bound is 2.0e-06 (unit: one); largest error 3.0e-02"
    assert f"  would pass at   {text}" in explain(found, outcome(found)).splitlines()


def test_general_bounds_are_called_so() -> None:
    assert {bounded(d) for d in AGREEING.differences} == {"general"}
    (curve,) = [d for d in measured().differences if d.key == STEP_LOSS]
    assert bounded(curve) == "measured: own rounding 3.8e-05, 5 runs"


# Anchors


def test_a_failing_anchor_is_reported_with_its_step() -> None:
    found = anchored(4)
    assert explain(found, outcome(found, comparison(dtype="float64"))) == ANCHOR


def test_the_twin_of_an_anchor_is_looked_up_in_the_same_anchor() -> None:
    found = anchored(4)
    twin = dataclasses.replace(found, dtype="float64")
    said = explain(found, outcome(found, twin)).splitlines()
    assert "  float64 twin    1.0e-02: it fails too, so this is not rounding" in said


def test_a_tensor_of_an_anchor_is_named_as_at_any_other_step() -> None:
    wrong = anchor(2, {f"curve/final/weights/{EMBEDDING}": np.zeros((4, 2))})
    found = dataclasses.replace(anchored(), anchors=(wrong,))
    assert "in Keras: embedding/embeddings" in explain(found, outcome(found))


def test_an_anchor_without_a_tensor_is_named() -> None:
    empty = dataclasses.replace(anchor(2), differences=())
    found = dataclasses.replace(anchored(), anchors=(empty,))
    said = explain(found, outcome(found))
    assert said.endswith("nothing was compared at: the anchor after step 2")


def test_a_parting_that_is_rounding_is_told() -> None:
    found = anchored()
    assert parting(found, outcome(found, comparison(dtype="float64"))) == (
        "agree; the float32 runs part by rounding from step 4 (graph parts from itself there: own "
        "rounding 3.8e-05); from its state at each of 3 steps keras takes the same next 2 steps; "
        "float64 agrees over all 6 steps"
    )


def test_nothing_is_claimed_of_a_twin_that_does_not_agree() -> None:
    found = anchored()
    for twins in ([], [comparison(OUTPUTS, "float64")]):
        assert "float64" not in parting(found, outcome(found, *twins))
    shorter = comparison(dtype="float64", steps=3)
    assert parting(found, outcome(found, shorter)).endswith("float64 agrees over its 3 steps")


def test_own_rounding_is_claimed_only_where_it_was_measured() -> None:
    found = dataclasses.replace(anchored(), own={})
    assert "the float32 runs part from step 4; " in parting(found, outcome(found))


def test_where_training_is_chaotic_anchors_decide() -> None:
    found = anchored(chaotic=True)
    said = "a free run proves nothing here; the anchors decide"
    assert said in parting(found, outcome(found))
    failing = anchored(2, chaotic=True)
    assert said in explain(failing, outcome(failing))


@pytest.mark.parametrize("found", [AGREEING, measured(), anchored(2), comparison(OUTPUTS)])
def test_there_is_nothing_to_tell_where_no_run_parted_or_none_agrees(found: Comparison) -> None:
    assert parting(found, outcome(found)) == ""


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "0"), (1.25e-7, "1.2e-07"), (np.inf, "not finite")]
)
def test_figures_are_quoted_with_two_digits(value: float, said: str) -> None:
    assert figure(value) == said
