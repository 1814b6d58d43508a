"""Losses over sequences of tags, and over a sample of the classes."""

import numpy as np
import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

TIME, FEATURES, TAGS = 5, 4, 3
CLASSES, SAMPLED = 20, [3, 7, 2, 11]


def crf_log_norm(inputs, lengths, transitions):
    """tf.contrib.crf.crf_log_norm: log of the sum over all sequences of tags, (batch,).

    `inputs` are scores (batch, time, tags), `transitions` (tags, tags).
    """
    steps = tf.unstack(inputs, axis=1)
    alphas = steps[0]  # (batch, tags)
    for step in range(1, len(steps)):
        ways = tf.expand_dims(alphas, 2) + transitions  # (batch, tags before, tags)
        moved = steps[step] + tf.reduce_logsumexp(ways, axis=1)
        alphas = tf.where(lengths > step, moved, alphas)
    return tf.reduce_logsumexp(alphas, axis=1)


def crf_sequence_score(inputs, tags, lengths, transitions):
    """tf.contrib.crf.crf_sequence_score: of one sequence of tags, (batch,)."""
    mask = tf.sequence_mask(lengths, TIME, inputs.dtype)  # (batch, time)
    unary = tf.reduce_sum(inputs * tf.one_hot(tags, TAGS, dtype=inputs.dtype), axis=2)
    steps = tf.gather_nd(transitions, tf.stack([tags[:, :-1], tags[:, 1:]], axis=2))
    return tf.reduce_sum(unary * mask, 1) + tf.reduce_sum(steps * mask[:, 1:], 1)


def crf_decode(inputs, lengths, transitions):
    """tf.contrib.crf.crf_decode: the best sequence of tags, (batch, time), and its score.

    Past its length a sequence has tags of zero.
    """
    steps = tf.unstack(inputs, axis=1)
    scores, pointers = steps[0], []
    stay = tf.zeros_like(scores, tf.int32) + tf.range(TAGS)
    for step in range(1, TIME):
        ways = tf.expand_dims(scores, 2) + transitions  # (batch, tags before, tags)
        best = tf.argmax(ways, axis=1, output_type=tf.int32)
        runs = lengths > step
        scores = tf.where(runs, steps[step] + tf.reduce_max(ways, axis=1), scores)
        pointers.append(tf.where(runs, best, stay))
    tag = tf.argmax(scores, axis=1, output_type=tf.int32)
    tags = [tag]
    for each in reversed(pointers):
        tag = tf.batch_gather(each, tf.expand_dims(tag, 1))[:, 0]
        tags.append(tag)
    mask = tf.sequence_mask(lengths, TIME, tf.int32)
    return tf.stack(tags[::-1], axis=1) * mask, tf.reduce_max(scores, axis=1)


def crf(dtype=tf.float32):
    """A conditional random field over a layer's scores, with lengths; Viterbi's decoding."""
    x = tf.placeholder(dtype, [None, TIME, FEATURES], name="x")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    y = tf.placeholder(tf.int32, [None, TIME], name="y")
    scores = tf.layers.dense(x, TAGS, name="dense")  # (batch, time, tags)
    transitions = tf.get_variable("transitions", [TAGS, TAGS], dtype)
    likelihood = crf_sequence_score(scores, y, lengths, transitions)
    likelihood -= crf_log_norm(scores, lengths, transitions)  # (batch,)
    tags, _ = crf_decode(scores, lengths, transitions)
    return Fitted(x, scores, y, tf.reduce_mean(-likelihood), lengths=lengths, tags=tags)


def _sampled(loss, dtype):
    """Trains on sampled classes that are always the same, with what is expected of them."""
    x = tf.placeholder(dtype, [None, FEATURES], name="x")
    y = tf.placeholder(tf.int32, [None, 1], name="y")
    weights = tf.get_variable("weights", [CLASSES, FEATURES], dtype)
    biases = tf.get_variable("biases", [CLASSES], dtype)
    hidden = tf.layers.dense(x, FEATURES, tf.tanh, name="hidden")  # (batch, features)
    # As the log-uniform sampler expects them: classes are in the order of how often they occur.
    share = np.log1p(1.0 / (1.0 + np.arange(CLASSES))) / np.log(CLASSES + 1.0)
    expected = tf.constant(len(SAMPLED) * share, dtype)  # (classes,)
    sampled = tf.constant(SAMPLED, tf.int64)
    values = (sampled, tf.gather(expected, y), tf.gather(expected, sampled))
    losses = loss(
        weights,
        biases,
        y,
        hidden,
        len(SAMPLED),
        CLASSES,
        sampled_values=values,
        partition_strategy="div",
    )  # (batch,)
    return Fitted(x, hidden, y, tf.reduce_mean(losses))


def sampled_softmax(dtype=tf.float32):
    """tf.nn.sampled_softmax_loss of given samples."""
    return _sampled(tf.nn.sampled_softmax_loss, dtype)


def nce(dtype=tf.float32):
    """tf.nn.nce_loss of given samples."""
    return _sampled(tf.nn.nce_loss, dtype)
