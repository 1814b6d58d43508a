"""A text CNN as of 2016, with two filters of one shape: an untouched script to be harvested."""

import numpy as np
import tensorflow as tf


class TextCNN(object):
    def __init__(self, length, vocabulary, size, filters):
        self.words = tf.placeholder(tf.int32, [None, length], name="words")
        self.wanted = tf.placeholder(tf.float32, [None, 3], name="wanted")
        self.keep = tf.placeholder(tf.float32, name="keep")
        with tf.name_scope("embedding"):
            table = tf.Variable(tf.random_uniform([vocabulary, size], -1.0, 1.0), name="W")
            looked_up = tf.nn.embedding_lookup(table, self.words)[:, :, :, None]
        pooled = []
        for side in ("left", "right"):
            with tf.name_scope("conv-" + side):
                kernel = tf.Variable(tf.truncated_normal([2, size, 1, filters]), name="W")
                bias = tf.Variable(tf.constant(0.1, shape=[filters]), name="b")
                found = tf.nn.conv2d(looked_up, kernel, [1, 1, 1, 1], "VALID")
                active = tf.nn.relu(found + bias) if side == "left" else tf.tanh(found + bias)
                pooled.append(tf.nn.max_pool(active, [1, length - 1, 1, 1], [1] * 4, "VALID"))
        flat = tf.reshape(tf.concat(pooled, 3), [-1, 2 * filters])
        with tf.name_scope("dropout"):
            dropped = tf.nn.dropout(flat, self.keep)
        with tf.name_scope("output"):
            kernel = tf.get_variable("W", [2 * filters, 3])
            bias = tf.Variable(tf.constant(0.1, shape=[3]), name="b")
            self.scores = tf.nn.xw_plus_b(dropped, kernel, bias, name="scores")
        losses = tf.nn.softmax_cross_entropy_with_logits(logits=self.scores, labels=self.wanted)
        self.loss = tf.reduce_mean(losses)


model = TextCNN(length=6, vocabulary=20, size=5, filters=4)
step = tf.Variable(0, name="global_step", trainable=False)
train = tf.train.AdamOptimizer(0.01).minimize(model.loss, global_step=step)
random = np.random.RandomState(3)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(100):
        feed = {
            model.words: random.randint(0, 20, [8, 6]),
            model.wanted: np.eye(3)[random.randint(0, 3, 8)],
            model.keep: 0.5,
        }
        print(session.run([train, model.loss], feed)[1])
