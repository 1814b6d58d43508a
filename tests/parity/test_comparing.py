from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from parity import keys
from parity.comparing import (
    SAMPLE,
    ULPS,
    Difference,
    Measured,
    compare,
    compare_tensor,
    of_whole,
    sample,
    ulps,
)
from parity.tolerances import LARGEST, ONE, Tolerance, tolerance

LOOSE = Tolerance(0.1, ONE, "for the tests")
RELATIVE = Tolerance(0.1, LARGEST, "for the tests")


def compared(
    expected: Any, actual: Any, limit: Tolerance = LOOSE, key: str = "forward/eval/x", **more: Any
) -> Difference:
    return compare_tensor(key, expected, actual, limit, **more)


def test_equal_tensors_pass_with_no_error() -> None:
    found = compared([[1.0, 2.0]], [[1.0, 2.0]])
    assert found.passed
    assert (found.error, found.share, found.compared) == (0.0, 0.0, 2)


def test_worst_element_is_named_with_both_values() -> None:
    found = compared([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.05], [3.5, 4.2]])
    assert not found.passed
    assert found.worst == (1, 0)
    assert (found.expected, found.actual) == (3.0, 3.5)


def test_error_is_the_smallest_bound_that_would_have_passed() -> None:
    expected, actual = [1.0, 2.0, 3.0], [1.0, 2.3, 3.7]
    error = compared(expected, actual).error
    assert compared(expected, actual, Tolerance(error, ONE, "")).passed
    assert not compared(expected, actual, Tolerance(np.nextafter(error, 0), ONE, "")).passed


def test_share_counts_elements_beyond_the_bound() -> None:
    assert compared([0.0, 0.0, 0.0, 0.0], [0.05, 0.2, -0.3, 0.0]).share == 0.5


def test_an_error_just_at_the_bound_passes() -> None:
    assert compared([0.0], [0.1]).passed


def test_error_is_measured_in_the_largest_reference_value() -> None:
    assert compared([1e-3, -2e-3], [1e-3, -1e-3], RELATIVE).error == pytest.approx(0.5)
    assert compared([1e-3, -2e-3], [1e-3, -1e-3], LOOSE).error == pytest.approx(1e-3)


def test_the_candidate_does_not_choose_the_unit() -> None:
    assert compared([1.0], [100.0], RELATIVE).error == pytest.approx(99)


def test_a_reference_of_zeros_is_measured_by_the_candidate() -> None:
    assert compared([0.0, 0.0], [0.0, 1e-9], RELATIVE).error == 1.0
    assert compared([0.0, 0.0], [0.0, 0.0], RELATIVE).error == 0.0


def test_another_dtype_is_a_difference() -> None:
    found = compared(np.ones(2, np.float32), np.ones(2))
    assert not found.passed
    assert found.note == "dtype float32 expected, float64 found"


def test_float32_is_compared_in_float64() -> None:
    one = np.float32(1)
    found = compared(one, np.nextafter(one, np.float32(2)))
    assert found.error == 2.0**-23


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_a_difference_even_on_both_sides(value: float) -> None:
    for expected, actual in (
        ([1.0, value], [1.0, value]),
        ([1.0, value], [1.0, 1.0]),
        ([1.0, 1.0], [1.0, value]),
    ):
        found = compared(expected, actual)
        assert not found.passed
        assert found.worst == (1,)
        assert math.isinf(found.error)
        assert found.note == "a value is not finite"
        assert found.share == 0.5


def test_other_shape_is_a_difference_even_where_it_broadcasts() -> None:
    found = compared([[1.0, 1.0]], [1.0, 1.0])
    assert not found.passed
    assert found.note == "shape (1, 2) expected, (2,) found"
    assert found.compared == 0


def test_an_empty_tensor_proves_nothing() -> None:
    found = compared(np.zeros((0, 3)), np.zeros((0, 3)))
    assert not found.passed
    assert "nothing was compared" in found.note


def test_scalars_integers_and_booleans_are_compared() -> None:
    assert compared(3.0, 3.0).worst == ()
    assert not compared([1, 2], [1, 3]).passed
    assert not compared([True, False], [True, True]).passed


def test_missing_and_extra_names_are_differences() -> None:
    a, b, c = (f"forward/eval/{name}" for name in "abc")
    expected = {a: np.ones(2), b: np.ones(3)}
    actual = {b: np.ones(3), c: np.ones(4)}
    found = {d.key: d for d in compare(expected, actual, "float32")}
    assert [key for key, d in found.items() if d.passed] == [b]
    assert found[a].note == "missing on the candidate's side"
    assert found[c].note == "missing on the reference's side"
    assert (found[a].shape, found[c].shape) == ((2,), (4,))


def test_every_tensor_is_accounted_for_not_only_the_first() -> None:
    expected = {f"forward/eval/{n}": np.ones(1) for n in "abc"}
    actual = {f"forward/eval/{n}": np.zeros(1) for n in "abc"}
    assert [d.passed for d in compare(expected, actual, "float64")] == [False] * 3


def test_nothing_against_nothing_gives_no_account() -> None:
    assert compare({}, {}, "float32") == []


def test_each_tensor_is_judged_by_the_bound_of_its_rung() -> None:
    names = ["variables/w", "loss/eval/loss", "update/step 1/slots/w/RMSProp", "curve/step_loss"]
    arrays = {name: np.ones(1) for name in names}
    for dtype in ("float32", "float64"):
        for found in compare(arrays, arrays, dtype):
            limit = tolerance(keys.parse(found.key), dtype)
            assert (found.bound, found.unit) == (limit.bound, limit.relative_to)


# The reference's own rounding


def measured(own: Any, bound: Any) -> Measured:
    return Measured(np.asarray(own), np.asarray(bound), runs=5)


def test_own_rounding_widens_the_bound() -> None:
    assert not compared([0.0, 0.0], [0.0, 0.3]).passed
    found = compared([0.0, 0.0], [0.0, 0.3], measured=measured(0.1, 0.4))
    assert found.passed
    assert (found.bound, found.own, found.runs) == (0.4, 0.1, 5)
    assert found.used == pytest.approx(0.75)


def test_own_rounding_never_narrows_the_bound() -> None:
    found = compared([0.0], [0.09], measured=measured(0.001, 0.004))
    assert (found.passed, found.bound, found.own) == (True, 0.1, 0.001)


def test_own_rounding_excuses_no_more_than_its_bound() -> None:
    found = compared([0.0, 0.0], [0.0, 0.5], measured=measured(0.1, 0.4))
    assert not found.passed
    assert (found.share, found.used) == (0.5, 1.25)


def test_a_line_is_judged_point_by_point() -> None:
    """The largest error is not the worst one where the bound grows with the steps."""
    own = measured([0.0, 0.0, 0.5], [0.0, 0.0, 2.0])
    found = compared([0.0] * 3, [0.0, 0.15, 1.0], key="curve/step_loss", measured=own)
    assert not found.passed
    assert (found.worst, found.bound, found.own) == ((1,), 0.1, 0.0)
    assert (found.error, found.share, found.first) == (1.0, 1 / 3, 2)


def test_a_bound_that_was_not_measured_says_so() -> None:
    found = compared([0.0], [0.5])
    assert (found.own, found.runs, found.bound) == (None, 0, 0.1)


def test_each_tensor_has_its_own_measured_bound() -> None:
    a, b = "forward/eval/a", "forward/eval/b"
    expected, actual = {a: np.ones(1), b: np.ones(1)}, {a: np.ones(1) * 2, b: np.ones(1) * 2}
    found = compare(expected, actual, "float32", measured={a: measured(0.5, 2.0)})
    assert [(d.key, d.passed, d.runs) for d in found] == [(a, True, 5), (b, False, 0)]


# The first step


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("curve/step_loss", 2),  # its second point
        ("curve/test_loss", 0),  # a point is an epoch
        ("update/step 2/weights/w", 2),  # the state's own step
        ("curve/step 80/slots/w/m", 80),
        ("curve/final/weights/w", 0),
        ("forward/eval/x", 0),
    ],
)
def test_the_first_step_beyond_the_bound_is_named(key: str, first: int) -> None:
    assert compared([0.0] * 4, [0.0, 1.0, 0.0, 2.0], key=key).first == first
    assert compared([0.0] * 4, [0.0] * 4, key=key).first == 0


# Samples


def test_a_sample_keeps_the_same_elements_on_both_sides() -> None:
    values = np.arange(1000.0).reshape(10, 100)
    kept = sample({"forward/eval/x": values})["forward/eval/x"]
    assert kept.shape == (SAMPLE,)
    assert (kept[0], kept[-1]) == (0.0, 999.0)
    np.testing.assert_array_equal(kept, sample({"forward/eval/x": values.copy()})["forward/eval/x"])


def test_a_sample_keeps_small_tensors_and_curves_whole() -> None:
    recording = {"forward/eval/x": np.ones((16, 16)), "curve/step_loss": np.ones(1000)}
    kept = sample(recording)
    assert {key: value.shape for key, value in kept.items()} == {
        "forward/eval/x": (16, 16),
        "curve/step_loss": (1000,),
    }
    assert sample({"curve/final/weights/w": np.ones(1000)})["curve/final/weights/w"].size == SAMPLE


def test_a_tensor_of_another_shape_is_kept_whole() -> None:
    """So that it is found to differ, where a sample of it might not."""
    values = np.arange(1000.0).reshape(10, 100)
    whole = sample({"forward/eval/x": values}, {"forward/eval/x": (100, 10)})
    assert whole["forward/eval/x"].shape == (10, 100)
    assert sample({"forward/eval/x": values}, {"forward/eval/x": (10, 100)})[
        "forward/eval/x"
    ].shape == (SAMPLE,)


def test_the_account_of_a_sample_is_given_for_the_whole() -> None:
    shape, key = (20, 50), "forward/eval/x"
    values = np.arange(1000.0).reshape(shape)
    wrong = values + np.where(values == values.max(), 500.0, 0.0)
    expected, actual = sample({key: values})[key], sample({key: wrong})[key]
    found = of_whole(compared(expected, actual), shape)
    assert (found.shape, found.worst, found.compared) == (shape, (19, 49), SAMPLE)
    turned = of_whole(compared(expected, values.T), shape)
    assert turned.note == "shape (20, 50) expected, (50, 20) found"
    assert not turned.passed


def test_a_sample_is_measured_by_the_largest_value_of_the_whole() -> None:
    assert compared([1e-3], [2e-3], RELATIVE, largest=1.0).error == pytest.approx(1e-3)
    assert compared([1e-3], [2e-3], RELATIVE).error == pytest.approx(1.0)


# Units in the last place


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_last_places_are_those_of_the_largest_value(dtype: str) -> None:
    unit = float(np.spacing(np.dtype(dtype).type(1.5)))
    apart = np.array([0, 0, 1, 2, 3, 4, 5, 4096, 4097, 0])  # of the unit
    wanted = np.array([1.5, *np.zeros(9)])
    found = wanted + unit * apart
    (counts,) = ulps({"forward/eval/a": wanted}, {"forward/eval/a": found}, dtype).values()
    expected = dict.fromkeys(ULPS, 0) | {0: 3, 1: 1, 2: 1, 4: 2, 8: 1, 4096: 1, math.inf: 1}
    assert dict(zip(ULPS, counts, strict=True)) == expected


def test_where_all_expected_is_zero_last_places_are_those_of_what_was_found() -> None:
    found = {"gradients/a": np.array([0.5, 0.0])}
    counts = ulps({"gradients/a": np.zeros(2)}, found, "float64")["gradients"]
    assert counts == (1, *[0] * (len(ULPS) - 2), 1)


def test_last_places_of_a_rung_are_counted_over_its_tensors() -> None:
    tensors = {
        "gradients/a": np.ones(3),
        "gradients/b": np.ones((2, 2)),
        "curve/step_loss": np.ones(2),
    }
    counts = ulps(tensors, {**tensors, "gradients/b": np.full((2, 2), np.nan)}, "float32")
    assert counts["gradients"] == (3, *[0] * (len(ULPS) - 2), 4)
    assert counts["curve"][0] == 2


def test_tensors_that_cannot_be_compared_have_no_last_places() -> None:
    expected = {
        "forward/eval/a": np.ones(3),
        "forward/eval/b": np.ones(3),
        "loss/eval/loss": np.ones(0),
    }
    assert (
        ulps(expected, {"forward/eval/a": np.ones(4), "loss/eval/loss": np.ones(0)}, "float32")
        == {}
    )
