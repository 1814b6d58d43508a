"""20 Newsgroups: as `newsgroups_lstm`, without its slips, as a TensorFlow 1 graph."""

import tensorflow.compat.v1 as tf

from legacy_graph.newsgroups_lstm import NewsgroupsReader


class NewsgroupsLstmMended(NewsgroupsReader):
    """Builds the graph, with its training step, in the current default graph.

    As it was meant: training leaves the word vectors alone and changes the LSTM; no layer of one
    unit; categorical cross-entropy.

    Args:
        vocabulary_size: number of word ids; id 0 is padding.
        num_classes: newsgroups to tell apart.
        learning_rate: step size of Adam.
        **others: the other arguments of `NewsgroupsReader`, without `frozen`.

    Attributes:
        logits: unnormalised log probabilities, (batch, classes).
        loss: mean cross-entropy of the batch, scalar.
        accuracy: share of the batch classified correctly, scalar.
        train_op: one Adam step on `loss`.
    """

    def __init__(self, vocabulary_size, num_classes=20, learning_rate=0.001, **others):
        super(NewsgroupsLstmMended, self).__init__(
            "embedding", vocabulary_size, num_classes=num_classes, **others
        )
        self.logits = tf.layers.dense(self.last, num_classes, name="logits")  # (batch, classes)

        losses = tf.nn.softmax_cross_entropy_with_logits_v2(
            labels=self.y, logits=self.logits
        )  # (batch,)
        self.loss = tf.reduce_mean(losses)

        correct = tf.equal(tf.argmax(self.logits, 1), tf.argmax(self.y, 1))  # (batch,)
        self.accuracy = tf.reduce_mean(tf.cast(correct, self.last.dtype))

        self.train_op = tf.train.AdamOptimizer(learning_rate).minimize(self.loss)
