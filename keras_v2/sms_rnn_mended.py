"""SMS spam filter that reads to the last word and no further, in Keras 3."""

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
        vocabulary_size: number of word ids; id 0 is padding, and nothing else.
        sequence_length: words in a message, padded on the right or cut.
        embedding_size: units of a word vector.
        rnn_size: units of the recurrent layer.
        num_classes: classes to tell apart.
        dropout_rate: share of the recurrent output that dropout drops.
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
        mask_zero=True,
        name="embedding",
    )(x)  # (batch, time, embedding)

    last = layers.SimpleRNN(rnn_size, name="rnn", **tf1_glorot(embedding_size, rnn_size))(
        embedded
    )  # (batch, units)
    dropped = layers.Dropout(dropout_rate, name="dropout")(last)

    logits = layers.Dense(
        num_classes,
        kernel_initializer=TruncatedNormal(stddev=0.1),
        bias_initializer=Constant(0.1),
        name="logits",
    )(dropped)  # (batch, classes)

    model = keras.Model(x, logits, name="sms_rnn_mended")
    model.compile(
        optimizer=optimizer or TF1RMSprop(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model
