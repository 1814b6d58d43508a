"""The use cases behind the command: prove pairs, renew recordings."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Protocol

from datasets.dataset import DataError, Dataset, Origin
from parity import checks, clock, provenance, repeats, store, verdicts
from parity.cases import DTYPES
from parity.engines import ROOT, references
from parity.errors import BAD_INPUT, ENGINE_FAILED, INTERRUPTED, BadInput, ParityError
from parity.executor import Executor
from parity.figures import Summary, summarize
from parity.history import History
from parity.moved import REPEATS, Moved, compare, grown
from parity.options import Options
from parity.pair import Pair
from parity.reports import files, survey
from parity.results import Outcome, Run, gravest
from parity.sides import Watch
from parity.store import Store

VERDICTS = 256 << 20  # bytes that kept verdicts may take
PAIRS_AT_ONCE = 3  # enough that no core waits for the last job of a pair

Loaded = tuple[Outcome, Pair, Dataset]


class Listener(Protocol):
    """Who is told how a run gets on."""

    def expect(self, pairs: int) -> None:
        """So many pairs are to be proved."""

    def loaded(self, origin: Origin) -> None:
        """A corpus was loaded."""

    def begin(self, pair: str) -> None:
        """A pair is being proved."""

    def watch(self, pair: str) -> Watch:
        """Return what is called with every step of a pair's progress."""

    def finish(self, outcome: Outcome) -> None:
        """A pair has its verdict."""


def prove(
    run: Run,
    pairs: Sequence[Pair],
    options: Options,
    folder: Path,
    listener: Listener,
    history: History | None = None,
    baseline: Summary | None = None,
    lent: Executor | None = None,
) -> Moved | None:
    """Prove pairs side by side; write results and JUnit XML, however it ends.

    After the proof, where it is asked for, differences are repeated and steps are timed.

    Args:
        run: is filled with what is found, as it is found.
        pairs: what to prove.
        options: what is asked, and of whom.
        folder: where results go.
        listener: is told how the run gets on.
        history: gets the run's figures.
        baseline: what the run is held against: it ends with exit code 1 where something is worse.
        lent: running engines, which the run leaves running; it starts its own if None.

    Returns:
        What moved from the baseline, if there is one.

    Raises:
        BadInput: the folder or the history cannot be written.
        DataError: corpora are not in order; the other pairs are proved before.
    """
    writable(folder)
    if history:
        history.prepare()
    run.options = options.asked
    moved: Moved | None = None
    loaded: list[Loaded] = []
    logs = folder / "logs"
    if not lent:
        shutil.rmtree(logs, ignore_errors=True)  # an old log would explain a new failure
    logs.mkdir(exist_ok=True)
    began = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            pool = stack.enter_context(threads())
            kept = Store(store.default_folder())
            known = Store(store.default_folder() / "verdicts", VERDICTS)
            executor = lent or stack.enter_context(_executor(logs, options, kept))
            verdicts.prepare(pairs, executor, options)
            unread = _prove_all(run, pairs, options, listener, pool, executor, known, loaded)
            _repeat(run, loaded, executor, options, baseline, listener)
            run.notes += [*(lent.notes if lent else kept.notes), *known.notes]
        if unread:
            raise DataError("\n".join(unread))
        if options.measure:
            survey.write(folder, run.outcomes)
        if options.rounds:  # no engine is at work any more
            _time(loaded, logs, options, listener)
        run.exit_code = run.verdict
        if baseline:
            moved = compare(baseline, summarize(run, "this run"))
            run.exit_code = gravest([run.verdict, moved.exit_code])
    except BaseException as error:
        run.exit_code = _code(error)
        raise
    finally:
        run.seconds = round(time.monotonic() - began, 1)
        files.write(folder, run, moved)
        if history and run.outcomes:
            history.append(summarize(run, "this run"))
    return moved


def record(pairs: Sequence[Pair], timeout: float, listener: Listener) -> Iterator[str]:
    """Renew the recordings of TensorFlow 1.15.5; yield their paths as they are written.

    Raises:
        EngineFailed: TensorFlow 1.15.5 is not here.
    """
    options = Options(references(["tf1"]), device="cpu", timeout=timeout)
    with contextlib.ExitStack() as stack:
        folder, pool = stack.enter_context(scratch()), stack.enter_context(threads())
        executor = stack.enter_context(_executor(folder, options, Store(store.default_folder())))

        def keep(pair: Pair, dataset: Dataset, dtype: str) -> str:
            return checks.record(pair, dtype, dataset, executor, listener.watch(pair.name))

        loaded = [(pair, _load(pair, listener)) for pair in pairs]
        futures = [pool.submit(keep, *each, dtype) for each in loaded for dtype in DTYPES]
        for future in as_completed(futures):
            yield future.result()


def begun() -> Run:
    """Return a run that begins now, with the version, the commit and the machine that it is of."""
    return Run(
        outcomes=[],
        version=metadata.version("tf-parity"),
        commit=_commit(),
        python=platform.python_version(),
        machine=_machine(),
        started=_now(),
    )


def writable(folder: Path) -> None:
    """Make sure that results can be written, before hours are spent on them.

    Raises:
        BadInput: they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(
            f"cannot write to {folder}: {error.strerror}",
            mend="choose another folder with --output",
        ) from error


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Lend a folder for the engines' logs; it stays only where an error may send a reader there."""
    folder = Path(tempfile.mkdtemp(prefix="parity-logs-"))
    yield folder
    shutil.rmtree(folder)


@contextlib.contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """Lend threads for pairs that are proved side by side; what has not begun is dropped."""
    pool = ThreadPoolExecutor(PAIRS_AT_ONCE)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _prove_all(
    run: Run,
    pairs: Sequence[Pair],
    options: Options,
    listener: Listener,
    pool: ThreadPoolExecutor,
    executor: Executor,
    known: Store,
    loaded: list[Loaded],
) -> list[str]:
    """Prove every pair whose corpus can be had; return what is wrong with the other corpora."""

    def one(outcome: Outcome, pair: Pair, dataset: Dataset) -> None:
        listener.begin(pair.name)
        name = verdicts.digest(pair, dataset, executor, options)
        found = None if options.fresh else verdicts.load(known, name)
        if found:
            vars(outcome).update(vars(found))
        else:
            _prove_one(outcome, pair, dataset, options, executor, listener)
            verdicts.save(known, name, outcome)
        listener.finish(outcome)

    listener.expect(len(pairs))
    futures, unread = [], []
    for pair in pairs:
        try:  # here, not in a thread: an interrupt must not wait for a download
            dataset = _load(pair, listener)
        except DataError as error:
            unread.append(f"{pair.name}: {error}")
            continue
        run.outcomes.append(Outcome(pair.name, dataset.origin))
        loaded.append((run.outcomes[-1], pair, dataset))
        futures.append(pool.submit(one, *loaded[-1]))
    for future in as_completed(futures):
        future.result()
    return unread


def _repeat(
    run: Run,
    loaded: Sequence[Loaded],
    executor: Executor,
    options: Options,
    baseline: Summary | None,
    listener: Listener,
) -> None:
    """Measure the noise of differences: of all where it was asked for, else where one has grown."""
    number = options.repeats
    wanted = {outcome.pair for outcome, _, _ in loaded}
    if number < 2:
        number = REPEATS
        wanted = set(grown(baseline, summarize(run, "this run"))) if baseline else set()
    for outcome, pair, dataset in loaded:
        if pair.name not in wanted:
            continue
        try:
            watch = listener.watch(pair.name)
            repeats.repeat(outcome, pair, dataset, executor, options, number, watch)
        except ParityError as error:
            outcome.notes.append(f"the noise of its differences is not known: {error}")


def _time(loaded: Sequence[Loaded], logs: Path, options: Options, listener: Listener) -> None:
    """Time every pair, one after the other."""
    for outcome, pair, dataset in loaded:
        try:
            clock.time_pair(outcome, pair, dataset, logs, options, listener.watch(pair.name))
        except ParityError as error:
            outcome.notes.append(f"its steps could not be timed: {error}")


def _prove_one(
    outcome: Outcome,
    pair: Pair,
    dataset: Dataset,
    options: Options,
    executor: Executor,
    listener: Listener,
) -> None:
    began, outcome.started = time.monotonic(), _now()
    checks.prove(
        outcome,
        pair,
        dataset,
        executor,
        options.references,
        options.dtypes,
        options.steps,
        options.seed,
        options.stock,
        options.measure,
        listener.watch(pair.name),
    )
    outcome.seconds = round(time.monotonic() - began, 1)


def _load(pair: Pair, listener: Listener) -> Dataset:
    dataset = pair.data.load()
    listener.loaded(dataset.origin)
    return dataset


def _executor(logs: Path, options: Options, kept: Store) -> Executor:
    return Executor(
        logs,
        options.device,
        options.timeout,
        threads=options.threads,
        kept=kept,
        fresh=options.fresh,
    )


def _code(error: BaseException) -> int:
    """Return the exit code that an error ends a run with."""
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        return INTERRUPTED
    if isinstance(error, ParityError):
        return error.exit_code
    return BAD_INPUT if isinstance(error, DataError) else ENGINE_FAILED


def _commit() -> str:
    """Return the checkout's commit, with a plus sign if files were changed; empty if installed."""
    if not (ROOT / ".git").exists():
        return ""
    try:
        head, changed = (
            subprocess.run(
                ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout.strip()
            for arguments in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if changed else "")


def _machine() -> str:
    """Return the processor, and the instruction set that kernels are held to, if any."""
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    processor = provenance.fingerprint(None)["processor"]
    return processor + (f", ONEDNN_MAX_CPU_ISA={limit}" if limit else "")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
