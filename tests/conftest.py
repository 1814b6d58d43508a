"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from parity.cases import Case
from parity.checks import Answer, Fleet, make_case
from parity.engines import find, tf1_python
from tests.conformance.tiny import tiny

# Pair and dtype -> its tiny case, and what the graph engine recorded.
Judge = Callable[[str, str], tuple[Case, Answer]]


def quiet(*_: object) -> None:
    """Watch no progress."""


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The engines of all tests: starting one takes seconds, because it imports TensorFlow."""
    with Fleet(tmp_path_factory.mktemp("engines"), device="cpu", timeout=120, workers=1) as running:
        yield running


@pytest.fixture(scope="session")
def judge(fleet: Fleet) -> Judge:
    """Has the graph engine climb a pair's tiny case, once for all tests."""
    known: dict[tuple[str, str], tuple[Case, Answer]] = {}

    def climb(name: str, dtype: str) -> tuple[Case, Answer]:
        if (name, dtype) not in known:
            pair, dataset = tiny(name)
            with fleet.borrow(find("keras")) as keras:
                case = make_case(pair, dtype, dataset).lead(keras, quiet)
            known[name, dtype] = case, answer(fleet, "graph", case)
        return known[name, dtype]

    return climb


def answer(fleet: Fleet, engine: str, case: Case) -> Answer:
    """Return what an engine records of a case."""
    with fleet.borrow(find(engine)) as process:
        return Answer(*case.climb(process, quiet))


@pytest.fixture
def tf1() -> None:
    """Skips where TensorFlow 1.15.5 is not."""
    if tf1_python() is None:
        pytest.skip("PARITY_TF1_PYTHON is not set: no TensorFlow 1.15.5 to ask")
