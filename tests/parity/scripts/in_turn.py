"""Two heads, each with an optimizer of its own kind; both count the same steps."""

import sys

import numpy as np
import tensorflow as tf

x = tf.placeholder(tf.float32, [None, 3], name="x")
left_y = tf.placeholder(tf.float32, [None, 2], name="left_y")
right_y = tf.placeholder(tf.float32, [None, 2], name="right_y")
left = tf.layers.dense(x, 2, name="left")
right = tf.layers.dense(x, 2, name="right")
step = tf.train.get_or_create_global_step()
left_loss = tf.reduce_mean(tf.square(left_y - left), name="left_loss")
right_loss = tf.reduce_mean(tf.square(right_y - right), name="right_loss")
left_step = tf.train.AdamOptimizer(0.01).minimize(
    left_loss, step, var_list=tf.trainable_variables("left"), name="left_step"
)
with tf.control_dependencies([left_step] if "--chained" in sys.argv else []):
    right_step = tf.train.RMSPropOptimizer(0.01, momentum=0.5).minimize(
        right_loss, step, var_list=tf.trainable_variables("right"), name="right_step"
    )

random = np.random.RandomState(4)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        targets = {left_y: random.rand(4, 2), right_y: random.rand(4, 2)}
        sess.run([left_step, right_step, left, right], {x: random.rand(4, 3), **targets})
