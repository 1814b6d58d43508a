"""Climbs the rungs: puts one question to every engine and compares the answers.

All jobs work side by side, as many as there are cores; a process serves one after the other. What
is finished is handed over at once, so that an interrupted run loses nothing that it had found.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from datasets.dataset import Dataset
from parity import compare, engines, goldens, wire
from parity.cases import Case, make_order
from parity.compare import Difference
from parity.engines import Engine, Process
from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED, ParityError
from parity.pair import Pair
from parity.tolerances import RUNGS
from parity.wire import Arrays

DTYPES = ("float32", "float64")
TEST_ROWS = 256  # rows that a short curve is tested on: enough to see a difference
STOCK_STEPS = 25  # of a short curve, with the stock optimizer
RECORDED = "recorded"  # TensorFlow 1.15.5, from the recordings in the repository

# engine, dtype, stage, steps done, steps in all
Watch = Callable[[str, str, str, int, int], None]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A candidate engine against a reference, on one case, rung by rung.

    Args:
        pair: name of the pair.
        dtype: of the whole computation.
        reference: name of the engine that is right by definition.
        candidate: name of the engine under test.
        differences: an account of every tensor, in the order of the climb.
        curves: the candidate's and the reference's lines over the training run.
        problem: why nothing could be compared, or empty.
    """

    pair: str
    dtype: str
    reference: str
    candidate: str
    differences: tuple[Difference, ...] = ()
    curves: Mapping[str, Arrays] = dataclasses.field(default_factory=dict)
    problem: str = ""

    @property
    def failed_rung(self) -> str:
        """The first rung with a difference, or empty; the rungs above it are not judged."""
        failed = {d.rung for d in self.differences if not d.passed}
        return next((rung for rung in RUNGS if rung in failed), "")

    @property
    def exit_code(self) -> int:
        """0 if all agree, 1 on a difference, 3 if nothing was compared."""
        if not self.differences or {d.rung for d in self.differences} != set(RUNGS):
            return DIFFERENCE if self.failed_rung else ENGINE_FAILED
        return DIFFERENCE if self.failed_rung else AGREE

    def rung(self, name: str) -> list[Difference]:
        """Return the accounts of one rung's tensors."""
        return [d for d in self.differences if d.rung == name]

    def worst(self, rung: str) -> Difference | None:
        """Return the account that is nearest to its bound, or furthest beyond it."""
        return max(self.rung(rung), key=lambda d: (not d.passed, used(d)), default=None)


@dataclasses.dataclass
class Outcome:
    """What a run has found about one pair so far; `prove` fills it as it goes.

    Args:
        pair: the pair.
        dataset: the corpus it runs on.
        comparisons: every reference and candidate, in both dtypes.
        stock: curves of the stock Keras optimizer, named ``curve/...``, or empty.
        stock_dtype: the dtype that it was trained in.
        engines: engine -> its versions and device.
        notes: what was left out, and why.
        finished: False while running, and for ever if interrupted.
    """

    pair: Pair
    dataset: Dataset
    comparisons: list[Comparison] = dataclasses.field(default_factory=list)
    stock: Arrays = dataclasses.field(default_factory=dict)
    stock_dtype: str = ""
    engines: dict[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)
    finished: bool = False

    @property
    def exit_code(self) -> int:
        """The verdict on the pair: a difference weighs more than an engine that failed.

        A pair that was not finished is never called agreement.
        """
        codes = [c.exit_code for c in self.comparisons]
        if not codes or not self.finished:
            codes.append(ENGINE_FAILED)
        return DIFFERENCE if DIFFERENCE in codes else max(codes)


class ClosedError(Exception):
    """The run is over: nothing that comes after says anything about a pair."""


class Fleet:
    """The running engines of one run, as many at a time as there are cores.

    Each engine computes with one thread, so that its sums come out in one order however many work
    side by side. An engine that died is replaced when one is next asked for.

    Args:
        logs: folder for the engines' logs.
        device: passed to every engine.
        timeout: seconds without a sign of life before an engine counts as hung.
        workers: engines that may work at the same time; by default one a core.
    """

    def __init__(
        self, logs: Path, device: str = "", timeout: float = 300, workers: int | None = None
    ) -> None:
        self._logs, self._device, self._timeout = logs, device, timeout
        self._slots = threading.Semaphore(workers or _cores())
        self._lock = threading.Lock()
        self._started: list[Process] = []
        self._idle: list[Process] = []
        self._closed = False

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            started = list(self._started)
        for process in started:
            process.end()

    @contextlib.contextmanager
    def borrow(self, engine: Engine) -> Iterator[Process]:
        """Lend a process of the engine; one that fails is ended, for its state is unknown.

        Raises:
            ClosedError: the fleet has ended its engines, perhaps this very one.
            EngineFailed: the engine cannot be started.
        """
        with self._slots:
            process = self._take(engine)
            try:
                yield process
            except BaseException as error:
                process.end()
                if self._closed:
                    raise ClosedError(
                        f"engine {engine.name!r} was ended: the run is over"
                    ) from error
                raise
            with self._lock:
                self._idle.append(process)

    def _take(self, engine: Engine) -> Process:
        """Return an idle process of the engine, or a new one."""
        with self._lock:
            if self._closed:
                raise ClosedError(f"{engine.name!r} was not started: the run is over")
            for process in self._idle:
                if process.engine == engine:
                    self._idle.remove(process)
                    return process
            number = sum(process.engine == engine for process in self._started) + 1
            log = self._logs / f"{engine.name}-{number}.log"
            process = Process(engine, log, self._device, self._timeout, threads=1)
            self._started.append(process)
            return process


@dataclasses.dataclass(frozen=True)
class Answer:
    """An engine's recording of one case, or why there is none.

    Args:
        recording: every tensor of the climb, in shared names.
        about: versions and device.
        problem: why there is no recording, or empty.
        whole: what is known of the whole tensors, where the recording holds samples of them.
    """

    recording: Arrays = dataclasses.field(default_factory=dict)
    about: Mapping[str, str] = dataclasses.field(default_factory=dict)
    problem: str = ""
    whole: goldens.Whole | None = None


def _cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1


def prove(
    outcome: Outcome,
    fleet: Fleet,
    names: Sequence[str],
    dtypes: Sequence[str] = DTYPES,
    epochs: int | None = None,
    seed: int = 0,
    stock: bool = True,
    watch: Watch = lambda *_: None,
) -> None:
    """Prove that the sides of a pair are one model, or find where they part.

    Args:
        outcome: names the pair and its corpus; is filled with what is found, as it is found.
        fleet: starts the engines.
        names: engines to run besides ``keras``: the graph engines, each a reference.
        dtypes: ``float32``, ``float64``, or both.
        epochs: epochs of the curve; if None, the pair's own number of steps.
        seed: seed of weights, order and masks.
        stock: also train with the stock Keras optimizer, to show the gap.
        watch: called with every step of progress.
    """
    pair, dataset = outcome.pair, outcome.dataset
    keras = engines.find("keras")
    climbers = [*(engines.find(name) for name in names), keras]
    # A thread a job, most of which wait: the fleet decides how many work at a time.
    threads = ThreadPoolExecutor((len(climbers) + 2) * len(dtypes))
    try:
        leads = {
            dtype: threads.submit(
                _lead, fleet, keras, make_case(pair, dtype, dataset, epochs, seed), watch
            )
            for dtype in dtypes
        }
        climbs = {
            (engine.name, dtype): threads.submit(_climb, fleet, engine, leads[dtype], watch)
            for dtype in dtypes
            for engine in climbers
        }
        extra = threads.submit(_stock, fleet, keras, leads[dtypes[0]], watch) if stock else None
        if len(dtypes) == 1:
            outcome.notes.append(
                f"only {dtypes[0]} was run: the other dtype tells rounding from a difference in "
                "meaning"
            )
        for dtype in dtypes:
            # Popped, so that a dtype's tensors can go when they have been compared.
            answers = {e.name: climbs.pop((e.name, dtype)).result() for e in climbers}
            outcome.engines.update({n: a.about for n, a in answers.items() if a.about})
            answers = {**_recorded(outcome, leads[dtype]), **answers}
            outcome.comparisons += compare_all(pair, dtype, answers)
        curves = extra.result() if extra else {}
        if isinstance(curves, str):
            outcome.notes.append(curves)
        else:
            outcome.stock, outcome.stock_dtype = curves, dtypes[0]
        outcome.finished = True
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def make_case(
    pair: Pair, dtype: str, dataset: Dataset, epochs: int | None = None, seed: int = 0
) -> Case:
    """Return the question that is put to every engine.

    Args:
        pair: the pair.
        dtype: of the whole computation.
        dataset: its corpus.
        epochs: epochs of the curve; if None, the pair's own number of steps.
        seed: seed of weights, order and masks.
    """
    order = make_order(len(dataset.x_train), epochs or pair.epochs, seed)  # (epochs, rows)
    steps = None if epochs else pair.steps.get(dtype)
    if steps:
        order = shortened(order, steps, pair)
        dataset, order = needed(dataset, order, seed)
    return Case(pair, dtype, dataset, order, seed)


def shortened(order: np.ndarray, steps: int, pair: Pair) -> np.ndarray:
    """Return the start of an order, `steps` long, or the whole epochs that hold as many steps."""
    an_epoch = len(wire.batches(order.shape[1], pair.batch_size, pair.drop_remainder))
    if steps < an_epoch:
        return order[:1, : steps * pair.batch_size]
    return order[: -(-steps // an_epoch)]


def needed(dataset: Dataset, order: np.ndarray, seed: int) -> tuple[Dataset, np.ndarray]:
    """Return the rows that a short curve reads, and its order over them."""
    train = np.unique(order)
    random = np.random.RandomState(seed)
    test = np.sort(random.permutation(len(dataset.x_test))[:TEST_ROWS])
    part = dataclasses.replace(
        dataset,
        x_train=dataset.x_train[train],
        y_train=dataset.y_train[train],
        x_test=dataset.x_test[test],
        y_test=dataset.y_test[test],
    )
    return part, np.searchsorted(train, order)


def record(pair: Pair, dtype: str, dataset: Dataset, fleet: Fleet, watch: Watch) -> Path:
    """Let TensorFlow 1.15.5 climb a pair's case, and keep its recording; return the path."""
    with fleet.borrow(engines.find("keras")) as keras:
        case = make_case(pair, dtype, dataset).lead(
            keras, lambda *event: watch("keras", dtype, *event[:3])
        )
    with fleet.borrow(engines.find("tf1")) as tf1:
        recording, about = case.climb(tf1, lambda *event: watch("tf1", dtype, *event[:3]))
    return goldens.save(case, recording, about)


def compare_all(pair: Pair, dtype: str, answers: Mapping[str, Answer]) -> list[Comparison]:
    """Compare every engine with each one named before it; the first ones are the judges."""
    names = list(answers)
    return [
        compare_two(pair, dtype, (reference, answers[reference]), (candidate, answers[candidate]))
        for i, reference in enumerate(names)
        for candidate in names[i + 1 :]
    ]


def compare_two(
    pair: Pair, dtype: str, reference: tuple[str, Answer], candidate: tuple[str, Answer]
) -> Comparison:
    """Compare a candidate's answer with a reference's, tensor by tensor."""
    (left, expected), (right, actual) = reference, candidate
    problem = expected.problem or actual.problem
    if problem:
        return Comparison(pair.name, dtype, left, right, problem=problem)
    whole, found = expected.whole, actual.recording
    if whole:
        found = compare.sample(found, whole.shapes)
    differences = compare.compare(
        expected.recording, found, dtype, pair.name, whole.largest if whole else None
    )
    if whole:
        differences = [compare.of_whole(d, whole.shapes.get(d.key, d.shape)) for d in differences]
    return Comparison(
        pair.name,
        dtype,
        left,
        right,
        tuple(differences),
        {name: curves(answer.recording) for name, answer in (reference, candidate)},
    )


def curves(recording: Arrays) -> Arrays:
    """Return the lines over the training run, without the final weights."""
    return {key: value for key, value in recording.items() if compare.is_curve(key)}


def used(difference: Difference) -> float:
    """Return how much of its bound an error uses; an exact bound is used up by any error."""
    if difference.bound == 0.0:
        return float("inf") if difference.error else 0.0
    return difference.error / difference.bound


def _lead(fleet: Fleet, keras: Engine, case: Case, watch: Watch) -> Case:
    with fleet.borrow(keras) as process:
        return case.lead(process, lambda *event: watch("keras", case.dtype, *event[:3]))


def _climb(fleet: Fleet, engine: Engine, lead: Future[Case], watch: Watch) -> Answer:
    try:
        case = lead.result()
        with fleet.borrow(engine) as process:
            recording, about = case.climb(
                process, lambda *event: watch(engine.name, case.dtype, *event[:3])
            )
        return Answer(recording, about)
    except ParityError as error:
        return Answer(problem=str(error))


def _stock(fleet: Fleet, keras: Engine, lead: Future[Case], watch: Watch) -> Arrays | str:
    """Return the curves of the stock optimizer, or why there are none."""
    try:
        case = lead.result()
        if case.pair.steps:  # the gap shows in the first steps of a short curve
            short = shortened(case.order, STOCK_STEPS, case.pair)
            case = dataclasses.replace(case, order=short)
        with fleet.borrow(keras) as process:
            return case.stock(process, lambda *event: watch("stock", case.dtype, *event[:3]))
    except ParityError as error:
        return f"the stock optimizer could not be run: {error}"


def _recorded(outcome: Outcome, lead: Future[Case]) -> dict[str, Answer]:
    """Return the recording of TensorFlow 1.15.5 for this very case, if there is one."""
    try:
        case = lead.result()
        found = goldens.load(case)
    except ParityError as error:
        return {RECORDED: Answer(problem=str(error))}
    if found is None:
        note = (
            "no recording of TensorFlow 1.15.5 fits this run: they are of the default steps, "
            "seed 0 and one corpus; `tox -e oracle` compares with the live engine"
        )
        outcome.notes.append(note)
        return {}
    recording, whole = found
    return {RECORDED: Answer(recording, whole=whole)}
