"""Recordings and outcomes made by hand: no engine runs for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from datasets.dataset import Origin
from parity import keys
from parity.comparing import compare, ulps
from parity.results import (
    STEP_LOSS,
    Anchor,
    Comparison,
    JobRecord,
    Outcome,
    Run,
    StockLane,
    Timing,
)
from parity.rounding import bounds
from parity.segments import OPEN, RIGHT, WRONG, Segment, Segments
from parity.wire import Arrays

ABOUT = {"tensorflow": "9.9.9", "numpy": "9.9", "device": "CPU:0"}
MADE_UP = Origin("sms_spam", "synthetic", True, "made for a test", "0" * 64)
REAL = Origin("sms_spam", "cache", False, "from the tests", "0" * 64)
KERNEL, EMBEDDING = "rnn/basic_rnn_cell/kernel", "embedding"
KERNEL_PATH = "rnn/simple_rnn_cell/kernel + rnn/simple_rnn_cell/recurrent_kernel"
RUNS = 5  # that own rounding was measured with

TIMES = [
    Timing("graph", 40, (0.002, 0.0021), (0.0015, 0.0016), (0.0003, 0.0003), (5e8, 5.1e8)),
    Timing("keras", 40, (0.004, 0.0041), (0.0035, 0.0036), (0.0003, 0.0003), (6e8, 6.1e8)),
]

SEGMENTS = Segments(
    (
        Segment("embedding", RIGHT, ("lookup:0",)),
        Segment("rnn", WRONG, ("rnn/concat:0",), error=0.25, tried=14),
        Segment("dense", RIGHT, ("add:0",), fed=True, tried=3),
        Segment("extra", OPEN, tried=7, run=1),
        Segment("output", OPEN, tried=2, run=1),
    ),
    rows=8,
    left_out=1,
)

Changes = Mapping[str, Any]


def recording(changes: Changes | None = None, steps: int = 6) -> Arrays:
    """Return one tensor or two of every rung; `changes` replaces some of them."""
    falling = np.linspace(1, 0.5, steps)  # (steps,)
    found = {
        f"variables/{KERNEL}": np.ones((3, 2)),
        "forward/eval/outputs": np.array([[0.5, -0.25], [0.125, 0.0]]),
        "forward/eval/logits": np.ones((2, 2)),
        "loss/eval/loss": np.asarray(0.75),
        f"gradients/{KERNEL}": np.full((3, 2), 0.5),
        f"update/step 1/weights/{EMBEDDING}": np.ones((4, 2)),
        f"update/step 1/slots/{EMBEDDING}/RMSProp": np.ones((4, 2)),
        "curve/step_loss": falling,
        "curve/test_loss": falling[::3],
        f"curve/final/weights/{EMBEDDING}": np.ones((4, 2)),
    }
    return {**found, **(changes or {})}


def comparison(
    changes: Changes | None = None,
    dtype: str = "float32",
    own: Changes | None = None,
    anchors: tuple[Anchor, ...] = (),
    steps: int = 6,
) -> Comparison:
    """Compare the recording with one that has `changes`.

    Args:
        changes: tensor -> what the candidate has in its place.
        dtype: of both.
        own: tensor -> the reference's own rounding, where it is to have been measured.
        anchors: of the comparison.
        steps: of the curve.
    """
    expected, actual = recording(steps=steps), recording(changes, steps)
    sizes = {key: np.asarray(size) for key, size in (own or {}).items()}
    return Comparison(
        pair="sms_rnn",
        dtype=dtype,
        reference="graph",
        candidate="keras",
        differences=tuple(compare(expected, actual, dtype, measured=bounds(sizes, RUNS))),
        curves={"graph": lines(expected), "keras": lines(actual)},
        own=lines(sizes),
        anchors=anchors,
        outputs={
            side: np.ravel(each["forward/eval/outputs"])
            for side, each in (("expected", expected), ("actual", actual))
        },
        ulps=ulps(expected, actual, dtype),
    )


def lines(tensors: Arrays) -> Arrays:
    """Return those of some tensors that are lines over the training run."""
    return {key: value for key, value in tensors.items() if keys.parse(key).is_line}


def measured() -> Comparison:
    """Return a comparison that agrees because the reference's own rounding is as large."""
    parts = recording()[STEP_LOSS] + np.array([0, 0, 0, 1e-6, 1e-5, 4e-5])
    own = {
        STEP_LOSS: np.array([0, 0, 1e-7, 2e-6, 1e-5, 3.8e-5]),
        f"gradients/{KERNEL}": np.asarray(4e-6),
    }
    gradient = np.full((3, 2), 0.5)
    gradient[0, 0] += 1e-6
    return comparison({STEP_LOSS: parts, f"gradients/{KERNEL}": gradient}, own=own)


def anchor(after: int, changes: Changes | None = None) -> Anchor:
    """Return a short run of two steps from the reference's state; with `changes` it differs."""
    short = {
        STEP_LOSS: np.linspace(0.75, 0.7, 2),
        f"curve/final/weights/{EMBEDDING}": np.ones((4, 2)),
    }
    differences = compare(short, {**short, **(changes or {})}, "float32")
    return Anchor(after, 2, tuple(differences))


def anchored(*failed: int, chaotic: bool = False) -> Comparison:
    """Return a comparison whose free run parts at step 4, which anchors decide about.

    Args:
        failed: anchors at which the candidate takes another step than the reference.
        chaotic: whether the reference's own rounding is so large that a free run says nothing.
    """
    parts = recording()[STEP_LOSS] + np.array([0, 0, 0, 4e-4, 1e-3, 2e-3])
    own = {STEP_LOSS: np.array([0, 0, 1e-7, 3.8e-5, 4e-5, 5e-3 if chaotic else 5e-5])}
    wrong = {STEP_LOSS: np.array([0.75, 0.71])}
    anchors = tuple(anchor(after, wrong if after in failed else None) for after in (0, 2, 4))
    return comparison({STEP_LOSS: parts}, own=own, anchors=anchors)


def outcome(*comparisons: Comparison, stock: bool = True) -> Outcome:
    """Return a finished run of made-up data."""
    losses = recording()[STEP_LOSS] + 0.125
    return Outcome(
        pair="sms_rnn",
        origin=MADE_UP,
        comparisons=list(comparisons),
        stock=StockLane("RMSprop", "float32", losses, 0.125, 0.5, "epsilon") if stock else None,
        paths={
            "forward/eval/outputs": "rnn",
            f"variables/{KERNEL}": KERNEL_PATH,
            f"gradients/{KERNEL}": KERNEL_PATH,
            f"update/step 1/weights/{EMBEDDING}": "embedding/embeddings",
            f"update/step 1/slots/{EMBEDDING}/RMSProp": "embedding/embeddings: velocity",
        },
        engines={"graph": ABOUT, "keras": {**ABOUT, "keras": "9.9", "backend": "tensorflow"}},
        jobs=[JobRecord("graph", "float32 climb", "2025-01-01T00:00:00+00:00", 1.5, False)],
        notes=["a note"],
        started="2025-01-01T00:00:00+00:00",
        seconds=2.5,
        finished=True,
    )


def named(name: str, found: Outcome) -> Outcome:
    """Return an outcome under another pair's name."""
    renamed = [dataclasses.replace(c, pair=name) for c in found.comparisons]
    return dataclasses.replace(found, pair=name, comparisons=renamed)


def run(*outcomes: Outcome, exit_code: int | None = None) -> Run:
    """Return a whole run; it ends with its own verdict if `exit_code` is not given."""
    found = Run(
        list(outcomes),
        version="9.9",
        commit="0123456+",
        python="3.12.0",
        machine="x86_64",
        started="2025-01-01T00:00:00+00:00",
        seconds=3.5,
    )
    code = found.verdict if exit_code is None else exit_code
    return dataclasses.replace(found, exit_code=code)
