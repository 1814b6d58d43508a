"""What a training step costs: who is asked what, and what of the answers is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity import clock
from parity.cases import Request
from parity.clock import PROCESSES
from parity.engines import find
from parity.executor import Executor
from parity.options import Options
from parity.results import Outcome
from parity.runners import timing
from parity.wire import Arrays
from tests.conformance.tiny import tiny
from tests.conftest import FakeEngines
from tests.parity.samples import MADE_UP

OPTIONS = Options([find("graph")], device="cpu", timeout=9, threads=2, rounds=3)
NAMES = ("seconds", "processor", "yardstick")


class Processes:
    """Counts the executors, each of a fresh process; of a round's three the second is fastest."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, memory: float = 5e8) -> None:
        self.opened: list[tuple[Any, ...]] = []
        self.engines = FakeEngines(self._answer)
        self._memory = memory
        monkeypatch.setattr(clock, "Executor", self._open)

    @contextlib.contextmanager
    def _open(self, *options: Any) -> Iterator[Executor]:
        self.opened.append(options)
        yield self.engines.as_executor()

    def _answer(self, request: Request) -> Arrays:
        turn, engine = divmod(len(self.opened) - 1, 2)
        number, place = divmod(turn, PROCESSES)
        least = (10 * number + 2 * engine + (3, 1, 2)[place]) * 1e-3
        times = {name: np.array([2, 1, 3]) * least for name in NAMES}
        return {**times, "memory": np.asarray(self._memory + least)}


def timed(folder: Path, name: str = "sms_rnn") -> Outcome:
    pair, dataset = tiny(name)
    outcome = Outcome(pair.name, MADE_UP)
    clock.time_pair(outcome, pair, dataset, folder, OPTIONS)
    return outcome


def test_every_round_is_of_fresh_processes_and_the_sides_take_turns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    processes = Processes(monkeypatch)
    timed(tmp_path)
    assert processes.opened == [(tmp_path, "cpu", 9, 1, 2)] * 6 * PROCESSES
    asked = [request.engine.name for request in processes.engines.requests]
    assert asked == ["graph", "keras"] * 3 * PROCESSES


def test_the_fastest_step_of_every_round_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Processes(monkeypatch)
    graph, keras = timed(tmp_path).times
    for found, expected in ((graph, (0.001, 0.011, 0.021)), (keras, (0.003, 0.013, 0.023))):
        for name in NAMES:
            assert getattr(found, name) == pytest.approx(expected)
        assert found.memory == tuple(5e8 + each for each in expected)
        assert found.steps == 3


def test_memory_that_nobody_counts_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Processes(monkeypatch, float("nan"))
    assert [each.memory for each in timed(tmp_path).times] == [(), ()]


def test_the_model_is_trained_as_users_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    processes = Processes(monkeypatch)
    timed(tmp_path, "imdb_glove_dense")
    for request in processes.engines.requests[:2]:
        assert (request.job.kind, request.job.model.replay) == ("time", "")
        assert len(request.arrays["sizes"]) == timing.WARM_UP + clock.STEPS
        assert not [name for name in request.arrays if name.startswith("masks/")]
    graph, keras = processes.engines.requests[:2]
    assert "given/embedding" in graph.arrays
    assert "given/embedding/embeddings" in keras.arrays


@pytest.mark.parametrize("engine", ["graph", "keras"])
def test_an_engine_times_its_steps(executor: Executor, engine: str) -> None:
    pair, dataset = tiny("sms_rnn")
    request = clock._request(pair, dataset, find(engine), Options([], device="cpu"))
    found = executor.submit(request, keep=False).result().arrays
    steps = len(found["seconds"])
    assert timing.FEWEST <= steps <= clock.STEPS
    for name in NAMES:
        assert found[name].shape == (steps,)
        assert (found[name] > 0).all()
    assert 1e8 < found["memory"] < 1e11, "bytes, not kilobytes"
