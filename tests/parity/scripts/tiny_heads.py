"""A script that knows nothing of us: two inputs and two outputs; the graph alone takes lengths."""

import numpy as np
import tensorflow as tf

words = tf.placeholder(tf.int32, [None, 6], name="words")
lengths = tf.placeholder(tf.int32, [None], name="lengths")
facts = tf.placeholder(tf.float32, [None, 4], name="facts")
kinds = tf.placeholder(tf.int64, [None], name="kind_labels")
sizes = tf.placeholder(tf.float32, [None, 2], name="size_labels")

table = tf.get_variable("embedding", [20, 5])
cell = tf.nn.rnn_cell.LSTMCell(4, name="lstm")
_, state = tf.nn.dynamic_rnn(
    cell, tf.nn.embedding_lookup(table, words), sequence_length=lengths, dtype=tf.float32
)
joined = tf.concat([state.h, tf.layers.dense(facts, 3, tf.nn.tanh, name="facts_layer")], 1)
kind = tf.layers.dense(joined, 3, name="kind")
size = tf.layers.dense(joined, 2, name="size")
loss = tf.reduce_mean(
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=kinds, logits=kind)
) + tf.losses.mean_squared_error(sizes, size)
train = tf.train.AdamOptimizer(0.01).minimize(loss)

random = np.random.RandomState(3)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    long = random.randint(1, 7, [8])
    batch = {
        words: random.randint(1, 20, [8, 6]) * (np.arange(6) < long[:, None]),
        lengths: long,
        facts: random.normal(size=[8, 4]),
        kinds: random.randint(0, 3, [8]),
        sizes: random.normal(size=[8, 2]),
    }
    session.run([train, loss, kind, size], batch)
