"""What both sides are checked on: words, and states as they are in the middle of an epoch."""

from collections.abc import Iterator

import numpy as np


def batches(
    count: int = 20, rows: int = 16, steps: int = 12, units: int = 48
) -> Iterator[dict[str, np.ndarray]]:
    """Yield words, those that follow, and a state that is not zero."""
    draw = np.random.RandomState(0)
    for _ in range(count):
        stream = np.minimum(draw.zipf(1.3, (rows, steps + 1)), 1500) - 1
        yield {
            "model/words": stream[:, :-1].astype(np.int32),
            "model/following": stream[:, 1:].astype(np.int32),
            "model/c": draw.normal(size=(rows, units)).astype(np.float32),
            "model/h": np.tanh(draw.normal(size=(rows, units))).astype(np.float32),
        }
