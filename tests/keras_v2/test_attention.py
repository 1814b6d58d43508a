"""A decoder that attends: values, shapes, and the way through a file."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from keras_v2 import attention
from keras_v2.attention import AttentionDecoder, NormedAdditiveAttention

DRAW = np.random.RandomState(0)
WORDS = DRAW.normal(size=(2, 3, 7)).astype(np.float32)
MEMORY = DRAW.normal(size=(2, 6, 8)).astype(np.float32)
MASK = np.arange(6) < np.array([[2], [6]])


def decoder(scored: Any = None, project_query: bool = False) -> AttentionDecoder:
    keras.utils.set_random_seed(0)
    cell = layers.GRUCell(4, reset_after=False)
    scored = scored or layers.Attention()
    return AttentionDecoder(cell, scored, 4, attention_units=5, project_query=project_query)


def test_the_first_step_by_hand() -> None:
    layer = decoder()
    found = np.array(layer(WORDS, MEMORY, memory_mask=MASK))
    fed = np.concatenate([WORDS[:, 0], np.zeros((2, 5), np.float32)], axis=-1)
    output = np.array(layer.cell(fed, np.zeros((2, 4), np.float32))[0])
    scores = np.einsum("bd,bsd->bs", output, MEMORY @ layer.memory_layer.get_weights()[0])
    weights = np.where(MASK, np.exp(scores), 0)
    weights /= weights.sum(1, keepdims=True)
    context = np.einsum("bs,bsd->bd", weights, MEMORY)
    both = np.concatenate([output, context], axis=-1)
    expected = both @ layer.attention_layer.get_weights()[0]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-5, atol=1e-5)


def test_what_the_mask_leaves_out_is_not_seen() -> None:
    layer = decoder(layers.AdditiveAttention(), project_query=True)
    found = np.array(layer(WORDS, MEMORY, memory_mask=MASK))
    other = np.where(MASK[..., None], MEMORY, 9.0)
    np.testing.assert_array_equal(layer(WORDS, other, memory_mask=MASK), found)
    assert np.abs(layer(WORDS, other) - found).max() > 1e-3


def test_the_length_of_the_vector_is_a_weight_of_its_own() -> None:
    query, memory = WORDS[:, :1, :4], MEMORY[:, :, :4]
    normed, stock = NormedAdditiveAttention(), layers.AdditiveAttention()
    for layer in normed, stock:
        layer.build([query.shape, memory.shape])
    v = np.array([3.0, 0.0, 4.0, 0.0], np.float32)  # its norm is five
    normed.set_weights([v, np.float32(2.5), np.zeros(4)])
    stock.set_weights([v / 2])
    found, expected = (np.array(layer([query, memory])) for layer in (normed, stock))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    normed.set_weights([v * 7, np.float32(2.5), np.zeros(4)])
    np.testing.assert_allclose(normed([query, memory]), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("scored", "project_query"),
    [
        (layers.AdditiveAttention(), True),
        (NormedAdditiveAttention(), True),
        (layers.Attention(use_scale=True), False),
    ],
    ids=["bahdanau", "normed", "luong"],
)
def test_a_model_in_a_file_has_an_equal_decoder(
    scored: Any, project_query: bool, tmp_path: Path
) -> None:
    words, memory = keras.Input(WORDS.shape[1:]), keras.Input(MEMORY.shape[1:])
    mask = keras.Input(MASK.shape[1:], dtype="bool")
    outputs = decoder(scored, project_query)(words, memory, memory_mask=mask)
    assert outputs.shape == (None, 3, 5)
    model = keras.Model([words, memory, mask], outputs)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    given = [WORDS, MEMORY, MASK]
    np.testing.assert_array_equal(again(given), model(given))


def test_stock_attention_to_no_word_is_even_where_an_added_mask_keeps_the_scores() -> None:
    words = np.random.RandomState(1).normal(size=(1, 6, 8))
    drawn = keras.initializers.RandomNormal(stddev=0.5, seed=0)
    layer = layers.MultiHeadAttention(
        1, 8, use_bias=False, kernel_initializer=drawn, dtype="float64"
    )
    found = np.array(layer(words, words, attention_mask=np.zeros((1, 1, 6), bool)))
    query, key, value, merged = (np.squeeze(each) for each in layer.get_weights())
    even = (words @ value).mean(1, keepdims=True) @ merged
    np.testing.assert_allclose(found, np.tile(even, (1, 6, 1)), atol=1e-6)
    scores = (words @ query) @ (words @ key).swapaxes(1, 2) / np.sqrt(8) - 10000.0  # as BERT's
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    assert np.abs(weights @ (words @ value) @ merged - found).max() > 0.1


def test_examples_print_what_they_say() -> None:
    results = doctest.testmod(attention, extraglobs={"np": np})
    assert results.attempted
    assert not results.failed
