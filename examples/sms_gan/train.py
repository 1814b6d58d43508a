"""Makes up text messages, as counts of words: a generator against a discriminator.

    python train.py --data SMSSpamCollection

Each has an optimizer of its own, and steps in turn: the generator meets the discriminator as it is
after its step. The generator's hidden layer is batch normalised.
"""

from __future__ import print_function

import collections
import io
import re

import numpy as np
import tensorflow as tf

flags = tf.app.flags
flags.DEFINE_string("data", "SMSSpamCollection", "label, tab, message: one a line")
flags.DEFINE_integer("words", 60, "most frequent words, which are counted")
flags.DEFINE_integer("noise", 16, "numbers that a message is made from")
flags.DEFINE_integer("units", 32, "of each hidden layer")
flags.DEFINE_float("learning_rate", 0.0002, "of Adam, for both")
flags.DEFINE_float("beta1", 0.5, "of Adam, for both")
flags.DEFINE_integer("batch_size", 64, "messages of a batch")
flags.DEFINE_integer("epochs", 5, "passes over the messages")
FLAGS = flags.FLAGS


def load(path, size):
    """Returns how often each word is in each message, (messages, size), from -1 to 1."""
    with io.open(path, encoding="utf-8") as f:
        texts = [line.rstrip("\n").split("\t", 1)[1] for line in f]
    messages = [collections.Counter(re.findall(r"[a-z']+", text.lower())) for text in texts]
    total = sum(messages, collections.Counter())
    words = [word for word, _ in total.most_common(size)]
    counts = np.array([[message[word] for word in words] for message in messages], np.float32)
    return np.tanh(counts) * 2 - 1


class GAN(object):
    def __init__(self, words, noise, units, learning_rate, beta1):
        self.real = tf.placeholder(tf.float32, [None, words], name="real")
        self.noise = tf.placeholder(tf.float32, [None, noise], name="noise")
        self.training = tf.placeholder(tf.bool, [], name="training")
        self.units, self.words = units, words

        self.made = self.generator(self.noise)
        real_logits = self.discriminator(self.real)
        made_logits = self.discriminator(self.made, reuse=True)
        self.d_loss = cross_entropy(real_logits, 1.0) + cross_entropy(made_logits, 0.0)
        self.g_loss = cross_entropy(made_logits, 1.0)

        t_vars = tf.trainable_variables()
        d_vars = [var for var in t_vars if var.name.startswith("discriminator")]
        g_vars = [var for var in t_vars if var.name.startswith("generator")]
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            self.d_step = tf.train.AdamOptimizer(learning_rate, beta1).minimize(
                self.d_loss, var_list=d_vars, name="d_step"
            )
            self.g_step = tf.train.AdamOptimizer(learning_rate, beta1).minimize(
                self.g_loss, var_list=g_vars, name="g_step"
            )

    def generator(self, noise):
        with tf.variable_scope("generator"):
            hidden = tf.layers.dense(noise, self.units, use_bias=False, name="hidden")
            hidden = tf.layers.batch_normalization(hidden, training=self.training, name="norm")
            return tf.layers.dense(tf.nn.relu(hidden), self.words, tf.tanh, name="counts")

    def discriminator(self, counts, reuse=False):
        with tf.variable_scope("discriminator", reuse=reuse):
            hidden = tf.nn.leaky_relu(tf.layers.dense(counts, self.units, name="hidden"), 0.2)
            return tf.layers.dense(hidden, 1, name="real")


def cross_entropy(logits, label):
    labels = tf.fill(tf.shape(logits), label)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


def main(_):
    counts = load(FLAGS.data, FLAGS.words)
    gan = GAN(FLAGS.words, FLAGS.noise, FLAGS.units, FLAGS.learning_rate, FLAGS.beta1)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for epoch in range(FLAGS.epochs):
            np.random.shuffle(counts)
            for i in range(0, len(counts) - FLAGS.batch_size + 1, FLAGS.batch_size):
                noise = np.random.uniform(-1, 1, [FLAGS.batch_size, FLAGS.noise])
                feed = {
                    gan.real: counts[i : i + FLAGS.batch_size],
                    gan.noise: noise,
                    gan.training: True,
                }
                _, d_loss = sess.run([gan.d_step, gan.d_loss], feed)
                _, g_loss = sess.run([gan.g_step, gan.g_loss], feed)
            print("epoch %d: d_loss %.3f, g_loss %.3f" % (epoch + 1, d_loss, g_loss))


if __name__ == "__main__":
    tf.app.run()
