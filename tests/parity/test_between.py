"""What of a graph can be fetched: told by its ops alone, as an imported graph knows no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from parity.runners import between
from parity.wire import Arrays

X = np.random.RandomState(0).normal(size=(4, 3))


@pytest.fixture(autouse=True)
def loops_of_ops() -> Iterator[None]:
    """Loops and conditionals are ops of the graph, as in TensorFlow 1."""
    before = tf.control_flow_v2_enabled()
    tf.disable_control_flow_v2()
    yield
    if before:
        tf.enable_control_flow_v2()


def collect(build: Callable[[Any], Any]) -> tuple[Arrays, dict[str, Any]]:
    """Build a graph on a placeholder, import it as a file's is, and collect its tensors."""
    with tf.Graph().as_default() as first:
        tf.identity(build(tf.placeholder(tf.float64, [None, 3], name="x")), name="tap")
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(first.as_graph_def(), name="")
        x, tap = (graph.get_tensor_by_name(name) for name in ("x:0", "tap:0"))

        def run(fetches: Mapping[str, Any]) -> Arrays:
            return dict(session.run(dict(fetches), {x: X}))

        return between.collect(run, [x], [tap], tf.float64, len(X))


def test_what_depends_on_the_input_is_fetched_once_and_knows_its_parents() -> None:
    def build(x: Any) -> Any:
        kernel = tf.constant(np.ones((3, 3)), name="kernel")
        a = tf.tanh(tf.identity(x, name="same"), name="a")
        b = tf.matmul(a, kernel * 2.0, name="b")
        tf.exp(a, name="not_asked_for")
        return tf.identity(b, name="again") + tf.zeros_like(b, name="zeros")

    found, about = collect(build)
    # What is added is nothing: the sum, and the tap, are `b` once more.
    assert list(found) == ["same:0", "a:0", "b:0"]
    assert about == {"parents": {"same:0": [], "a:0": ["same:0"], "b:0": ["a:0"]}, "left_out": 0}
    np.testing.assert_allclose(found["a:0"], np.tanh(X))


def test_nothing_is_fetched_from_inside_of_a_loop_and_what_comes_out_is() -> None:
    def build(x: Any) -> Any:
        def body(i: Any, state: Any) -> Any:
            branch = tf.cond(i > 1, lambda: state * 2.0, lambda: state - 1.0)
            return i + 1, tf.tanh(branch, name="inside")

        _, last = tf.while_loop(lambda i, _: i < 3, body, (0, tf.exp(x, name="before")))
        return tf.sin(last, name="after")

    found, about = collect(build)
    assert {"before:0", "after:0"} < set(found)
    assert not any("inside" in name for name in found)
    (left,) = about["parents"]["after:0"]
    assert left.endswith("Exit_1:0")
    assert about["parents"][left] == ["before:0"]


def test_nothing_is_fetched_from_a_branch_that_may_not_run() -> None:
    def build(x: Any) -> Any:
        even = tf.equal(tf.shape(x)[0] % 2, 0)
        chosen = tf.cond(
            even, lambda: tf.exp(x, name="even"), lambda: tf.tanh(tf.sin(x), name="odd")
        )
        return tf.sqrt(tf.abs(chosen), name="after")

    found, _ = collect(build)
    assert not any(name.endswith(("even:0", "odd:0")) for name in found)
    assert "after:0" in found
    assert any("Merge" in name for name in found)


def test_what_is_drawn_is_left_out() -> None:
    def build(x: Any) -> Any:
        drawn = tf.random_uniform(tf.shape(x), dtype=tf.float64, name="drawn")
        return x * 2.0 + 0.0 * tf.floor(drawn)

    found, _ = collect(build)
    assert not any(name.endswith("RandomUniform:0") for name in found)
    assert found


def test_the_largest_are_left_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(between, "LIMIT", 4 * 3 * 8 + 8 * 4)
    monkeypatch.setattr(between, "AT_ONCE", 1)

    def build(x: Any) -> Any:
        small = tf.reduce_sum(x, 1, name="small")
        wide = tf.tile(tf.exp(x, name="fits"), [1, 5], name="wide")
        return tf.reduce_sum(wide, 1, name="too") + small

    found, about = collect(build)
    assert "wide:0" not in found
    assert "fits:0" not in found  # in the end it is the largest of what is too much
    assert {"small:0", "too:0"} <= set(found)
    assert about["left_out"] == 2
    assert about["parents"]["too:0"] == []
