from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from parity.pair import Schedule
from parity.plans import TEST_ROWS, Plan, anchored, make_plan, needed
from parity.wire import batches
from tests.conformance.tiny import labelled_words

ROWS = 10
SCHEDULE = Schedule(epochs=3, batch_size=4)
FULL = dataclasses.replace(SCHEDULE, drop_remainder=True)


def epochs_of(plan: Plan, rows: int) -> list[list[int]]:
    """Return the rows of every epoch, sorted."""
    return [sorted(epoch) for epoch in np.split(plan.order, len(plan.order) // rows)]


def test_every_epoch_takes_every_row_once_in_batches() -> None:
    plan = make_plan(ROWS, SCHEDULE, seed=0)
    assert plan.sizes.tolist() == [4, 4, 2] * 3
    assert plan.steps == 9
    assert epochs_of(plan, ROWS) == [list(range(ROWS))] * 3
    assert plan.tested.tolist() == [2, 5, 8], "metrics are read after every epoch"


def test_a_short_last_batch_may_be_left_out() -> None:
    plan = make_plan(ROWS, FULL, seed=0)
    assert plan.sizes.tolist() == [4, 4] * 3
    assert len(plan.order) == 24
    assert all(len(set(rows)) == 8 for rows in np.split(plan.order, 3))
    assert plan.tested.tolist() == [1, 3, 5]


def test_each_epoch_and_each_seed_has_an_order_of_its_own() -> None:
    plan = make_plan(ROWS, SCHEDULE, seed=0)
    first, second, third = np.split(plan.order, 3)
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    np.testing.assert_array_equal(plan.order, make_plan(ROWS, SCHEDULE, seed=0).order)
    assert not np.array_equal(plan.order, make_plan(ROWS, SCHEDULE, seed=1).order)


@pytest.mark.parametrize("schedule", [SCHEDULE, FULL])
@pytest.mark.parametrize("steps", range(1, 9))
def test_a_shorter_plan_is_the_start_of_a_longer_one(schedule: Schedule, steps: int) -> None:
    whole, part = make_plan(ROWS, schedule, 0, steps=9), make_plan(ROWS, schedule, 0, steps=steps)
    assert part.steps == steps
    assert part.sizes.tolist() == whole.sizes[:steps].tolist()
    assert part.order.tolist() == whole.order[: part.sizes.sum()].tolist()
    assert part.tested[-1] == steps - 1, "metrics are read where a plan ends"
    assert set(part.tested[:-1]) <= set(whole.tested)


def test_steps_may_be_more_than_the_schedule_has() -> None:
    assert make_plan(ROWS, SCHEDULE, 0, steps=100).steps == 100


def test_epochs_may_be_others_than_those_of_the_schedule() -> None:
    plan = make_plan(ROWS, SCHEDULE, 0, epochs=5)
    assert plan.sizes.tolist() == [4, 4, 2] * 5


def test_a_short_curve_carries_only_the_rows_that_it_reads() -> None:
    dataset = labelled_words()
    plan = make_plan(len(dataset.x_train), SCHEDULE, 0, steps=2)
    part, over = needed(dataset, plan, 0)
    assert len(part.x_train) == len(part.y_train) == 8
    assert len(part.x_test) == min(TEST_ROWS, len(dataset.x_test))
    for before, after in ((dataset.x_train, part.x_train), (dataset.y_train, part.y_train)):
        for old, new in zip(
            batches(plan.order, plan.sizes), batches(over.order, over.sizes), strict=True
        ):
            np.testing.assert_array_equal(before[old], after[new])
    assert over.tested.tolist() == plan.tested.tolist()


def test_a_long_test_set_is_cut_and_a_seed_decides_where() -> None:
    words = labelled_words()
    many = dataclasses.replace(
        words, x_test=np.arange(999)[:, None] + 0 * words.x_test[:1], y_test=np.arange(999)
    )
    plan = make_plan(len(many.x_train), SCHEDULE, 0, steps=2)
    parts = [needed(many, plan, seed)[0] for seed in (0, 0, 1)]
    for part in parts:
        assert part.x_test.shape[0] == TEST_ROWS
        np.testing.assert_array_equal(part.x_test[:, 0], part.y_test)
    assert parts[0].y_test.tolist() == parts[1].y_test.tolist() != parts[2].y_test.tolist()


def test_anchors_cover_a_short_curve() -> None:
    assert anchored(6, 5, 40, 4) == [0, 5]
    assert anchored(25, 5, 40, 0) == [0, 5, 10, 15, 20]
    assert anchored(1, 5, 40, 1) == [0]


@pytest.mark.parametrize("parted", [0, 1, 2, 5, 6, 333, 996, 1000])
def test_anchors_of_a_long_curve_lie_around_the_step_where_runs_part(parted: int) -> None:
    starts = list(anchored(1000, 5, 40, parted))
    assert starts == sorted(set(starts))
    assert len(starts) <= 40
    assert (starts[0], starts[-1] >= 990) == (0, True)
    assert all(start % 5 == 0 for start in starts)
    before = (max(parted, 1) - 1) // 5 * 5  # the anchor whose steps the runs part in
    assert before in starts
    assert {s for s in (before - 5, before + 5) if 0 <= s < 1000} <= set(starts)


def test_a_corpus_that_comes_in_batches_keeps_them_in_their_order_over_and_over() -> None:
    schedule = Schedule(epochs=1, batch_size=9, batches=(2, 3, 4))
    found = make_plan(9, schedule, seed=5, steps=5)
    assert found.sizes.tolist() == [2, 3, 4, 2, 3]
    assert found.order.tolist() == [*range(9), *range(5)]
    assert found.tested.tolist() == [2, 4]
    assert make_plan(9, schedule, seed=6, steps=2).order.tolist() == list(range(5))
