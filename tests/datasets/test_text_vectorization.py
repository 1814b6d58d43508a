"""Runs the code of docs/text-vectorization.md and compares every id."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import sms_spam
from datasets.imdb_reviews import Reviews
from datasets.tokenizer import Tokenizer, pad_sequences, text_to_word_sequence
from datasets.vocabulary import Vocabulary, tokens

PAGE = Path(__file__).parents[2] / "docs" / "text-vectorization.md"

BY_HAND = [
    "b a, b a! c-c",
    "  Don't   STOP\tnow\n\r\x0b it's 3.5% of x_y <br /><br />Ünïcödé ÉTÉ",
    "",
    "\u00a0no\u00a0break\u2019s\u3000wide b",
    "!!! [UNK] unk",
    "HTMLPage camelCase e-mail b",
]


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


@pytest.mark.parametrize("num_words", [None, 5])
@pytest.mark.parametrize("side", ["pre", "post"])
def test_tokenizer_by_hand(page: dict[str, Any], num_words: int | None, side: Any) -> None:
    tokenizer = Tokenizer.fit(BY_HAND[:-1], num_words)
    ids = page["like_tokenizer"](tokenizer, 6, side)(BY_HAND)
    expected = pad_sequences(tokenizer.texts_to_sequences(BY_HAND), 6, side, side)
    np.testing.assert_array_equal(ids, expected)


@pytest.mark.parametrize("min_frequency", [0, 1])
def test_vocabulary_processor_by_hand(page: dict[str, Any], min_frequency: int) -> None:
    vocabulary = Vocabulary.fit(BY_HAND[:-1], min_frequency)
    ids = page["like_vocabulary_processor"](vocabulary, 6)(BY_HAND)
    np.testing.assert_array_equal(ids, vocabulary.transform(BY_HAND, 6))


def test_defaults_differ_as_the_table_says(page: dict[str, Any]) -> None:
    layer = page["keras"].layers.TextVectorization()
    layer.adapt(["c c a b E-mail don't\u00a0x"])
    words = ["", "[UNK]", "c", "email", "dont\u00a0x", "b", "a"]
    assert layer.get_vocabulary() == words
    assert np.asarray(layer(["c unheard"])).tolist() == [[2, 1]]
    assert text_to_word_sequence("E-mail don't") == ["e", "mail", "don't"]
    assert tokens("E-mail don't, x_y") == ["E-mail", "don't", "x_y"]


@pytest.mark.slow
@pytest.mark.real_data
def test_tokenizer_on_the_real_reviews(page: dict[str, Any], real_reviews: Reviews) -> None:
    train, test = ([*part[1], *part[0]] for part in (real_reviews.train, real_reviews.test))
    tokenizer = Tokenizer.fit(train, 4000)
    encode = page["like_tokenizer"](tokenizer, 400, "post")
    for texts in (train, test):
        expected = pad_sequences(tokenizer.texts_to_sequences(texts), 400, "post", "post")
        for start in range(0, len(texts), 5000):  # in parts, to spare memory
            part = slice(start, start + 5000)
            np.testing.assert_array_equal(encode(texts[part]), expected[part])


@pytest.mark.real_data
@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("min_frequency", [0, 10])
def test_vocabulary_processor_on_the_real_messages(
    page: dict[str, Any], min_frequency: int
) -> None:
    texts = sms_spam.messages().texts
    vocabulary = Vocabulary.fit(texts, min_frequency)
    ids = page["like_vocabulary_processor"](vocabulary, 25)(texts)
    np.testing.assert_array_equal(ids, vocabulary.transform(texts, 25))
