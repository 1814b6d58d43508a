"""The stock lane: what counts as reproduced, and that every engine reproduces the figures."""

from __future__ import annotations

import dataclasses
import os
from concurrent.futures import Future

import numpy as np
import pytest

from datasets import sms_spam
from parity.cases import Request
from parity.engines import tf1_python
from parity.errors import BadInput, EngineFailed
from parity.executor import Answer, Executor
from parity.pair import Published
from parity.pairs import PAIRS
from parity.process import Progress
from parity.reproduce import STOCK, Trainings, judge, reproduce
from parity.wire import Arrays
from tests.conformance.tiny import tiny
from tests.conftest import FakeEngines, quiet

PAIR = dataclasses.replace(PAIRS["sms_rnn"], published=Published(bands={"loss": (0.2, 0.4)}))


def trained(engine: str, *finals: float) -> Trainings:
    return Trainings(engine, {"loss": np.array([[1.0, final] for final in finals])})


def test_means_in_the_band_are_reproduced() -> None:
    first, second = judge(PAIR, [trained("tf1", 0.29, 0.31), trained("keras", 0.44, 0.46)])
    assert first.mean == pytest.approx(0.30)
    assert first.reproduced
    assert first.passed
    assert second.mean == pytest.approx(0.45)
    assert not second.reproduced
    assert not second.passed


def test_the_gap_is_the_difference_and_two_standard_errors() -> None:
    _, found = judge(PAIR, [trained("tf1", 0.29, 0.31), trained("keras", 0.33, 0.35)])
    # Each mean of two has a variance of 0.0002 / 2.
    assert found.gap == pytest.approx(0.04 + 2 * np.sqrt(0.0001 + 0.0001))
    assert found.equivalent


def test_means_that_scatter_too_much_are_not_called_equivalent() -> None:
    _, found = judge(PAIR, [trained("tf1", 0.1, 0.5), trained("keras", 0.1, 0.5)])
    assert found.reproduced
    assert not found.equivalent


def test_a_pair_without_published_figures_has_nothing_to_reproduce() -> None:
    with pytest.raises(BadInput, match="sms_rnn has no bands"):
        judge(dataclasses.replace(PAIR, published=Published()), [trained("tf1", 0.3, 0.3)])


def test_the_judge_is_held_against_nobody() -> None:
    first, second = judge(PAIR, [trained("tf1", 0.1, 0.5), trained("keras", 0.1, 0.5)])
    assert (first.gap, first.equivalent) == (0.0, True)
    assert second.gap > 0.4


class Talking(FakeEngines):
    """Engines that say how far they are, once."""

    def submit(
        self, request: Request, progress: Progress = quiet, keep: bool = True
    ) -> Future[Answer]:
        progress("curve", 1, 2, {})
        return super().submit(request, progress, keep)


def test_every_engine_is_trained_with_every_seed() -> None:
    """The stock optimizer is Keras's, on the Keras engine; nothing is kept, nothing replayed."""

    def answer(request: Request) -> Arrays:
        model = request.job.model
        final = model.seed + (10 if model.optimizer else 0) + (20 if model.sites else 0)
        curves = {"loss": [99.0, final], "accuracy": [0.0, 0.5]}
        found = {f"test_{name}": np.array(curve) for name, curve in curves.items()}
        return {**found, **{f"train_{name}": np.zeros(2) for name in curves}}

    pair, dataset = tiny("sms_rnn")
    fakes, names = Talking(answer), ["graph", "keras", STOCK]
    seen: list[tuple[object, ...]] = []
    found = reproduce(
        pair, dataset, fakes.as_executor(), names, 3, epochs=2, watch=lambda *e: seen.append(e)
    )
    assert [each.engine for each in found] == names
    assert sorted(seen) == [(name, seed, 1, 2) for name in sorted(names) for seed in range(3)]
    assert [each.final("loss").tolist() for each in found] == [
        [20, 21, 22],
        [0, 1, 2],
        [10, 11, 12],
    ]
    assert found[0].curves["accuracy"].shape == (3, 2)
    assert {request.job.kind for request in fakes.requests} == {"train"}
    assert {request.job.model.replay for request in fakes.requests} == {""}
    assert all(len(request.arrays["tested"]) == 2 for request in fakes.requests)
    assert len(fakes.requests) == 9


def test_an_engine_that_fails_ends_the_reproduction() -> None:
    def answer(request: Request) -> Arrays:
        raise EngineFailed("it died")

    pair, dataset = tiny("sms_rnn")
    with pytest.raises(EngineFailed, match="it died"):
        reproduce(pair, dataset, FakeEngines(answer).as_executor(), ["graph", "keras"], seeds=2)


@pytest.mark.slow
@pytest.mark.real_data
def test_every_engine_reproduces_the_published_figures(executor: Executor) -> None:
    if not os.environ.get("PARITY_DATA_DIR"):
        pytest.skip("PARITY_DATA_DIR is not set: no real corpus to train on")
    references = ["tf1", "graph"] if tf1_python() else ["graph"]
    pair = PAIRS["sms_rnn"]
    trainings = reproduce(pair, sms_spam.load(), executor, [*references, "keras", STOCK], seeds=5)
    found = [row for row in judge(pair, trainings) if row.engine != STOCK]
    assert {row.engine for row in found} == {*references, "keras"}
    assert all(row.passed for row in found), found
