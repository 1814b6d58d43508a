"""The attention that the atoms write by core ops is that of tf.contrib.seq2seq."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.legacy_graph.contrib import said_by_tf1

SCRIPT = """
import sys
import numpy as np
import tensorflow as tf
from tensorflow.contrib import seq2seq
from legacy_graph.atoms import attention as atoms

draw = np.random.RandomState(0)
words = draw.normal(size=(4, atoms.WORDS, atoms.INPUTS)).astype(np.float32)
memory = draw.normal(size=(4, atoms.STEPS, atoms.DEPTH)).astype(np.float32)
length = np.array([1, 6, 3, 5], np.int32)


def by_contrib(mechanism):
    wrapped = seq2seq.AttentionWrapper(
        tf.nn.rnn_cell.GRUCell(atoms.UNITS), mechanism, attention_layer_size=atoms.ATTENTION
    )
    helper = seq2seq.TrainingHelper(tf.constant(words), [atoms.WORDS] * 4)
    decoder = seq2seq.BasicDecoder(wrapped, helper, wrapped.zero_state(4, tf.float32))
    return seq2seq.dynamic_decode(decoder)[0].rnn_output


def bahdanau():
    return seq2seq.BahdanauAttention(atoms.UNITS, tf.constant(memory), length)


def normed():
    return seq2seq.BahdanauAttention(
        atoms.UNITS, tf.constant(memory), length, normalize=True
    )


def luong():
    return seq2seq.LuongAttention(atoms.UNITS, tf.constant(memory), length, scale=True)


found = {}
for mechanism, score in (
    (bahdanau, atoms.additive_score),
    (normed, atoms.normed_score),
    (luong, atoms.multiplicative_score),
):
    weights = {}
    for side in "ours", "contrib":
        with tf.Graph().as_default(), tf.Session() as session:
            if side == "ours":
                outputs = atoms.decoded(tf.constant(words), tf.constant(memory), length, score)
            else:
                outputs = by_contrib(mechanism())
            for variable in tf.global_variables():
                shape = variable.shape.as_list()
                value = weights.setdefault(variable.op.name, draw.normal(size=shape))
                variable.load(value, session)
            found[mechanism.__name__ + "/" + side] = session.run(outputs)
            names = sorted(variable.op.name for variable in tf.global_variables())
            found[mechanism.__name__ + "/" + side + " names"] = np.array(names)
np.savez(sys.argv[1], **found)
"""


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_decoders_by_core_ops_are_those_of_contrib(tmp_path: Path) -> None:
    found = said_by_tf1(SCRIPT, tmp_path)
    for mechanism in "bahdanau", "normed", "luong":
        names = [found[f"{mechanism}/{side} names"].tolist() for side in ("ours", "contrib")]
        assert names[0] == names[1]
        ours, contrib = (found[f"{mechanism}/{side}"] for side in ("ours", "contrib"))
        assert np.abs(ours).max() > 0.1
        # Some sixteen roundings of 6e-8, at values that are no larger than ten.
        np.testing.assert_allclose(ours, contrib, rtol=1e-6, atol=1e-5, err_msg=mechanism)
