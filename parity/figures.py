"""The few numbers of a run that are kept and held against another run's.

A *figure* is one number with its sample: further values of the same number, from what is arbitrary
in it. The sample of a difference comes from rounding twins, that of a time or a memory from rounds
in fresh processes. A `Summary` is all that a later run has to know of an earlier one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from parity.keys import RUNGS
from parity.results import STEP_LOSS, Comparison, Outcome, Run, Timing

DIFFERENCE, TIME, PROCESSOR, MEMORY = "difference", "time", "processor", "memory"


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number of a run.

    Args:
        pair: name of the pair.
        kind: `DIFFERENCE` (largest error of a rung, in the units of its bounds), `TIME` and
            `PROCESSOR` (seconds a training step, by the wall clock and of processor time) or
            `MEMORY` (peak of the process, bytes).
        what: of which engines, dtype and rung.
        value: as it is shown.
        sample: values that are judged, the repeats among them. Of a difference `value` and those of
            its rounding twins. Of a time the steps of every round in units of the yardstick: a
            slower hour of the machine cancels.
        used: largest share of a bound, of a difference.
        yardstick: of a time, seconds of the fixed piece of work in every round.
    """

    pair: str
    kind: str
    what: str
    value: float
    sample: tuple[float, ...]
    used: float | None = None
    yardstick: tuple[float, ...] = ()

    @property
    def samples(self) -> tuple[tuple[float, ...], ...]:
        """All values that are judged: a time by the yardstick and by the clock."""
        if not self.yardstick:
            return (self.sample,)
        pairs = zip(self.sample, self.yardstick, strict=True)
        return self.sample, tuple(units * each for units, each in pairs)

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it in every run."""
        return self.pair, self.kind, self.what


@dataclasses.dataclass(frozen=True)
class Proved:
    """What a run has found about one pair, in short.

    Args:
        code: the verdict, an exit code.
        question: seed, steps and corpus in words; figures of two questions are not comparable.
    """

    code: int
    question: str


@dataclasses.dataclass(frozen=True)
class Summary:
    """What of a run is held against another one.

    Args:
        name: what people call the run: a folder, or a number in the history.
        started: when, ISO 8601 in UTC.
        version: of tf-parity.
        commit: of the checkout that ran, with ``+`` if it was changed since; empty if installed.
        python: version of the interpreter.
        machine: processor and instruction set.
        exit_code: what the command ended with.
        options: what was asked for.
        engines: engine -> its versions and device.
        pairs: pair -> what was found.
        figures: of all pairs.
    """

    name: str
    started: str
    version: str
    commit: str
    python: str
    machine: str
    exit_code: int
    options: Mapping[str, str]
    engines: Mapping[str, Mapping[str, str]]
    pairs: Mapping[str, Proved]
    figures: tuple[Figure, ...]

    def of(self, pair: str) -> tuple[Figure, ...]:
        """Return the figures of a pair."""
        return tuple(figure for figure in self.figures if figure.pair == pair)

    @property
    def timed(self) -> bool:
        """True if training steps were timed."""
        return any(figure.kind == TIME for figure in self.figures)

    @property
    def versions(self) -> dict[str, str]:
        """What ran, in plain words: name -> version."""
        found = {"tf-parity": self.version, "commit": self.commit, "Python": self.python}
        for engine, about in self.engines.items():
            found.update({f"{engine}: {name}": value for name, value in about.items()})
        return found | {"machine": self.machine}


def summarize(run: Run, name: str) -> Summary:
    """Return what of a run is held against another one."""
    return Summary(
        name=name,
        started=run.started,
        version=run.version,
        commit=run.commit,
        python=run.python,
        machine=run.machine,
        exit_code=run.exit_code,
        options=run.options,
        engines={engine: about for o in run.outcomes for engine, about in o.engines.items()},
        pairs={o.pair: Proved(o.exit_code, question(o, run.options)) for o in run.outcomes},
        figures=tuple(figure for outcome in run.outcomes for figure in figures(outcome)),
    )


def question(outcome: Outcome, options: Mapping[str, str]) -> str:
    """Return what was asked about a pair, in words that are equal for equal questions."""
    lines = [curve for c in outcome.comparisons for curve in c.curves.values()]
    steps = max((len(curve.get(STEP_LOSS, ())) for curve in lines), default=0)
    origin = outcome.origin
    seed = options.get("seed", "unknown")
    corpus = f"{'SYNTHETIC ' if origin.synthetic else ''}{origin.corpus} {origin.digest[:12]}"
    return f"seed {seed}, {steps} steps, {corpus}"


def figures(outcome: Outcome) -> Iterator[Figure]:
    """Yield every figure of a pair."""
    for comparison in outcome.comparisons:
        yield from _differences(comparison)
    for timing in outcome.times:
        yield from _costs(outcome.pair, timing)


def _differences(comparison: Comparison) -> Iterator[Figure]:
    """Yield the largest error of every rung that was judged; copied variables are no figure."""
    names = f"{comparison.dtype} {comparison.reference} -> {comparison.candidate}"
    for rung in RUNGS[1:]:
        largest, used = comparison.largest(rung), comparison.share(rung)
        if largest is None or used is None:
            continue
        sample = (largest.error, *comparison.repeats.get(rung, ()))
        yield Figure(comparison.pair, DIFFERENCE, f"{names} {rung}", largest.error, sample, used)


def _costs(pair: str, timing: Timing) -> Iterator[Figure]:
    yardstick = np.array(timing.yardstick)  # (rounds,)
    for kind, seconds in ((TIME, timing.seconds), (PROCESSOR, timing.processor)):
        sample = tuple(float(each) for each in np.array(seconds) / yardstick)
        value = float(np.median(seconds))
        yield Figure(pair, kind, timing.engine, value, sample, yardstick=timing.yardstick)
    if timing.memory:
        value = float(np.median(timing.memory))
        yield Figure(pair, MEMORY, timing.engine, value, tuple(timing.memory))
