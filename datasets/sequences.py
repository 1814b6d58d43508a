"""Sequences of numbers for ``deep_lstm``, whose authors published a model and no data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datasets.dataset import Dataset, Origin

STEPS, INPUTS, OUTPUTS = 2, 3, 256  # the published shapes
TRAIN, TEST = 3200, 256


def load(seed: int = 0) -> Dataset:
    """Make sequences of numbers and targets that depend on all the steps so far.

    The target at a step is the hyperbolic tangent of a fixed random projection of the sum of the
    inputs up to it. It is made up, and the origin says so: there is no real corpus behind it.

    Args:
        seed: seed of the inputs and of the projection.

    Returns:
        3,200 sequences to train on and 256 to test: x float32 ``(n, 2, 3)``, y float32
        ``(n, 2, 256)``. No labels, no hyperparameters.
    """
    draw = np.random.RandomState(seed)
    # Whole 256ths and NumPy's exact sums: every platform makes the same bytes of them.
    x = np.round(draw.normal(size=(TRAIN + TEST, STEPS, INPUTS)) * 256) / 256
    projection = np.round(draw.normal(size=(INPUTS, OUTPUTS)) * 256) / 256
    sums = np.cumsum(x, axis=1) @ projection  # (n, time, outputs), exact
    y = np.clip(np.round(np.tanh(sums) * 4096) / 4096, -1, 1)  # whole 4096ths, exact in float32
    x, y = x.astype(np.float32), y.astype(np.float32)
    digest = hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()
    return Dataset(
        x_train=x[:TRAIN],
        y_train=y[:TRAIN],
        x_test=x[TRAIN:],
        y_test=y[TRAIN:],
        labels=(),
        encode=_no_texts,
        hyperparameters={},
        origin=Origin(
            corpus="a corpus of deep_lstm",
            source="synthetic",
            synthetic=True,
            detail="none was published; random sequences of numbers, made by datasets.sequences",
            digest=digest,
        ),
    )


def _no_texts(texts: Sequence[str]) -> NDArray[np.float32]:
    raise ValueError(f"expected sequences of {STEPS} x {INPUTS} numbers, got texts: {texts[:1]!r}")
