from __future__ import annotations

import pytest

from parity.keys import RUNGS, Key, parse
from parity.tolerances import LARGEST, ONE, tolerance

KEYS = [
    parse(text)
    for text in (
        "variables/w",
        "forward/eval/x",
        "loss/train/loss",
        "gradients/w",
        "update/step 1/weights/w",
        "update/step 1/slots/w/m",
        "update/step 1/loss/loss",
        "curve/step_loss",
        "curve/step 3/weights/w",
        "curve/final/weights/w",
        "curve/final/slots/w/m",
    )
]


def test_every_rung_has_a_bound() -> None:
    assert {key.rung for key in KEYS} == set(RUNGS)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_every_bound_has_its_reason(key: Key) -> None:
    for dtype in ("float32", "float64"):
        assert len(tolerance(key, dtype).reason.split()) >= 4


@pytest.mark.parametrize("key", [key for key in KEYS if key.rung != "variables"], ids=str)
def test_float64_is_held_to_far_smaller_bounds(key: Key) -> None:
    assert 0 < tolerance(key, "float64").bound <= tolerance(key, "float32").bound / 100


def test_weights_that_were_only_copied_must_be_equal() -> None:
    for dtype in ("float32", "float64"):
        assert tolerance(parse("variables/embedding"), dtype).bound == 0


def test_the_state_of_a_free_run_has_bounds_of_its_own() -> None:
    final = [tolerance(parse(f"curve/final/{kind}/w"), "float32") for kind in ("weights", "slots")]
    assert len({*final, tolerance(parse("curve/step_loss"), "float32")}) == 3
    snapshots = [tolerance(parse(f"curve/step 3/{k}/w"), "float32") for k in ("weights", "slots")]
    assert snapshots == final


def test_a_loss_is_bounded_as_a_loss_wherever_it_is_read() -> None:
    """A loss near zero is not excused; a weight is measured against the largest of its tensor."""
    for dtype in ("float32", "float64"):
        loss = tolerance(parse("loss/train/loss"), dtype)
        assert loss.relative_to == ONE
        assert tolerance(parse("update/step 2/loss/loss"), dtype) == loss
        assert tolerance(parse("update/step 2/weights/loss"), dtype).relative_to == LARGEST


@pytest.mark.parametrize(
    ("key", "dtype"), [(Key("sideways", "", "", "x"), "float32"), (KEYS[2], "float16")], ids=str
)
def test_what_is_not_in_the_table_has_no_bound(key: Key, dtype: str) -> None:
    with pytest.raises(KeyError):
        tolerance(key, dtype)
