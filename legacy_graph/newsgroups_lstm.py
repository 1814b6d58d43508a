"""20 Newsgroups: word vectors, an LSTM of Keras 1 and a softmax on one number, as a TF1 graph.

The mended model builds on the same `NewsgroupsReader`.
"""

import tensorflow.compat.v1 as tf

from legacy_graph.cells import Keras1LSTMCell

FORGET_BIAS = 1.0


class NewsgroupsReader(object):
    """Builds the part of the graph that reads a message, in the current default graph.

    A subclass tells the newsgroups apart, and builds the training step.

    Args:
        frozen: what training leaves alone, `embedding` or `lstm`.
        vocabulary_size: number of word ids; id 0 is padding.
        sequence_length: words in a message, padded or cut.
        embedding_size: units of a word vector.
        rnn_size: units of the LSTM.
        num_classes: newsgroups to tell apart.
        dtype: floating point type of the whole graph.

    Attributes:
        x: word ids, int32, (batch, time).
        y: one-hot newsgroups, (batch, classes).
        keep_prob: share that dropout keeps of the vocabulary, and of the inputs and the state of
            each of the LSTM's gates.
        embedded: word vectors after dropout, (batch, time, embedding); zeros until a matrix of
            pretrained vectors is loaded into the variable `embedding`.
        last: the LSTM's last output, (batch, units).
    """

    def __init__(
        self,
        frozen,
        vocabulary_size,
        sequence_length=1000,
        embedding_size=100,
        rnn_size=100,
        num_classes=20,
        dtype=tf.float32,
    ):
        self.x = tf.placeholder(tf.int32, [None, sequence_length], name="x")
        self.y = tf.placeholder(dtype, [None, num_classes], name="y")
        self.keep_prob = tf.placeholder(dtype, [], name="keep_prob")

        embedding = tf.get_variable(
            "embedding",
            [vocabulary_size, embedding_size],
            dtype,
            tf.zeros_initializer(),
            trainable=frozen != "embedding",
        )
        self.embedded = look_up(embedding, self.x, self.keep_prob)  # (batch, time, embedding)
        self.last = lstm(
            self.embedded, rnn_size, self.keep_prob, trainable=frozen != "lstm"
        )  # (batch, units)


class NewsgroupsLstm(NewsgroupsReader):
    """Builds the graph, with its training step, in the current default graph.

    As published, slips included: training leaves the LSTM alone, where the word vectors were meant;
    a message is squeezed through one number; the loss is the binary cross-entropy of 20 outputs, so
    the accuracy is the share of right outputs, 0.95 for a guess of no class at all.

    Args:
        vocabulary_size: number of word ids; id 0 is padding.
        num_classes: newsgroups to tell apart.
        learning_rate: step size of Adam.
        **others: the other arguments of `NewsgroupsReader`, without `frozen`.

    Attributes:
        neck: what is left of a message, (batch, 1).
        probabilities: of the newsgroups, (batch, classes).
        loss: mean binary cross-entropy over the batch and the classes, scalar.
        accuracy: share of probabilities on the right side of one half, scalar.
        train_op: one Adam step on `loss`.
    """

    def __init__(self, vocabulary_size, num_classes=20, learning_rate=0.001, **others):
        super(NewsgroupsLstm, self).__init__(
            "lstm", vocabulary_size, num_classes=num_classes, **others
        )
        self.neck = tf.layers.dense(self.last, 1, tf.sigmoid, name="neck")  # (batch, 1)
        self.probabilities = tf.layers.dense(
            self.neck, num_classes, tf.nn.softmax, name="probabilities"
        )  # (batch, classes)

        p = tf.clip_by_value(self.probabilities, 1e-7, 1 - 1e-7)
        losses = -(self.y * tf.log(p) + (1 - self.y) * tf.log(1 - p))  # (batch, classes)
        self.loss = tf.reduce_mean(losses)

        predictions = tf.cast(self.probabilities > 0.5, p.dtype)  # (batch, classes)
        self.accuracy = tf.reduce_mean(tf.cast(tf.equal(predictions, self.y), p.dtype))

        self.train_op = tf.train.AdamOptimizer(learning_rate).minimize(self.loss)


def look_up(embedding, ids, keep_prob):
    """Returns word vectors (batch, time, units); dropout drops whole words for the batch."""
    ones = tf.ones([embedding.shape.as_list()[0], 1], embedding.dtype.base_dtype)
    rows = tf.nn.dropout(ones, keep_prob, name="row_dropout")  # (vocabulary, 1)
    return tf.nn.embedding_lookup(embedding * rows, ids)


def lstm(inputs, rnn_size, keep_prob, trainable=True):
    """Returns the last output (batch, units) of Keras 1's LSTM on inputs (batch, time, features).

    Dropout has a mask for each message and each gate, the same at every step. As Keras 1 did by
    default, all steps of the input are multiplied by its kernel at once, before the loop. Variables
    are laid out as those of `LSTMCell`, gates i, j, f, o.
    """
    batch, features = tf.shape(inputs)[0], inputs.shape.as_list()[-1]
    with tf.variable_scope("lstm/lstm_cell"):
        kernel = tf.get_variable(
            "kernel", [features + rnn_size, 4 * rnn_size], inputs.dtype, trainable=trainable
        )
        bias = tf.get_variable(
            "bias", [4 * rnn_size], inputs.dtype, tf.zeros_initializer(), trainable=trainable
        )
    input_kernel, state_kernel = tf.split(kernel, [features, rnn_size])  # (..., 4 x units) each

    def masks(name, size):
        ones = tf.ones([batch, size], inputs.dtype)
        return [tf.nn.dropout(ones, keep_prob, name=name + "_dropout_" + gate) for gate in "ijfo"]

    def hard_first(parts):
        i, j, f, o = parts
        return [i, f, o, j]

    input_kernels, state_kernels = (tf.split(k, 4, axis=1) for k in (input_kernel, state_kernel))
    i, j, f, o = [
        tf.tensordot(inputs * mask[:, tf.newaxis], gate_kernel, 1) + gate_bias
        for mask, gate_kernel, gate_bias in zip(
            masks("input", features), input_kernels, tf.split(bias, 4)
        )
    ]  # (batch, time, units) each
    cell = Keras1LSTMCell(
        tf.stack(hard_first(state_kernels)), tf.stack(hard_first(masks("state", rnn_size)))
    )
    outputs, _ = tf.nn.dynamic_rnn(
        cell,
        tf.concat(hard_first([i, j, f + FORGET_BIAS, o]), 2),
        dtype=inputs.dtype,
        scope="lstm",
    )  # (batch, time, units)
    return outputs[:, -1]
