from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from parity.comparing import Difference
from parity.errors import (
    AGREE,
    BAD_INPUT,
    DIFFERENCE,
    ENGINE_FAILED,
    INTERRUPTED,
    BadInput,
)
from parity.keys import RUNGS
from parity.results import (
    RECORDED,
    SCHEMA,
    STEP_LOSS,
    Anchor,
    Comparison,
    Outcome,
    Run,
    from_json,
    gravest,
    to_json,
    verdict,
)
from tests.parity.samples import (
    EMBEDDING,
    KERNEL,
    MADE_UP,
    SEGMENTS,
    TIMES,
    anchor,
    anchored,
    comparison,
    measured,
    named,
    outcome,
    recording,
    run,
)

AGREEING = comparison()
DIFFERING = comparison({"loss/eval/loss": np.asarray(9.0)})
TROUBLE = Comparison("sms_rnn", "float32", "graph", "keras", problem="it died")
NOT_FINITE = comparison({f"gradients/{KERNEL}": np.full((3, 2), np.nan)})


# Verdicts


def test_all_rungs_passed_is_agreement() -> None:
    assert (AGREEING.exit_code, AGREEING.failed_rung, AGREEING.failures) == (AGREE, "", [])
    assert {AGREEING.status(rung) for rung in RUNGS} == {"passed"}


def test_the_first_failed_rung_is_named() -> None:
    found = comparison({STEP_LOSS: np.zeros(6), "forward/eval/logits": np.zeros((2, 2))})
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "forward")
    assert [d.key for d in found.failures] == ["forward/eval/logits"]
    assert {rung: found.status(rung) for rung in RUNGS} == {
        "variables": "passed",
        "forward": "failed",
        **dict.fromkeys(("loss", "gradients", "update", "curve"), "not judged"),
    }


def test_an_extra_tensor_counts_for_its_own_rung() -> None:
    """It comes last in the account, but its rung does not."""
    found = comparison({STEP_LOSS: np.zeros(6), "forward/eval/stranger": np.ones(1)})
    assert found.failed_rung == "forward"


def test_nothing_compared_is_never_success() -> None:
    nothing = Comparison("sms_rnn", "float32", "graph", "keras")
    assert (nothing.differences, nothing.exit_code) == ((), ENGINE_FAILED)
    assert Outcome("sms_rnn", MADE_UP, finished=True).exit_code == ENGINE_FAILED
    assert Run([]).verdict == ENGINE_FAILED
    assert TROUBLE.exit_code == ENGINE_FAILED


@pytest.mark.parametrize("rung", RUNGS)
def test_a_rung_without_a_tensor_is_never_success(rung: str) -> None:
    some = tuple(d for d in AGREEING.differences if d.rung != rung)
    assert dataclasses.replace(AGREEING, differences=some).exit_code == ENGINE_FAILED


def test_only_the_rungs_that_were_asked_for_have_to_be_there() -> None:
    curve = tuple(AGREEING.rung("curve"))
    found = dataclasses.replace(AGREEING, differences=curve, rungs=("curve",))
    assert found.exit_code == AGREE
    assert found.status("loss") == "not judged"


def test_an_empty_tensor_is_never_success() -> None:
    empty = Difference("forward/eval/logits", (0, 2), np.inf, 1e-6, note="nothing was compared")
    found = dataclasses.replace(AGREEING, differences=(*AGREEING.differences, empty))
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "forward")


def test_what_is_not_finite_differs() -> None:
    assert (NOT_FINITE.exit_code, NOT_FINITE.failed_rung) == (DIFFERENCE, "gradients")


def test_a_problem_is_no_verdict_whatever_was_found_before() -> None:
    found = dataclasses.replace(DIFFERING, problem="it died")
    assert found.exit_code == ENGINE_FAILED
    assert {found.status(rung) for rung in RUNGS} == {"not judged"}


@pytest.mark.parametrize(
    ("comparisons", "code"),
    [
        ([AGREEING, AGREEING], AGREE),
        ([AGREEING, DIFFERING], DIFFERENCE),
        ([AGREEING, TROUBLE], ENGINE_FAILED),
        ([TROUBLE, DIFFERING, AGREEING], DIFFERENCE),
    ],
)
def test_a_difference_weighs_more_than_a_failed_engine(
    comparisons: Sequence[Comparison], code: int
) -> None:
    found = outcome(*comparisons)
    assert found.exit_code == code
    assert run(found).verdict == code
    assert run(outcome(AGREEING), found).verdict == code


def test_what_was_not_finished_is_no_agreement() -> None:
    unfinished = dataclasses.replace(outcome(AGREEING), finished=False)
    assert unfinished.exit_code == ENGINE_FAILED
    assert dataclasses.replace(outcome(DIFFERING), finished=False).exit_code == DIFFERENCE


def test_the_gravest_code_wins() -> None:
    assert gravest([AGREE, ENGINE_FAILED, DIFFERENCE]) == DIFFERENCE
    assert gravest([AGREE, ENGINE_FAILED]) == ENGINE_FAILED
    assert gravest([AGREE]) == AGREE


@pytest.mark.parametrize("code", [ENGINE_FAILED, BAD_INPUT, INTERRUPTED])
def test_only_agreement_is_called_so(code: int) -> None:
    assert verdict(code) == "not compared"
    assert (verdict(AGREE), verdict(DIFFERENCE)) == ("agree", "differ")


def test_a_pair_is_judged_by_tensorflow_1_alone() -> None:
    for reference, judged in ((RECORDED, True), ("tf1", True), ("graph", False)):
        found = outcome(dataclasses.replace(AGREEING, reference=reference))
        assert found.judged is judged
        assert run(found).unjudged == ([] if judged else ["sms_rnn"])
    failed = outcome(dataclasses.replace(TROUBLE, reference="tf1"), AGREEING)
    assert not failed.judged


# Anchors


def test_anchors_that_pass_decide_for_agreement() -> None:
    found = anchored()
    assert any(not d.passed for d in found.rung("curve"))
    assert (found.exit_code, found.failed_rung, found.failures) == (AGREE, "", [])
    assert found.parted == 4
    assert found.status("curve") == "passed"


def test_an_anchor_that_fails_decides_for_a_difference() -> None:
    found = anchored(2)
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "curve")
    assert [d.key for d in found.failures] == [STEP_LOSS]
    assert [a.passed for a in found.anchors] == [True, False, True]


def test_anchors_decide_even_where_the_free_run_is_within_its_bound() -> None:
    wrong = anchor(2, {STEP_LOSS: np.array([0.75, 0.71])})
    assert comparison(anchors=(anchor(0), wrong)).failed_rung == "curve"


def test_anchors_decide_about_the_curve_alone() -> None:
    wrong = comparison({f"gradients/{KERNEL}": np.zeros((3, 2))}, anchors=(anchor(0),))
    assert (wrong.exit_code, wrong.failed_rung) == (DIFFERENCE, "gradients")
    assert [d.key for d in wrong.failures] == [f"gradients/{KERNEL}"]


def test_an_anchor_of_which_nothing_was_compared_has_not_passed() -> None:
    assert not Anchor(0, 2, ()).passed
    assert comparison(anchors=(Anchor(0, 2, ()),)).exit_code == DIFFERENCE


def test_a_reference_that_leaves_itself_is_chaotic() -> None:
    assert anchored(chaotic=True).chaotic
    assert not anchored().chaotic
    assert not AGREEING.chaotic
    assert comparison(own={f"curve/final/weights/{EMBEDDING}": np.asarray(2e-3)}).chaotic
    assert not comparison(own={f"gradients/{KERNEL}": np.asarray(2e-3)}).chaotic


# Accounts


def test_the_nearest_tensor_is_the_one_that_uses_most_of_its_bound() -> None:
    far = Difference("curve/step_loss", (1,), 0.5, 1.0, used=0.5, compared=1)
    near = Difference("curve/final/slots/w", (1,), 0.09, 0.1, used=0.9, compared=1)
    beyond = Difference("curve/final/weights/w", (1,), np.inf, 0.1)
    found = dataclasses.replace(AGREEING, differences=(far, near))
    assert found.nearest("curve") == near
    assert found.largest("curve") == far
    assert dataclasses.replace(found, differences=(far, near, beyond)).nearest("curve") == beyond
    assert found.nearest("loss") is None


def test_of_measured_tensors_the_largest_error_is_shown() -> None:
    found = measured().measured("curve")
    assert found is not None
    assert (found.key, found.runs) == (STEP_LOSS, 5)
    assert measured().measured("forward") is None
    assert AGREEING.measured("curve") is None


def test_a_comparison_finds_its_own_in_the_other_dtype() -> None:
    twin, other = comparison(dtype="float64"), dataclasses.replace(AGREEING, reference="tf1")
    found = outcome(AGREEING, other, twin)
    assert found.twin_of(AGREEING) is twin
    assert found.twin_of(twin) is AGREEING
    assert found.twin_of(other) is None


# JSON


def everything() -> Run:
    """Return a run with all that results can hold."""
    wrong_shape = comparison({"forward/eval/logits": np.ones((3, 3))})
    wrong_shape = dataclasses.replace(wrong_shape, segments=SEGMENTS)
    found = outcome(measured(), anchored(2), NOT_FINITE, wrong_shape, TROUBLE)
    found.comparisons[0] = dataclasses.replace(measured(), repeats={"forward": (1e-7, np.inf)})
    last = dataclasses.replace(outcome(stock=False), finished=False, times=TIMES)
    whole = run(found, named("other", last))
    return dataclasses.replace(whole, notes=["a word of the run"], options={"seed": "0"})


def test_a_run_survives_the_journey() -> None:
    document = to_json(everything())
    text = json.dumps(document, allow_nan=False)
    back = from_json(json.loads(text))
    assert to_json(back) == document
    for before, after in zip(everything().outcomes, back.outcomes, strict=True):
        assert (after.exit_code, after.pair) == (before.exit_code, before.pair)
        for one, other in zip(before.comparisons, after.comparisons, strict=True):
            assert (other.exit_code, other.failed_rung) == (one.exit_code, one.failed_rung)
            assert (other.parted, other.chaotic) == (one.parted, one.chaotic)
            assert other.segments == one.segments
            assert other.differences == one.differences or one.failed_rung == "gradients"


def test_lines_come_back_as_lines() -> None:
    back = from_json(to_json(run(outcome(anchored()))))
    (found,) = back.outcomes[0].comparisons
    for engine, lines in found.curves.items():
        for name, line in lines.items():
            np.testing.assert_array_equal(line, anchored().curves[engine][name])
    np.testing.assert_array_equal(found.own[STEP_LOSS], anchored().own[STEP_LOSS])
    stock = back.outcomes[0].stock
    assert stock is not None
    np.testing.assert_array_equal(stock.losses, recording()[STEP_LOSS] + 0.125)


def test_what_is_not_finite_survives_the_journey() -> None:
    back = from_json(json.loads(json.dumps(to_json(run(outcome(NOT_FINITE))), allow_nan=False)))
    (bad,) = (d for d in back.outcomes[0].comparisons[0].differences if not d.passed)
    assert np.isinf(bad.error)
    assert np.isnan(bad.actual)


@pytest.mark.parametrize("schema", [None, 1, SCHEMA + 1, str(SCHEMA)])
def test_results_of_another_schema_are_refused(schema: Any) -> None:
    document = {**to_json(run(outcome(AGREEING))), "schema": schema}
    with pytest.raises(BadInput, match=f"schema {SCHEMA}") as caught:
        from_json(document)
    assert repr(schema) in caught.value.received
    assert "parity run" in caught.value.mend


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: without(document, "outcomes"),
        lambda document: {**document, "stranger": 1},
        lambda document: {**document, "outcomes": 5},
        lambda document: {**document, "outcomes": [{"pair": "sms_rnn"}]},
        lambda document: {**document, "seconds": "soon"},
        lambda document: {**document, "outcomes": [{**document["outcomes"][0], "origin": None}]},
        lambda document: {"schema": SCHEMA},
    ],
    ids=["missing", "unknown", "no list", "no outcome", "no number", "no origin", "empty"],
)
def test_a_document_that_is_not_in_order_is_bad_input(spoil: Any) -> None:
    with pytest.raises(BadInput, match="these results cannot be read"):
        from_json(spoil(to_json(run(outcome(AGREEING)))))


def test_anchors_do_not_excuse_what_is_no_rounding() -> None:
    """A metric that the candidate does not report, or that is NaN, is in no anchor."""
    plain: dict[str, Any] = {"key": "curve/test_loss", "shape": (2,), "bound": 1e-6}
    ahead = Difference(**plain, error=1e-3, used=1e3, compared=2)
    missing = Difference(**plain, error=float("inf"))
    anchor = Anchor(0, 5, (Difference(**plain, error=0.0, used=0.0, compared=2),))
    found = Comparison("sms_rnn", "float32", "graph", "keras", (ahead,), ("curve",))
    found = dataclasses.replace(found, anchors=(anchor,))
    assert found.exit_code == AGREE
    found = dataclasses.replace(found, differences=(ahead, missing))
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "curve")
    assert missing in found.failures
