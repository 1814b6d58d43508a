"""What is found in a saved graph is what was seen when it was built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from parity.runners.recovering import recovered
from parity.runners.watching import Applied, components, watched

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "plain": lambda: tf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "adagrad": lambda: tf.train.AdagradOptimizer(0.1),
    "adadelta": lambda: tf.train.AdadeltaOptimizer(0.1),
    "adam": lambda: tf.train.AdamOptimizer(0.1),
    "rmsprop": lambda: tf.train.RMSPropOptimizer(0.1),
    "centered": lambda: tf.train.RMSPropOptimizer(0.1, centered=True),
    "ftrl": lambda: tf.train.FtrlOptimizer(0.1),
}


def model(resource: bool) -> Any:
    """A table whose gradient has rows, some twice, and a layer."""
    words = tf.placeholder(tf.int32, [None, 3], name="words")
    wanted = tf.placeholder(tf.float32, [None, 2], name="wanted")
    table = tf.get_variable("table", [7, 4], use_resource=resource)
    kernel = tf.get_variable("kernel", [4, 2], use_resource=resource)
    read = tf.reduce_mean(tf.nn.embedding_lookup(table, words), 1)
    losses = tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=read @ kernel)
    return tf.reduce_mean(losses, name="loss")


def built(build: Callable[[], Any]) -> tuple[list[Applied], Any]:
    """Return what is seen when a graph is built, and the graph."""
    with tf.Graph().as_default() as graph, watched() as seen:
        build()
    return seen.applied, graph


def imported(graph: Any, without: tuple[str, ...] = ()) -> Any:
    with graph.as_default():
        names = [name for name in graph.get_all_collection_keys() if name not in without]
        meta = tf.train.export_meta_graph(collection_list=names)
    with tf.Graph().as_default() as again:
        tf.train.import_meta_graph(meta)
    return again


def said(applied: Applied) -> dict[str, Any]:
    names = {v.op.name: [p.name for p in components(g)[:2]] for g, v in applied.pairs}
    return {
        "kind": applied.kind,
        "train op": applied.train_op.name,
        "loss": applied.loss.name,
        "slots": applied.slots,
        "gradients": names,
    }


@pytest.mark.parametrize("counted", [True, False], ids=["counted", ""])
@pytest.mark.parametrize("resource", [True, False], ids=["resource", "reference"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_is_found_as_it_was_seen(
    optimizer: str, resource: bool, counted: bool
) -> None:
    def build() -> None:
        step = tf.train.get_or_create_global_step() if counted else None
        OPTIMIZERS[optimizer]().minimize(model(resource), global_step=step)

    seen, graph = built(build)
    found, strange = recovered(imported(graph))
    assert list(map(said, found)) == list(map(said, seen))
    assert not strange


@pytest.mark.parametrize("optimizer", ["plain", "adam"])
def test_a_train_op_that_was_not_saved_is_put_together(optimizer: str) -> None:
    def build() -> None:
        step = tf.train.get_or_create_global_step()
        OPTIMIZERS[optimizer]().minimize(model(False), global_step=step)

    seen, graph = built(build)
    again = imported(graph, without=("train_op",))
    (found,), _ = recovered(again)
    assert {**said(found), "train op": "Adam"} == {**said(seen[0]), "train op": "Adam"}
    states = [trained(each, op.train_op.name) for each, op in ((graph, seen[0]), (again, found))]
    assert states[0]["global_step"] == 1
    for name, value in states[0].items():
        np.testing.assert_array_equal(states[1][name], value, name)


def trained(graph: Any, train_op: str) -> dict[str, Any]:
    """Return all variables after a step from made-up values."""
    feed = {"words:0": [[1, 1, 2], [3, 1, 0]], "wanted:0": [[0, 1], [1, 0]]}
    with graph.as_default(), tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for i, variable in enumerate(tf.trainable_variables()):
            size = variable.shape.num_elements()
            variable.load(np.linspace(-1, 1 + i, size).reshape(variable.shape), session)
        session.run(graph.get_operation_by_name(train_op), feed)
        return dict(session.run({v.op.name: v for v in tf.global_variables()}))


def test_clipped_gradients_are_what_the_optimizer_was_handed() -> None:
    def build() -> None:
        optimizer = tf.train.AdamOptimizer(0.1)
        loss = model(False)
        variables = tf.trainable_variables()
        clipped, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 0.1)
        optimizer.apply_gradients(zip(clipped, variables, strict=True))

    seen, graph = built(build)
    (found,), _ = recovered(imported(graph))
    assert said(found) == said(seen[0])


def test_two_optimizers_and_what_is_written_beside_them_are_told_apart() -> None:
    def build() -> None:
        loss = model(False)
        table, kernel = tf.trainable_variables()
        penalty = tf.nn.l2_loss(table, name="penalty")
        moving = tf.get_variable("moving_mean", [2], trainable=False)  # as batch norm has it
        moved = tf.assign_sub(moving, 0.1 * (moving - tf.reduce_mean(kernel, 0)))
        averages = tf.train.ExponentialMovingAverage(0.9)
        with tf.control_dependencies([moved.op]):
            first = tf.train.AdamOptimizer(0.1).minimize(loss, var_list=[kernel])
        second = tf.train.MomentumOptimizer(0.1, 0.9).minimize(penalty, var_list=[table])
        tf.group(first, second, averages.apply([kernel]))

    seen, graph = built(build)
    found, _ = recovered(imported(graph))
    assert list(map(said, found)) == list(map(said, seen))


def test_a_gradient_inside_of_a_loss_is_no_loss() -> None:
    def build() -> None:
        loss = model(False)
        kernel = tf.trainable_variables()[1]
        (steep,) = tf.gradients(loss, [kernel])
        whole = tf.add(loss, tf.nn.l2_loss(steep), name="whole")
        tf.train.GradientDescentOptimizer(0.1).minimize(whole)

    seen, graph = built(build)
    (found,), _ = recovered(imported(graph))
    assert found.loss.name == seen[0].loss.name == "whole:0"


def test_what_is_updated_by_hand_in_another_way_is_told() -> None:
    def build() -> None:
        loss = model(False)
        kernel = tf.trainable_variables()[1]
        (gradient,) = tf.gradients(loss, [kernel])
        tf.assign(kernel, kernel - 0.1 * gradient)

    _, graph = built(build)
    found, strange = recovered(imported(graph))
    assert not found
    assert strange == ["kernel: updated by Assign, as no optimizer of tf.train does it"]


def test_a_graph_that_trains_nothing_has_no_optimizer() -> None:
    _, graph = built(lambda: model(False))
    assert recovered(imported(graph)) == ([], [])
