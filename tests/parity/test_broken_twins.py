"""The tester is tested: every broken twin is flagged, at the right rung and tensor."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from parity import judging, keys, pairs
from parity.comparing import Recording
from parity.engines import find
from parity.errors import AGREE, DIFFERENCE
from parity.executor import Executor
from parity.judging import compare_two
from parity.pair import Pair
from parity.results import STEP_LOSS, Comparison
from parity.sides import Live
from parity.weights import Rule
from tests.conftest import Judge, desk_for, live

SMS = pairs.find("sms_rnn")
BOTH = ("float32", "float64")
CURVE = ("curve",)


class SwappedRows(Rule):
    """Takes the recurrent rows of a BasicRNNCell kernel for its first ones; still invertible."""

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        (stacked,) = arrays
        units = stacked.shape[1]
        return [stacked[units:], stacked[:units]]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        kernel, recurrent = arrays
        return [np.concatenate([recurrent, kernel])]


class Chaotic(Live):
    """A reference whose free run says nothing: every bound that is measured on it is wide open."""

    def own(
        self, rung: str, twins: int, truth: bool = True
    ) -> tuple[Mapping[str, np.ndarray], int]:
        shapes = {
            name: np.shape(value) if keys.parse(name).is_line else ()
            for name, value in self.recording().items()
        }
        return {name: np.full(shape, 1e6) for name, shape in shapes.items()}, twins


class Parted(Live):
    """A candidate whose free run has left the reference's; step by step nothing is wrong."""

    def recording(self) -> Recording:
        found = super().recording()
        return {**found, STEP_LOSS: found[STEP_LOSS] + [0, 0, 0, 1e-3, 1e-2, 1e-1]}

    def own(
        self, rung: str, twins: int, truth: bool = True
    ) -> tuple[Mapping[str, np.ndarray], int]:
        return {}, 0


@dataclasses.dataclass(frozen=True)
class Twin:
    """One thing broken, and what the suite has to say about it.

    Args:
        name: of the fault, and of the builder in `broken_twins`.
        first: the first tensor that differs.
        only: patterns that every tensor of the rung that differs has to match.
        dtypes: where it differs; elsewhere it must agree.
        float32: the first tensor in float32, where it is another one.
        step: the first training step that goes wrong.
    """

    name: str
    first: str
    only: tuple[str, ...] = ("*",)
    dtypes: tuple[str, ...] = BOTH
    float32: str = ""
    step: int = 1

    def first_in(self, dtype: str) -> str:
        """Return the first tensor that differs in `dtype`."""
        return self.float32 if self.float32 and dtype == "float32" else self.first


TWINS = (
    Twin("swapped_rows", "forward/eval/outputs"),
    Twin("unscaled_dropout", "forward/train/dropped", ("forward/train/*",)),
    Twin("summed_loss", "loss/eval/loss"),
    Twin("zero_start", "update/step 1/weights/embedding"),
    Twin(
        "unsummed_repeats",
        "update/step 1/slots/embedding/RMSProp",
        ("update/step 1/slots/embedding/RMSProp", "update/step 2/*/embedding*"),
    ),
    Twin(
        "decay_everywhere",
        "update/step 1/slots/embedding/RMSProp",
        ("update/*/slots/embedding/RMSProp",),
    ),
    Twin("unrounded", "update/step 1/weights/embedding", dtypes=("float64",)),
    # These are nearly right: a bound that is too wide would let them pass.
    Twin("stronger_memory", "forward/eval/outputs"),
    Twin("warm_softmax", "loss/eval/loss", ("loss/*/loss",)),
    Twin("flipped_labels", "loss/train/loss", ("loss/train/loss",)),
    Twin("halved_gradient", "gradients/embedding", ("gradients/embedding",)),
    Twin(
        "slower",
        "update/step 1/weights/embedding",
        ("update/*/weights/*", "update/*/slots/*/RMSProp_1", "update/step 2/*"),
        # The first step moves the embedding by less than float32 shows.
        float32="update/step 1/weights/rnn/basic_rnn_cell/kernel",
    ),
    Twin("last_batch_twice", "curve/train_loss", step=3),
)


def broken(name: str, pair: Pair) -> Pair:
    if name != "swapped_rows":
        return dataclasses.replace(pair, keras=f"tests.parity.broken_twins:{name}")
    rules = tuple(
        SwappedRows(rule.tf1, rule.keras) if len(rule.keras) == 2 else rule
        for rule in pair.layout.rules
    )
    return dataclasses.replace(pair, layout=dataclasses.replace(pair.layout, rules=rules))


def compared(executor: Executor, judge: Judge, name: str, dtype: str) -> Comparison:
    """Compare the graph with a broken Keras model, or with the right one for an empty name."""
    case, reference = judge("sms_rnn", dtype)
    twin = dataclasses.replace(case, pair=broken(name, case.pair)) if name else case
    return compare_two(SMS, reference, live(executor, "keras", twin))


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_broken_twin_is_flagged_where_it_is_broken(
    executor: Executor, judge: Judge, twin: Twin, dtype: str
) -> None:
    comparison = compared(executor, judge, twin.name, dtype)
    if dtype not in twin.dtypes:
        assert comparison.exit_code == AGREE
        return
    first = twin.first_in(dtype)
    rung = first.partition("/")[0]
    flagged = [d.key for d in comparison.rung(rung) if not d.passed]
    assert (comparison.exit_code, comparison.failed_rung) == (DIFFERENCE, rung)
    assert flagged[0] == first
    assert not [k for k in flagged if not any(fnmatch.fnmatch(k, each) for each in twin.only)]


@pytest.mark.parametrize("dtype", BOTH)
def test_unbroken_pair_agrees(executor: Executor, judge: Judge, dtype: str) -> None:
    comparison = compared(executor, judge, "", dtype)
    assert comparison.exit_code == AGREE
    assert len(comparison.differences) > 50


@pytest.mark.parametrize("dtype", BOTH)
def test_a_model_that_xla_compiles_agrees(executor: Executor, judge: Judge, dtype: str) -> None:
    """XLA draws other masks from a seed, and leaves rounding casts out on a GPU."""
    case, reference = judge("sms_rnn", dtype)
    by_xla = dataclasses.replace(case.pair, keras="tests.parity.rewrites:sms_rnn_by_xla")
    case = dataclasses.replace(case, pair=by_xla)
    assert compare_two(SMS, reference, live(executor, "keras", case)).exit_code == AGREE


def test_float32_hides_what_float64_shows() -> None:
    assert any(set(twin.dtypes) == {"float64"} for twin in TWINS)


# The curve in float32 alone: no rung below it, and no float64 twin


@pytest.fixture(scope="module")
def free(executor: Executor, judge: Judge) -> Live:
    """The graph engine, asked for the curve alone."""
    case, reference = judge("sms_rnn", "float32")
    return live(executor, "graph", case, CURVE, truth=reference.truth)


@pytest.fixture(scope="module")
def chaotic(executor: Executor, judge: Judge) -> Chaotic:
    """The same, but its own rounding excuses everything: only anchors can tell."""
    case, _ = judge("sms_rnn", "float32")
    return Chaotic(desk_for(case.pair, executor), find("graph"), case, CURVE)


@pytest.mark.parametrize(
    "twin", [twin for twin in TWINS if "float32" in twin.dtypes], ids=lambda twin: twin.name
)
def test_the_float32_curve_alone_gives_a_fault_away(
    executor: Executor,
    free: Live,
    chaotic: Chaotic,
    monkeypatch: pytest.MonkeyPatch,
    twin: Twin,
) -> None:
    monkeypatch.setattr(judging, "ANCHOR_STEPS", 2)
    case = dataclasses.replace(free.case, pair=broken(twin.name, free.case.pair))
    candidate = live(executor, "keras", case, CURVE)

    found = compare_two(SMS, free, candidate, CURVE, anchors=False)
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "curve")
    assert not found.chaotic

    found = compare_two(SMS, chaotic, candidate, CURVE)
    assert found.chaotic
    assert all(d.passed for d in found.differences), "the free run is excused"
    assert (found.exit_code, found.failed_rung) == (DIFFERENCE, "curve")
    *before, last = found.anchors
    assert all(anchor.passed for anchor in before)
    assert not last.passed
    assert last.after < twin.step <= last.after + last.steps


def test_anchors_excuse_an_unbroken_pair_whose_runs_part(
    executor: Executor, free: Live, chaotic: Chaotic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "ANCHOR_STEPS", 2)
    candidate = Parted(desk_for(free.case.pair, executor), find("keras"), free.case, CURVE)
    for reference, parted in ((chaotic, 0), (free, 4)):
        found = compare_two(SMS, reference, candidate, CURVE)
        assert [(a.after, a.steps, a.passed) for a in found.anchors] == [
            (0, 2, True),
            (2, 2, True),
            (4, 2, True),
        ]
        assert (found.exit_code, found.parted) == (AGREE, parted)
