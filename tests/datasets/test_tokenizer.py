from __future__ import annotations

import json
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import newsgroups
from datasets.imdb_reviews import Reviews
from datasets.sources import fetch
from datasets.tokenizer import FILTERS, Tokenizer, pad_sequences, text_to_word_sequence

# Runs inside TensorFlow 1.
ORACLE = """
import json, sys
import numpy as np
from tensorflow.keras.preprocessing import sequence, text

arrays = {}
with open(sys.argv[1], encoding="utf-8") as file:
    cases = json.load(file)
for name, (train, test, settings, padding) in cases.items():
    tokenizer = text.Tokenizer(**settings)
    tokenizer.fit_on_texts(train)
    words = sorted(tokenizer.word_index, key=tokenizer.word_index.get)
    arrays[name + ".words"] = np.frombuffer("\\n".join(words).encode(), np.uint8)
    for part, texts in (("train", train), ("test", test)):
        ids = tokenizer.texts_to_sequences(texts)
        arrays[name + "." + part] = sequence.pad_sequences(ids, **padding)
np.savez(sys.argv[2], **arrays)
"""

BY_HAND = [
    "b a, b a! c-c",
    "  Don't   STOP\tnow\n\r\x0b it's 3.5% of x_y <br /><br />Ünïcödé ÉTÉ İstanbul ΣΊΣΥΦΟΣ",
    "",
    "\u00a0no\u00a0break\u2019s\u3000wide b",
    "!!! ...",
    "z y x w v u t s r q p o n m l k j i h g f e d c",
]


def test_words_are_split_at_blanks_after_filtering() -> None:
    text = "Don't <br />stop_now!!  (OK)\tx\ny\rz\u00a0w"
    words = ["don't", "br", "stop", "now", "ok", "x", "y\rz\u00a0w"]
    assert text_to_word_sequence(text) == words
    assert text_to_word_sequence("A-B c", filters="", lower=False) == ["A-B", "c"]
    assert text_to_word_sequence("a, b.c", filters=".", split=", ") == ["a", "b", "c"]
    assert text_to_word_sequence(FILTERS) == []


def test_ids_run_by_falling_frequency_equals_by_first_appearance() -> None:
    tokenizer = Tokenizer.fit(["z y z", "a y b", "", "B"])
    assert tokenizer.words == ("z", "y", "b", "a")
    assert tokenizer.texts_to_sequences(["a b y z", "new", ""]) == [[4, 3, 2, 1], [], []]


def test_words_past_num_words_leave_no_trace() -> None:
    texts = ["a a a b b c"]
    tokenizer = Tokenizer.fit(texts, num_words=3)
    assert tokenizer.words == ("a", "b", "c")
    assert tokenizer.texts_to_sequences(["c b a c"]) == [[2, 1]]
    for all_of_them in (None, 0, 4):
        assert Tokenizer.fit(texts, all_of_them).texts_to_sequences(["c b"]) == [[3, 2]]
    assert Tokenizer.fit(texts, 1).texts_to_sequences(["a"]) == [[]]


def test_rows_are_padded_and_cut_on_either_side() -> None:
    rows = [[1, 2, 3, 4], [5], []]
    assert pad_sequences(rows, 3).tolist() == [[2, 3, 4], [0, 0, 5], [0, 0, 0]]
    assert pad_sequences(rows, 3, "post", "post").tolist() == [[1, 2, 3], [5, 0, 0], [0, 0, 0]]
    assert pad_sequences(rows, 2, "post", value=9).tolist() == [[3, 4], [5, 9], [9, 9]]
    assert pad_sequences(rows).shape == (3, 4)
    assert pad_sequences([], 3).shape == (0, 3)
    assert pad_sequences(rows).dtype == np.int32


def test_tokenizer_can_be_sent_to_another_process() -> None:
    tokenizer = Tokenizer.fit(["a b"], 2)
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy == tokenizer
    assert copy.texts_to_sequences(["b a"]) == [[1]]


def test_wrong_arguments_are_told() -> None:
    tokenizer = Tokenizer.fit(["a"])
    with pytest.raises(TypeError, match=r"write \['a text'\]"):
        Tokenizer.fit("a text")
    with pytest.raises(TypeError, match="one string"):
        tokenizer.texts_to_sequences("a text")
    with pytest.raises(ValueError, match="num_words is -1"):
        Tokenizer.fit(["a"], -1)
    with pytest.raises(ValueError, match="split is empty"):
        Tokenizer.fit(["a"], split="")
    with pytest.raises(ValueError, match="'b' is there twice"):
        Tokenizer(("a", "b", "b"))
    with pytest.raises(ValueError, match="maxlen is 0"):
        pad_sequences([[1]], 0)
    with pytest.raises(ValueError, match="side is 'left'"):
        pad_sequences([[1]], 1, "left")  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.oracle
def test_ids_equal_those_of_tensorflow_1(
    tmp_path: Path, tensorflow_1: Callable[..., None], request: pytest.FixtureRequest
) -> None:
    cases: dict[str, tuple[list[str], list[str], dict[str, Any], dict[str, Any]]] = {
        "by_hand": (BY_HAND, BY_HAND[::-1], {}, {"maxlen": 7}),
        "few": (BY_HAND, BY_HAND, {"num_words": 4}, {}),
        "other": (
            BY_HAND,
            BY_HAND,
            {"filters": "a!\n", "lower": False, "split": "b"},
            {"maxlen": 3, "padding": "post", "value": 5},
        ),
    }
    if os.environ.get("PARITY_DATA_DIR"):
        reviews: Reviews = request.getfixturevalue("real_reviews")
        train, test = ([*part[1], *part[0]] for part in (reviews.train, reviews.test))
        right = {"maxlen": 400, "padding": "post", "truncating": "post"}
        cases["imdb"] = (train, test, {"num_words": 4000}, right)
        messages = list(fetch(newsgroups.CORPUS).content.texts)
        cases["newsgroups"] = (messages, [], {"num_words": 20_000}, {"maxlen": 1000})
    given, returned = tmp_path / "cases.json", tmp_path / "ids.npz"
    given.write_text(json.dumps(cases), encoding="utf-8")
    tensorflow_1(ORACLE, given, returned)
    with np.load(returned) as arrays:
        for name, (train, test, settings, padding) in cases.items():
            tokenizer = Tokenizer.fit(train, **settings)
            words = arrays[f"{name}.words"].tobytes().decode().split("\n")
            assert list(tokenizer.words) == words, name
            for part, texts in (("train", train), ("test", test)):
                ids = pad_sequences(tokenizer.texts_to_sequences(texts), **padding)
                np.testing.assert_array_equal(ids, arrays[f"{name}.{part}"], err_msg=name)


@pytest.mark.slow
@pytest.mark.real_data
def test_not_slower_than_the_original(real_reviews: Reviews) -> None:
    original = pytest.importorskip("tf_keras").preprocessing
    texts = real_reviews.train[0][:4000]

    def ours() -> object:
        tokenizer = Tokenizer.fit(texts, 4000)
        return pad_sequences(tokenizer.texts_to_sequences(texts), 400).tolist()

    def theirs() -> object:
        tokenizer = original.text.Tokenizer(4000)
        tokenizer.fit_on_texts(texts)
        ids = tokenizer.texts_to_sequences(texts)
        return original.sequence.pad_sequences(ids, 400).tolist()

    def seconds(run: Callable[[], object]) -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    assert ours() == theirs()
    pairs = [(seconds(theirs), seconds(ours)) for _ in range(3)]
    ratio = min(their for their, _ in pairs) / min(our for _, our in pairs)
    print(f"tf_keras takes {ratio:.2f} times as long")
    assert ratio > 1
