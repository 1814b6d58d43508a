"""Planted faults, real engines: every wrong layer is named, and no other one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from parity import checks, engines, graphfile, pairfile
from parity.asking import Said
from parity.cases import make_case
from parity.engines import find
from parity.errors import DIFFERENCE, EngineFailed
from parity.executor import Executor
from parity.feeds import Fed
from parity.harvesting import Source, harvest
from parity.judging import compare_two
from parity.locating import Found, look, with_layers
from parity.pair import Pair
from parity.results import Comparison
from parity.segments import Segments
from parity.sides import Live
from parity.wire import Arrays
from tests.conftest import FakeEngines, Judge, desk_for, live

SCRIPTS = Path(__file__).parent / "scripts"
LOW = ("variables", "forward")

Ask = Callable[..., tuple[Comparison, Segments | None]]


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("harvested")
    for name in ("stacked", "tiny_cnn", "tiny_rnn"):
        path = folder / f"{name}.graph.npz"
        harvest(Source(str(SCRIPTS / f"{name}.py")), path, engines.find("graph"))
    return folder


@pytest.fixture
def ask(harvested: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Has a Keras model's forward rung compared with a script's, and its layers looked at."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))

    def compared(
        script: str, model: str, weights: dict[str, str] | None = None, engine: str = "graph"
    ) -> tuple[Comparison, Segments | None]:
        path = harvested / f"{script}.graph.npz"
        pair = proposed(executor, script, path, f"tests.parity.rewrites:{model}", weights or {})
        dataset = pair.data.load()
        desk = desk_for(pair, executor)
        case = checks.lead(desk, make_case(pair, "float32", dataset, 1)).in_dtype("float64")
        left, right = (Live(desk, find(name), case, LOW) for name in (engine, "keras"))
        found = with_layers(compare_two(pair, left, right, LOW), left, right, {})
        return found, found.segments

    return compared


def proposed(
    executor: Executor, name: str, path: Path, keras: str, weights: dict[str, str]
) -> Pair:
    answer = executor.submit(pairfile.question(name, keras)).result()
    description = pairfile.described(answer.arrays)
    fed = Fed(graphfile.read(str(path)))
    said = Said(weights=weights)
    return pairfile.propose_pair(name, path, fed, keras, description, said).pair


def wrong(segments: Segments | None) -> dict[str, str]:
    """Return every layer that is not right, with what is said of it."""
    assert segments is not None
    assert not segments.problem
    return {each.layer: each.verdict for each in segments.layers if each.verdict != "right"}


@pytest.mark.parametrize(
    ("script", "model", "named"),
    [
        ("tiny_cnn", "wrong_activation", ["right"]),
        ("tiny_cnn", "both_filters", ["left", "right"]),
        ("tiny_cnn", "padded_filters", ["left", "right"]),
        ("tiny_rnn", "backwards", ["lstm"]),
        ("stacked", "gates_of_tf1", ["lstm"]),
        ("stacked", "padded_in_front", ["conv"]),
        ("stacked", "transposed", ["square"]),
        ("stacked", "other_activation", ["square"]),
        ("stacked", "no_activation", ["conv"]),
        ("stacked", "no_last_activation_but_one", ["hidden"]),
        ("stacked", "one_activation_more", ["extra"]),
        ("stacked", "two_faults", ["conv", "square"]),
        ("stacked", "two_neighbours", ["hidden", "square"]),
        ("stacked", "three_faults", ["conv", "hidden", "lstm"]),
        ("stacked", "last_layer", ["output"]),
    ],
)
def test_the_wrong_layers_are_named_and_no_other(
    ask: Ask, script: str, model: str, named: list[str]
) -> None:
    found, segments = ask(script, model)
    assert found.failed_rung == "forward"
    assert sorted(wrong(segments).items()) == [(name, "wrong") for name in named]
    assert segments is not None
    # As far off as a fault is, and not as rounding is: values are the same within 1e-9.
    errors = [each.error for each in segments.layers if each.verdict == "wrong" and each.error]
    assert all(error > 1e-3 for error in errors)
    first = min(i for i, each in enumerate(segments.layers) if each.layer in named)
    assert [each.fed for each in segments.layers[:first]] == [False] * first


@pytest.mark.parametrize(
    ("script", "weights", "named"),
    [
        ("tiny_cnn", {"conv-left/W": "right/kernel"}, ["left", "right"]),
        ("stacked", {"square/kernel": "hidden/kernel"}, ["hidden", "square"]),
    ],
)
def test_layers_whose_weights_were_exchanged_are_named(
    ask: Ask, script: str, weights: dict[str, str], named: list[str]
) -> None:
    found, segments = ask(script, script, weights)
    assert found.failed_rung == "forward"
    assert sorted(wrong(segments)) == named


def test_of_two_wrong_layers_in_a_row_nothing_is_made_up(ask: Ask) -> None:
    _, segments = ask("stacked", "two_in_a_row")
    assert wrong(segments) == {"hidden": "open", "output": "open"}


@pytest.mark.parametrize("script", ["tiny_cnn", "tiny_rnn", "stacked"])
def test_a_right_model_is_asked_nothing(ask: Ask, script: str) -> None:
    found, segments = ask(script, script)
    assert (found.failed_rung, segments) == ("", None)


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_tensorflow_1_is_asked_as_well(
    tmp_path: Path, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stacked.graph.npz"
    harvest(Source(str(SCRIPTS / "stacked.py")), path, engines.find("tf1"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pair = proposed(executor, "stacked", path, "tests.parity.rewrites:two_faults", {})
    desk = desk_for(pair, executor)
    case = checks.lead(desk, make_case(pair, "float32", pair.data.load(), 1))
    left, right = (Live(desk, find(name), case, LOW) for name in ("tf1", "keras"))
    assert wrong(look(left, right)) == {"conv": "wrong", "square": "wrong"}


def test_the_layers_of_a_shipped_pair_are_right_and_a_broken_one_is_named(
    executor: Executor, judge: Judge
) -> None:
    case, reference = judge("sms_rnn", "float32")
    assert wrong(look(reference, live(executor, "keras", case, LOW))) == {}
    broken = dataclasses.replace(case.pair, keras="tests.parity.broken_twins:stronger_memory")
    candidate = live(executor, "keras", dataclasses.replace(case, pair=broken), LOW)
    known: Found = {}
    found = with_layers(
        compare_two(case.pair, reference, candidate, LOW), reference, candidate, known
    )
    assert found.exit_code == DIFFERENCE
    assert wrong(found.segments) == {"rnn": "wrong"}
    assert known == {("graph", "keras"): found.segments}


def test_what_cannot_be_looked_at_is_said_and_the_difference_stands(judge: Judge) -> None:
    case, reference = judge("sms_rnn", "float64")

    def dying(_: object) -> Arrays:
        raise EngineFailed("it died")

    desk = desk_for(case.pair, FakeEngines(dying).as_executor())
    left, right = (Live(desk, find(name), case) for name in ("graph", "keras"))
    answer = reference.recording()
    name = next(name for name in answer if name.startswith("forward/eval/"))
    left._found, right._found = answer, {**answer, name: np.asarray(answer[name]) + 1}
    found = with_layers(compare_two(case.pair, left, right, LOW), left, right, {})
    assert found.exit_code == DIFFERENCE
    assert found.segments == Segments(problem="it died")
