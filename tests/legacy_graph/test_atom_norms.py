"""The norms that the atoms write by core ops are those of tf.contrib."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.legacy_graph.contrib import said_by_tf1

SCRIPT = """
import sys
import numpy as np
import tensorflow as tf
from legacy_graph.atoms import norms

found = {}
rows = np.random.RandomState(0).normal(size=(6, 2, 3, 4)).astype(np.float32)
CASES = {
    "defaults": (rows, {}),
    "scaled": (rows, {"scale": True, "decay": 0.9, "epsilon": 0.01}),
    "of rows": (rows[:, 0, 0], {"decay": 0.5}),
    "zero debias": (rows, {"zero_debias_moving_mean": True, "decay": 0.5}),
}
for case, (values, options) in CASES.items():
    for side, norm in ("ours", norms.batch_norm), ("contrib", tf.contrib.layers.batch_norm):
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, (None,) + values.shape[1:])
            training = tf.placeholder(tf.bool, [])
            outputs = norm(x, is_training=training, **options)
            updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
            variables = {v.op.name: v for v in tf.global_variables()}
            session.run(tf.global_variables_initializer())
            for step in range(3):
                session.run(updates, {x: values + step, training: True})
            prefix = case + "/" + side + "/"
            found[prefix + "train"] = session.run(outputs, {x: values, training: True})
            found[prefix + "eval"] = session.run(outputs, {x: values, training: False})
            for name, value in session.run(variables).items():
                found[prefix + name] = value
for case, axis in (("layer norm", 1), ("layer norm of last", -1)):
    for side, norm in ("ours", norms.normalized), ("contrib", tf.contrib.layers.layer_norm):
        with tf.Graph().as_default(), tf.Session() as session:
            outputs = norm(tf.constant(rows), begin_norm_axis=axis)
            session.run(tf.global_variables_initializer())
            prefix = case + "/" + side + "/"
            found[prefix + "outputs"] = session.run(outputs)
            for variable in tf.global_variables():
                found[prefix + variable.op.name] = session.run(variable)
np.savez(sys.argv[1], **found)
"""


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_norms_by_core_ops_are_those_of_contrib(tmp_path: Path) -> None:
    found = said_by_tf1(SCRIPT, tmp_path)
    ours = {name.replace("/ours/", "/") for name in found if "/ours/" in name}
    contrib = {name.replace("/contrib/", "/") for name in found if "/contrib/" in name}
    assert ours == contrib, "the same variables under the same names"
    assert len({name.partition("/")[0] for name in ours}) == 6
    for name in ours:
        case, _, rest = name.partition("/")
        one, other = (found[f"{case}/{side}/{rest}"] for side in ("ours", "contrib"))
        # Some sixteen roundings of 6e-8, at values that are no larger than three.
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=3e-6, err_msg=name)
