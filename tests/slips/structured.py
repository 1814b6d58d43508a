"""Tags, and samples of classes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_v2.atoms.structured import (
    CLASSES,
    TIME,
    Tagger,
    sampling,
    tagger,
)
from keras_v2.sampling import NoiseContrastive, SampledSoftmax


class Unmasked(Tagger):
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any
    ) -> Any:
        whole = {"lengths": ops.full_like(x["lengths"], TIME)}
        return super().compute_loss(whole, y, y_pred)


def crf() -> keras.Model:
    return tagger(Unmasked)


class Whole(SampledSoftmax):
    def loss(self, hidden: Any, true: Any, sampled: Any, expected: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(true, self(hidden), from_logits=True)


def sampled_softmax() -> keras.Model:
    return sampling(Whole(CLASSES, name="classes"))


class Unexpected(NoiseContrastive):
    def loss(self, hidden: Any, true: Any, sampled: Any, expected: Any) -> Any:
        return super().loss(hidden, true, sampled, [1.0] * CLASSES)


def nce() -> keras.Model:
    return sampling(Unexpected(CLASSES, name="classes"))
