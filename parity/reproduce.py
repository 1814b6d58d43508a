"""The stock lane: do independent trainings of every engine end where the authors' did?

Each engine trains from its own initial weights, with its own random numbers, over many seeds; so
does Keras with its stock optimizer. No two runs agree step by step. What must hold is that the
means over the seeds lie in the published band, and that engines are equivalent: the difference of
two means, give or take two standard errors, stays within the width of that band, which is as far
apart as two means can be that both reproduce the figure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from datasets.dataset import Dataset
from parity import engines, train
from parity.errors import BadInput
from parity.executor import Executor
from parity.pair import Pair

STOCK = "stock"  # the Keras engine with the optimizer that Keras itself has

# engine, seed, steps done, steps in all
Watch = Callable[[str, int, int, int], None]


@dataclasses.dataclass(frozen=True)
class Trainings:
    """The test metrics of one engine, over all seeds.

    Args:
        engine: its name, or `STOCK`.
        curves: metric -> values on the test set, (seeds, epochs).
    """

    engine: str
    curves: Mapping[str, np.ndarray]

    def final(self, metric: str) -> np.ndarray:
        """Return the metric after the last epoch, (seeds,)."""
        return np.asarray(self.curves[metric][:, -1])


@dataclasses.dataclass(frozen=True)
class Finding:
    """One engine's final metric, against the published band and against the judge.

    Args:
        engine: its name.
        metric: ``loss`` or ``accuracy``.
        mean: over the seeds.
        deviation: standard deviation over the seeds.
        band: lowest and highest mean that counts as reproduced.
        gap: largest difference from the first engine's mean that two standard errors allow.
    """

    engine: str
    metric: str
    mean: float
    deviation: float
    band: tuple[float, float]
    gap: float

    @property
    def reproduced(self) -> bool:
        """True if the mean lies in the published band."""
        return self.band[0] <= self.mean <= self.band[1]

    @property
    def equivalent(self) -> bool:
        """True if the difference from the judge is within the width of the band, surely enough."""
        return self.gap <= self.band[1] - self.band[0]

    @property
    def passed(self) -> bool:
        """True if reproduced and equivalent."""
        return self.reproduced and self.equivalent


def reproduce(
    pair: Pair,
    dataset: Dataset,
    executor: Executor,
    names: Sequence[str],
    seeds: int,
    epochs: int | None = None,
    watch: Watch = lambda *_: None,
) -> list[Trainings]:
    """Train every engine over `seeds` seeds, side by side; the first named is the judge.

    Args:
        pair: the pair.
        dataset: its corpus.
        executor: runs the engines.
        names: engines, `STOCK` among them.
        seeds: number of seeds, counted from 0; two at least, for there to be a spread.
        epochs: epochs of each training; the published number if None.
        watch: called with every step of progress.
    """
    processes = sorted({_process(name) for name in names})
    # One thread a process; the stock optimizer waits for the Keras engine's other trainings.
    threads = {process: ThreadPoolExecutor(1) for process in processes}
    try:
        futures = [
            threads[_process(name)].submit(
                _train, pair, dataset, executor, name, seeds, epochs, watch
            )
            for name in names
        ]
        return [future.result() for future in futures]
    finally:
        for thread in threads.values():
            thread.shutdown(wait=False, cancel_futures=True)


def no_bands(pair: Pair) -> BadInput:
    """Return the error that says that a pair has no figures to be held against."""
    return BadInput(
        f"{pair.name} has no bands: no figures of its authors are held against it",
        "a pair whose `published` has bands",
    )


def judge(pair: Pair, trainings: Sequence[Trainings]) -> list[Finding]:
    """Hold every engine's final metrics against the published band and the first engine.

    Raises:
        BadInput: the authors published no figures.
    """
    if not pair.published.bands:
        raise no_bands(pair)
    findings = []
    for trained in trainings:
        for metric, band in pair.published.bands.items():
            values, reference = trained.final(metric), trainings[0].final(metric)
            errors = [np.var(each, ddof=1) / len(each) for each in (values, reference)]
            gap = abs(values.mean() - reference.mean()) + 2 * np.sqrt(sum(errors))
            if trained is trainings[0]:
                gap = 0.0
            findings.append(
                Finding(
                    trained.engine,
                    metric,
                    float(values.mean()),
                    float(values.std(ddof=1)),
                    band,
                    float(gap),
                )
            )
    return findings


def _process(name: str) -> str:
    return "keras" if name == STOCK else name


def _train(
    pair: Pair,
    dataset: Dataset,
    executor: Executor,
    name: str,
    seeds: int,
    epochs: int | None,
    watch: Watch,
) -> Trainings:
    curves: dict[str, list[Sequence[float]]] = {metric: [] for metric in pair.wiring.metrics}
    for seed in range(seeds):

        def progress(stage: str, done: int, total: int, _: object, seed: int = seed) -> None:
            watch(name, seed, done, total)

        training = train.train(
            pair,
            dataset,
            executor,
            engines.find(_process(name)),
            epochs or pair.schedule.epochs,
            seed,
            progress,
            stock=name == STOCK,
        )
        for metric in pair.wiring.metrics:
            curves[metric].append(training.history[f"test_{metric}"])
    return Trainings(name, {metric: np.asarray(rows) for metric, rows in curves.items()})
