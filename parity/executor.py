"""Puts requests to engines: a few processes, a queue, and the answers that were kept.

`submit` is all that the checks know of it. A request is plain data, so another executor may hand it
to a scheduler or to another machine.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from parity import provenance
from parity.cases import Request
from parity.engines import ROOT, Engine
from parity.process import Process, Progress, write_payload
from parity.store import Store


@dataclasses.dataclass(frozen=True)
class Answer:
    """What an engine answered to a request, in its own names.

    Args:
        arrays: by name.
        about: versions and device.
        started: when the engine began, ISO 8601 in UTC.
        seconds: how long it worked.
        kept: True if it was asked in an earlier run.
    """

    arrays: Mapping[str, np.ndarray]
    about: Mapping[str, str]
    started: str = ""
    seconds: float = 0.0
    kept: bool = False


class ClosedError(Exception):
    """The run is over: nothing that comes after says anything about a pair."""


class Executor:
    """The running engines of one run, as many at work as there are cores.

    By default each engine computes with one thread, so that its sums come out in one order however
    many work side by side. An engine that died is replaced when one is next asked for.

    Args:
        logs: folder for the engines' logs.
        device: passed to every engine.
        timeout: seconds without a sign of life before an engine counts as hung.
        workers: engines that may work at the same time; by default one a core.
        threads: threads that each engine may compute with; 0 leaves it the choice.
        kept: answers of earlier runs, and where to keep new ones; None for neither.
        fresh: ask everything anew, and keep that.
    """

    def __init__(
        self,
        logs: Path,
        device: str = "",
        timeout: float = 300,
        workers: int | None = None,
        threads: int = 1,
        kept: Store | None = None,
        fresh: bool = False,
    ) -> None:
        self._logs, self._device, self._timeout, self._threads = logs, device, timeout, threads
        self._kept, self._fresh = kept, fresh
        self._pool = ThreadPoolExecutor(workers or cores())
        self._lock = threading.Lock()
        self._started: list[Process] = []
        self._idle: list[tuple[Process, Any]] = []  # with the model that each has built
        self._closed = False
        self._payload = tempfile.TemporaryDirectory(prefix="parity-payload-")
        write_payload(Path(self._payload.name))
        self._known: dict[str, dict[str, Any]] = {}  # engine -> machine and runner

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            started = list(self._started)
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in started:
            process.end()
        self._pool.shutdown()
        self._payload.cleanup()

    @property
    def notes(self) -> list[str]:
        """What a user should know of the answers that were kept: one line each."""
        return list(self._kept.notes) if self._kept else []

    def submit(
        self, request: Request, progress: Progress = lambda *_: None, keep: bool = True
    ) -> Future[Answer]:
        """Queue a request; the future holds its answer, or what went wrong.

        Args:
            request: what is asked of whom.
            progress: called with every step.
            keep: look for a kept answer, and keep this one.
        """
        return self._pool.submit(self._answer, request, progress, keep)

    def _answer(self, request: Request, progress: Progress, keep: bool) -> Answer:
        digest = self._digest(request) if keep and self._kept else ""
        found = self._kept.load(digest) if digest and self._kept and not self._fresh else None
        if found is not None:
            about = found.about
            return Answer(found.arrays, about["about"], about["started"], about["seconds"], True)
        process = self._take(request)
        started, clock = datetime.now(timezone.utc).isoformat(timespec="seconds"), time.monotonic()
        try:
            result = process.run(request.job, request.arrays, progress)
        except BaseException as error:
            process.end()  # its state is unknown
            if self._closed:
                raise ClosedError("the run is over") from error
            raise
        seconds = time.monotonic() - clock
        with self._lock:
            self._idle.append((process, request.job.model))
        if digest and self._kept:
            about = {"about": dict(result.about), "started": started, "seconds": seconds}
            self._kept.save(digest, about, result.arrays)
        return Answer(result.arrays, result.about, started, seconds)

    def _take(self, request: Request) -> Process:
        """Return an idle process, best one that has built the very model, or a new one."""
        engine = request.engine
        with self._lock:
            if self._closed:
                raise ClosedError("the run is over")
            mine = [entry for entry in self._idle if entry[0].engine == engine]
            if mine:
                same = [entry for entry in mine if entry[1] == request.job.model]
                entry = (same or mine)[0]
                self._idle.remove(entry)
                return entry[0]
            number = sum(process.engine == engine for process in self._started) + 1
            process = Process(
                engine,
                self._logs / f"{engine.name}-{number}.log",
                Path(self._payload.name),
                self._device,
                self._timeout,
                self._threads,
            )
            self._started.append(process)
            return process

    def circumstances(self, engine: Engine, *builders: str) -> dict[str, Any]:
        """Return all that decides an engine's answers, besides its questions.

        Args:
            engine: the engine.
            builders: ``module:attribute`` of what it is to build; empty ones count for nothing.
        """
        return {
            "engine": [engine.name, engine.family, dict(engine.environment)],
            "device": self._device,
            "threads": self._threads,
            "machine": self._of_engine(engine),
            "sources": [provenance.sources(builder, self._paths(builder)) for builder in builders],
        }

    def _digest(self, request: Request) -> str:
        """Return what names a question and all that decides its answer."""
        model = request.job.model
        around = self.circumstances(request.engine, model.builder, model.optimizer)
        return provenance.digest({"job": request.job.to_json(), **around}, request.arrays)

    def _of_engine(self, engine: Engine) -> dict[str, Any]:
        """Return what of machine and runner decides an answer; it stays as it is for a run."""
        with self._lock:
            if engine.name not in self._known:
                runner = provenance.sources("parity.runners.__main__:main", self._paths())
                runner.update(provenance.sources(f"parity.runners.{engine.family}:", self._paths()))
                machine = provenance.fingerprint(engine.python())
                self._known[engine.name] = {"machine": machine, "runner": runner}
            return self._known[engine.name]

    def _paths(self, builder: str = "") -> list[Path]:
        """Return the folders in which an engine may find a builder."""
        named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        folders = [Path(folder) for folder in named if folder]
        return [Path(self._payload.name), *folders, Path.cwd(), ROOT, *_installed(builder)]


def _installed(builder: str) -> list[Path]:
    """Return the folder of a user's package that is installed, in a site-packages or as a link.

    A framework's version stands for it.
    """
    package = builder.partition(":")[0].partition(".")[0]
    if not package or builder.endswith(".npz") or provenance.computes(package):
        return []
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # a module that was made without a file
        return []
    if spec is None:
        return []
    places = spec.submodule_search_locations or [spec.origin or ""]
    return [Path(place).parent for place in places if place]


def cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1
