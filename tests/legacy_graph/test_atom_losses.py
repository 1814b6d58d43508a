"""The losses that the atoms write by core ops are those of tf.contrib, on TensorFlow 1.15.5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.legacy_graph.contrib import said_by_tf1

SCRIPT = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.contrib import layers, seq2seq
from legacy_graph.atoms import losses

found = {}
draw = np.random.RandomState(0)
rows = draw.normal(size=(6, losses.TIME, losses.FEATURES))
tags = draw.randint(0, losses.UNITS, (6, losses.TIME))

with tf.Graph().as_default(), tf.Session() as session:
    model = losses.sequence_loss(tf.float64)
    weights = tf.cast(model.y > 0, tf.float64)
    contrib = seq2seq.sequence_loss(model.outputs, model.y, weights)
    both = {"ours": model.loss, "contrib": contrib}
    session.run(tf.global_variables_initializer())
    for case, y in ("mask", tags), ("all padding", 0 * tags), ("few words", np.eye(6, 3)):
        for side, loss in session.run(both, {model.x: rows, model.y: y}).items():
            found[case + "/" + side] = loss

with tf.Graph().as_default(), tf.Session() as session:
    losses.l2_regularizer(tf.float64)
    kernel, = [each for each in tf.trainable_variables() if "kernel" in each.name]
    both = {"ours": tf.losses.get_regularization_loss(),
            "contrib": layers.l2_regularizer(0.125)(kernel)}
    session.run(tf.global_variables_initializer())
    for side, loss in session.run(both).items():
        found["l2/" + side] = loss

np.savez(sys.argv[1], **found)
"""


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_losses_by_core_ops_are_those_of_contrib(tmp_path: Path) -> None:
    found = said_by_tf1(SCRIPT, tmp_path)
    cases = {name.partition("/")[0] for name in found}
    assert cases == {"mask", "all padding", "few words", "l2"}
    for case in sorted(cases):
        # The same ops in float64: a small number in the divisor would be seen.
        np.testing.assert_allclose(
            found[f"{case}/ours"], found[f"{case}/contrib"], rtol=4e-16, err_msg=case
        )
    assert found["all padding/contrib"] == 0
    assert all(found[f"{case}/contrib"] > 0 for case in cases - {"all padding"})
