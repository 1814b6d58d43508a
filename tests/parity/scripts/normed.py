"""A layer with a bias before a batch norm, which takes it away again: a habit of 2016."""

import numpy as np
import tensorflow as tf

x = tf.placeholder(tf.float32, [None, 3], name="x")
y = tf.placeholder(tf.float32, [None, 2], name="y")
training = tf.placeholder(tf.bool, name="training")
hidden = tf.layers.dense(x, 4, name="hidden")
hidden = tf.layers.batch_normalization(hidden, training=training, name="norm")
logits = tf.layers.dense(tf.nn.relu(hidden), 2, name="logits")
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits))
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    train_op = tf.train.AdamOptimizer(0.01).minimize(loss)

random = np.random.RandomState(2)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        feed = {x: random.rand(30, 3), y: np.eye(2)[random.randint(0, 2, 30)], training: True}
        sess.run(train_op, feed)
