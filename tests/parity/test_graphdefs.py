from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from parity.errors import BadInput, EngineFailed
from parity.runners import graphdefs


def graph_of(build: Callable[[], None]) -> Any:
    with tf.Graph().as_default() as graph:
        build()
    return graph.as_graph_def()


def run(graph_def: Any, fetch: str, feed: dict[str, Any] | None = None) -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name="")
        return session.run(fetch, feed or {})


def looped() -> None:
    """A while loop over a TensorArray that draws in each of its steps."""
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    control_flow = tf.control_flow_v2_enabled()
    tf.disable_control_flow_v2()
    array = tf.TensorArray(tf.float32, 5)

    def body(i: Any, state: Any, array: Any) -> Any:
        state = tf.tanh(state * 0.7 + tf.random_uniform(tf.shape(state)))
        return i + 1, state, array.write(i, state)

    first = (tf.constant(0), x, array)
    _, _, array = tf.while_loop(lambda i, *_: i < 5, body, first)
    total = tf.reduce_sum(array.stack() ** 2, name="total")
    tf.identity(tf.gradients(total, [x])[0], name="gradient")
    if control_flow:
        tf.enable_control_flow_v2()


def test_a_graph_is_cut_to_what_its_roots_need() -> None:
    def build() -> None:
        a = tf.placeholder(tf.float32, [], name="a")
        tf.multiply(a, 2.0, name="kept")
        tf.multiply(a, 3.0, name="dropped")

    found, renamed = graphdefs.cut(graph_of(build), ["kept"], [])
    assert {node.name for node in found.node} == {"a", "kept/y", "kept"}
    assert not renamed


def test_what_is_given_becomes_a_placeholder_and_its_own_inputs_go() -> None:
    def build() -> None:
        values = tf.random_uniform([4], name="drawn")
        rows, places = tf.nn.top_k(values, 2, name="top")
        tf.add(rows, tf.cast(places, tf.float32), name="sum")

    found, renamed = graphdefs.cut(graph_of(build), ["sum"], ["top:0", "top:1"])
    assert renamed == {"top:0": "top:0", "top:1": "top_1:0"}
    assert not [node for node in found.node if "drawn" in node.name]
    assert run(found, "sum:0", {"top:0": [1, 2], "top_1:0": [3, 4]}).tolist() == [4, 6]


def test_draws_come_from_the_names_of_their_ops_inside_of_loops_too() -> None:
    feed = {"x:0": np.zeros([3, 2])}
    one, other = (graphdefs.seeded(graph_of(looped), seed) for seed in (0, 1))
    assert run(one, "total:0", feed) == run(one, "total:0", feed)
    assert run(one, "total:0", feed) != run(other, "total:0", feed)
    assert {n.attr["parallel_iterations"].i for n in one.node if n.op == "Enter"} == {1}


def test_the_float64_twin_draws_the_same_numbers_and_rounds_a_million_times_finer() -> None:
    feed = {"x:0": np.full([3, 2], 0.1, np.float32)}
    narrow = graphdefs.seeded(graph_of(looped))
    wide = graphdefs.widened(narrow)
    for fetch in ("total:0", "gradient:0"):
        expected, found = run(narrow, fetch, feed), run(wide, fetch, feed)
        assert (expected.dtype, found.dtype) == (np.float32, np.float64)
        np.testing.assert_allclose(expected, found, rtol=1e-5)
        assert not np.array_equal(expected, found)


def test_a_tensor_array_s_flow_stays_as_it_is() -> None:
    graph_def = graph_of(looped)
    flows = graphdefs.flow_nodes(graph_def)
    assert flows
    carriers = {*graphdefs.CARRIERS, "StackV2"}
    assert {node.op for node in graph_def.node if node.name in flows} <= carriers


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: tf.image.resize_bilinear(tf.zeros([1, 4, 4, 1]), [2, 2]), "ResizeBilinear"),
        (
            lambda: tf.nn.uniform_candidate_sampler(tf.zeros([2, 1], tf.int64), 1, 2, True, 9),
            "UniformCandidateSampler",
        ),
    ],
)
def test_what_has_no_float64_form_is_named(build: Callable[[], None], named: str) -> None:
    with pytest.raises(EngineFailed, match=f"ops have no float64 form: .*{named}"):
        graphdefs.widened(graph_of(build))


def test_a_graph_that_runs_python_is_refused() -> None:
    def build() -> None:
        tf.py_func(lambda x: x, [tf.zeros([])], tf.float32, name="anything")

    with pytest.raises(BadInput, match=r"reach outside of it: anything \(.*PyFunc"):
        graphdefs.refuse_outside(graph_of(build), "a file")


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: tf.raw_ops.PrintV2(input="x", output_stream="file:///tmp/x"), "PrintV2"),
        (lambda: tf.raw_ops.FIFOQueueV2(component_types=[tf.float32]), "FIFOQueueV2"),
        (lambda: tf.io.write_file("/tmp/x", "x"), "WriteFile"),
    ],
)
def test_an_op_with_effects_that_are_not_known_is_refused(
    build: Callable[[], None], named: str
) -> None:
    with pytest.raises(BadInput, match=named):
        graphdefs.refuse_outside(graph_of(build), "a file")


def test_a_graph_that_reads_files_in_a_function_is_refused() -> None:
    def build() -> None:
        dataset = tf.data.TextLineDataset("/etc/passwd").map(tf.strings.length)
        tf.data.make_one_shot_iterator(dataset).get_next()

    with pytest.raises(BadInput, match="TextLineDataset"):
        graphdefs.refuse_outside(graph_of(build), "a file")
