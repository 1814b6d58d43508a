"""Words to ids, inside the graph."""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

WORDS, UNITS, BUCKETS, TIME = ("free", "call", "now", "you", "home"), 3, 2, 4


def _embedded(x, ids, rows, dtype):
    """Looks ids up, (batch, time), and fits the mean of their vectors."""
    embedding = tf.get_variable("embedding", [rows, UNITS], dtype)
    vectors = tf.nn.embedding_lookup(embedding, ids)  # (batch, time, units)
    return Fitted(x, tf.reduce_mean(vectors, axis=1), ids=ids, vectors=vectors)


def _table(buckets):
    """Words in order; what is unknown is hashed into buckets behind them."""
    ids = tf.range(len(WORDS), dtype=tf.int64)
    words = tf.lookup.KeyValueTensorInitializer(tf.constant(WORDS), ids)
    return tf.lookup.StaticVocabularyTable(words, buckets)


def vocabulary_table(dtype=tf.float32):
    """StaticVocabularyTable: buckets of unknown words come after the vocabulary."""
    x = tf.placeholder(tf.string, [None, TIME], name="x")
    return _embedded(x, _table(BUCKETS).lookup(x), len(WORDS) + BUCKETS, dtype)


def hash_bucket(dtype=tf.float32):
    """string_to_hash_bucket_fast: an id for every word, without a vocabulary."""
    x = tf.placeholder(tf.string, [None, TIME], name="x")
    return _embedded(x, tf.string_to_hash_bucket_fast(x, 7), 7, dtype)


def string_split(dtype=tf.float32):
    """string_split: sentences at blanks, filled up at the end to the longest of the batch."""
    x = tf.placeholder(tf.string, [None], name="x")
    words = tf.sparse_tensor_to_dense(tf.string_split(x), default_value="")  # (batch, longest)
    known = tf.not_equal(words, "")
    ids = tf.where(known, 1 + _table(1).lookup(words), tf.zeros_like(words, tf.int64))
    return _embedded(x, ids, len(WORDS) + 2, dtype)
