"""The text CNN of train.py, in Keras 3."""

import keras
from keras import layers

from keras_v2.optimizers import TF1Adam


def build_model(
    vocabulary: int = 2000,
    length: int = 30,
    embedding: int = 32,
    widths: tuple[int, ...] = (3, 4, 5),
    filters: int = 16,
    rate: float = 0.5,
) -> keras.Model:
    """Build and compile the model: word ids (batch, length) to logits (batch, 2)."""
    words = keras.Input((length,), dtype="int32", name="words")
    embedded = layers.Embedding(vocabulary, embedding, name="embedding")(words)
    pooled = []
    for width in widths:
        conv = layers.Conv1D(filters, width, activation="relu", name=f"conv_{width}")
        # The largest of all windows, by max_pool: among equal ones its gradient goes to the first.
        pool = layers.MaxPooling1D(length - width + 1)
        pooled.append(layers.Flatten()(pool(conv(embedded))))
    dropped = layers.Dropout(rate, name="dropout")(layers.Concatenate()(pooled))
    model = keras.Model(words, layers.Dense(2, name="output")(dropped))
    model.compile(
        optimizer=TF1Adam(0.001),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    return model
