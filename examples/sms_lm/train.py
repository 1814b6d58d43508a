"""Learns which word comes next in text messages.

    python train.py --data SMSSpamCollection

All messages are one stream of words, cut into rows that are read side by side, some steps at a
time. The state of the LSTM goes on from one batch to the next; gradients end where a batch begins.
"""

from __future__ import print_function

import collections
import io
import re

import numpy as np
import tensorflow as tf

flags = tf.app.flags
flags.DEFINE_string("data", "SMSSpamCollection", "label, tab, message: one a line")
flags.DEFINE_integer("vocabulary", 1500, "words that are known")
flags.DEFINE_integer("embedding", 32, "size of a word vector")
flags.DEFINE_integer("units", 48, "of the LSTM")
flags.DEFINE_float("keep_prob", 0.5, "of what goes into the LSTM, and comes out of it")
flags.DEFINE_float("init_scale", 0.1, "first weights are from -scale to scale")
flags.DEFINE_float("learning_rate", 1.0, "of gradient descent")
flags.DEFINE_float("lr_decay", 0.5, "each epoch after the first ones")
flags.DEFINE_integer("max_epoch", 2, "epochs before the rate decays")
flags.DEFINE_integer("epochs", 4, "passes over the stream")
flags.DEFINE_float("max_grad_norm", 5.0, "largest norm of all gradients together")
flags.DEFINE_integer("batch_size", 16, "rows that are read side by side")
flags.DEFINE_integer("steps", 12, "words that are read at a time")
FLAGS = flags.FLAGS


def load(path, size):
    """Returns the ids of all words, (words,); messages end in <eos>."""
    with io.open(path, encoding="utf-8") as f:
        texts = [line.rstrip("\n").split("\t", 1)[1] for line in f]
    words = re.findall(r"[a-z0-9']+|<eos>", " <eos> ".join(texts).lower())
    counts = collections.Counter(words)
    ids = {word: i + 1 for i, (word, _) in enumerate(counts.most_common(size - 1))}
    return np.array([ids.get(word, 0) for word in words], np.int32)


def batches(ids, batch_size, steps):
    """Yields words and the words that follow, each (batch, steps), in order."""
    rows = len(ids) // batch_size
    stream = ids[: rows * batch_size].reshape(batch_size, rows)
    for i in range((rows - 1) // steps):
        yield stream[:, i * steps : (i + 1) * steps], stream[:, i * steps + 1 : (i + 1) * steps + 1]


class LanguageModel(object):
    def __init__(self, vocabulary, embedding, units, max_grad_norm):
        self.words = tf.placeholder(tf.int32, [None, None], name="words")
        self.following = tf.placeholder(tf.int32, [None, None], name="following")
        self.keep_prob = tf.placeholder(tf.float32, [], name="keep_prob")
        c = tf.placeholder(tf.float32, [None, units], name="c")
        h = tf.placeholder(tf.float32, [None, units], name="h")
        self.initial_state = tf.nn.rnn_cell.LSTMStateTuple(c, h)

        table = tf.get_variable("embedding", [vocabulary, embedding])
        inputs = tf.nn.embedding_lookup(table, self.words)
        inputs = tf.nn.dropout(inputs, self.keep_prob, name="input_dropout")
        cell = tf.nn.rnn_cell.BasicLSTMCell(units, forget_bias=0.0)
        outputs, self.final_state = tf.nn.dynamic_rnn(
            cell, inputs, initial_state=self.initial_state
        )
        outputs = tf.nn.dropout(outputs, self.keep_prob, name="output_dropout")
        self.logits = tf.layers.dense(outputs, vocabulary, name="softmax")
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=self.following, logits=self.logits
        )
        self.loss = tf.reduce_mean(losses)

        self.lr = tf.Variable(0.0, trainable=False, name="lr")
        self.new_lr = tf.placeholder(tf.float32, [], name="new_lr")
        self.lr_update = tf.assign(self.lr, self.new_lr)
        variables = tf.trainable_variables()
        gradients, _ = tf.clip_by_global_norm(tf.gradients(self.loss, variables), max_grad_norm)
        optimizer = tf.train.GradientDescentOptimizer(self.lr)
        self.train_op = optimizer.apply_gradients(zip(gradients, variables))


def run_epoch(sess, model, ids):
    zeros = np.zeros([FLAGS.batch_size, FLAGS.units], np.float32)
    state = tf.nn.rnn_cell.LSTMStateTuple(zeros, zeros)
    total, count = 0.0, 0
    for words, following in batches(ids, FLAGS.batch_size, FLAGS.steps):
        feed = {
            model.words: words,
            model.following: following,
            model.keep_prob: FLAGS.keep_prob,
            model.initial_state: state,
        }
        loss, state, _ = sess.run([model.loss, model.final_state, model.train_op], feed)
        total, count = total + loss, count + 1
    return np.exp(total / count)


def main(_):
    ids = load(FLAGS.data, FLAGS.vocabulary)
    scale = FLAGS.init_scale
    with tf.variable_scope("model", initializer=tf.random_uniform_initializer(-scale, scale)):
        model = LanguageModel(FLAGS.vocabulary, FLAGS.embedding, FLAGS.units, FLAGS.max_grad_norm)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for epoch in range(FLAGS.epochs):
            decay = FLAGS.lr_decay ** max(epoch + 1 - FLAGS.max_epoch, 0)
            sess.run(model.lr_update, {model.new_lr: FLAGS.learning_rate * decay})
            print("epoch %d: perplexity %.1f" % (epoch + 1, run_epoch(sess, model, ids)))


if __name__ == "__main__":
    tf.app.run()
