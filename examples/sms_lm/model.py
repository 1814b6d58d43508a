"""The language model of train.py, in Keras 3. Its state goes in and comes out."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers


class LanguageModel(keras.Model):
    """Tells, beside the loss of a training step, the state that it ended in."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch; return its loss and the state after it, as the script fetches it."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x, y, outputs)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        return {"loss": loss, "c": outputs["last_c"], "h": outputs["last_h"]}


def build_model(
    vocabulary: int = 1500, embedding: int = 32, units: int = 48, drop: float = 0.5
) -> keras.Model:
    """Build and compile the model.

    From word ids (batch, time) and a state, twice (batch, units), to logits (batch, time, words)
    and the state after the last word.
    """
    words = keras.Input((None,), dtype="int32", name="words")
    c, h = keras.Input((units,), name="c"), keras.Input((units,), name="h")
    vectors = layers.Embedding(vocabulary, embedding, name="embedding")(words)
    vectors = layers.Dropout(drop, name="input_dropout")(vectors)
    lstm = layers.LSTM(
        units, unit_forget_bias=False, return_sequences=True, return_state=True, name="lstm"
    )
    outputs, last_h, last_c = lstm(vectors, initial_state=[h, c])  # (batch, time, units)
    outputs = layers.Dropout(drop, name="output_dropout")(outputs)
    model = LanguageModel(
        {"words": words, "c": c, "h": h},
        {
            "softmax": layers.Dense(vocabulary, name="softmax")(outputs),
            "last_c": layers.Identity(name="last_c")(last_c),
            "last_h": layers.Identity(name="last_h")(last_h),
        },
    )
    model.compile(
        optimizer=keras.optimizers.SGD(1.0, global_clipnorm=5.0),
        loss={"softmax": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
    )
    return model


def run_epoch(
    model: keras.Model, batches: Iterable[tuple[np.ndarray, np.ndarray]], rate: float
) -> float:
    """Train on batches that follow each other; return the perplexity."""
    model.optimizer.learning_rate = rate
    state, losses = {}, []
    for words, following in batches:
        zeros = np.zeros((len(words), model.input["c"].shape[1]), np.float32)
        state = state or {"c": zeros, "h": zeros}
        logs = model.train_on_batch(
            {"words": words, **state}, {"softmax": following}, return_dict=True
        )
        state = {name: logs[name] for name in ("c", "h")}
        losses.append(logs["loss"])
    return float(np.exp(np.mean(losses)))
