"""Two layers of the same weights, of which the larger counts: a tie in every element."""

import numpy as np
import tensorflow as tf

x = tf.placeholder(tf.float32, [None, 3], name="x")
y = tf.placeholder(tf.float32, [None, 2], name="y")
start = tf.constant_initializer([[0.5, -0.25], [0.125, 0.75], [-0.5, 0.25]])
one = tf.layers.dense(x, 2, use_bias=False, kernel_initializer=start, name="one")
other = tf.layers.dense(x, 2, use_bias=False, kernel_initializer=start, name="other")
larger = tf.maximum(one, other, name="larger")
loss = tf.reduce_mean(tf.square(y - larger))
train_op = tf.train.GradientDescentOptimizer(0.125).minimize(loss)

random = np.random.RandomState(3)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        sess.run([train_op, larger], {x: random.rand(4, 3), y: random.rand(4, 2)})
