"""Who sits at the table: engines that answer now, and TensorFlow 1.15.5 from its recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

import numpy as np

from parity import keys, rounding
from parity.cases import Case, Request, to_shared
from parity.comparing import Recording
from parity.engines import Engine
from parity.executor import Answer, Executor
from parity.goldens import Golden
from parity.keys import RUNGS
from parity.pair import Pair
from parity.results import RECORDED, JobRecord, Outcome
from parity.wire import Arrays

# engine, dtype, stage, steps done, steps in all
Watch = Callable[[str, str, str, int, int], None]


class Side(Protocol):
    """One engine at the table, on one case."""

    name: str
    case: Case

    def recording(self) -> Recording:
        """Return what it answered, in shared names."""

    def own(
        self, rung: str, twins: int, truth: bool = True
    ) -> tuple[Mapping[str, np.ndarray], int]:
        """Return its own rounding on a rung, and the number of answers that this rests on."""


class Desk:
    """Asks engines about one pair, and keeps account of what was asked.

    Args:
        pair: the pair.
        executor: runs the engines.
        outcome: gets a record of every job, and the versions of every engine.
        watch: called with every step of progress.
    """

    def __init__(
        self, pair: Pair, executor: Executor, outcome: Outcome, watch: Watch = lambda *_: None
    ) -> None:
        self.pair, self._executor, self._outcome, self._watch = pair, executor, outcome, watch
        self._asked: list[tuple[str, str, Future[Answer]]] = []

    def put(self, request: Request, what: str) -> Future[Answer]:
        """Queue a request; `what` says in a word or two what it is for."""
        engine, dtype = request.engine.name, request.job.model.dtype
        future = self._executor.submit(
            request, lambda *event: self._watch(engine, dtype, f"{what} {event[0]}", *event[1:3])
        )
        self._asked.append((engine, f"{dtype} {what}", future))
        return future

    def shared(self, engine: Engine, future: Future[Answer]) -> Arrays:
        """Wait for an answer and return it in shared names."""
        return to_shared(self.pair, engine, future.result().arrays)

    def account(self) -> None:
        """Write down every question that was answered, and what answered it."""
        for engine, what, future in self._asked:
            if not future.done() or future.cancelled() or future.exception():
                continue
            answer = future.result()
            record = JobRecord(engine, what, answer.started, round(answer.seconds, 2), answer.kept)
            self._outcome.jobs.append(record)
            self._outcome.engines[engine] = answer.about
        self._asked.clear()


class Live:
    """An engine that answers now.

    Args:
        desk: asks it.
        engine: the engine.
        case: the question.
        rungs: that it is asked for at once.
        truth: the same engine on the same question in float64, if that is asked anyway.
    """

    def __init__(
        self,
        desk: Desk,
        engine: Engine,
        case: Case,
        rungs: tuple[str, ...] = RUNGS,
        truth: Live | None = None,
    ) -> None:
        self.name, self.case, self.engine, self.desk = engine.name, case, engine, desk
        self.truth = truth
        self._asked = desk.put(case.climb(engine, rungs), "climb")
        self._found: Recording | None = None
        self._others: dict[tuple[str, int], Future[Answer]] = {}

    def recording(self) -> Recording:
        """Wait for the answer and return it in shared names."""
        if self._found is None:
            self._found = self.desk.shared(self.engine, self._asked)
        return self._found

    def own(
        self, rung: str, twins: int, truth: bool = True
    ) -> tuple[Mapping[str, np.ndarray], int]:
        """Measure its rounding on a rung: by so many twins and, in float32, by its truth.

        A candidate is measured without its truth: that would excuse a fault which it has in
        float32 alone.
        """
        for number in range(1, twins + 1):
            if (rung, number) not in self._others:
                request = self.case.twin(number).climb(self.engine, (rung,))
                self._others[rung, number] = self.desk.put(request, f"twin {number}")
        others: list[Recording] = []
        if truth and self.case.dtype == "float32":
            others.append(self._true(rung))
        futures = [self._others[rung, number] for number in range(1, twins + 1)]
        others += [self.desk.shared(self.engine, future) for future in futures]
        mine = {k: v for k, v in self.recording().items() if keys.parse(k).rung == rung}
        return rounding.own_rounding(mine, others, self.case.dtype), len(others)

    def drop(self) -> None:
        """Do without the answer, if nobody works on it yet."""
        self._asked.cancel()

    def snapshots(self, after: Sequence[int]) -> Recording:
        """Return a free run with its state after so many steps."""
        steps = tuple(self.case.start + each - 1 for each in after if each)
        request = self.case.climb(self.engine, ("curve",), steps)
        return self.desk.shared(self.engine, self.desk.put(request, "anchors"))

    def _true(self, rung: str) -> Recording:
        if self.truth is None:
            self.truth = Live(self.desk, self.engine, self.case.in_dtype("float64"), (rung,))
        found = self.truth.recording()
        if not any(keys.parse(key).rung == rung for key in found):
            if (rung, 0) not in self._others:
                request = self.truth.case.climb(self.engine, (rung,))
                self._others[rung, 0] = self.desk.put(request, "truth")
            found = self.desk.shared(self.engine, self._others[rung, 0])
        return found


class Recorded:
    """TensorFlow 1.15.5, from its recording.

    Args:
        case: the question.
        golden: the recording that answers it.
    """

    name = RECORDED

    def __init__(self, case: Case, golden: Golden) -> None:
        self.case, self.golden = case, golden

    def recording(self) -> Recording:
        """Return the recorded samples."""
        return self.golden.recording

    def own(
        self, rung: str, twins: int, truth: bool = True
    ) -> tuple[Mapping[str, np.ndarray], int]:
        """Return the rounding that was measured when it was recorded, whatever is asked for."""
        own = {k: v for k, v in self.golden.own.items() if keys.parse(k).rung == rung}
        return own, self.golden.runs
