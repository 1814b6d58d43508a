from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity import cases
from parity.cases import Case, Request
from parity.engines import find
from parity.errors import EngineFailed
from parity.goldens import Golden
from parity.results import RECORDED, STEP_LOSS, Outcome
from parity.sides import Desk, Live, Recorded
from parity.wire import Arrays
from tests.conftest import FakeEngines
from tests.parity.samples import ABOUT, MADE_UP
from tests.parity.test_checks import LINE, case_of

GRAPH, KERAS = find("graph"), find("keras")


def seat(
    answer: Callable[[Request], Arrays], case: Case | None = None, **options: Any
) -> tuple[Live, FakeEngines, Outcome]:
    """Return the graph engine at a desk, what it was asked, and the desk's account."""
    engines, outcome = FakeEngines(answer), Outcome("sms_rnn", MADE_UP)
    asked = case or case_of()
    desk = Desk(asked.pair, engines.as_executor(), outcome)
    return Live(desk, GRAPH, asked, **options), engines, outcome


def line(request: Request) -> Arrays:
    """Answer with one line: a constant, of a twin another one, of the truth a third."""
    apart = 0.0
    if request.job.model.dtype == "float64":
        apart = 1e-7
    elif not np.array_equal(
        request.arrays["weights/softmax/bias"], case_of().weights["softmax/bias"]
    ):
        apart = 1e-6
    return {STEP_LOSS: LINE + apart}


def test_an_engine_is_asked_once_whatever_is_read() -> None:
    side, engines, _ = seat(line)
    np.testing.assert_array_equal(side.recording()[STEP_LOSS], LINE)
    assert side.recording() is side.recording()
    assert [request.job.kind for request in engines.requests] == ["climb"]


def test_own_rounding_rests_on_the_truth_and_the_twins() -> None:
    side, engines, _ = seat(line)
    own, runs = side.own("curve", 4)
    assert runs == 5
    np.testing.assert_allclose(own[STEP_LOSS], 1e-6)
    asked = [r for r in engines.requests[1:] if r.job.model.dtype == "float32"]
    assert len(asked) == 4
    for number, request in enumerate(asked, 1):
        assert request.job.rungs == ("curve",)
        expected = side.case.twin(number).weights
        for name, value in expected.items():
            np.testing.assert_array_equal(request.arrays[f"weights/{name}"], value)
    (truth,) = (r for r in engines.requests if r.job.model.dtype == "float64")
    for name, value in side.case.weights.items():
        cast = truth.arrays[f"weights/{name}"]
        assert cast.dtype == np.float64
        np.testing.assert_array_equal(cast, value)


def test_more_twins_are_asked_only_for_what_is_new() -> None:
    side, engines, _ = seat(line)
    side.own("curve", 4)
    before = len(engines.requests)
    assert side.own("curve", 4)[1] == 5
    assert len(engines.requests) == before
    assert side.own("curve", 16)[1] == 17
    assert len(engines.requests) == before + 12


def test_another_rung_is_another_question() -> None:
    def answer(request: Request) -> Arrays:
        known = {"curve": {STEP_LOSS: LINE}, "loss": {"loss/train/loss": np.asarray(0.5)}}
        return {k: v for rung in request.job.rungs if rung in known for k, v in known[rung].items()}

    side, engines, _ = seat(answer)
    side.own("curve", 1)
    own, runs = side.own("loss", 1)
    assert (set(own), runs) == ({"loss/train/loss"}, 2)
    assert [r.job.rungs for r in engines.requests[1:]] == [
        ("curve",),
        ("curve",),
        ("loss",),
        ("loss",),
    ]


def test_a_truth_that_is_asked_anyway_is_not_asked_again() -> None:
    truth, engines, _ = seat(line, case_of("float64"))
    side = Live(truth.desk, GRAPH, case_of(), truth=truth)
    own, runs = side.own("curve", 0)
    assert (runs, len(engines.requests)) == (1, 2)
    np.testing.assert_allclose(own[STEP_LOSS], 1e-7)


def test_float64_is_its_own_truth() -> None:
    side, engines, _ = seat(line, case_of("float64"))
    assert side.own("curve", 2)[1] == 2
    assert {r.job.model.dtype for r in engines.requests} == {"float64"}


def test_a_candidate_is_measured_without_its_truth() -> None:
    side, engines, _ = seat(line)
    assert side.own("curve", 2, truth=False)[1] == 2
    assert {r.job.model.dtype for r in engines.requests} == {"float32"}


def test_the_state_after_a_step_is_kept_under_that_step() -> None:
    side, engines, _ = seat(line)
    side.snapshots([0, 2, 5])
    job = engines.requests[-1].job
    assert (job.rungs, job.snapshots) == (("curve",), (1, 4))


def test_a_desk_keeps_account_of_what_was_asked() -> None:
    side, _, outcome = seat(line)
    side.own("curve", 2)
    side.desk.account()
    assert [(job.engine, job.what) for job in outcome.jobs] == [
        ("graph", "float32 climb"),
        ("graph", "float32 twin 1"),
        ("graph", "float32 twin 2"),
        ("graph", "float64 climb"),
    ]
    assert outcome.engines == {"graph": ABOUT}


def test_a_failure_is_raised_where_the_answer_is_read() -> None:
    def died(request: Request) -> Arrays:
        raise EngineFailed("it died")

    side, _, outcome = seat(died)
    with pytest.raises(EngineFailed, match="it died"):
        side.recording()
    assert outcome.jobs == []


def test_answers_are_read_in_shared_names() -> None:
    case = case_of()
    layout = case.pair.layout
    answer = {f"variables/{k}": v for k, v in layout.weights_to_keras(case.weights).items()}
    engines = FakeEngines(lambda _: answer)
    desk = Desk(case.pair, engines.as_executor(), Outcome("sms_rnn", MADE_UP))
    found = Live(desk, KERAS, case).recording()
    assert set(found) == {f"variables/{name}" for name in case.weights}
    for name, value in case.weights.items():
        np.testing.assert_array_equal(found[f"variables/{name}"], value)
    assert set(cases.to_shared(case.pair, KERAS, answer)) == set(found)


def test_a_recording_answers_with_what_was_measured_then() -> None:
    own = {STEP_LOSS: np.full(6, 1e-6), "gradients/embedding": np.asarray(1e-7)}
    golden = Golden({STEP_LOSS: LINE}, {STEP_LOSS: (6,)}, {STEP_LOSS: 1.0}, own, 17, 6)
    side = Recorded(case_of(), golden)
    assert side.name == RECORDED
    np.testing.assert_array_equal(side.recording()[STEP_LOSS], LINE)
    for twins in (4, 16):
        found, runs = side.own("curve", twins)
        assert (set(found), runs) == ({STEP_LOSS}, 17)
    assert set(side.own("gradients", 4)[0]) == {"gradients/embedding"}
