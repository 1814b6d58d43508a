"""The loss of alignments is TensorFlow 1's, gradients too."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_v2.ctc import ctc_loss

CLASSES = 6
LENGTHS, LABEL_LENGTHS = [7, 5, 4], [3, 2, 1]
LABELS = [[1, 1, 4], [0, 3, 0], [2, 0, 0]]  # a repeat needs a blank in between


def test_losses_and_gradients_are_those_of_tensorflow() -> None:
    """In float32: TensorFlow's kernel takes logarithms in it, whatever it is given."""
    scores = tf.constant(np.random.RandomState(0).normal(size=(3, 7, CLASSES)), tf.float32)
    mask = tf.sequence_mask(LABEL_LENGTHS, 3)
    labels = tf.SparseTensor(tf.where(mask), tf.boolean_mask(LABELS, mask), (3, 3))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(scores)
        found = ctc_loss(LABELS, scores, LABEL_LENGTHS, LENGTHS)
        expected = tf.compat.v1.nn.ctc_loss(labels, scores, LENGTHS, time_major=False)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    mine, theirs = (tape.gradient(each, scores) for each in (found, expected))
    np.testing.assert_allclose(mine, theirs, atol=1e-6)
