"""The field written from core ops is tf.contrib.crf's, on TensorFlow 1.15.5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.legacy_graph.contrib import said_by_tf1

SCRIPT = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.contrib import crf
from legacy_graph.atoms import structured as ours

with tf.Graph().as_default(), tf.Session() as session:
    draw = np.random.RandomState(0)
    scores = tf.constant(draw.normal(size=(6, ours.TIME, ours.TAGS)), tf.float32)
    transitions = tf.constant(draw.normal(size=(ours.TAGS, ours.TAGS)), tf.float32)
    tags = tf.constant(draw.randint(0, ours.TAGS, (6, ours.TIME)), tf.int32)
    lengths = tf.constant([1, 2, 3, 4, 5, 5], tf.int32)
    likelihood = ours.crf_sequence_score(scores, tags, lengths, transitions)
    likelihood -= ours.crf_log_norm(scores, lengths, transitions)
    expected, _ = crf.crf_log_likelihood(scores, tags, lengths, transitions)
    best, score = ours.crf_decode(scores, lengths, transitions)
    expected_best, expected_score = crf.crf_decode(scores, transitions, lengths)
    fetches = {
        "ours/likelihood": likelihood, "contrib/likelihood": expected,
        "ours/best": best, "contrib/best": expected_best,
        "ours/score": score, "contrib/score": expected_score,
    }
    np.savez(sys.argv[1], **session.run(fetches))
"""


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_the_field_by_hand_is_that_of_contrib(tmp_path: Path) -> None:
    # In float32, the only type that contrib's takes.
    found = said_by_tf1(SCRIPT, tmp_path)
    np.testing.assert_array_equal(found["ours/best"], found["contrib/best"])
    for each in ("likelihood", "score"):
        np.testing.assert_allclose(found[f"ours/{each}"], found[f"contrib/{each}"], rtol=1e-5)
