"""A script of 2018 that knows nothing of us: two optimizers, batch norm, dropout, a loop.

It leaves a file where it trained, so that a test sees whether it was stopped before.
"""

import sys

import numpy as np
import tensorflow as tf

words = tf.placeholder(tf.int32, [None, 5], name="words")
wanted = tf.placeholder(tf.int64, [None], name="wanted")
training = tf.placeholder_with_default(False, [], name="training")

table = tf.get_variable("table", [11, 4])
looked_up = tf.nn.embedding_lookup(table, words)
cell = tf.nn.rnn_cell.GRUCell(3)
outputs, state = tf.nn.dynamic_rnn(cell, looked_up, dtype=tf.float32)
normed = tf.layers.batch_normalization(state, training=training, fused=False)
dropped = tf.nn.dropout(normed, 0.5, name="dropped")
logits = tf.layers.dense(dropped, 7, name="classes")
loss = tf.reduce_mean(
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=logits), name="loss"
)
penalty = tf.nn.l2_loss(table, name="penalty")

step = tf.train.get_or_create_global_step()
own = [v for v in tf.trainable_variables() if v is not table]
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    train = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=step, var_list=own)
(gradient,) = tf.gradients(penalty, [table])
train_table = tf.train.MomentumOptimizer(0.1, 0.9).apply_gradients([(gradient, table)])

random = np.random.RandomState(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(logits, {words: np.zeros([2, 5])})
    for _ in range(3):
        try:
            batch = {words: random.randint(0, 11, [6, 5]), wanted: random.randint(0, 7, [6])}
            session.run([train, loss, logits], {training: True, **batch})
            open("trained", "w").close()
        except BaseException:
            print("nothing gets here")
