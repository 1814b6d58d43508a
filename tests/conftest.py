"""What tests of several folders share."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import cast

import pytest

from parity import checks, cli
from parity.cases import Case, Request, make_case
from parity.engines import find, tf1_python
from parity.executor import Answer, Executor
from parity.keys import RUNGS
from parity.pair import Pair
from parity.process import Progress
from parity.results import Outcome
from parity.sides import Desk, Live
from parity.wire import Arrays
from tests.conformance.tiny import tiny
from tests.parity.commands import Command, Ended
from tests.parity.samples import ABOUT, MADE_UP

# Pair and dtype -> its tiny case, and the graph engine that answers it.
Judge = Callable[[str, str], tuple[Case, Live]]


def quiet(*_: object) -> None:
    """Watch no progress."""


def pytest_configure() -> None:
    # A shell that put the suite in the background has it, and all it starts, ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup() -> None:
    # TensorFlow 2 has its children be eager, too; a TensorFlow 1.15 that a test starts must not be.
    os.environ.pop("TF2_BEHAVIOR", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine-threads",
        type=int,
        default=1,
        help="Threads that the engines of the tests compute with: another number, other rounding.",
    )


@pytest.fixture(scope="session")
def executor(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Executor]:
    """The engines of all tests: starting one takes seconds, because it imports TensorFlow."""
    logs = tmp_path_factory.mktemp("engines")
    threads = pytestconfig.getoption("engine_threads")
    with Executor(logs, device="cpu", timeout=600, workers=1, threads=threads) as running:
        yield running


@pytest.fixture(scope="session")
def judge(executor: Executor) -> Judge:
    """Has the graph engine climb a pair's tiny case in a dtype, once for all tests."""

    @functools.cache
    def led(name: str) -> Case:
        pair, dataset = tiny(name)
        return checks.lead(desk_for(pair, executor), make_case(pair, "float32", dataset))

    @functools.cache
    def sit(name: str, dtype: str) -> tuple[Case, Live]:
        case = led(name).in_dtype(dtype)
        truth = sit(name, "float64")[1] if dtype == "float32" else None
        return case, live(executor, "graph", case, case.pair.rungs, truth)

    return sit


@pytest.fixture
def parity(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in this process."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["parity", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return Ended(int(stop.value.code or 0), out, err)

    return run


@pytest.fixture
def tf1() -> None:
    """Skips where TensorFlow 1.15.5 is not."""
    if tf1_python() is None:
        pytest.skip("PARITY_TF1_PYTHON is not set: no TensorFlow 1.15.5 to ask")


def desk_for(pair: Pair, executor: Executor) -> Desk:
    """Return a desk whose account nobody reads."""
    return Desk(pair, executor, Outcome(pair.name, MADE_UP))


def live(
    executor: Executor,
    engine: str,
    case: Case,
    rungs: tuple[str, ...] = RUNGS,
    truth: Live | None = None,
) -> Live:
    """Return an engine that is asked a case, at a desk of its own."""
    return Live(desk_for(case.pair, executor), find(engine), case, rungs, truth)


class FakeEngines:
    """Stands in for an executor: a function answers every request at once.

    Args:
        answer: is given the request; returns arrays in the engine's own names, or raises.

    Attributes:
        requests: all that was asked, in order.
    """

    def __init__(self, answer: Callable[[Request], Arrays]) -> None:
        self._answer = answer
        self.requests: list[Request] = []

    def submit(
        self, request: Request, progress: Progress = quiet, keep: bool = True
    ) -> Future[Answer]:
        """Answer a request, or keep what went wrong, as an executor does."""
        self.requests.append(request)
        future: Future[Answer] = Future()
        try:
            future.set_result(Answer(self._answer(request), ABOUT))
        except Exception as error:
            future.set_exception(error)
        return future

    def as_executor(self) -> Executor:
        """Return itself, as what it stands in for."""
        return cast(Executor, self)
