from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from parity.figures import DIFFERENCE, MEMORY, PROCESSOR, TIME, figures, question, summarize
from parity.results import Timing
from tests.parity.samples import KERNEL, REAL, comparison, outcome, run

TIMING = Timing(
    "keras",
    40,
    (0.002, 0.004, 0.003),
    (0.001, 0.002, 0.001),
    (0.001, 0.001, 0.002),
    (5e8, 6e8, 7e8),
)
BAD_GRADIENT = {f"gradients/{KERNEL}": np.full((3, 2), 0.75)}


def test_every_rung_has_its_largest_difference() -> None:
    gradient = np.full((3, 2), 0.5)
    gradient[1, 1] += 1e-7
    found = list(figures(outcome(comparison({f"gradients/{KERNEL}": gradient}))))
    assert [f.what.rpartition(" ")[2] for f in found] == [
        "forward",
        "loss",
        "gradients",
        "update",
        "curve",
    ]
    by_rung = {f.what: f for f in found}
    grad = by_rung["float32 graph -> keras gradients"]
    assert grad.value == pytest.approx(2e-7)
    assert grad.sample == (grad.value,)
    assert grad.used == pytest.approx(0.2)


def test_repeats_join_the_sample() -> None:
    repeated = dataclasses.replace(comparison(), repeats={"forward": (1e-7, 2e-7)})
    found = {f.what.rpartition(" ")[2]: f for f in figures(outcome(repeated))}
    assert found["forward"].sample == (0.0, 1e-7, 2e-7)
    assert found["loss"].sample == (0.0,)


def test_what_was_not_judged_is_no_figure() -> None:
    found = [f.what.rpartition(" ")[2] for f in figures(outcome(comparison(BAD_GRADIENT)))]
    assert found == ["forward", "loss", "gradients"]


def test_times_are_judged_by_the_yardstick_and_by_the_clock() -> None:
    timed = dataclasses.replace(outcome(), times=[TIMING])
    found = {f.kind: f for f in figures(timed)}
    assert found[TIME].value == 0.003
    assert found[TIME].sample == pytest.approx((2, 4, 1.5))
    assert found[TIME].samples[1] == pytest.approx(TIMING.seconds)
    assert found[PROCESSOR].sample == pytest.approx((1, 2, 0.5))
    assert found[PROCESSOR].samples[1] == pytest.approx(TIMING.processor)
    assert found[TIME].yardstick == found[PROCESSOR].yardstick == TIMING.yardstick
    assert found[MEMORY].samples == (TIMING.memory,)
    assert found[MEMORY].value == 6e8
    assert DIFFERENCE not in found


def test_memory_that_nobody_counts_is_no_figure() -> None:
    timed = dataclasses.replace(outcome(), times=[dataclasses.replace(TIMING, memory=())])
    assert {f.kind for f in figures(timed)} == {TIME, PROCESSOR}


def test_a_question_is_seed_steps_and_corpus() -> None:
    asked = question(outcome(comparison()), {"seed": "3"})
    assert asked == "seed 3, 6 steps, SYNTHETIC sms_spam 000000000000"
    real = dataclasses.replace(outcome(comparison(steps=8)), origin=REAL)
    assert question(real, {"seed": "3"}) == "seed 3, 8 steps, sms_spam 000000000000"


def test_a_summary_tells_what_ran() -> None:
    found = summarize(run(outcome(comparison())), "mine")
    assert (found.name, found.exit_code, found.timed) == ("mine", 0, False)
    assert found.versions["keras: keras"] == "9.9"
    assert found.versions["machine"] == "x86_64"
    assert found.pairs["sms_rnn"].code == 0
