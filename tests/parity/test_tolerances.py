from __future__ import annotations

import pytest

from parity.pairs import PAIRS
from parity.tolerances import ALLOWANCES, RUNGS, Allowance, tolerance

KEYS = [*(f"{rung}/x" for rung in RUNGS), "curve/final/weights/w", "curve/final/slots/w/m"]


@pytest.mark.parametrize("key", KEYS)
def test_every_bound_has_its_reason(key: str) -> None:
    for dtype in ("float32", "float64"):
        assert len(tolerance(key, dtype).reason.split()) >= 4


@pytest.mark.parametrize("key", [key for key in KEYS if not key.startswith("variables")])
def test_float64_is_held_to_far_smaller_bounds(key: str) -> None:
    assert 0 < tolerance(key, "float64").bound <= tolerance(key, "float32").bound / 100


def test_weights_that_were_only_copied_must_be_equal() -> None:
    assert tolerance("variables/embedding", "float32").bound == 0
    assert tolerance("variables/embedding", "float64").bound == 0


def test_final_weights_and_slots_have_bounds_of_their_own() -> None:
    found = [tolerance(f"curve/final/{what}/w", "float32") for what in ("weights", "slots")]
    assert len({*found, tolerance("curve/step_loss", "float32")}) == 3


@pytest.mark.parametrize(("key", "dtype"), [("sideways/x", "float32"), ("loss/x", "float16")])
def test_what_is_not_in_the_table_has_no_bound(key: str, dtype: str) -> None:
    with pytest.raises(KeyError):
        tolerance(key, dtype)


@pytest.mark.parametrize("allowance", ALLOWANCES, ids=lambda each: each.pairs[0])
def test_an_allowance_widens_float32_bounds_of_known_pairs_only(allowance: Allowance) -> None:
    assert set(allowance.pairs) <= set(PAIRS), "a pair is gone: drop it from the allowance"
    for rung, bound in allowance.bounds.items():
        start = f"curve/{rung.replace(' ', '/')}" if rung.startswith("final") else rung
        key = f"{start}/x/{allowance.tensor or 'y'}"
        for pair in allowance.pairs:
            assert tolerance(key, "float32").bound < tolerance(key, "float32", pair).bound == bound
            assert tolerance(key, "float64", pair) == tolerance(key, "float64")


def test_an_allowance_for_some_tensors_is_not_for_others() -> None:
    general = tolerance("gradients/hidden/bias", "float32")
    assert tolerance("gradients/hidden/bias", "float32", "imdb_lstm_cells") == general
    assert tolerance("gradients/logits/bias", "float32", "imdb_lstm_cells") != general


def test_no_two_allowances_are_for_the_same_thing() -> None:
    given = [
        (pair, rung, each.tensor)
        for each in ALLOWANCES
        for pair in each.pairs
        for rung in each.bounds
    ]
    assert len(given) == len(set(given))
    assert not {(pair, rung, "") for pair, rung, tensor in given if tensor} & set(given)


def test_the_per_step_loss_has_no_allowance() -> None:
    assert not any({"curve", "loss", "variables"} & set(each.bounds) for each in ALLOWANCES)
