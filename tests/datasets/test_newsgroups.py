from __future__ import annotations

import pickle
import time
from pathlib import Path

import numpy as np
import pytest

from datasets import glove, newsgroups
from datasets.dataset import DataError, Dataset
from datasets.sources import fetch
from datasets.tokenizer import Tokenizer
from tests.datasets.test_archives import make_tar

SYNTHETIC = "9dc07321c29ec44da33e2c93c237c9c543ab68fee5e3bdbd95b91749ed680083"


def check_sizes(data: Dataset) -> None:
    size, length = (data.hyperparameters[k] for k in ("vocabulary_size", "sequence_length"))
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert x.dtype == np.int32
        assert y.dtype == np.float32
        assert x.shape == (len(y), length)
        assert y.shape == (len(x), 20)
        assert (y.sum(axis=1) == 1).all()
        assert 0 <= x.min() <= x.max() < size - 1
    rows = data.weights["embedding"]
    assert rows.dtype == np.float32
    assert rows.shape == (size, data.hyperparameters["embedding_size"])
    assert not rows[0].any()
    assert data.labels == newsgroups.GROUPS


def test_without_any_source_the_data_is_marked_as_made_up(
    nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsgroups, "MESSAGES", (30,) * 20)
    assert newsgroups.made_up().digest == SYNTHETIC
    data = newsgroups.load(num_words=500, sequence_length=50)
    assert data.origin.announcement.startswith("SYNTHETIC DATA in place of 20_newsgroups + glove")
    check_sizes(data)
    assert (len(data.x_train), len(data.x_test)) == (480, 120)
    copy = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(copy.encode(["la do"]), data.encode(["la do"]))
    other = newsgroups.load(num_words=500, sequence_length=50, seed=1)
    assert not np.array_equal(other.x_train, data.x_train)
    with pytest.raises(ValueError, match="num_words is 1"):
        newsgroups.load(num_words=1)


def test_messages_are_latin_1_and_go_by_group_and_name(
    nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "top/sci.med/9": b"med nine",
        "top/sci.med/10": b"Subject: caf\xe9\r\n\r\nmed ten\r",
        "top/alt.atheism/500": b"atheism",
        "top/README": b"no message",
        "top/alt.atheism/index": b"no message",
        "top/misc.other/1": b"no group of ours",
    }
    make_tar(nothing / "20_newsgroups.tar.xz", "w:xz", files)
    monkeypatch.setenv("PARITY_DATA_DIR", str(nothing))
    with pytest.raises(DataError, match=r"3 messages in 2 of the groups, .*expected 20 groups"):
        newsgroups.load()
    names = [("alt.atheism/500", b""), ("sci.med/10", b""), ("sci.med/9", b"")]
    monkeypatch.setattr(newsgroups, "_NAMES_SHA256", newsgroups._digest(names))
    found = fetch(newsgroups.CORPUS).content
    assert found.texts == ("atheism", "Subject: café\n\nmed ten\n", "med nine")
    assert [newsgroups.GROUPS[group] for group in found.groups] == ["alt.atheism"] + ["sci.med"] * 2
    assert "of other bytes than known here" in found.note
    monkeypatch.setattr(newsgroups, "_SHA256", found.digest)
    assert fetch(newsgroups.CORPUS).content.note == ""

    data = newsgroups.load(num_words=6, sequence_length=2, embedding_size=50)
    # med 1, ten ... go by frequency, then first appearance: atheism 2, subject 3, café 4, ten 5.
    assert data.encode(["med ten nine", "Subject", ""]).tolist() == [[1, 5], [0, 3], [0, 0]]
    assert data.hyperparameters["vocabulary_size"] == 7
    assert data.weights["embedding"].any(axis=1).tolist() == [False] + [True] * 6


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_real_messages_have_the_known_words_and_split() -> None:
    messages = fetch(newsgroups.CORPUS).content
    assert np.bincount(messages.groups).tolist() == list(newsgroups.MESSAGES)
    assert sum(newsgroups.MESSAGES) == 19_997
    words = Tokenizer.fit(messages.texts).words
    assert len(words) == 214_873
    assert (words.index("newsgroups") + 1, words.index("he") + 1) == (43, 76)

    data = newsgroups.load()
    check_sizes(data)
    assert data.hyperparameters == {
        "vocabulary_size": 20_001,
        "sequence_length": 1000,
        "embedding_size": 100,
    }
    assert (len(data.x_train), len(data.x_test)) == (15_998, 3_999)
    assert "20_newsgroups from PARITY_DATA_DIR" in data.origin.detail
    assert "glove.6B from PARITY_DATA_DIR" in data.origin.detail
    order = np.random.RandomState(0).permutation(19_997)
    encoded = data.encode([messages.texts[i] for i in order[:50]])
    np.testing.assert_array_equal(data.x_train[:50], encoded)
    np.testing.assert_array_equal(data.y_train.argmax(axis=1), messages.groups[order[:15_998]])
    last = glove.matrix([words[19_999]])[0][0]
    np.testing.assert_array_equal(data.weights["embedding"][20_000], last)

    start = time.process_time()
    newsgroups.load()
    assert time.process_time() - start < 1.5
