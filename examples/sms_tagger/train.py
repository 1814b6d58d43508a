"""Puts punctuation back into text messages: tags each word with the mark that follows it.

    python train.py --data SMSSpamCollection

A bidirectional LSTM over words of any number, a softmax for each word, a loss over real words only.
"""

from __future__ import print_function

import collections
import io
import os
import re

import numpy as np
import tensorflow as tf

flags = tf.app.flags
flags.DEFINE_string("data", "SMSSpamCollection", "label, tab, message: one a line")
flags.DEFINE_string("checkpoints", "checkpoints", "where the model is saved")
flags.DEFINE_integer("length", 25, "words of a message that are read")
flags.DEFINE_integer("vocabulary", 2000, "words that are known")
flags.DEFINE_integer("embedding", 32, "size of a word vector")
flags.DEFINE_integer("units", 24, "of the LSTM, each way")
flags.DEFINE_float("learning_rate", 0.005, "of Adam")
flags.DEFINE_float("clip", 5.0, "largest norm of all gradients together")
flags.DEFINE_integer("batch_size", 64, "messages of a batch")
flags.DEFINE_integer("epochs", 4, "passes over the messages")
FLAGS = flags.FLAGS

MARKS = ["", ".", ",", "?", "!"]
PAD = 0


def load(path, size, length):
    """Returns word ids and tags, each (messages, length), and the messages' lengths."""
    with io.open(path, encoding="utf-8") as f:
        texts = [line.rstrip("\n").split("\t", 1)[1] for line in f]
    messages = [re.findall(r"([a-z0-9']+)\s*([.,?!]?)", text.lower())[:length] for text in texts]
    messages = [message for message in messages if message]
    counts = collections.Counter(word for message in messages for word, _ in message)
    ids = {word: i + 2 for i, (word, _) in enumerate(counts.most_common(size - 2))}
    x = np.full([len(messages), length], PAD, np.int32)
    y = np.zeros([len(messages), length], np.int32)
    for i, message in enumerate(messages):
        x[i, : len(message)] = [ids.get(word, 1) for word, _ in message]
        y[i, : len(message)] = [MARKS.index(mark) for _, mark in message]
    return x, y, np.array([len(message) for message in messages], np.int32)


class Tagger(object):
    def __init__(self, vocabulary, embedding, units, tags):
        self.words = tf.placeholder(tf.int32, [None, None], name="words")
        self.lengths = tf.placeholder(tf.int32, [None], name="lengths")
        self.tags = tf.placeholder(tf.int32, [None, None], name="tags")

        table = tf.get_variable(
            "embedding",
            [vocabulary, embedding],
            initializer=tf.random_uniform_initializer(-0.1, 0.1),
        )
        embedded = tf.nn.embedding_lookup(table, self.words)
        with tf.variable_scope("bilstm"):
            outputs, _ = tf.nn.bidirectional_dynamic_rnn(
                tf.nn.rnn_cell.LSTMCell(units),
                tf.nn.rnn_cell.LSTMCell(units),
                embedded,
                sequence_length=self.lengths,
                dtype=tf.float32,
            )
        self.logits = tf.layers.dense(tf.concat(outputs, 2), tags, name="tag")

        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=self.tags, logits=self.logits
        )
        real = tf.sequence_mask(self.lengths, tf.shape(self.words)[1])
        self.loss = tf.reduce_mean(tf.boolean_mask(losses, real))
        right = tf.equal(tf.argmax(self.logits, 2, output_type=tf.int32), self.tags)
        self.accuracy = tf.reduce_mean(tf.cast(tf.boolean_mask(right, real), tf.float32))


def main(_):
    x, y, lengths = load(FLAGS.data, FLAGS.vocabulary, FLAGS.length)
    order = np.random.RandomState(0).permutation(len(x))
    train, test = order[:-1000], order[-1000:]

    tagger = Tagger(FLAGS.vocabulary, FLAGS.embedding, FLAGS.units, len(MARKS))
    step = tf.train.get_or_create_global_step()
    optimizer = tf.train.AdamOptimizer(FLAGS.learning_rate)
    gradients, variables = zip(*optimizer.compute_gradients(tagger.loss))
    gradients, _ = tf.clip_by_global_norm(gradients, FLAGS.clip)
    train_op = optimizer.apply_gradients(zip(gradients, variables), step)

    def feed(rows):
        return {tagger.words: x[rows], tagger.lengths: lengths[rows], tagger.tags: y[rows]}

    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for epoch in range(FLAGS.epochs):
            np.random.shuffle(train)
            for i in range(0, len(train), FLAGS.batch_size):
                _, loss = sess.run([train_op, tagger.loss], feed(train[i : i + FLAGS.batch_size]))
            loss, accuracy = sess.run([tagger.loss, tagger.accuracy], feed(test))
            print("epoch %d: loss %.4f, accuracy %.4f" % (epoch + 1, loss, accuracy))
            if not os.path.isdir(FLAGS.checkpoints):
                os.makedirs(FLAGS.checkpoints)
            saver.save(sess, os.path.join(FLAGS.checkpoints, "tagger"), global_step=step)


if __name__ == "__main__":
    tf.app.run()
