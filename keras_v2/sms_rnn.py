"""SMS spam filter: an embedding, one simple recurrent layer and logits, in Keras 3."""

import keras
from keras import layers
from keras.initializers import Constant, RandomUniform, TruncatedNormal

from keras_v2.initializers import tf1_glorot
from keras_v2.optimizers import TF1RMSprop


def build_model(
    vocabulary_size: int,
    sequence_length: int = 25,
    embedding_size: int = 50,
    rnn_size: int = 10,
    num_classes: int = 2,
    dropout_rate: float = 0.5,
    learning_rate: float = 0.0005,
    optimizer: keras.Optimizer | None = None,
) -> keras.Model:
    """Builds and compiles the model.

    Args:
        vocabulary_size: number of word ids; id 0 is both padding and unknown.
        sequence_length: words in a message, padded or cut.
        embedding_size: units of a word vector.
        rnn_size: units of the recurrent layer.
        num_classes: classes to tell apart.
        dropout_rate: share of the recurrent outputs that dropout drops.
        learning_rate: step size of the default optimizer.
        optimizer: used in place of RMSProp with TensorFlow 1's arithmetic.

    Returns:
        A compiled model from word ids (batch, time) to logits (batch, classes).
    """
    x = keras.Input((sequence_length,), dtype="int32", name="x")

    embedded = layers.Embedding(
        vocabulary_size,
        embedding_size,
        embeddings_initializer=RandomUniform(-1.0, 1.0),
        name="embedding",
    )(x)  # (batch, time, embedding)

    outputs = layers.SimpleRNN(
        rnn_size, return_sequences=True, name="rnn", **tf1_glorot(embedding_size, rnn_size)
    )(embedded)  # (batch, time, units)
    dropped = layers.Dropout(dropout_rate, name="dropout")(outputs)
    last = layers.Identity(name="last")(dropped[:, -1])  # (batch, units)

    logits = layers.Dense(
        num_classes,
        kernel_initializer=TruncatedNormal(stddev=0.1),
        bias_initializer=Constant(0.1),
        name="logits",
    )(last)  # (batch, classes)

    model = keras.Model(x, logits, name="sms_rnn")
    model.compile(
        optimizer=optimizer or TF1RMSprop(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model
