from __future__ import annotations

import numpy as np
import pytest

from parity.runners.segments import telling
from parity.values import Tensors, distance, same

RANDOM = np.random.RandomState(1)
VALUE = RANDOM.normal(size=(4, 3, 2))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (VALUE, True),
        (np.zeros((3, 3)), False),
        (np.full(5, 0.1) + 1e-17, False),
        (np.array([1.0, np.nan]), False),
        (np.array([0.0, np.inf]), False),
        (np.array([1, 2]), False),
        (np.array([], np.float64), False),
        (np.array([0.0, 0.0, 1e-30]), True),
    ],
)
def test_a_value_proves_something_if_two_numbers_differ(value: np.ndarray, told: bool) -> None:
    assert telling(value) is told


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (VALUE[:, :, None], True),
        (VALUE.reshape(12, 2), True),
        (VALUE.swapaxes(0, 1), True),
        (VALUE * (1 + 1e-13), True),
        (VALUE * (1 + 1e-7), False),
        (VALUE.swapaxes(1, 2), False),
        (VALUE[::-1], False),
    ],
)
def test_a_value_is_found_in_another_shape_and_with_time_first(
    shown: np.ndarray, found: bool
) -> None:
    assert Tensors({"other": VALUE + 1, "it": VALUE}).name_of(shown) == ("it" if found else "")


def test_masks_are_no_measure_of_other_numbers() -> None:
    """Scores of attention: what is never to be looked at is at -1e9, where 1 is a rounding."""
    scores = VALUE.copy()
    scores[0] = -1e9
    wrong = scores.copy()
    wrong[1] += 0.01
    assert same(scores + 0.0, scores)
    assert not same(wrong, scores)


def test_a_number_is_not_near_infinity() -> None:
    endless = VALUE.copy()
    endless[0] = -np.inf
    assert same(endless + 0.0, endless)
    assert not same(VALUE, endless)
    assert not same(endless, VALUE)


def test_distance_is_in_units_of_the_largest_value() -> None:
    assert distance(np.array([1.0, 5.0]), np.array([1.0, 4.0])) == 0.25
    assert distance(np.ones(3), np.ones(2)) is None
    assert distance(np.array([np.nan]), np.ones(1)) == float("inf")


def test_what_is_computed_from_a_tensor_is_known() -> None:
    values = {name: VALUE + i for i, name in enumerate("abcd")}
    tensors = Tensors(values, {"b": ["a"], "c": ["b"], "d": []})
    assert tensors.below(["b"]) == {"b", "c"}
    assert tensors.below(["a", "d"]) == {"a", "b", "c", "d"}
    assert tensors.below([""]) is None
    assert Tensors(values).below(["a"]) is None


def test_what_fits_is_shown_in_the_shape_that_is_wanted() -> None:
    longer = RANDOM.normal(size=(4, 7, 2))
    timed = VALUE.swapaxes(0, 1)
    values = {"it": VALUE, "longer": longer, "flat": VALUE.reshape(12, 2), "timed": timed + 1}
    found = list(Tensors(values).fitting((4, 3, 2)))
    assert [name for name, _ in found] == ["it", "timed", "flat", "flat", "longer"]
    shown = dict(found[:2])
    assert (shown["it"] == VALUE).all()
    assert (shown["timed"] == VALUE + 1).all()
    assert (found[2][1] == VALUE).all()
    assert found[3][1].shape == (4, 3, 2)
    assert [name for name, _ in Tensors(values).fitting((4, 3, 2), {"flat"})] == ["flat", "flat"]
