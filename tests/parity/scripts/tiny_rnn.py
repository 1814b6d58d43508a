"""An LSTM as of 2017, trained by plain gradient descent: an untouched script to be harvested."""

import numpy as np
import tensorflow as tf

x = tf.placeholder("float", [None, 4, 3])
y = tf.placeholder("float", [None, 2])
weights = {"out": tf.Variable(tf.random_normal([5, 2]))}
biases = {"out": tf.Variable(tf.random_normal([2]))}

lstm_cell = tf.nn.rnn_cell.BasicLSTMCell(5, forget_bias=1.0)
outputs, states = tf.nn.static_rnn(lstm_cell, tf.unstack(x, 4, 1), dtype=tf.float32)
logits = tf.matmul(outputs[-1], weights["out"]) + biases["out"]
loss_op = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=y))
train_op = tf.train.GradientDescentOptimizer(learning_rate=0.001).minimize(loss_op)

random = np.random.RandomState(1)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(10):
        batch_x, batch_y = random.rand(6, 4, 3), np.eye(2)[random.randint(0, 2, 6)]
        sess.run(train_op, feed_dict={x: batch_x, y: batch_y})
