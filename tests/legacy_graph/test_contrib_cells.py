"""Cells written from core ops compute what those of tf.contrib do, on TensorFlow 1.15.5."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from parity.engines import tf1_python

ROOT = Path(__file__).parents[2]

# Runs on Python 3.7. Contrib's cells take the weights of ours by the order of their names, so that
# names are compared as well.
SCRIPT = """
import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.contrib import rnn
from legacy_graph import contrib_cells as ours

UNITS = 4
MADE = {
    "LayerNormBasicLSTMCell": lambda module: module.LayerNormBasicLSTMCell(UNITS),
    "NASCell": lambda module: module.NASCell(UNITS),
    "HighwayWrapper": lambda module: module.HighwayWrapper(tf.nn.rnn_cell.GRUCell(UNITS)),
}

def values(make, module):
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(np.random.RandomState(0).normal(size=(3, 5, UNITS)), tf.float32)
        outputs, states = tf.nn.dynamic_rnn(make(module), x, dtype=tf.float32)
        loss = tf.reduce_sum(tf.square(outputs))
        variables = sorted(tf.trainable_variables(), key=lambda v: v.op.name)
        session.run(tf.global_variables_initializer())
        first = {v.op.name: v for v in variables}
        start = {n: v for n, v in session.run(first).items() if n.endswith(("a", "_b"))}
        draw = np.random.RandomState(1)
        for variable in variables:
            variable.load(draw.normal(size=variable.shape.as_list()), session)
        found = session.run([outputs, states, tf.gradients(loss, variables)])
        return [v.op.name for v in variables], start, found

for name, make in MADE.items():
    (names, start, found), (expected_names, expected_start, expected) = [
        values(make, module) for module in (ours, rnn)
    ]
    assert names == expected_names, (name, names, expected_names)
    for key, value in expected_start.items():
        np.testing.assert_array_equal(start[key], value)
    for mine, theirs in zip(tf.nest.flatten(found), tf.nest.flatten(expected)):
        np.testing.assert_array_equal(mine, theirs, name)
    print(name, len(names))
"""


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_cells_by_hand_are_those_of_contrib_bit_for_bit() -> None:
    python = tf1_python()
    assert python is not None
    ended = subprocess.run(
        [python, "-W", "ignore", "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert len(ended.stdout.splitlines()) == 3
