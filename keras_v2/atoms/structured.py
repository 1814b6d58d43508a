"""Losses over sequences of tags, and over a sample of the classes."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_v2.crf import CRF
from keras_v2.sampling import NoiseContrastive, SampledSoftmax

TIME, FEATURES, TAGS = 5, 4, 3
CLASSES, SAMPLED = 20, [3, 7, 2, 11]


class Tagger(keras.Model):  # type: ignore[misc]  # Keras ships no annotations
    """Learns by the likelihood of its field."""

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any
    ) -> Any:
        """Returns how unlikely the tags are, on the mean."""
        crf = self.get_layer("crf")
        return -ops.mean(crf.log_likelihood(y_pred["scores"], y, x["lengths"]))


def tagger(model: type[keras.Model]) -> keras.Model:
    """Scores of a layer, and the tags of a field over them."""
    x = keras.Input((TIME, FEATURES), name="x")
    lengths = keras.Input((), dtype="int32", name="lengths")
    scores = layers.Dense(TAGS, name="dense")(x)  # (batch, time, tags)
    tags = CRF(name="crf")(scores, lengths)
    made = model({"x": x, "lengths": lengths}, {"scores": scores, "tags": tags})
    made.compile(keras.optimizers.SGD(0.125))
    return made


def crf() -> keras.Model:
    """`CRF`."""
    return tagger(Tagger)


class Sampling(keras.Model):  # type: ignore[misc]  # Keras ships no annotations
    """Learns by a sample of the classes."""

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any
    ) -> Any:
        """Returns the mean loss of the last layer, for samples that are always the same."""
        share = np.log1p(1.0 / (1.0 + np.arange(CLASSES))) / np.log(CLASSES + 1.0)
        losses = self.layers[-1].loss(
            y_pred["hidden"], ops.cast(y[:, 0], "int32"), SAMPLED, len(SAMPLED) * share
        )
        return ops.mean(losses)


def sampling(layer: layers.Layer) -> keras.Model:
    """A hidden layer, and a layer that learns by samples."""
    x = keras.Input((FEATURES,), name="x")
    hidden = layers.Dense(FEATURES, "tanh", name="hidden")(x)  # (batch, features)
    made = Sampling(x, {"hidden": hidden, "scores": layer(hidden)})
    made.compile(keras.optimizers.SGD(0.125))
    return made


def sampled_softmax() -> keras.Model:
    """`SampledSoftmax`."""
    return sampling(SampledSoftmax(CLASSES, name="classes"))


def nce() -> keras.Model:
    """`NoiseContrastive`."""
    return sampling(NoiseContrastive(CLASSES, name="classes"))
