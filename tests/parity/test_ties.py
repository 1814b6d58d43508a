"""Weights of one shape, told apart by gradients: the arithmetic of it. `test_cli_check` has all."""

from __future__ import annotations

import numpy as np

from parity.proposals import ORDERED, Entry
from parity.ties import levelled, matches, tied
from parity.weights import same

PATHS = ("one/kernel", "two/kernel", "three/kernel")
NAMES = ("a", "b", "c")
GROUP = [
    Entry((same(name, path),), ORDERED, (path, *(p for p in PATHS if p != path)))
    for name, path in zip(NAMES, PATHS, strict=True)
]
SLOPES = dict(zip(NAMES, np.random.RandomState(0).normal(size=(3, 2, 2)), strict=True))


def gradients(**of: str) -> dict[str, np.ndarray]:
    """Gradients by name; each is that of another name."""
    return {f"gradients/{name}": SLOPES[other] for name, other in of.items()}


def test_what_might_be_each_other_is_a_group() -> None:
    other = [Entry((same(n, p),), ORDERED, ("x", "y")) for n, p in (("d", "x"), ("e", "y"))]
    assert tied([GROUP[0], other[0], *GROUP[1:], other[1]]) == [GROUP, other]


def test_a_group_is_given_the_same_values_each_in_its_own_shape() -> None:
    weights = {"a": np.arange(4.0).reshape(2, 2), "b": np.zeros((2, 1, 2)), "d": np.ones(3)}
    found = levelled(weights, [GROUP[:2]])
    np.testing.assert_array_equal(found["b"], [[[0, 1]], [[2, 3]]])
    assert found["a"] is weights["a"]
    assert found["d"] is weights["d"]


def test_the_same_gradient_is_the_same_weight() -> None:
    expected = gradients(a="a", b="b", c="c")
    actual = gradients(a="b", b="c", c="a")  # what order calls a is the weight of b
    found = matches(GROUP, expected, actual)
    assert found == {"a": "three/kernel", "b": "one/kernel", "c": "two/kernel"}


def test_equal_gradients_and_gradients_of_nobody_tell_nothing() -> None:
    assert matches(GROUP, gradients(a="a", b="b", c="b"), gradients(a="b", b="b", c="a")) == {
        "a": "three/kernel"
    }
    other = {f"gradients/{name}": SLOPES[name] + 1e-3 for name in NAMES}
    assert matches(GROUP, gradients(a="a", b="b", c="c"), other) == {}
