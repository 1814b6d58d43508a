"""What the original authors printed, and how near a reproduction has to come: said beforehand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

SPLITS = ("train", "validation", "test")

# What a `Count` can be of; `parity.counting` knows how each is counted.
WEIGHTS = ("parameters", "trainable", "frozen")  # asked of both engines
OF_CORPUS = ("vocabulary", "distinct", "index", "vectors", "train", "test", "rows", "steps")


@dataclasses.dataclass(frozen=True)
class Margin:
    """How far two numbers may lie apart and still count as the same.

    Args:
        size: the largest distance, in the numbers' own unit.
        reason: why it is that, known before anything was trained.
    """

    size: float
    reason: str


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number that was printed while a model was trained.

    Args:
        metric: one of the wiring's.
        value: as it was printed.
        margin: that the mean over the seeds has to keep to it.
        epoch: after which it was read; 0 if that was after the first training step.
        split: the rows that it was read on, one of `SPLITS`. ``train`` is the last batch, read
            after its update and with dropout off.
    """

    metric: str
    value: float
    margin: Margin
    epoch: int
    split: str = "test"

    @property
    def curve(self) -> str:
        """Name of the curve that it is read from."""
        return f"{self.split}_{self.metric}"

    @property
    def what(self) -> str:
        """What it is, and when it was read."""
        when = f"after epoch {self.epoch}" if self.epoch else "after the first step"
        return f"{self.split} {self.metric} {when}"

    def read(self, curves: Mapping[str, Sequence[float]]) -> float:
        """Return it from a training's curves, each of a value an epoch."""
        return curves[self.curve][max(self.epoch - 1, 0)]


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a trained model was printed to say about a text.

    Args:
        text: the text.
        label: the class.
        value: probability of the class that was printed.
        margin: that the mean over the seeds has to keep to it.
        epoch: after which the model was asked.
    """

    text: str
    label: str
    value: float
    margin: Margin
    epoch: int

    @property
    def curve(self) -> str:
        """Name that its probability is kept under."""
        return f"{self.label}: {self.text}"

    @property
    def what(self) -> str:
        """What it is, and when it was read."""
        return f"probability of {self.label} for “{self.text}” after epoch {self.epoch}"

    def read(self, curves: Mapping[str, Sequence[float]]) -> float:
        """Return it from what was kept of a training."""
        return curves[self.curve][-1]


@dataclasses.dataclass(frozen=True)
class Count:
    """A number that was printed of the model or the corpus; it holds exactly, or it does not.

    Args:
        what: what was counted, for people.
        value: as it was printed.
        kind: how it is counted: one of `WEIGHTS` or `OF_CORPUS`.
        of: of which weights, the start of their shared names; or of which word.
        reason: why it cannot be had, where that is known.
    """

    what: str
    value: int
    kind: str
    of: str = ""
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Published:
    """What the original authors printed of a model.

    Args:
        figures: of its training.
        counts: of its weights and its corpus.
        times: how long its steps took. Those are their hardware's, and held against nothing.
    """

    figures: tuple[Figure | Prediction, ...] = ()
    counts: tuple[Count, ...] = ()
    times: str = ""

    @property
    def epochs(self) -> int:
        """Epochs after which the last figure was read; 0 if the first step is enough."""
        return max((figure.epoch for figure in self.figures), default=0)

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """The figures that are answers to a text."""
        return tuple(figure for figure in self.figures if isinstance(figure, Prediction))
