"""The tagger of train.py, in Keras 3."""

import keras
from keras import layers

from keras_v2.optimizers import TF1Adam


def build_model(
    vocabulary: int = 2000, embedding: int = 32, units: int = 24, tags: int = 5
) -> keras.Model:
    """Build and compile the model: word ids (batch, time) to logits (batch, time, tags).

    Id 0 is padding. It is masked, so no lengths are needed: not in the layers, and not in the loss.
    """
    words = keras.Input((None,), dtype="int32", name="words")
    embedded = layers.Embedding(vocabulary, embedding, mask_zero=True, name="embedding")(words)
    # What an LSTM gives after the last word is zero in the graph; Keras repeats its last output.
    forward = layers.LSTM(units, return_sequences=True, zero_output_for_mask=True)
    outputs = layers.Bidirectional(forward, name="bilstm")(embedded)  # (batch, time, 2 units)
    logits = layers.Dense(tags, name="tag")(outputs)  # (batch, time, tags)
    model = keras.Model(words, logits)
    model.compile(
        optimizer=TF1Adam(0.005, global_clipnorm=5.0),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model
