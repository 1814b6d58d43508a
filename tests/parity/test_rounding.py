from __future__ import annotations

import numpy as np
import pytest

from parity import keys
from parity.comparing import compare, sample
from parity.rounding import FACTOR, bounds, floor_of, own_rounding, twin_of
from parity.wire import Arrays

DTYPES = ("float32", "float64")
STATE = "update/step 1/weights/w"


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_twin_moves_each_weight_by_at_most_one_unit_in_the_last_place(dtype: str) -> None:
    draw = np.random.RandomState(0)
    weights = {
        "kernel": draw.normal(size=(40, 30)).astype(dtype),
        "tiny": (1e-30 * draw.normal(size=99)).astype(dtype),
        "bias": np.asarray(0.1, dtype),
    }
    moved = twin_of(weights, 1)
    assert set(moved) == set(weights)
    for name, value in weights.items():
        assert (moved[name].dtype, moved[name].shape) == (value.dtype, value.shape)
        below, above = np.nextafter(value, value.dtype.type(-9)), np.nextafter(value, 9)
        assert ((moved[name] == value) | (moved[name] == below) | (moved[name] == above)).all()
    kernel, was = moved["kernel"], weights["kernel"]
    assert min(np.mean(kernel < was), np.mean(kernel == was), np.mean(kernel > was)) > 0.3


def test_a_twin_is_the_same_for_ever_and_another_number_is_another_twin() -> None:
    weights = {"a": np.ones(99, np.float32), "b": np.ones(99, np.float32)}
    first, again, other = (twin_of(weights, number) for number in (1, 1, 2))
    for name in weights:
        np.testing.assert_array_equal(first[name], again[name])
        assert (first[name] != other[name]).any()
    assert (first["a"] != first["b"]).any()


def test_zeros_and_integers_stay() -> None:
    weights: Arrays = {"zeros": np.zeros(99, np.float32), "global_step": np.asarray(7, np.int64)}
    for name, value in twin_of(weights, 3).items():
        np.testing.assert_array_equal(value, weights[name])
        assert value.dtype == weights[name].dtype


def test_a_twin_leaves_its_original_alone() -> None:
    weights = {"w": np.ones(99, np.float32)}
    twin_of(weights, 1)
    assert (weights["w"] == 1).all()


def test_own_rounding_is_the_largest_error_of_all_answers_in_units_of_the_tensor() -> None:
    reference = {STATE: np.array([4.0, -2.0])}
    others = [{STATE: np.array([4.0, -2.1])}, {STATE: np.array([4.2, -2.0])}]
    own = own_rounding(reference, others, "float32")
    assert own[STATE] == pytest.approx(0.2 / 4)
    assert np.shape(own[STATE]) == ()


def test_a_loss_is_measured_in_ones() -> None:
    reference = {"loss/train/loss": np.asarray(4.0)}
    own = own_rounding(reference, [{"loss/train/loss": np.asarray(4.5)}], "float32")
    assert own["loss/train/loss"] == 0.5


def test_what_a_line_once_was_apart_it_may_be_again() -> None:
    line = "curve/step_loss"
    reference = {line: np.array([3.0, 2.0, 1.0, 0.5])}
    others = [{line: reference[line] + apart} for apart in ([0, 0.25, 0, 0], [0, 0, 0.125, 0.5])]
    np.testing.assert_array_equal(
        own_rounding(reference, others, "float32")[line], [0, 0.25, 0.25, 0.5]
    )


def test_a_state_of_the_run_is_no_line() -> None:
    name = "curve/final/weights/w"
    own = own_rounding({name: np.ones(3)}, [{name: np.array([1, 1.5, 1])}], "float32")
    assert own[name] == 0.5


def test_a_sample_is_measured_by_the_largest_value_of_the_whole_tensor() -> None:
    whole = {STATE: np.linspace(0, 8, 1000)[::-1].reshape(10, 100)}
    apart = {STATE: whole[STATE] + 1e-3}
    sampled = own_rounding(sample(whole), [sample(apart)], "float32", {STATE: 16.0})
    assert sampled[STATE] == pytest.approx(1e-3 / 16)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_twin_that_is_not_finite_excuses_nothing(value: float) -> None:
    reference = {STATE: np.ones(2)}
    bad = {STATE: np.array([value, 1.25])}
    assert own_rounding(reference, [bad], "float32")[STATE] == 0.25
    assert own_rounding({STATE: np.array([value, 1.0])}, [bad], "float32")[STATE] == 0.25
    measured = bounds(own_rounding(reference, [bad], "float32"), 1)
    (found,) = compare(reference, {STATE: np.array([value, 1.0])}, "float32", measured=measured)
    assert not found.passed


def test_what_no_twin_has_in_the_same_shape_is_not_measured() -> None:
    reference = {STATE: np.ones(2), "variables/w": np.ones(2), "gradients/w": np.zeros((0, 2))}
    others = [{STATE: np.ones(3), "variables/w": np.zeros(2), "gradients/w": np.zeros((0, 2))}, {}]
    assert own_rounding(reference, others, "float32") == {}
    assert own_rounding(reference, [], "float32") == {}


def test_a_measured_bound_is_a_few_times_the_rounding_and_the_floor() -> None:
    own = {"curve/step_loss": np.array([0.0, 1e-6]), STATE: np.asarray(1e-7)}
    found = bounds(own, 5, lambda key: 1e-7 if key.is_weight else 0.0)
    np.testing.assert_allclose(found["curve/step_loss"].bound, [0, FACTOR * 1e-6])
    np.testing.assert_allclose(found[STATE].bound, FACTOR * 1e-7 + 1e-7)
    assert found[STATE].own == 1e-7
    assert {measured.runs for measured in found.values()} == {5}


def test_a_measured_bound_never_tightens_the_general_one() -> None:
    reference = {STATE: np.ones(2)}
    candidate = {STATE: np.array([1, 1 + 4e-6])}
    (general,) = compare(reference, candidate, "float32")
    for size, bound in ((0.0, general.bound), (1e-5, FACTOR * 1e-5)):
        (found,) = compare(
            reference, candidate, "float32", measured=bounds({STATE: np.asarray(size)}, 1)
        )
        assert (found.passed, found.own, found.runs) == (True, size, 1)
        assert found.bound == pytest.approx(bound)


def test_a_weight_inside_a_larger_number_rounds_as_that_number_does() -> None:
    """Keras keeps LSTM's forget bias of one inside its bias."""
    assert floor_of(0.0, 100, 0.5, "float32") == 0
    assert floor_of(1.0, 1, 1.0, "float32") == 2.0**-23
    assert floor_of(1.0, 10, 0.5, "float32") == 10 * 2.0**-23 / 0.5
    assert floor_of(1.0, 1, 1.0, "float64") == 2.0**-52
    assert bounds({STATE: np.asarray(0.0)}, 1)[STATE].bound == 0
    assert keys.parse(STATE).is_weight
