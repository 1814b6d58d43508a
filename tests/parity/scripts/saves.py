"""A script of 2018 that saves what it trains: checkpoints, and a model to be served."""

import sys

import numpy as np
import tensorflow as tf


def scores(words, keep):
    table = tf.get_variable("table", [20, 5])
    mean = tf.reduce_mean(tf.nn.embedding_lookup(table, words), 1)
    return tf.layers.dense(tf.nn.dropout(mean, keep), 3, name="scores")


words = tf.placeholder(tf.int32, [None, 6], name="words")
wanted = tf.placeholder(tf.float32, [None, 3], name="wanted")
keep = tf.placeholder(tf.float32, name="keep_prob")
logits = scores(words, keep)
losses = tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=logits)
loss = tf.reduce_mean(losses, name="loss")
step = tf.train.get_or_create_global_step()
train = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=step)
saver = tf.train.Saver()
random = np.random.RandomState(0)
folder = sys.argv[1]
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(3):
        batch = random.randint(0, 20, [8, 6])
        feed = {words: batch, wanted: np.eye(3)[batch[:, 0] % 3], keep: 0.5}
        session.run(train, feed)
    saved = saver.save(session, folder + "/model.ckpt", global_step=step)

with tf.Graph().as_default(), tf.Session() as session:
    sentences = tf.placeholder(tf.int32, [None, 6], name="ids")
    probabilities = tf.nn.softmax(scores(sentences, 1.0))
    tf.train.Saver().restore(session, saved)
    tf.saved_model.simple_save(
        session, folder + "/served", {"words": sentences}, {"probabilities": probabilities}
    )
