"""Attention: a decoder's over the steps of an encoder, and a transformer's over its own."""

import math

import tensorflow.compat.v1 as tf

from legacy_graph.atoms.fitted import Fitted
from legacy_graph.atoms.norms import normalized

STEPS, DEPTH, UNITS = 6, 4, 4  # of the memory; what it is projected to
WORDS, INPUTS, ATTENTION = 3, 2, 5  # of a decoder
HIDDEN, HEADS, INTERMEDIATE = 8, 2, 6  # of a transformer


def sources(dtype):
    """What an encoder hands over: (batch, steps, depth), and (batch,) steps that count."""
    memory = tf.placeholder(dtype, [None, STEPS, DEPTH], name="memory")
    length = tf.placeholder(tf.int32, [None], name="length")
    return memory, length


def prepared(memory, length):
    """The values and the keys of a memory, as tf.contrib.seq2seq's mechanisms prepare them."""
    mask = tf.sequence_mask(length, STEPS, memory.dtype)  # (batch, steps)
    values = memory * tf.expand_dims(mask, 2)
    return values, tf.layers.dense(values, UNITS, use_bias=False, name="memory_layer")


def additive_score(query, keys):
    """The score of BahdanauAttention: (batch, steps) for a query (batch, depth)."""
    with tf.variable_scope("bahdanau_attention"):
        query = tf.layers.dense(query, UNITS, use_bias=False, name="query_layer")
        v = tf.get_variable("attention_v", [UNITS], query.dtype)
        return tf.reduce_sum(v * tf.tanh(keys + tf.expand_dims(query, 1)), [2])


def normed_score(query, keys):
    """The score of BahdanauAttention with normalize=True: v has a length of its own, and a bias."""
    with tf.variable_scope("bahdanau_attention"):
        query = tf.layers.dense(query, UNITS, use_bias=False, name="query_layer")
        v = tf.get_variable("attention_v", [UNITS], query.dtype)
        start = tf.constant_initializer(math.sqrt(1.0 / UNITS))
        g = tf.get_variable("attention_g", [], query.dtype, start)
        b = tf.get_variable("attention_b", [UNITS], query.dtype, tf.zeros_initializer())
        v = g * v * tf.rsqrt(tf.reduce_sum(tf.square(v)))
        return tf.reduce_sum(v * tf.tanh(keys + tf.expand_dims(query, 1) + b), [2])


def multiplicative_score(query, keys):
    """The score of LuongAttention with scale=True: (batch, steps) for a query (batch, units)."""
    with tf.variable_scope("luong_attention"):
        score = tf.squeeze(tf.matmul(tf.expand_dims(query, 1), keys, transpose_b=True), [1])
        g = tf.get_variable("attention_g", [], query.dtype, tf.ones_initializer())
        return g * score


def context_of(score, values, length):
    """The mean of the values, weighted by a softmax over the steps that count: (batch, depth)."""
    mask = tf.sequence_mask(length, STEPS)
    score = tf.where(mask, score, score.dtype.min * tf.ones_like(score))
    return tf.squeeze(tf.matmul(tf.expand_dims(tf.nn.softmax(score), 1), values), [1])


def attended(dtype, score):
    """One query attends to a memory."""
    memory, length = sources(dtype)
    query = tf.placeholder(dtype, [None, UNITS], name="query")
    values, keys = prepared(memory, length)
    context = context_of(score(query, keys), values, length)
    return Fitted(memory, context, memory=memory, length=length, query=query)


def bahdanau_attention(dtype=tf.float32):
    """tf.contrib.seq2seq.BahdanauAttention: score, masked softmax, context."""
    return attended(dtype, additive_score)


def bahdanau_attention_normalized(dtype=tf.float32):
    """tf.contrib.seq2seq.BahdanauAttention with normalize=True."""
    return attended(dtype, normed_score)


def luong_attention(dtype=tf.float32):
    """tf.contrib.seq2seq.LuongAttention with scale=True."""
    return attended(dtype, multiplicative_score)


def decoded(words, memory, length, score):
    """A GRUCell in an AttentionWrapper with an attention layer, fed the words that are right."""
    values, keys = prepared(memory, length)
    cell = tf.nn.rnn_cell.GRUCell(UNITS)
    outputs = []
    with tf.variable_scope("decoder/attention_wrapper", reuse=tf.AUTO_REUSE):
        state = cell.zero_state(tf.shape(words)[0], words.dtype)
        attention = tf.zeros([tf.shape(words)[0], ATTENTION], words.dtype)
        for word in tf.unstack(words, axis=1):
            inputs = tf.concat([word, attention], 1)
            output, state = cell(inputs, state)
            context = context_of(score(output, keys), values, length)
            attention = tf.layers.dense(
                tf.concat([output, context], 1), ATTENTION, use_bias=False, name="attention_layer"
            )
            outputs.append(attention)
    return tf.stack(outputs, 1)  # (batch, words, attention)


def teacher_forced(dtype, score):
    """A decoder that is fed the right words, whatever it says itself."""
    memory, length = sources(dtype)
    words = tf.placeholder(dtype, [None, WORDS, INPUTS], name="words")
    outputs = decoded(words, memory, length, score)
    return Fitted(words, outputs, words=words, memory=memory, length=length)


def attention_wrapper_bahdanau(dtype=tf.float32):
    """tf.contrib.seq2seq.AttentionWrapper with BahdanauAttention, run by a TrainingHelper."""
    return teacher_forced(dtype, additive_score)


def attention_wrapper_luong(dtype=tf.float32):
    """tf.contrib.seq2seq.AttentionWrapper with LuongAttention, run by a TrainingHelper."""
    return teacher_forced(dtype, multiplicative_score)


def self_attention(x, length):
    """BERT's attention layer by hand, without biases: -10000 is added where there is no word.

    The gradient of a key's bias would be zero by algebra, nothing but rounding in numbers.
    """
    size = HIDDEN // HEADS

    def heads(name):
        units = tf.layers.dense(x, HIDDEN, use_bias=False, name=name)
        return tf.transpose(tf.reshape(units, [-1, STEPS, HEADS, size]), [0, 2, 1, 3])

    with tf.variable_scope("self"):
        query, key, value = heads("query"), heads("key"), heads("value")
        scores = tf.matmul(query, key, transpose_b=True) * (1.0 / math.sqrt(size))
        mask = tf.sequence_mask(length, STEPS, x.dtype)[:, tf.newaxis, tf.newaxis, :]
        weights = tf.nn.softmax(scores + (1.0 - mask) * -10000.0)  # (batch, heads, steps, steps)
        context = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
    with tf.variable_scope("output"):
        return tf.layers.dense(tf.reshape(context, [-1, STEPS, HIDDEN]), HIDDEN, use_bias=False)


def gelu(x):
    """BERT's and GPT-2's approximation by tanh."""
    cubed = tf.cast(0.044715, x.dtype) * tf.pow(x, 3)  # of float32, as in tf.nn.gelu
    return 0.5 * x * (1.0 + tf.tanh(math.sqrt(2.0 / math.pi) * (x + cubed)))


def words_of(dtype):
    """Word vectors of a text, and how many of them count."""
    x = tf.placeholder(dtype, [None, STEPS, HIDDEN], name="words")
    return x, tf.placeholder(tf.int32, [None], name="length")


def multi_head_attention(dtype=tf.float32):
    """Self-attention as BERT writes it: kernels (hidden, hidden), heads split afterwards."""
    x, length = words_of(dtype)
    with tf.variable_scope("attention"):
        return Fitted(x, self_attention(x, length), words=x, length=length)


def transformer_block(dtype=tf.float32):
    """A layer of BERT: attention and two dense layers, each added and normalised after."""
    x, length = words_of(dtype)
    with tf.variable_scope("attention"):
        attention = self_attention(x, length)
        with tf.variable_scope("output"):
            attention = normalized(x + attention, begin_norm_axis=-1)
    with tf.variable_scope("intermediate"):
        units = tf.layers.dense(attention, INTERMEDIATE, activation=gelu)
    with tf.variable_scope("output"):
        outputs = tf.layers.dense(units, HIDDEN)
        outputs = normalized(outputs + attention, begin_norm_axis=-1)
    return Fitted(x, outputs, attention=attention, words=x, length=length)
