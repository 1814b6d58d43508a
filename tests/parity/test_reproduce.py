"""The stock lane: what counts as reproduced, and that every engine reproduces the figures."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

from datasets import sms_spam
from parity.checks import Fleet
from parity.engines import tf1_python
from parity.errors import BadInput
from parity.pairs import PAIRS
from parity.reproduce import STOCK, Trainings, judge, reproduce

PAIR = dataclasses.replace(PAIRS["sms_rnn"], bands={"loss": (0.2, 0.4)})


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
    with pytest.raises(BadInput, match="has no bands"):
        judge(dataclasses.replace(PAIR, bands={}), [trained("tf1", 0.3, 0.3)])


@pytest.mark.slow
@pytest.mark.real_data
def test_every_engine_reproduces_the_published_figures(fleet: Fleet) -> None:
    if not os.environ.get("PARITY_DATA_DIR"):
        pytest.skip("PARITY_DATA_DIR is not set: no real corpus to train on")
    references = ["tf1", "graph"] if tf1_python() else ["graph"]
    pair = PAIRS["sms_rnn"]
    trainings = reproduce(pair, sms_spam.load(), fleet, [*references, "keras", STOCK], seeds=5)
    found = [row for row in judge(pair, trainings) if row.engine != STOCK]
    assert {row.engine for row in found} == {*references, "keras"}
    assert all(row.passed for row in found), found
