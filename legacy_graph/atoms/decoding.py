"""Decoding: beam search, which tf.contrib.seq2seq had."""

import numpy as np
import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

VOCABULARY, EMBEDDING, UNITS = 7, 3, 4
BEAMS, STEPS, START, END = 3, 6, 0, 1
LENGTH_PENALTY_WEIGHT = 0.5


def start_of(state):
    """Of several beams that are all alike, only the first is to be continued: (batch, beams)."""
    first = tf.constant([[0.0] + [-np.inf] * (BEAMS - 1)], state.dtype)
    return tf.tile(first, [tf.shape(state)[0], 1])


def length_penalty(lengths, dtype):
    """((5 + length) / 6)^weight, of https://arxiv.org/abs/1609.08144."""
    return ((5.0 + tf.cast(lengths, dtype)) / 6.0) ** LENGTH_PENALTY_WEIGHT


def continued(log_probs, lengths, finished, step_log_probs):
    """One step of beam search, as `_beam_search_step` of contrib takes it.

    Args:
        log_probs: of each beam, (batch, beams).
        lengths: its words, the end not counted until it is chosen, (batch, beams) int64.
        finished: whether it has ended, (batch, beams).
        step_log_probs: of every next word, (batch, beams, words).

    Returns:
        Log probabilities, lengths and whether it has ended, of each new beam; then its word, the
        beam that it continues, and its score: (batch, beams) each.
    """
    dtype = step_log_probs.dtype
    # A beam that has ended goes on with the end, at no cost.
    ended = tf.one_hot(END, VOCABULARY, tf.constant(0.0, dtype), tf.constant(dtype.min, dtype))
    stays = tf.tile(tf.expand_dims(finished, 2), [1, 1, VOCABULARY])
    step_log_probs = tf.where(stays, ended + tf.zeros_like(step_log_probs), step_log_probs)
    total = tf.expand_dims(log_probs, 2) + step_log_probs
    grows = tf.expand_dims(tf.cast(tf.logical_not(finished), tf.int64), 2)
    longer = grows * (1 - tf.one_hot(END, VOCABULARY, dtype=tf.int64))  # (batch, beams, words)
    scores = total / length_penalty(tf.expand_dims(lengths, 2) + longer, dtype)
    scores, places = tf.nn.top_k(tf.reshape(scores, [-1, BEAMS * VOCABULARY]), BEAMS)
    parents, words = places // VOCABULARY, places % VOCABULARY
    log_probs = tf.gather(tf.reshape(total, [-1, BEAMS * VOCABULARY]), places, batch_dims=1)
    finished = tf.gather(finished, parents, batch_dims=1)
    lengths = tf.gather(lengths, parents, batch_dims=1)
    lengths += tf.cast(tf.logical_not(finished), tf.int64)
    finished = tf.logical_or(finished, tf.equal(words, END))
    return log_probs, lengths, finished, words, parents, scores


def traced(words, parents):
    """The words of each beam, followed back from its last one: (batch, steps, beams) int32."""
    beam = tf.zeros_like(parents[-1]) + tf.range(BEAMS)
    found = []
    for word, parent in reversed(list(zip(words, parents))):
        found.append(tf.gather(word, beam, batch_dims=1))
        beam = tf.gather(parent, beam, batch_dims=1)
    return tf.stack(found[::-1], 1)


def decoded(state):
    """Decodes from a GRUCell's state (batch, units): words, (batch, steps, beams), and scores."""
    embedding = tf.get_variable("embedding", [VOCABULARY, EMBEDDING], state.dtype)
    cell = tf.nn.rnn_cell.GRUCell(UNITS)
    log_probs = start_of(state)
    lengths = tf.zeros_like(log_probs, tf.int64)
    finished = tf.zeros_like(log_probs, tf.bool)
    word = tf.zeros_like(log_probs, tf.int32) + START
    state = tf.tile(tf.expand_dims(state, 1), [1, BEAMS, 1])  # (batch, beams, units)
    words, parents = [], []
    with tf.variable_scope("decoder", reuse=tf.AUTO_REUSE):
        for _ in range(STEPS):
            inputs = tf.nn.embedding_lookup(embedding, tf.reshape(word, [-1]))
            output, _ = cell(inputs, tf.reshape(state, [-1, UNITS]))
            logits = tf.layers.dense(output, VOCABULARY, use_bias=False, name="dense")
            step_log_probs = tf.nn.log_softmax(tf.reshape(logits, [-1, BEAMS, VOCABULARY]))
            log_probs, lengths, finished, word, parent, scores = continued(
                log_probs, lengths, finished, step_log_probs
            )
            output = tf.reshape(output, [-1, BEAMS, UNITS])
            state = tf.gather(output, parent, batch_dims=1)
            words.append(word)
            parents.append(parent)
    return traced(words, parents), scores


def beam_search(dtype=tf.float32):
    """tf.contrib.seq2seq.BeamSearchDecoder with a length penalty."""
    state = tf.placeholder(dtype, [None, UNITS], name="state")
    words, scores = decoded(state)
    return Fitted(state, scores, words=words)
