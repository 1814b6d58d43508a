"""TensorBoard's event files of a training and of a run, written without TensorFlow.

tensorboardX writes them; it is an extra of this project, ``tf-parity[tensorboard]``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from parity import keys
from parity.errors import BadInput
from parity.results import Run

FOLDER = "tensorboard"
WRITER = "tensorboardX"


def check() -> None:
    """Make sure that event files can be written, before anything rests on it.

    Raises:
        BadInput: the package that writes them is not installed.
    """
    if importlib.util.find_spec(WRITER) is None:
        raise BadInput(
            f"--tensorboard was given, and {WRITER} is not installed",
            "the package that writes event files",
            "install tf-parity[tensorboard], or leave the option out",
        )


def write_training(
    folder: Path, history: Mapping[str, Sequence[float]], losses: Sequence[float] | np.ndarray
) -> None:
    """Write a training as Keras's own callback names it: a run a split.

    Args:
        folder: gets a folder a split.
        history: ``SPLIT_METRIC`` -> a value an epoch; becomes ``epoch_METRIC``.
        losses: of every step's batch; become ``batch_loss`` of the split ``train``.
    """
    runs: dict[str, dict[str, Sequence[float] | np.ndarray]] = {"train": {"batch_loss": losses}}
    for name, values in history.items():
        split, _, metric = name.partition("_")
        runs.setdefault(split, {})[f"epoch_{metric}"] = values
    for split, lines in runs.items():
        _write(folder / split, lines)


def write_run(folder: Path, run: Run) -> Path:
    """Write the curves of every engine, and how far each is from each reference.

    Args:
        folder: gets a folder for the run, named after its start, so that TensorBoard can lay runs
            beside each other; in it one for every pair, dtype and engine.
        run: what was found.

    Returns:
        The folder of the run.
    """
    folder = folder / run.started.replace(":", "-")
    found: dict[Path, dict[str, np.ndarray]] = {}
    for outcome in run.outcomes:
        for c in outcome.comparisons:
            place = folder / outcome.pair / c.dtype
            for engine, curve in c.curves.items():
                lines = {keys.parse(key).name: values for key, values in curve.items()}
                found.setdefault(place / engine, {}).update(lines)
            expected, actual = (c.curves.get(name, {}) for name in (c.reference, c.candidate))
            for key, values in expected.items():
                if key in actual and np.shape(actual[key]) == np.shape(values):
                    name = f"difference_from_{c.reference}/{keys.parse(key).name}"
                    apart = np.abs(np.subtract(actual[key], values, dtype=np.float64))
                    found[place / c.candidate][name] = apart
        if outcome.stock is not None:
            stock = folder / outcome.pair / outcome.stock.dtype / "stock"
            found.setdefault(stock, {})["step_loss"] = outcome.stock.losses
    for place, lines in found.items():
        _write(place, lines)
    return folder


def _write(folder: Path, lines: Mapping[str, Sequence[float] | np.ndarray]) -> None:
    """Write scalars; steps and epochs count from 1."""
    from tensorboardX import SummaryWriter  # an extra: it may not be here

    with SummaryWriter(str(folder)) as writer:
        for name, values in lines.items():
            for number, value in enumerate(np.ravel(values), 1):
                writer.add_scalar(name, float(value), number)
