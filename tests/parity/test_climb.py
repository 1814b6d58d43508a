"""What is carried from one training step to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from parity.errors import BadInput
from parity.runners.climb import Climb
from parity.runners.protocol import Batch, Masks, Runner, Stepped
from parity.wire import Arrays, Job, Model

ROWS = np.arange(6, dtype=np.float32)


class Counting(Runner):
    """Adds its words to its state, and notes the state that it was fed."""

    def __init__(self) -> None:
        super().__init__(Model("counting", "", {}))
        self.fed: list[list[float]] = []

    def variables(self) -> Arrays:
        return {}

    def slots(self) -> Arrays:
        return {}

    def train_step(self, x: Batch, y: Batch, step: int, masks: Masks) -> Stepped:
        assert isinstance(x, dict)
        self.fed.append(x["state"].tolist())
        return Stepped({"loss": 0.0}, {"state": x["state"] + x["words"]})


def train(runner: Runner, sizes: Sequence[int]) -> None:
    arrays: Arrays = {
        "x_train/words": ROWS,
        "x_train/state": np.zeros(6, np.float32),
        "y_train": ROWS,
        "order": np.arange(sum(sizes)),
        "sizes": np.array(sizes),
        "tested": np.array([], np.int64),
    }
    Climb(runner, Job("train", runner.spec), arrays, lambda *_: None).train()


def test_every_step_but_the_first_is_fed_what_the_one_before_gave() -> None:
    runner = Counting()
    train(runner, [2, 2, 2])
    assert runner.fed == [[0, 0], [0, 1], [2, 4]]


def test_a_batch_of_another_size_cannot_be_fed_what_is_carried() -> None:
    with pytest.raises(BadInput, match=r"next step's state would be \(4,\), and was \(2,\)"):
        train(Counting(), [4, 2])
