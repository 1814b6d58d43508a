"""SMS spam filter that reads to the last word and no further, as a TensorFlow 1 graph."""

import tensorflow.compat.v1 as tf


class SmsRnnMended(object):
    """Builds the graph, with its training step, in the current default graph.

    Args:
        vocabulary_size: number of word ids; id 0 is padding, and nothing else.
        sequence_length: words in a message, padded on the right or cut.
        embedding_size: units of a word vector.
        rnn_size: units of the recurrent layer.
        num_classes: classes to tell apart.
        learning_rate: step size of RMSProp.
        dtype: floating point type of the whole graph.

    Attributes:
        x: word ids, int32, (batch, time).
        y: class ids, int32, (batch,).
        keep_prob: share of the recurrent output that dropout keeps, scalar.
        embedded: word vectors, (batch, time, embedding).
        last: recurrent output at the last word, (batch, units).
        dropped: the same after dropout, (batch, units).
        logits: unnormalised log probabilities, (batch, classes).
        loss: mean cross-entropy of the batch, scalar.
        accuracy: share of the batch classified correctly, scalar.
        train_op: one RMSProp step on `loss`.
    """

    def __init__(
        self,
        vocabulary_size,
        sequence_length=25,
        embedding_size=50,
        rnn_size=10,
        num_classes=2,
        learning_rate=0.0005,
        dtype=tf.float32,
    ):
        self.x = tf.placeholder(tf.int32, [None, sequence_length], name="x")
        self.y = tf.placeholder(tf.int32, [None], name="y")
        self.keep_prob = tf.placeholder(dtype, [], name="keep_prob")

        embedding = tf.get_variable(
            "embedding",
            [vocabulary_size, embedding_size],
            dtype,
            tf.random_uniform_initializer(-1.0, 1.0),
        )
        self.embedded = tf.nn.embedding_lookup(embedding, self.x)  # (batch, time, embedding)

        cell = tf.nn.rnn_cell.BasicRNNCell(rnn_size)
        words = tf.reduce_sum(tf.sign(self.x), axis=1)  # (batch,)
        # The state stays what it was at a message's last word.
        _, self.last = tf.nn.dynamic_rnn(cell, self.embedded, words, dtype=dtype)  # (batch, units)
        self.dropped = tf.nn.dropout(self.last, self.keep_prob)  # (batch, units)

        with tf.variable_scope("softmax"):
            weight = tf.get_variable(
                "weight",
                [rnn_size, num_classes],
                dtype,
                tf.truncated_normal_initializer(stddev=0.1),
            )
            bias = tf.get_variable("bias", [num_classes], dtype, tf.constant_initializer(0.1))
        self.logits = tf.matmul(self.dropped, weight) + bias  # (batch, classes)

        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=self.y, logits=self.logits
        )  # (batch,)
        self.loss = tf.reduce_mean(losses)

        predictions = tf.argmax(self.logits, 1, output_type=tf.int32)  # (batch,)
        self.accuracy = tf.reduce_mean(tf.cast(tf.equal(predictions, self.y), dtype))

        self.train_op = tf.train.RMSPropOptimizer(learning_rate).minimize(self.loss)
