"""Trains pairs over many seeds, and keeps every training that is finished.

Each engine trains from its own initial weights, with its own random numbers; so does Keras with its
stock optimizer. A training is a question like any other, plain data, and its record says which one
it answers: what is known is not trained again, and a killed run goes on where it was.
"""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from datasets.dataset import Dataset, Origin
from parity import engines, findings, provenance, records, train
from parity.cases import Request
from parity.engines import Engine
from parity.errors import BadInput
from parity.executor import Executor, cores
from parity.findings import ENGINES, STOCK, Study
from parity.pair import Pair
from parity.plans import Plan, make_plan, needed
from parity.process import Progress
from parity.published import OF_CORPUS
from parity.records import Record

# Equivalence of means takes twenty trainings a side to be shown; a figure that was printed once,
# by trainings of minutes, gets a mean and an idea of its spread.
EQUIVALENCE_SEEDS = 20
FIGURE_SEEDS = 3

PROBED = 8  # steps that a training's time is measured by
WARM = 3  # of which so many do not count: functions are traced, memory is claimed

# side and seed of a training, by the name of its pair
Key = tuple[str, str, int]


@dataclasses.dataclass(frozen=True)
class Task:
    """One training of one pair.

    Args:
        pair: the pair.
        dataset: its corpus.
        side: who trains: an engine, or `STOCK`.
        seed: of initial weights, order and dropout.
    """

    pair: Pair
    dataset: Dataset
    side: str
    seed: int

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.pair.name, self.side, self.seed

    @property
    def engine(self) -> Engine:
        """Who is asked."""
        return engine_of(self.side)

    def question(self) -> Request:
        """Return what is asked: the published schedule, or its start if no figure needs more."""
        rows, schedule = len(self.dataset.x_train), self.pair.schedule
        if whole(self.pair):
            plan, dataset = make_plan(rows, schedule, self.seed), self.dataset
        else:
            plan = make_plan(rows, schedule, self.seed, steps=1)
            dataset, plan = needed(self.dataset, plan, self.seed)
        return self.ask(dataset, plan)

    def ask(self, dataset: Dataset, plan: Plan) -> Request:
        """Return the question of training on a plan."""
        stock = self.side == STOCK
        return train.question(self.pair, dataset, self.engine, plan, self.seed, stock)


@dataclasses.dataclass(frozen=True)
class Cost:
    """How long one side of a pair takes, as measured.

    Args:
        start: seconds until the first steps are taken.
        step: seconds a training step.
        row: seconds a row that is tested.
    """

    start: float
    step: float
    row: float

    def seconds(self, question: Request) -> float:
        """Return what a whole training will take."""
        arrays = question.arrays
        rows = sum(len(arrays[name]) for name in ("x_test", "x_validation") if name in arrays)
        return (
            self.start + len(arrays["sizes"]) * self.step + len(arrays["tested"]) * rows * self.row
        )


def studied(pair: Pair) -> bool:
    """Tell whether there is anything to study about a pair."""
    return bool(pair.published.figures or pair.published.counts or pair.margins)


def whole(pair: Pair) -> bool:
    """Tell whether a pair is trained as published, and not for its first step alone."""
    return bool(pair.margins or pair.published.epochs)


def sides(pair: Pair) -> tuple[str, ...]:
    """Return who trains a pair."""
    if pair.margins:
        return *ENGINES, STOCK
    return ENGINES if pair.published.figures else ()


def engine_of(side: str) -> Engine:
    """Return the engine that trains a side."""
    return engines.find("keras" if side == STOCK else side)


def check_real(pair: Pair, dataset: Dataset) -> None:
    """Make sure that what is published of a corpus is not looked for in another one.

    Raises:
        BadInput: the corpus is synthetic.
    """
    of_corpus = any(count.kind in OF_CORPUS for count in pair.published.counts)
    if dataset.origin.synthetic and (sides(pair) or of_corpus):
        raise BadInput(
            f"{pair.name}: synthetic data cannot reproduce a real corpus's figures",
            mend="see `parity data`",
        )


def tasks(loaded: Mapping[str, tuple[Pair, Dataset]], seeds: int | None) -> list[Task]:
    """Return every training that the pairs ask for.

    Args:
        loaded: pairs with their corpora.
        seeds: trainings of each side; as many as the pair needs if None.
    """
    return [
        Task(pair, dataset, side, seed)
        for pair, dataset in loaded.values()
        for side in sides(pair)
        for seed in range(seeds or (EQUIVALENCE_SEEDS if pair.margins else FIGURE_SEEDS))
    ]


def unknown(
    wanted: Sequence[Task], folder: Path, executor: Executor, renew: bool = False
) -> list[Task]:
    """Return the trainings whose answer is not kept.

    Args:
        wanted: all that is asked for.
        folder: where trainings are kept.
        executor: knows the sources of models.
        renew: train those anew that answered another question.

    Raises:
        BadInput: a kept training answers another question; nothing is overwritten.
    """
    known = {(r.pair, r.side, r.seed): r for r in records.load(folder)}
    missing = []
    for task in wanted:
        record = known.get(task.key)
        if record is None:
            missing.append(task)
            continue
        digests = digest(task, task.question(), executor)
        changed = [part for part in digests if record.question.get(part) != digests[part]]
        if changed and not renew:
            raise BadInput(
                f"{records.path_of(folder, *task.key)} answers another question: its "
                f"{' and '.join(changed)} changed",
                "the question of today",
                "add --renew to train it anew, or choose another folder with --output",
            )
        if changed:
            missing.append(task)
    return missing


def digest(task: Task, question: Request, executor: Executor) -> dict[str, str]:
    """Return what names a question: job, corpus, source files of the model, versions.

    Not the processor: a mean over seeds does not hang on its rounding. Not the runner: its lines
    are held to by `parity run`.
    """
    plan = {name: question.arrays[name] for name in ("order", "sizes", "tested")}
    data = {name: value for name, value in question.arrays.items() if name not in plan}
    model, texts = question.job.model, [each.text for each in task.pair.published.predictions]
    around = executor.circumstances(task.engine, model.builder, model.optimizer)
    found = {
        "job": provenance.digest({"job": question.job.to_json(), "texts": texts}, plan),
        "data": provenance.digest({}, data),
        "model": provenance.digest({"sources": around["sources"]}, {}),
        "versions": provenance.digest(provenance.versions(task.engine.python()), {}),
    }
    return {part: value[:16] for part, value in found.items()}


def measure(task: Task, executor: Executor, progress: Progress) -> Cost:
    """Take a few steps of a training, and say what a whole one costs."""
    plan = make_plan(len(task.dataset.x_train), task.pair.schedule, task.seed, steps=PROBED)
    dataset, plan = needed(task.dataset, plan, task.seed)
    dataset = dataclasses.replace(dataset, validation=None)
    plan = dataclasses.replace(plan, tested=np.array([WARM - 1, PROBED - 1]))
    ends: list[float] = []  # of the engine's start, then of every step

    def watch(stage: str, done: int, total: int, metrics: Mapping[str, float]) -> None:
        ends.append(time.monotonic())
        progress(stage, done, total, metrics)

    train.answer(task.pair, task.ask(dataset, plan), executor, watch)
    taken = np.diff(ends)  # (steps,)
    step = statistics.median(taken[WARM:-1])
    row = max(taken[-1] - step, 0.0) / len(dataset.x_test)
    return Cost(float(taken[:WARM].sum() - WARM * step), float(step), float(row))


def costs(
    missing: Sequence[Task],
    kept: Sequence[Record],
    machine: str,
    executor: Executor,
    watch: Callable[[Task], Progress],
) -> dict[Key, float]:
    """Return the seconds that each training will take, by those kept of this machine, or measured.

    Args:
        missing: what is to be trained.
        kept: what was trained before.
        machine: the processor, as records tell it.
        executor: runs the engines.
        watch: returns what is called with every step that is measured.
    """
    firsts = {(task.pair.name, task.side): task for task in reversed(missing)}
    taken = {
        side: [
            r.seconds for r in kept if (r.pair, r.side) == side and r.made_by["machine"] == machine
        ]
        for side in firsts
    }

    def seconds(side: tuple[str, str]) -> float:
        if taken[side]:
            return statistics.mean(taken[side])
        task = firsts[side]
        return measure(task, executor, watch(task)).seconds(task.question())

    with _side_by_side() as pool:
        found = dict(zip(firsts, pool.map(seconds, firsts), strict=True))
    return {task.key: found[task.key[:2]] for task in missing}


class Clock:
    """How long the rest will take, by what was estimated and by how it went so far.

    Args:
        costs: training -> its estimated seconds.
    """

    def __init__(self, costs: Mapping[Key, float]) -> None:
        self._costs, self._done = costs, dict.fromkeys(costs, 0.0)
        self._began, self._lock = time.monotonic(), threading.Lock()

    def advance(self, key: Key, share: float) -> None:
        """A share of a training, 0 to 1, is done."""
        with self._lock:
            self._done[key] = share

    @property
    def left(self) -> float:
        """Seconds left."""
        with self._lock:
            done = sum(cost * self._done[key] for key, cost in self._costs.items())
            total, passed = sum(self._costs.values()), time.monotonic() - self._began
        # Until a twentieth is done the estimate is the better guide.
        pace = passed / done if done > total / 20 else 1 / cores()
        return (total - done) * pace


def run(
    missing: Sequence[Task],
    folder: Path,
    executor: Executor,
    made_by: Mapping[str, str],
    watch: Callable[[Task], Progress],
) -> Iterator[Record]:
    """Train what is missing, as many at a time as there are cores; yield what was kept.

    Args:
        missing: what is to be trained.
        folder: where every training is kept as soon as it is finished.
        executor: runs the engines.
        made_by: the machine and the checkout.
        watch: returns what is called with every step of a training.
    """
    with _side_by_side() as pool:
        futures = [
            pool.submit(_train, task, folder, executor, made_by, watch(task)) for task in missing
        ]
        for future in as_completed(futures):
            yield future.result()


@contextlib.contextmanager
def _side_by_side() -> Iterator[ThreadPoolExecutor]:
    """Lend a thread a core; an interrupt does not wait for what they are at."""
    pool = ThreadPoolExecutor(cores())
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _train(
    task: Task, folder: Path, executor: Executor, made_by: Mapping[str, str], progress: Progress
) -> Record:
    question = task.question()
    started, clock = datetime.now(timezone.utc).isoformat(timespec="seconds"), time.monotonic()
    training = train.answer(task.pair, question, executor, progress)
    curves = {name: tuple(values) for name, values in training.history.items()}
    for each in task.pair.published.predictions:
        shares = train.predict(
            task.pair, task.dataset, executor, task.engine, training.weights, [each.text], progress
        )
        curves[each.curve] = (float(shares[0, task.dataset.labels.index(each.label)]),)
    record = Record(
        *task.key,
        digest(task, question, executor),
        corpus(task.dataset.origin),
        {name: tuple(float(f"{v:.8g}") for v in values) for name, values in curves.items()},
        {**training.about, **made_by},
        started,
        round(time.monotonic() - clock, 1),
    )
    records.save(folder, record)
    return record


def corpus(origin: Origin) -> str:
    """Name a corpus without where on this machine it lies."""
    made_up = "SYNTHETIC DATA in place of " if origin.synthetic else ""
    return f"{made_up}{origin.corpus} from {origin.source} (sha256 {origin.digest[:12]})"


def judge(pairs: Iterable[Pair], folder: Path) -> list[Study]:
    """Judge what is kept in a folder, whatever is there.

    Raises:
        BadInput: a file is damaged, of another schema, or not what its name says.
    """
    kept, counts = records.load(folder), records.load_counts(folder)
    return [
        findings.study(
            pair.name,
            pair.published,
            pair.margins,
            pair.stock.optimizer.partition(":")[2] if pair.stock else "",
            pair.stock.cause if pair.stock else "",
            kept,
            counts.get(pair.name),
        )
        for pair in pairs
    ]
