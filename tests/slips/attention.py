"""Attention."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.attention import (
    DEPTH,
    HIDDEN,
    attended,
    block,
    self_attention,
    teacher_forced,
    words_of,
)
from keras_v2.atoms.fitted import fitted
from keras_v2.attention import NormedAdditiveAttention


class KeysForValues(layers.AdditiveAttention):  # type: ignore[misc]  # Keras is untyped
    """Takes its keys for its values."""

    def call(self, inputs: Any, mask: Any = None, **options: Any) -> Any:
        query, _, keys = inputs
        return super().call([query, keys, keys], mask=mask, **options)


class LuongKeysForValues(layers.Attention):  # type: ignore[misc]  # Keras is untyped
    """Takes its keys for its values."""

    def call(self, inputs: Any, mask: Any = None, **options: Any) -> Any:
        query, _, keys = inputs
        return super().call([query, keys, keys], mask=mask, **options)


def bahdanau_attention() -> keras.Model:
    return attended(KeysForValues(name="attention"), project_query=True)


class NotNormed(NormedAdditiveAttention):
    """Multiplies by the vector as it is."""

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        both = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        return ops.sum(self.length * self.scale * ops.tanh(both + self.bias), axis=-1)


def bahdanau_attention_normalized() -> keras.Model:
    return attended(NotNormed(name="attention"), project_query=True)


def luong_attention() -> keras.Model:
    return attended(LuongKeysForValues(use_scale=True, name="attention"), project_query=False)


def attention_wrapper_bahdanau() -> keras.Model:
    return teacher_forced(KeysForValues(name="attention"), project_query=True)


class ScaledByDepth(layers.Attention):  # type: ignore[misc]  # Keras is untyped
    """Divides its scores as a transformer does."""

    def call(self, inputs: Any, mask: Any = None, **options: Any) -> Any:
        query, values, keys = inputs
        return super().call([query / DEPTH**0.5, values, keys], mask=mask, **options)


def attention_wrapper_luong() -> keras.Model:
    return teacher_forced(ScaledByDepth(use_scale=True, name="attention"), project_query=False)


def multi_head_attention() -> keras.Model:
    inputs = words_of(HIDDEN)
    return fitted(inputs, self_attention(inputs, masked=False))


def transformer_block() -> keras.Model:
    return block(approximate=False)
