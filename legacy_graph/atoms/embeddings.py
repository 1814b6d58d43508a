"""Embeddings that are more than one matrix and one lookup."""

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted

ROWS, UNITS, SHARDS, TIME = 9, 4, 3, 5


def partitioned(dtype=tf.float32):
    """embedding_lookup in shards: row i of the ids is row i // 3 of shard i mod 3."""
    x = tf.placeholder(tf.int32, [None, TIME], name="x")
    shards = tf.get_variable(
        "embedding",
        [ROWS, UNITS],
        tf.as_dtype(dtype),
        partitioner=tf.fixed_size_partitioner(SHARDS),
    )
    vectors = tf.nn.embedding_lookup(shards, x)  # (batch, time, units), strategy "mod"
    return Fitted(x, tf.reduce_mean(vectors, axis=1), vectors=vectors)


def _combined(combiner, dtype, weighted=False):
    """Combines the vectors of the ids in a row that are not -1."""
    x = tf.placeholder(tf.int32, [None, TIME], name="x")
    weights = tf.placeholder(dtype, [None, TIME], name="weights")
    present = tf.where(x >= 0)  # (ids, 2), int64
    shape = tf.shape(x, out_type=tf.int64)
    ids = tf.SparseTensor(present, tf.gather_nd(x, present), shape)
    each = tf.SparseTensor(present, tf.gather_nd(weights, present), shape) if weighted else None
    embedding = tf.get_variable("embedding", [ROWS, UNITS], dtype)
    outputs = tf.nn.safe_embedding_lookup_sparse([embedding], ids, each, combiner=combiner)
    return Fitted(x, outputs, weights=weights)  # (batch, units)


def combined_sum(dtype=tf.float32):
    """safe_embedding_lookup_sparse: the sum of a row's vectors."""
    return _combined("sum", dtype)


def combined_mean(dtype=tf.float32):
    """safe_embedding_lookup_sparse: their mean, by weights."""
    return _combined("mean", dtype, weighted=True)


def combined_sqrtn(dtype=tf.float32):
    """safe_embedding_lookup_sparse: their sum by weights, over the root of the squared weights."""
    return _combined("sqrtn", dtype, weighted=True)
