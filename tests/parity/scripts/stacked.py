"""Layer upon layer as of 2018: an untouched script to be harvested.

A convolution that is padded behind, an LSTM in a loop, time and batch in one axis for a while.
"""

import numpy as np
import tensorflow as tf

tf.set_random_seed(2)
words = tf.placeholder(tf.int32, [None, 6], name="words")
wanted = tf.placeholder(tf.float32, [None, 3], name="wanted")

table = tf.get_variable("embedding", [20, 5])
looked_up = tf.nn.embedding_lookup(table, words)
kernel = tf.get_variable("conv/kernel", [2, 5, 5])
bias = tf.get_variable("conv/bias", [5])
found = tf.nn.relu(tf.nn.conv1d(looked_up, kernel, 1, "SAME") + bias)
memory, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(5), found, dtype=tf.float32)
flat = tf.reshape(memory + found, [-1, 5])
square = tf.get_variable("square/kernel", [5, 5])
bias = tf.get_variable("square/bias", [5])
turned = tf.reshape(tf.tanh(tf.matmul(flat, square) + bias), [-1, 6, 5])
mean = tf.reduce_mean(turned, 1)
kernel = tf.get_variable("hidden/kernel", [5, 5])
bias = tf.get_variable("hidden/bias", [5])
hidden = tf.sigmoid(tf.matmul(mean, kernel) + bias)
kernel = tf.get_variable("output/kernel", [5, 3])
bias = tf.get_variable("output/bias", [3])
scores = tf.nn.xw_plus_b(hidden, kernel, bias, name="scores")
losses = tf.nn.softmax_cross_entropy_with_logits(logits=scores, labels=wanted)
train = tf.train.GradientDescentOptimizer(0.001).minimize(tf.reduce_mean(losses))

random = np.random.RandomState(5)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(3):
        feed = {
            words: random.randint(0, 20, [10, 6]),
            wanted: np.eye(3)[random.randint(0, 3, 10)],
        }
        session.run(train, feed)
