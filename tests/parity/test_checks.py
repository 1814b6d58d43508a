from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity import engines, goldens, wire
from parity.cases import Case, Request, make_case
from parity.checks import lead, prove
from parity.comparing import SAMPLE, sample
from parity.engines import find
from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED, EngineFailed
from parity.executor import Executor
from parity.goldens import Golden
from parity.judging import ANCHOR_STEPS, compare_two
from parity.keys import RUNGS
from parity.results import RECORDED, STEP_LOSS, Comparison, Outcome
from parity.rounding import MOST_TWINS, TWINS
from parity.sides import Desk, Live, Recorded
from parity.wire import Arrays
from tests.conformance.tiny import LENGTH, VOCABULARY, tiny
from tests.conftest import FakeEngines, desk_for
from tests.parity.samples import ABOUT, MADE_UP, comparison, recording

PAIR, DATASET = tiny("sms_rnn")
STEPS = 6
LINE = np.linspace(1, 0.5, STEPS)  # a loss that falls
LOSS = "loss/train/loss"
ASKED = ("loss", "curve")
FLOAT64 = comparison(dtype="float64")


@functools.cache
def case_of(dtype: str = "float32") -> Case:
    """Return the tiny case, as it is before any engine is there to lead it."""
    shapes = {
        "embedding/embeddings": (VOCABULARY, 50),
        "rnn/simple_rnn_cell/kernel": (50, 10),
        "rnn/simple_rnn_cell/recurrent_kernel": (10, 10),
        "rnn/simple_rnn_cell/bias": (10,),
        "logits/kernel": (10, 2),
        "logits/bias": (2,),
    }
    variables = {f"variables/{name}": np.zeros(shape) for name, shape in shapes.items()}
    masks = {f"masks/{step}/dropout": np.ones((24, LENGTH, 10), bool) for step in range(STEPS)}
    return make_case(PAIR, "float32", DATASET).led({**variables, **masks}).in_dtype(dtype)


def test_a_counter_of_steps_is_no_float_in_either_dtype() -> None:
    slots = {"w/Momentum": np.ones(2, np.float32), "global_step": np.array(3, np.int32)}
    twin = dataclasses.replace(case_of(), slots=slots).in_dtype("float64")
    assert {name: str(value.dtype) for name, value in twin.slots.items()} == {
        "w/Momentum": "float64",
        "global_step": "int32",
    }


# What a request is, for engines that are made up


def what(request: Request) -> str:
    """Return ``climb``, ``truth``, ``twin``, ``states`` or ``anchor``."""
    job, case = request.job, case_of(request.job.model.dtype)
    if job.snapshots:
        return "states"
    if job.start or len(request.arrays["sizes"]) < STEPS:
        return "anchor"
    if job.model.dtype == "float64":
        return "truth"
    known = case.weights
    if request.engine.family != "graph":
        known = PAIR.layout.weights_to_keras(known)
    given = wire.under(dict(request.arrays), "weights")
    same = all(np.array_equal(given[name], value) for name, value in known.items())
    return "climb" if same else "twin"


Reply = Callable[[Request, str, int], Mapping[str, Any]]


class Table:
    """A graph and a Keras engine that are made up, and a comparison of the two.

    Args:
        reply: is given a request, what it is, and how many such ones this engine was asked before;
            returns what differs from a plain answer, or raises.
        rungs: that both are asked for.
    """

    def __init__(self, reply: Reply, rungs: tuple[str, ...] = ASKED) -> None:
        self._reply, self._rungs = reply, rungs
        self._count: dict[tuple[str, str], int] = {}
        self.engines = FakeEngines(self._answer)
        self.desk = Desk(PAIR, self.engines.as_executor(), Outcome("sms_rnn", MADE_UP))
        self.reference, self.candidate = (
            Live(self.desk, find(name), case_of(), rungs) for name in ("graph", "keras")
        )

    def compare(self, **options: Any) -> Comparison:
        return compare_two(PAIR, self.reference, self.candidate, self._rungs, **options)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Engine and kind of all that was asked after the two climbs."""
        return [(r.engine.name, what(r)) for r in self.engines.requests[2:]]

    def _answer(self, request: Request) -> Arrays:
        kind = what(request)
        number = self._count.get((request.engine.name, kind), 0)
        self._count[request.engine.name, kind] = number + 1
        start, steps = request.job.start, len(request.arrays["sizes"])
        plain: Arrays = {LOSS: np.asarray(0.5), STEP_LOSS: LINE[start : start + steps]}
        states = {
            f"curve/step {last + 1}/weights/{name}": value
            for last in request.job.snapshots
            for name, value in case_of().weights.items()
        }
        found = {**plain, **states, **self._reply(request, kind, number)}
        return {k: v for k, v in found.items() if k.partition("/")[0] in request.job.rungs}


def parts(size: float, steps: int = STEPS) -> dict[str, np.ndarray]:
    """Return the line of a run that parts from the plain one at its fourth step."""
    return {STEP_LOSS: LINE[:steps] + size * (np.arange(steps) >= 3)}


def keras_parts(size: float = 1e-4, then: Reply = lambda *_: {}) -> Reply:
    """Let every free run of the candidate part; `then` says what else is not plain."""

    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        free = request.engine.name == "keras" and kind in ("climb", "twin")
        own = {} if kind == "climb" else then(request, kind, number)
        return {**(parts(size) if free else {}), **own}

    return reply


def graph_twins_part(size: float, number: int) -> Reply:
    """Let one rounding twin of the reference part, counted from one over all rungs."""

    def reply(request: Request, kind: str, nth: int) -> Mapping[str, Any]:
        mine = (request.engine.name, kind, nth + 1) == ("graph", "twin", number)
        return parts(size) if mine else {}

    return reply


# Bounds are lazy


def test_within_the_general_bounds_nothing_is_measured() -> None:
    table = Table(keras_parts(1e-6))
    found = table.compare()
    assert (found.exit_code, table.asked) == (AGREE, [])
    assert not any(d.runs for d in found.differences)
    assert set(found.curves) == {"graph", "keras"}


def test_everything_is_measured_on_request() -> None:
    table = Table(keras_parts(1e-6, graph_twins_part(1e-6, TWINS + 2)))
    found = table.compare(measure=True)
    assert found.exit_code == AGREE
    assert {d.runs for d in found.differences} == {TWINS + 1}
    assert found.own[STEP_LOSS].tolist() == pytest.approx([0, 0, 0, 1e-6, 1e-6, 1e-6])


def test_a_few_twins_and_the_truth_explain_what_they_can() -> None:
    table = Table(keras_parts(1e-4, graph_twins_part(5e-5, 3)))
    found = table.compare()
    assert found.exit_code == AGREE
    assert sorted(table.asked) == [("graph", "truth"), *[("graph", "twin")] * TWINS]
    (line,) = found.rung("curve")
    assert line.runs == TWINS + 1
    assert line.own == pytest.approx(5e-5)
    assert not any(d.runs for d in found.rung("loss")), "that rung needed no measuring"


def test_the_truth_alone_may_explain_it() -> None:
    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        return parts(5e-5) if kind == "truth" else {}

    assert Table(keras_parts(1e-4, reply)).compare().exit_code == AGREE


def test_a_rare_branch_takes_more_twins() -> None:
    table = Table(keras_parts(1e-4, graph_twins_part(1e-4, MOST_TWINS)))
    found = table.compare()
    assert found.exit_code == AGREE
    assert table.asked.count(("graph", "twin")) == MOST_TWINS
    assert {engine for engine, _ in table.asked} == {"graph"}
    assert found.rung("curve")[0].runs == MOST_TWINS + 1


def test_last_the_candidate_is_measured_without_its_truth() -> None:
    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        rare = (request.engine.name, kind, number) == ("keras", "twin", 9)
        return {STEP_LOSS: LINE} if rare else {}

    table = Table(keras_parts(1e-4, reply))
    found = table.compare()
    assert found.exit_code == AGREE
    assert found.anchors, "nothing but its own twins excuses the candidate: anchors decide"
    assert table.asked.count(("keras", "twin")) == MOST_TWINS
    assert ("keras", "truth") not in table.asked
    assert found.rung("curve")[0].runs == 2 * MOST_TWINS + 1


def test_a_fault_in_float32_alone_is_not_called_rounding() -> None:
    """The candidate's truth is far from it, but its twins are not."""

    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        keras = request.engine.name == "keras"
        steps = len(request.arrays["sizes"])
        wrong = keras and request.job.model.dtype == "float32" and not request.job.start
        return parts(1e-4, steps) if wrong else {}

    found = Table(reply).compare(twin=FLOAT64)
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "curve")


def test_a_line_may_be_apart_only_where_its_reference_is() -> None:
    """Rounding that shows after step four excuses nothing at step one."""

    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        if kind in ("climb", "twin") and request.engine.name == "keras":
            return {STEP_LOSS: LINE + 1e-4}
        return parts(1e-4) if (request.engine.name, kind) == ("graph", "twin") else {}

    found = Table(reply).compare(anchors=False)
    assert (found.exit_code, found.parted) == (DIFFERENCE, 1)


def test_weights_that_were_copied_in_are_never_excused() -> None:
    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        off = 1e-9 if request.engine.name == "keras" else 0
        weights = case_of().weights
        if request.engine.family != "graph":
            weights = PAIR.layout.weights_to_keras(weights)
        return {f"variables/{name}": value + np.float64(off) for name, value in weights.items()}

    table = Table(reply, ("variables",))
    found = table.compare()
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "variables")
    assert table.asked == []


def test_a_rung_that_fails_ends_the_measuring() -> None:
    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        wrong = {LOSS: np.asarray(0.6), **parts(1e-4)}
        return wrong if (request.engine.name, kind) == ("keras", "climb") else {}

    table = Table(reply)
    found = table.compare()
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "loss")
    assert {r.job.rungs for r in table.engines.requests[2:]} == {("loss",)}
    assert found.status("curve") == "not judged"


# Float64 has the first word


@pytest.mark.parametrize("key", ["loss/eval/loss", STEP_LOSS])
def test_what_differs_in_float64_is_no_rounding(key: str) -> None:
    twin = comparison({key: recording()[key] + 0.25}, dtype="float64")
    table = Table(keras_parts(1e-4, graph_twins_part(1e-4, 1)))
    found = table.compare(twin=twin)
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "curve")
    assert (table.asked, found.anchors) == ([], ())


def test_a_difference_in_float64_above_a_rung_says_nothing_about_it() -> None:
    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        if kind == "climb":
            return {LOSS: np.asarray(0.5 + 1e-5)} if request.engine.name == "keras" else {}
        return {LOSS: np.asarray(0.5 + 1e-5)}

    twin = comparison({STEP_LOSS: recording()[STEP_LOSS] + 0.25}, dtype="float64")
    assert Table(reply).compare(twin=twin).exit_code == AGREE


# Anchors


def test_anchors_decide_where_nothing_else_explains_the_curve() -> None:
    table = Table(keras_parts())
    found = table.compare(twin=FLOAT64)
    assert [(a.after, a.steps, a.passed) for a in found.anchors] == [(0, 5, True), (5, 1, True)]
    assert (found.exit_code, found.parted) == (AGREE, 4)
    (states,) = (r for r in table.engines.requests if r.job.snapshots)
    assert states.engine.name == "graph"
    assert states.job.snapshots == (ANCHOR_STEPS - 1,)
    assert [kind for kind, _ in itertools.groupby(table.asked)] == [
        ("graph", "twin"),
        ("graph", "truth"),
        ("graph", "twin"),
        ("keras", "twin"),
        ("graph", "states"),
        *[("graph", "anchor"), ("keras", "anchor")] * 2,
    ]


def test_an_anchor_starts_from_the_state_of_the_reference() -> None:
    state = {
        f"curve/step {ANCHOR_STEPS}/weights/{name}": value + 1
        for name, value in case_of().weights.items()
    }
    state |= {
        f"curve/step {ANCHOR_STEPS}/slots/{name}/{slot}": value
        for name, value in case_of().weights.items()
        for slot in ("RMSProp", "RMSProp_1")
    }
    table = Table(keras_parts(then=lambda _, kind, __: state if kind == "states" else {}))
    assert table.compare().exit_code == AGREE
    fresh, later = (
        [r for r in table.engines.requests if what(r) == "anchor" and r.job.start == start]
        for start in (0, ANCHOR_STEPS)
    )
    bias = {"graph": "weights/softmax/bias", "keras": "weights/logits/bias"}
    slot = {"graph": "slots/softmax/bias/RMSProp", "keras": "slots/logits_bias_velocity"}
    was = case_of().weights["softmax/bias"]
    for request in fresh:
        np.testing.assert_array_equal(request.arrays[bias[request.engine.name]], was)
        assert not any(name.startswith("slots/") for name in request.arrays)
    for request in later:
        np.testing.assert_array_equal(request.arrays[bias[request.engine.name]], was + 1)
        np.testing.assert_array_equal(request.arrays[slot[request.engine.name]], was)
    (graph, keras) = later
    assert keras.arrays["slots/iteration"] == ANCHOR_STEPS
    np.testing.assert_array_equal(graph.arrays["sizes"], case_of().plan.sizes[ANCHOR_STEPS:])


@pytest.mark.parametrize("start", [0, ANCHOR_STEPS])
def test_an_anchor_that_differs_is_a_difference_and_the_last_word(start: int) -> None:
    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        wrong = (request.engine.name, kind, request.job.start) == ("keras", "anchor", start)
        line = LINE[start : start + len(request.arrays["sizes"])]
        return {STEP_LOSS: line + 1e-4} if wrong else {}

    found = Table(keras_parts(then=reply)).compare()
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "curve")
    assert [a.passed for a in found.anchors] == [True] * (start > 0) + [False]
    assert found.anchors[-1].after == start
    assert [d.key for d in found.failures] == [STEP_LOSS]


def test_an_anchor_is_judged_by_rounding_too() -> None:
    """A single step may be at a kink: the reference's twins say so there, too."""

    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        if kind != "anchor" or not request.job.start:
            return {}
        first = (request.engine.name, number) == ("graph", 1)
        return {STEP_LOSS: LINE[ANCHOR_STEPS:] + (0 if first else 1e-4)}

    found = Table(keras_parts(then=reply)).compare()
    assert found.exit_code == AGREE
    assert found.anchors[-1].differences[0].runs == TWINS + 1


@pytest.mark.parametrize(("fault", "code"), [("", AGREE), ("keras", DIFFERENCE)])
def test_where_the_reference_leaves_itself_anchors_decide(fault: str, code: int) -> None:
    """Even though the free run is within the bound, which is wide."""

    def reply(request: Request, kind: str, number: int) -> Mapping[str, Any]:
        if kind != "anchor":
            return parts(0.01)
        wrong = request.engine.name == fault and not request.job.start
        return {STEP_LOSS: LINE[:ANCHOR_STEPS] + 1e-4} if wrong else {}

    found = Table(keras_parts(0.01, reply)).compare()
    assert found.chaotic
    assert all(d.passed for d in found.differences)
    assert (found.exit_code, bool(found.anchors)) == (code, True)


def test_without_anchors_the_free_run_has_the_last_word() -> None:
    found = Table(keras_parts()).compare(anchors=False)
    assert (found.exit_code, found.anchors) == (DIFFERENCE, ())


# What could not be done is never agreement


@pytest.mark.parametrize(
    ("engine", "kind"),
    [
        *(("graph", kind) for kind in ("climb", "twin", "truth", "states", "anchor")),
        *(("keras", kind) for kind in ("climb", "twin", "anchor")),
    ],
)
def test_an_engine_that_fails_on_the_way_leaves_it_not_compared(engine: str, kind: str) -> None:
    def reply(request: Request, asked: str, number: int) -> Mapping[str, Any]:
        if (request.engine.name, asked) == (engine, kind):
            raise EngineFailed("it died")
        return keras_parts()(request, asked, number)

    found = Table(reply).compare()
    assert "it died" in found.problem
    assert found.exit_code == ENGINE_FAILED
    if kind == "anchor":
        assert "the anchor after step 0 decides nothing" in found.problem


def test_nothing_compared_is_never_success() -> None:
    desk = desk_for(PAIR, FakeEngines(lambda _: {}).as_executor())
    reference, candidate = (Live(desk, find(name), case_of()) for name in ("graph", "keras"))
    nothing = compare_two(PAIR, reference, candidate)
    assert (nothing.differences, nothing.exit_code) == ((), ENGINE_FAILED)


# Recordings


def recorded(
    arrays: Arrays,
    own: Mapping[str, Any] | None = None,
    largest: Mapping[str, float] | None = None,
    note: str = "",
) -> Recorded:
    """Return a recording of whole tensors, some of which it keeps as samples."""
    shapes = {name: np.shape(value) for name, value in arrays.items()}
    sizes = {name: float(np.max(np.abs(value))) for name, value in arrays.items()}
    measured = {name: np.asarray(value) for name, value in (own or {}).items()}
    steps = len(arrays.get(STEP_LOSS, LINE))
    same = not note
    units = {**sizes, **(largest or {})}
    golden = Golden(sample(arrays), shapes, units, measured, 17, steps, same, same, note)
    return Recorded(case_of(), golden)


def against(reference: Recorded, answer: Arrays, rungs: tuple[str, ...]) -> Comparison:
    """Compare an answer of the graph engine with a recording."""
    desk = desk_for(PAIR, FakeEngines(lambda _: answer).as_executor())
    candidate = Live(desk, find("graph"), case_of(), rungs)
    return compare_two(PAIR, reference, candidate, rungs)


def test_a_sample_is_compared_with_a_sample() -> None:
    name = "forward/eval/logits"
    whole = {name: np.arange(2.0 * SAMPLE).reshape(2, SAMPLE)}
    kept = recorded(whole)
    assert kept.recording()[name].shape == (SAMPLE,)
    assert against(kept, whole, ("forward",)).exit_code == AGREE

    turned = against(kept, {name: whole[name].T}, ("forward",))
    (account,) = turned.failures
    assert account.note == "shape (2, 256) expected, (256, 2) found"

    nudged = against(kept, {name: whole[name] + [[0.0], [1.0]]}, ("forward",))
    (account,) = nudged.failures
    assert account.shape == (2, SAMPLE)
    row, column = account.worst
    assert row == 1
    assert account.expected == row * SAMPLE + column


@pytest.mark.parametrize(("largest", "code"), [(1.0, AGREE), (1e-3, DIFFERENCE)])
def test_a_sample_is_measured_by_the_largest_value_of_the_whole_tensor(
    largest: float, code: int
) -> None:
    """A sample of a sparse gradient may hold small values only."""
    kept = recorded({"gradients/w": np.full(4, 1e-3)}, largest={"gradients/w": largest})
    nudged = {"gradients/w": np.full(4, 1e-3 + 1e-8)}
    assert against(kept, nudged, ("gradients",)).exit_code == code


def test_a_recording_excuses_by_the_rounding_that_it_recorded() -> None:
    kept = recorded({STEP_LOSS: LINE}, {STEP_LOSS: np.full(STEPS, 5e-5)})
    found = against(kept, parts(1e-4), ("curve",))
    assert (found.exit_code, found.reference) == (AGREE, RECORDED)
    assert found.rung("curve")[0].runs == 17


def test_a_recording_cannot_anchor() -> None:
    kept = recorded({STEP_LOSS: LINE}, {STEP_LOSS: np.full(STEPS, 1e-6)})
    found = against(kept, parts(1e-4), ("curve",))
    assert found.exit_code == ENGINE_FAILED
    assert "the curve parts from step 4" in found.problem
    assert "a recording cannot hand over its state" in found.problem
    assert "tox -e oracle" in found.problem


def test_below_the_curve_a_recording_needs_no_anchor_to_differ() -> None:
    kept = recorded({LOSS: np.asarray(0.5)}, {LOSS: np.asarray(1e-7)})
    found = against(kept, {LOSS: np.asarray(0.6)}, ("loss",))
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "loss")


def test_of_a_shorter_recording_its_steps_are_compared() -> None:
    short = recorded({STEP_LOSS: LINE[:3]}, note="the recording has 3 steps")
    assert against(short, parts(1.0), ("curve",)).exit_code == AGREE, "they part later"
    wrong = {STEP_LOSS: LINE + 1e-4}
    assert against(short, wrong, ("curve",)).exit_code != AGREE


# With engines


def test_a_pair_is_proved_in_both_dtypes(executor: Executor) -> None:
    found = Outcome(PAIR.name, DATASET.origin)
    seen = set()

    def watch(engine: str, dtype: str, stage: str, *_: int) -> None:
        seen.add((engine, dtype, stage.partition(" ")[0]))

    prove(found, PAIR, DATASET, executor, [find("graph")], watch=watch)
    assert [(c.dtype, c.exit_code) for c in found.comparisons] == [
        ("float32", AGREE),
        ("float64", AGREE),
    ]
    for each in found.comparisons:
        assert {d.rung for d in each.differences} == set(each.ulps) == set(RUNGS)
        assert sum(each.ulps["variables"]) == each.ulps["variables"][0] > 0
        assert each.outputs["expected"] == pytest.approx(each.outputs["actual"], abs=1e-5)
        assert np.std(each.outputs["actual"]) > 0
    assert found.finished
    assert found.exit_code == AGREE
    assert set(found.engines) == {"graph", "keras"}
    assert all({"tensorflow", "device"} <= set(about) for about in found.engines.values())
    assert found.stock is not None
    losses = found.stock.losses
    ours = found.comparisons[0].curves["keras"][STEP_LOSS]
    assert len(losses) == STEPS
    assert losses[0] == ours[0], "the same weights before the first update"
    assert (losses[1:] != ours[1:]).all()
    assert found.stock.gap == np.abs(losses - ours).max()
    assert found.paths["forward/eval/outputs"] == "rnn"
    assert any("no recording of TensorFlow 1.15.5 fits" in note for note in found.notes)
    assert {
        ("keras", "float32", "lead"),
        ("keras", "float64", "climb"),
        ("graph", "float32", "climb"),
        ("keras", "float32", "stock"),
    } <= seen


def test_one_dtype_alone_is_noted(executor: Executor) -> None:
    found = Outcome(PAIR.name, DATASET.origin)
    prove(found, PAIR, DATASET, executor, [find("graph")], ["float64"], steps=2, stock=False)
    assert [(c.dtype, c.exit_code) for c in found.comparisons] == [("float64", AGREE)]
    assert any("only float64 was run" in note for note in found.notes)
    assert found.stock is None


def test_every_engine_is_compared_with_each_one_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three engines that know two rungs; what they were not asked for is not called agreement."""

    def answer(request: Request) -> Arrays:
        if request.job.kind == "lead":
            weights = PAIR.layout.weights_to_keras(case_of().weights)
            return {f"variables/{name}": value for name, value in weights.items()}
        return {LOSS: np.asarray(0.5), STEP_LOSS: LINE}

    monkeypatch.setattr(goldens, "load", lambda _: None)
    found = Outcome(PAIR.name, DATASET.origin)
    references = [find("tf1"), find("graph")]
    running = FakeEngines(answer).as_executor()
    prove(found, PAIR, DATASET, running, references, stock=False)
    assert [(c.dtype, c.reference, c.candidate) for c in found.comparisons] == [
        (dtype, *two)
        for dtype in ("float32", "float64")
        for two in (("tf1", "graph"), ("tf1", "keras"), ("graph", "keras"))
    ]
    assert {c.exit_code for c in found.comparisons} == {ENGINE_FAILED}
    assert found.engines == dict.fromkeys(("tf1", "graph", "keras"), ABOUT)


def test_an_engine_that_dies_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The graph engine dies in float32 and works again in float64; tf1 never starts."""
    monkeypatch.setenv(engines.TF1_PYTHON, "/nowhere/python")
    pair = dataclasses.replace(PAIR, graph="tests.parity.dying:dies_in_float32")
    found = Outcome(PAIR.name, DATASET.origin)
    with Executor(tmp_path, device="cpu", timeout=600, workers=1) as running:
        prove(found, pair, DATASET, running, [find("tf1"), find("graph")], stock=False)
    by_name = {(c.reference, c.candidate, c.dtype): c for c in found.comparisons}
    assert len(by_name) == 6
    died = by_name["graph", "keras", "float32"]
    assert "engine 'graph' died (signal SIGKILL)" in died.problem
    assert died.exit_code == ENGINE_FAILED
    assert by_name["graph", "keras", "float64"].exit_code == AGREE
    for dtype in ("float32", "float64"):
        problem = by_name["tf1", "keras", dtype].problem
        assert "engine 'tf1' cannot be started with /nowhere/python" in problem
    assert found.exit_code == ENGINE_FAILED


def test_a_model_that_cannot_be_built_is_not_compared(executor: Executor) -> None:
    pair = dataclasses.replace(PAIR, keras="tests.parity.broken_twins:no_such_builder")
    found = Outcome(pair.name, DATASET.origin)
    prove(found, pair, DATASET, executor, [find("graph")], ["float32"], stock=False)
    assert found.comparisons
    for each in found.comparisons:
        assert each.exit_code == ENGINE_FAILED
        assert "no_such_builder" in each.problem
        assert "expected 'module:attribute'" in each.problem
    assert found.finished


def test_an_engine_may_print_what_it_likes(executor: Executor) -> None:
    pair = dataclasses.replace(PAIR, keras="tests.parity.broken_twins:talkative")
    case = lead(desk_for(pair, executor), make_case(pair, "float32", DATASET))
    assert len(case.weights) == 5
