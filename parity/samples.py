"""What atoms are fed: a few rows of each input, drawn from a seed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from datasets.dataset import Dataset, Origin

ROWS, BATCH = 48, 8  # rows of the training set and of a batch: an epoch is six steps
TEST = 16


@dataclasses.dataclass(frozen=True)
class Sample:
    """How one input, or target, is drawn.

    Args:
        kind: ``normal``, ``uniform``, ``integers``, ``one_hot``, or ``words``.
        shape: of a row.
        low: least value of ``uniform`` and of ``integers``.
        high: what ``uniform`` and ``integers`` stay below; classes of ``one_hot``.
        of: what ``words`` are drawn from.
    """

    kind: str
    shape: tuple[int, ...]
    low: float = 0
    high: float = 1
    of: tuple[str, ...] = ()

    def draw(self, random: np.random.RandomState, rows: int) -> np.ndarray:
        """Return so many rows, (rows, *shape): float32, int32 of ``integers``, or strings."""
        shape = (rows, *self.shape)
        if self.kind == "words":
            return np.array(self.of)[random.randint(0, len(self.of), shape)]
        if self.kind == "integers":
            return random.randint(int(self.low), int(self.high), shape).astype(np.int32)
        if self.kind == "one_hot":
            classes = random.randint(0, int(self.high), shape)
            return np.eye(int(self.high), dtype=np.float32)[classes]  # (rows, *shape, classes)
        if self.kind == "uniform":
            values = random.uniform(self.low, self.high, shape)
        else:
            values = random.normal(size=shape)
        # Whole 256ths: every platform makes the same bytes of them.
        return (np.round(values * 256) / 256).astype(np.float32)


def normal(*shape: int) -> Sample:
    """Numbers of the standard normal distribution."""
    return Sample("normal", shape)


def uniform(*shape: int, low: float = 0, high: float = 1) -> Sample:
    """Numbers from `low` to `high`."""
    return Sample("uniform", shape, low, high)


def integers(*shape: int, low: int = 0, high: int) -> Sample:
    """Whole numbers from `low`, below `high`: ids, classes, lengths."""
    return Sample("integers", shape, low, high)


def one_hot(*shape: int, classes: int) -> Sample:
    """Classes as one-hot vectors."""
    return Sample("one_hot", shape, high=classes)


def words(*shape: int, of: tuple[str, ...]) -> Sample:
    """Words, or sentences, out of some."""
    return Sample("words", shape, of=of)


Samples = Sample | Mapping[str, Sample]  # one input, or several by name


def load(x: Samples, y: Samples, seed: int = 0) -> Dataset:
    """Draw the rows of an atom.

    Args:
        x: its inputs.
        y: its targets.
        seed: of the draws.

    Returns:
        `ROWS` rows to train on and `TEST` to test; structured arrays where there are several
        inputs or targets.
    """
    random = np.random.RandomState(seed)
    drawn = [_rows(sample, random) for sample in (x, y)]
    digest = hashlib.sha256(b"".join(each.tobytes() for each in drawn)).hexdigest()
    inputs, targets = drawn
    return Dataset(
        x_train=inputs[:ROWS],
        y_train=targets[:ROWS],
        x_test=inputs[ROWS:],
        y_test=targets[ROWS:],
        labels=(),
        encode=_no_texts,
        hyperparameters={},
        origin=Origin(
            corpus="a corpus",
            source="synthetic",
            synthetic=True,
            detail="an atom is fed random rows",
            digest=digest,
        ),
    )


def _rows(samples: Samples, random: np.random.RandomState) -> np.ndarray:
    if isinstance(samples, Sample):
        return samples.draw(random, ROWS + TEST)
    parts = {name: sample.draw(random, ROWS + TEST) for name, sample in samples.items()}
    types: list[Any] = [(name, part.dtype, part.shape[1:]) for name, part in parts.items()]
    rows = np.empty(ROWS + TEST, types)
    for name, part in parts.items():
        rows[name] = part
    return rows


def _no_texts(texts: Sequence[str]) -> np.ndarray:
    raise ValueError(f"an atom takes no texts, got {texts[:1]!r}")
