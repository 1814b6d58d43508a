"""The tester is tested: every broken twin is flagged, at the right rung and tensor."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Sequence

import numpy as np
import pytest

from parity import pairs
from parity.checks import Comparison, Fleet, compare_two
from parity.errors import AGREE, DIFFERENCE
from parity.pair import Pair
from parity.weights import Rule
from tests.conftest import Judge, answer

SMS = pairs.find("sms_rnn")
BOTH = ("float32", "float64")


class SwappedRows(Rule):
    """Takes the recurrent rows of a BasicRNNCell kernel for its first ones; still invertible."""

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        (stacked,) = arrays
        units = stacked.shape[1]
        return [stacked[units:], stacked[:units]]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        kernel, recurrent = arrays
        return [np.concatenate([recurrent, kernel])]


@dataclasses.dataclass(frozen=True)
class Twin:
    """One thing broken, and what the suite has to say about it.

    Args:
        name: of the fault, and of the builder in `broken_twins`.
        first: the first tensor that differs.
        only: patterns that every tensor of the rung that differs has to match.
        dtypes: where it differs; elsewhere it must agree.
    """

    name: str
    first: str
    only: tuple[str, ...] = ("*",)
    dtypes: tuple[str, ...] = BOTH


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
)


def broken(name: str, pair: Pair) -> Pair:
    if name != "swapped_rows":
        return dataclasses.replace(pair, keras=f"tests.parity.broken_twins:{name}")
    rules = tuple(
        SwappedRows(rule.tf1, rule.keras) if len(rule.keras) == 2 else rule
        for rule in pair.layout.rules
    )
    return dataclasses.replace(pair, layout=dataclasses.replace(pair.layout, rules=rules))


def compared(fleet: Fleet, judge: Judge, name: str, dtype: str) -> Comparison:
    """Compare the graph with a broken Keras model, or with the right one for an empty name."""
    case, expected = judge("sms_rnn", dtype)
    twin = dataclasses.replace(case, pair=broken(name, case.pair)) if name else case
    found = answer(fleet, "keras", twin)
    return compare_two(SMS, dtype, ("graph", expected), ("keras", found))


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_broken_twin_is_flagged_where_it_is_broken(
    fleet: Fleet, judge: Judge, twin: Twin, dtype: str
) -> None:
    comparison = compared(fleet, judge, twin.name, dtype)
    if dtype not in twin.dtypes:
        assert comparison.exit_code == AGREE
        return
    rung = twin.first.partition("/")[0]
    flagged = [d.key for d in comparison.rung(rung) if not d.passed]
    assert (comparison.exit_code, comparison.failed_rung) == (DIFFERENCE, rung)
    assert flagged[0] == twin.first
    assert not [k for k in flagged if not any(fnmatch.fnmatch(k, each) for each in twin.only)]


@pytest.mark.parametrize("dtype", BOTH)
def test_unbroken_pair_agrees(fleet: Fleet, judge: Judge, dtype: str) -> None:
    comparison = compared(fleet, judge, "", dtype)
    assert comparison.exit_code == AGREE
    assert len(comparison.differences) > 50


def test_float32_hides_what_float64_shows() -> None:
    assert any(set(twin.dtypes) == {"float64"} for twin in TWINS)
