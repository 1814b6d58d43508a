"""Which rows are trained on at which step: the published schedule, or the start of it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from datasets.dataset import Dataset
from parity.pair import Schedule
from parity.wire import Arrays

TEST_ROWS = 256  # rows that a short curve is tested on: enough to see a difference


@dataclasses.dataclass(frozen=True)
class Plan:
    """Which rows are trained on at which step.

    Args:
        order: rows of the training set in the order of training, (rows over all steps,).
        sizes: rows of every step's batch, (steps,).
        tested: numbers of the steps after which metrics are read, (times,).
    """

    order: np.ndarray
    sizes: np.ndarray
    tested: np.ndarray

    @property
    def steps(self) -> int:
        """Number of training steps."""
        return len(self.sizes)

    def arrays(self) -> Arrays:
        """Return the plan as an engine reads it."""
        return {"order": self.order, "sizes": self.sizes, "tested": self.tested}


def make_plan(
    rows: int, schedule: Schedule, seed: int, epochs: int | None = None, steps: int = 0
) -> Plan:
    """Return a fresh permutation of the rows for each epoch, cut into batches.

    Where the corpus comes in batches of its own, they follow each other in every epoch. A shorter
    plan is the start of a longer one.

    Args:
        rows: of the training set.
        schedule: batch size, and epochs where nothing else is asked for.
        seed: of the permutations.
        epochs: passes over the training set, where not those of the schedule.
        steps: training steps, where not whole epochs; may be more than the schedule has.
    """
    size = schedule.batch_size
    full, rest = divmod(rows, size)
    of_epoch = [size] * full + ([rest] if rest and not schedule.drop_remainder else [])
    of_epoch = [*schedule.batches] or of_epoch
    count = math.ceil(steps / len(of_epoch)) if steps else epochs or schedule.epochs
    sizes = (of_epoch * count)[: steps or None]
    random = np.random.RandomState(seed)
    permuted = np.arange if schedule.batches else random.permutation
    order = [permuted(rows)[: sum(of_epoch)] for _ in range(count)]
    ends = [*range(len(of_epoch) - 1, len(sizes), len(of_epoch)), len(sizes) - 1]
    return Plan(
        np.concatenate(order)[: sum(sizes)].astype(np.int64),
        np.array(sizes, np.int64),
        np.unique(ends).astype(np.int64),
    )


def needed(dataset: Dataset, plan: Plan, seed: int) -> tuple[Dataset, Plan]:
    """Return the rows that a short curve reads, and its plan over them."""
    train = np.unique(plan.order)
    random = np.random.RandomState(seed)
    test = np.sort(random.permutation(len(dataset.x_test))[:TEST_ROWS])
    part = dataclasses.replace(
        dataset,
        x_train=dataset.x_train[train],
        y_train=dataset.y_train[train],
        x_test=dataset.x_test[test],
        y_test=dataset.y_test[test],
    )
    return part, dataclasses.replace(plan, order=np.searchsorted(train, plan.order))


def anchored(steps: int, length: int, most: int, parted: int) -> Sequence[int]:
    """Return after which steps a candidate is given the reference's state: every `length` steps.

    Where that would be more than `most`, they are spread evenly, but for the one before the step
    `parted` at which the free runs part, and its neighbours.
    """
    starts = list(range(0, steps, length))
    if len(starts) <= most:
        return starts
    near = {(max(parted, 1) - 1) // length * length + offset for offset in (-length, 0, length)}
    even = {starts[int(i)] for i in np.linspace(0, len(starts) - 1, most - len(near))}
    return sorted(start for start in even | near if 0 <= start < steps)
