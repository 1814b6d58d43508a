from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
from collections.abc import Sequence

import numpy as np
import pytest

from parity import engines
from parity.checks import (
    RECORDED,
    Answer,
    Comparison,
    Fleet,
    Outcome,
    compare_all,
    compare_two,
    make_case,
    prove,
    used,
)
from parity.compare import SAMPLE, Difference
from parity.engines import find
from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED, EngineFailed
from parity.goldens import Whole
from parity.tolerances import RUNGS
from tests.conformance.tiny import tiny
from tests.parity.samples import ABOUT, comparison, outcome, recording

PAIR, DATASET = tiny("sms_rnn")
AGREEING = comparison()
DIFFERING = comparison({"loss/eval/loss": np.asarray(9.0)})
TROUBLE = Comparison("sms_rnn", "float32", "graph", "keras", problem="it died")


def test_all_rungs_passed_is_agreement() -> None:
    assert (AGREEING.exit_code, AGREEING.failed_rung) == (AGREE, "")


def test_the_first_failed_rung_is_named() -> None:
    changes = {"curve/step_loss": np.zeros(6), "forward/eval/logits": np.zeros((2, 2))}
    found = comparison(changes)
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "forward")


def test_an_extra_tensor_counts_for_its_own_rung() -> None:
    """It comes last in the account, but its rung does not."""
    found = comparison({"curve/step_loss": np.zeros(6), "forward/eval/stranger": np.ones(1)})
    assert found.failed_rung == "forward"


def test_nothing_compared_is_never_success() -> None:
    nothing = compare_two(PAIR, "float32", ("graph", Answer()), ("keras", Answer()))
    assert (nothing.differences, nothing.exit_code) == ((), ENGINE_FAILED)
    assert Outcome(PAIR, DATASET).exit_code == ENGINE_FAILED
    assert TROUBLE.exit_code == ENGINE_FAILED


@pytest.mark.parametrize("rung", RUNGS)
def test_a_rung_without_a_tensor_is_never_success(rung: str) -> None:
    some = tuple(d for d in AGREEING.differences if d.rung != rung)
    assert dataclasses.replace(AGREEING, differences=some).exit_code == ENGINE_FAILED


def test_an_empty_tensor_is_never_success() -> None:
    empty = np.zeros((0, 2))
    answers = [Answer(recording({"forward/eval/logits": empty}))] * 2
    found = compare_two(PAIR, "float32", ("graph", answers[0]), ("keras", answers[1]))
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "forward")


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
    assert outcome(*comparisons).exit_code == code


def test_every_engine_is_compared_with_each_one_before_it() -> None:
    answers = {name: Answer(recording(), ABOUT) for name in ("tf1", "graph", "keras")}
    found = compare_all(PAIR, "float32", answers)
    assert [(c.reference, c.candidate) for c in found] == [
        ("tf1", "graph"),
        ("tf1", "keras"),
        ("graph", "keras"),
    ]
    assert set(found[1].curves) == {"tf1", "keras"}
    assert set(found[1].curves["keras"]) == {"curve/step_loss", "curve/test_loss"}


def test_an_engine_that_failed_spoils_only_its_own_comparisons() -> None:
    answers = {
        "tf1": Answer(problem="it died"),
        "graph": Answer(recording(), ABOUT),
        "keras": Answer(recording(), ABOUT),
    }
    found = compare_all(PAIR, "float32", answers)
    assert [c.problem for c in found] == ["it died", "it died", ""]
    assert [c.exit_code for c in found] == [ENGINE_FAILED, ENGINE_FAILED, AGREE]


def test_a_sample_is_compared_with_a_sample() -> None:
    whole = recording({"forward/eval/logits": np.arange(2.0 * SAMPLE).reshape(2, SAMPLE)})
    kept = {**whole, "forward/eval/logits": whole["forward/eval/logits"].ravel()}
    index = np.linspace(0, 2 * SAMPLE - 1, SAMPLE).astype(int)
    kept["forward/eval/logits"] = kept["forward/eval/logits"][index]
    shapes = {key: value.shape for key, value in whole.items()}
    largest = {key: float(np.abs(value).max()) for key, value in whole.items()}
    recorded = RECORDED, Answer(kept, whole=Whole(shapes, largest))
    assert compare_two(PAIR, "float32", recorded, ("keras", Answer(whole))).exit_code == AGREE
    turned = {**whole, "forward/eval/logits": whole["forward/eval/logits"].T}
    found = compare_two(PAIR, "float32", recorded, ("keras", Answer(turned)))
    assert found.failed_rung == "forward"
    (account,) = [d for d in found.differences if not d.passed]
    assert account.note == "shape (2, 256) became (256, 2)"
    nudged = {**whole, "forward/eval/logits": whole["forward/eval/logits"] + [[0.0], [1.0]]}
    found = compare_two(PAIR, "float32", recorded, ("keras", Answer(nudged)))
    (account,) = [d for d in found.differences if not d.passed]
    assert account.shape == (2, SAMPLE)
    row, column = account.worst
    assert row == 1
    assert account.expected == row * SAMPLE + column


def test_a_sample_is_measured_by_the_largest_value_of_the_whole_tensor() -> None:
    """A sample of a sparse gradient may hold small values only."""
    small = recording({"gradients/w": np.full(4, 1e-3)})
    nudged = recording({"gradients/w": np.full(4, 1e-3 + 1e-8)})
    shapes = {key: value.shape for key, value in small.items()}
    for largest, passed in ((1.0, True), (1e-3, False)):
        recorded = RECORDED, Answer(small, whole=Whole(shapes, {"gradients/w": largest}))
        found = compare_two(PAIR, "float32", recorded, ("keras", Answer(nudged)))
        (account,) = [d for d in found.differences if d.key == "gradients/w"]
        assert account.passed is passed


def test_the_worst_tensor_is_the_one_nearest_to_its_bound() -> None:
    far = Difference("curve/step_loss", (1,), 0.5, 1.0, compared=1)
    near = Difference("curve/final/slots/w", (1,), 0.09, 0.1, compared=1)
    beyond = Difference("curve/final/weights/w", (1,), np.inf, 0.1)
    found = dataclasses.replace(AGREEING, differences=(far, near))
    assert found.worst("curve") == near
    assert dataclasses.replace(found, differences=(far, near, beyond)).worst("curve") == beyond
    assert found.worst("loss") is None


def test_any_error_uses_up_an_exact_bound() -> None:
    exact = Difference("variables/w", (1,), 1e-30, 0.0, compared=1)
    assert used(exact) == np.inf
    assert used(dataclasses.replace(exact, error=0.0)) == 0


def test_a_case_follows_the_published_schedule_unless_told() -> None:
    rows = len(DATASET.x_train)
    assert make_case(PAIR, "float32", DATASET).order.shape == (PAIR.epochs, rows)
    case = make_case(PAIR, "float32", DATASET, epochs=5, seed=3)
    assert case.order.shape == (5, rows)
    assert all(sorted(epoch) == list(range(rows)) for epoch in case.order)
    assert not np.array_equal(case.order, make_case(PAIR, "float32", DATASET, 5, 4).order)


# With engines


def test_a_pair_is_proved_in_both_dtypes(fleet: Fleet) -> None:
    found = Outcome(PAIR, DATASET)
    seen = set()
    prove(found, fleet, ["graph"], watch=lambda engine, dtype, *_: seen.add((engine, dtype)))
    assert [(c.dtype, c.exit_code) for c in found.comparisons] == [
        ("float32", AGREE),
        ("float64", AGREE),
    ]
    assert found.finished
    assert found.exit_code == AGREE
    assert {
        name: set(about) >= {"tensorflow", "device"} for name, about in found.engines.items()
    } == {
        "graph": True,
        "keras": True,
    }
    assert len(found.stock["curve/step_loss"]) == 6
    ours = found.comparisons[0].curves["keras"]["curve/step_loss"]
    assert found.stock["curve/step_loss"][0] == ours[0], "the same weights before the first update"
    assert (found.stock["curve/step_loss"][1:] != ours[1:]).all()
    assert any("no recording of TensorFlow 1.15.5 fits" in note for note in found.notes)
    assert {("keras", "float64"), ("graph", "float32"), ("stock", "float32")} <= seen


def test_an_engine_that_is_killed_in_the_middle_is_not_compared(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph engine is killed in float32 and works again in float64; tf1 never starts."""
    monkeypatch.setenv(engines.TF1_PYTHON, "/nowhere/python")
    with contextlib.suppress(EngineFailed), fleet.borrow(find("tf1")):
        raise EngineFailed("ends the one that another test has started")
    with fleet.borrow(find("graph")) as process:
        pid = process._process.pid
    killed: list[int] = []

    def watch(engine: str, dtype: str, stage: str, done: int, total: int) -> None:
        if (engine, dtype, stage) == ("graph", "float32", "curve") and not killed:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    found = Outcome(PAIR, DATASET)
    prove(found, fleet, ["tf1", "graph"], stock=False, watch=watch)
    assert killed
    by_name = {(c.reference, c.candidate, c.dtype): c for c in found.comparisons}
    assert len(by_name) == 6
    died = by_name["graph", "keras", "float32"]
    assert "engine 'graph' died (signal SIGKILL)" in died.problem
    assert died.exit_code == ENGINE_FAILED
    assert by_name["graph", "keras", "float64"].exit_code == AGREE
    for dtype in ("float32", "float64"):
        problem = by_name["tf1", "keras", dtype].problem
        assert "engine 'tf1' cannot be started with /nowhere/python" in problem
    assert found.exit_code == ENGINE_FAILED
    with fleet.borrow(find("graph")) as process:
        assert process._process.pid != pid


def test_a_model_that_cannot_be_built_is_not_compared(fleet: Fleet) -> None:
    pair = dataclasses.replace(PAIR, keras="tests.parity.broken_twins:no_such_builder")
    found = Outcome(pair, DATASET)
    prove(found, fleet, ["graph"], dtypes=["float32"], stock=False)
    assert found.comparisons
    for each in found.comparisons:
        assert each.exit_code == ENGINE_FAILED
        assert "no_such_builder" in each.problem
        assert "expected 'module:attribute'" in each.problem


def test_an_engine_may_print_what_it_likes(fleet: Fleet) -> None:
    pair = dataclasses.replace(PAIR, keras="tests.parity.broken_twins:talkative")
    with fleet.borrow(find("keras")) as keras:
        case = make_case(pair, "float32", DATASET).lead(keras, lambda *_: None)
    assert len(case.weights) == 5
