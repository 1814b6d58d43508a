"""The beam search that the atom writes by core ops is that of tf.contrib.seq2seq."""

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
from legacy_graph.atoms import decoding as atoms

ROWS = 32
draw = np.random.RandomState(0)
states = draw.normal(size=(ROWS, atoms.UNITS)).astype(np.float32)


def by_contrib():
    embedding = tf.get_variable("embedding", [atoms.VOCABULARY, atoms.EMBEDDING])
    decoder = seq2seq.BeamSearchDecoder(
        tf.nn.rnn_cell.GRUCell(atoms.UNITS),
        embedding,
        tf.fill([ROWS], atoms.START),
        atoms.END,
        seq2seq.tile_batch(tf.constant(states), atoms.BEAMS),
        atoms.BEAMS,
        tf.layers.Dense(atoms.VOCABULARY, use_bias=False),
        length_penalty_weight=atoms.LENGTH_PENALTY_WEIGHT,
    )
    outputs, _, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=atoms.STEPS)
    return outputs.predicted_ids, outputs.beam_search_decoder_output.scores[:, -1]


weights, found = {}, {}
for side in "ours", "contrib":
    with tf.Graph().as_default(), tf.Session() as session:
        words, scores = atoms.decoded(tf.constant(states)) if side == "ours" else by_contrib()
        for variable in tf.global_variables():
            shape = variable.shape.as_list()
            value = weights.setdefault(variable.op.name, 2 * draw.normal(size=shape))
            variable.load(value, session)
        found[side + "/words"], found[side + "/scores"] = session.run((words, scores))
        names = sorted(variable.op.name for variable in tf.global_variables())
        found[side + "/names"] = np.array(names)
found["end"] = np.array(atoms.END)
np.savez(sys.argv[1], **found)
"""


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_beam_search_by_core_ops_is_that_of_contrib(tmp_path: Path) -> None:
    found = said_by_tf1(SCRIPT, tmp_path)
    assert found["ours/names"].tolist() == found["contrib/names"].tolist()
    words = found["ours/words"]
    ended = (words == found["end"]).any(1)
    assert 0.1 < ended.mean() < 0.9, "some beams end, some do not"
    np.testing.assert_array_equal(words, found["contrib/words"])
    # Some sixteen roundings of 6e-8, at log probabilities that are no larger than thirty.
    np.testing.assert_allclose(found["ours/scores"], found["contrib/scores"], atol=3e-5)
