"""What trainings of many seeds come to: published figures held against them, sides held together.

Pure: records in, findings out; no engine. The statistics are SciPy's.

References:
    Schuirmann: A comparison of the two one-sided tests procedure and the power approach for
    assessing the equivalence of average bioavailability, 1987 (TOST).
    Welch: The generalization of Student's problem when several different population variances are
    involved, 1947.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED
from parity.published import Count, Figure, Margin, Prediction, Published
from parity.records import Counts, Record

REFERENCE = "graph"  # TensorFlow 1's own arithmetic and random numbers
ENGINES = (REFERENCE, "keras")
STOCK = "stock"  # Keras with the optimizer that Keras itself has
LEVEL = 0.05  # of each of the two one-sided tests; so the interval is one of 90 %


@dataclasses.dataclass(frozen=True)
class Reproduced:
    """A published figure beside what the engines came to.

    Args:
        figure: as it was published, with its margin.
        found: engine -> its value for every seed.
    """

    figure: Figure | Prediction
    found: Mapping[str, tuple[float, ...]]

    def mean(self, engine: str) -> float:
        """Mean over the seeds."""
        return float(np.mean(self.found[engine]))

    def deviation(self, engine: str) -> float:
        """Standard deviation over the seeds; NaN of one."""
        values = self.found[engine]
        return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")

    def within(self, engine: str) -> bool:
        """Tell whether an engine's mean keeps the margin."""
        return abs(self.mean(engine) - self.figure.value) <= self.figure.margin.size

    @property
    def verdict(self) -> str:
        """``within``, ``outside``, or ``not trained`` while an engine is missing."""
        if any(engine not in self.found for engine in ENGINES):
            return "not trained"
        return "within" if all(map(self.within, ENGINES)) else "outside"


@dataclasses.dataclass(frozen=True)
class Counted:
    """A published count beside what was counted here.

    Args:
        count: as it was published.
        found: who counted -> how many; empty while nobody has.
    """

    count: Count
    found: Mapping[str, int]

    @property
    def verdict(self) -> str:
        """``within`` where all counted the very number, ``outside``, or ``not counted``."""
        if not self.found:
            return "not counted"
        return "within" if set(self.found.values()) == {self.count.value} else "outside"


@dataclasses.dataclass(frozen=True)
class Equivalence:
    """Whether a side's metric equals the reference's, by two one-sided tests.

    Args:
        side: whose mean is held against the reference's.
        metric: of the test set.
        margin: how far two means may lie apart and still be equivalent.
        seeds: trainings of the side and of the reference.
        p: the larger p-value of the two tests, after the last epoch.
        difference: of the means, after every epoch, (epochs,).
        low: lower end of its 90 % confidence interval, (epochs,).
        high: upper end, (epochs,).
    """

    side: str
    metric: str
    margin: Margin
    seeds: tuple[int, int]
    p: float
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def verdict(self) -> str:
        """``equivalent``, ``different`` (surely beyond the margin), or ``not shown``."""
        if self.p < LEVEL:
            return "equivalent"
        size = self.margin.size
        return "different" if self.low[-1] > size or self.high[-1] < -size else "not shown"

    @property
    def widest(self) -> int:
        """The epoch, from 1, after which the means lie furthest apart."""
        return int(np.argmax(np.abs(self.difference))) + 1

    @property
    def settled(self) -> int:
        """The epoch, from 1, from which on the interval stays within the margin; 0 if none."""
        size = self.margin.size
        inside = (self.low > -size) & (self.high < size)
        if not inside[-1]:
            return 0
        outside = np.flatnonzero(~inside)
        return int(outside[-1]) + 2 if outside.size else 1


@dataclasses.dataclass(frozen=True)
class Study:
    """All that was found about one pair.

    Args:
        pair: name of the pair.
        published: what its authors printed.
        optimizer: the one that a rewrite would pick.
        cause: what it does differently, by design.
        margins: metric -> that of its equivalence, where it was asked for.
        figures: of its training.
        counts: of its weights and its corpus.
        equivalences: of each side with the reference.
        records: the trainings that this rests on.
    """

    pair: str
    published: Published
    optimizer: str
    cause: str
    margins: Mapping[str, Margin]
    figures: tuple[Reproduced, ...]
    counts: tuple[Counted, ...]
    equivalences: tuple[Equivalence, ...]
    records: tuple[Record, ...]

    @property
    def exit_code(self) -> int:
        """0 if all figures are within their margins, and Keras is equivalent where that was asked.

        1 if not, 3 while anything is open. Counts that cannot be had and the stock optimizer are
        told, and decide nothing.
        """
        keras = [each.verdict for each in self.equivalences if each.side in ENGINES]
        verdicts = {figure.verdict for figure in self.figures} | set(keras)
        if verdicts - {"within", "equivalent", "not trained"}:
            return DIFFERENCE
        open_still = "not trained" in verdicts or len(keras) < len(self.margins)
        return ENGINE_FAILED if open_still else AGREE


def study(
    pair: str,
    published: Published,
    margins: Mapping[str, Margin],
    optimizer: str,
    cause: str,
    records: Iterable[Record],
    counts: Counts | None,
) -> Study:
    """Judge what is kept of a pair.

    Args:
        pair: its name.
        published: what its authors printed.
        margins: metric -> that of its equivalence; empty if none is asked for.
        optimizer: the one that a rewrite would pick.
        cause: what that does differently.
        records: of any pairs.
        counts: what was counted of it, if that was done.
    """
    mine = tuple(record for record in records if record.pair == pair)
    found = counts.found if counts else {}
    return Study(
        pair,
        published,
        optimizer,
        cause,
        margins,
        tuple(_reproduced(figure, mine) for figure in published.figures),
        tuple(Counted(count, found.get(count.what, {})) for count in published.counts),
        tuple(_equivalences(margins, mine)),
        mine,
    )


def curves(records: Iterable[Record], side: str, name: str) -> np.ndarray:
    """Return a curve of every seed of a side, (seeds, epochs)."""
    return np.array([record.curves[name] for record in records if record.side == side])


def equivalence(
    side: str, metric: str, margin: Margin, values: np.ndarray, reference: np.ndarray
) -> Equivalence:
    """Test whether two samples of curves end in the same place, by two one-sided Welch tests.

    Args:
        side: whose `values` are.
        metric: what they are.
        margin: how far the means may lie apart.
        values: (seeds, epochs).
        reference: of the reference, (other seeds, epochs).
    """
    from scipy import stats  # here: it takes a second to import

    first, last = values[:, -1], reference[:, -1]
    with warnings.catch_warnings():
        # Of seeds that agree to the last digit: their means alone then decide.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval: Any = stats.ttest_ind(values, reference, equal_var=False).confidence_interval(
            1 - 2 * LEVEL
        )
        above, below = (
            stats.ttest_ind(first, last + shift, equal_var=False, alternative=alternative).pvalue
            for shift, alternative in ((-margin.size, "greater"), (margin.size, "less"))
        )
    return Equivalence(
        side,
        metric,
        margin,
        (len(values), len(reference)),
        float(np.max([above, below])),
        values.mean(axis=0) - reference.mean(axis=0),
        np.asarray(interval.low),
        np.asarray(interval.high),
    )


def _reproduced(figure: Figure | Prediction, records: Sequence[Record]) -> Reproduced:
    found = {
        engine: tuple(figure.read(record.curves) for record in records if record.side == engine)
        for engine in ENGINES
    }
    return Reproduced(figure, {engine: values for engine, values in found.items() if values})


def _equivalences(margins: Mapping[str, Margin], records: Sequence[Record]) -> list[Equivalence]:
    """Hold every side that has two seeds or more against the reference."""
    found = []
    for side in ("keras", STOCK):
        for metric, margin in margins.items():
            values, reference = (
                curves(records, each, f"test_{metric}") for each in (side, REFERENCE)
            )
            if min(len(values), len(reference)) > 1:
                found.append(equivalence(side, metric, margin, values, reference))
    return found
