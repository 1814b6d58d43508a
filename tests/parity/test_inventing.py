"""What nobody fed is made up so that the graph can take it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from parity.runners.inventing import BATCH, invented, placeholders


def made(build: Callable[[], Any]) -> dict[str, np.ndarray]:
    with tf.Graph().as_default() as graph:
        build()
        return invented(placeholders(graph.get_operations()))


@pytest.mark.parametrize(
    ("build", "most"),
    [
        (lambda x: tf.gather(tf.zeros([7, 2]), tf.reshape(x, [-1])), 7),
        (lambda x: tf.one_hot(x, 5), 5),
        (
            lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=x[:, 0], logits=tf.zeros([BATCH, 3])
            ),
            3,
        ),
        (lambda x: (tf.one_hot(x, 5), tf.gather(tf.zeros([2, 2]), x)), 2),
    ],
    ids=["rows", "depth", "classes", "the least"],
)
def test_whole_numbers_stay_below_what_they_index(build: Callable[[Any], Any], most: int) -> None:
    def model() -> None:
        build(tf.placeholder(tf.int64, [None, 200], name="x"))

    found = made(model)["x:0"]
    assert (found.min(), found.max()) == (0, most - 1)
    assert found.dtype == np.int64
    assert found.shape == (BATCH, 200)


def test_lengths_are_compared_and_stay_within_what_is_shortest() -> None:
    def model() -> None:
        lengths = tf.placeholder(tf.int32, [64], name="lengths")
        tf.sequence_mask(lengths, 9)
        for name, size in (("long", 9), ("short", 3)):
            tf.placeholder(tf.float32, [None, size], name=name)

    found = made(model)
    assert set(found["lengths:0"]) == {1, 2, 3}
    assert found["long:0"].shape == (64, 9), "as many rows as where a shape is fixed"


def test_numbers_alone_are_a_half_and_switches_are_on() -> None:
    def model() -> None:
        tf.placeholder(tf.float32, [], name="keep")
        tf.placeholder(tf.float32, name="any")
        tf.placeholder(tf.bool, [], name="training")
        tf.placeholder(tf.float32, [2, None], name="x")
        tf.placeholder_with_default(1.0, [], name="default")

    found = made(model)
    assert found["keep:0"] == found["any:0"] == np.float32(0.5)
    assert found["training:0"].item() is True
    assert found["x:0"].shape == (2, BATCH)
    assert len(np.unique(found["x:0"])) == 2 * BATCH
    assert "default:0" not in found
