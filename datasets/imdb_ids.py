"""Keras's own copy of the Large Movie Review Dataset: word ids in place of words.

References:
    ``keras.datasets.imdb``; the reviews are those of `datasets.imdb_reviews`.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from datasets.archives import Member
from datasets.dataset import DataError
from datasets.imdb_reviews import Part, Reviews
from datasets.object_arrays import read_sequences
from datasets.remotes import Official
from datasets.sources import Corpus
from datasets.tokenizer import Side, Tokenizer, pad_sequences

START, UNKNOWN = 1, 2  # ids in front of a review, and of a word that is too rare
INDEX_FROM = 3  # a word's id is its rank by frequency, from 1, plus this
SHUFFLE_SEED = 113

_SHA256 = "fac50137753df6585df8b5a19b6acb2aebe47009dd98bc9daf98ae28976bf261"
_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"
_ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


@dataclass(frozen=True, eq=False)
class RankedReviews:
    """Reviews as ranks of words; rank 1 is the most frequent word.

    Args:
        train: n reviews, each a row of ranks.
        train_classes: int32 class ids, shape ``(n,)``; 1 is positive.
        test: as ``train``.
        test_classes: as ``train_classes``.
        digest: sha256 of the content.
        note: what a reader should know of this copy.
    """

    train: list[NDArray[np.int32]]
    train_classes: NDArray[np.int32]
    test: list[NDArray[np.int32]]
    test_classes: NDArray[np.int32]
    digest: str
    note: str = ""

    def arrays(
        self, num_words: int, sequence_length: int, side: Side = "pre"
    ) -> dict[str, NDArray[np.int32]]:
        """Encode and shuffle, as ``keras.datasets.imdb.load_data`` and ``pad_sequences`` do.

        Args:
            num_words: ids from this one on become `UNKNOWN`.
            sequence_length: ids a row.
            side: where a row is padded and cut.

        Returns:
            ``x_train`` and ``x_test``, shape ``(n, sequence_length)``; ``y_train`` and ``y_test``,
            class ids, shape ``(n,)``.
        """
        rng = np.random.RandomState(SHUFFLE_SEED)
        arrays = {}
        for part, ranks, classes in (
            ("train", self.train, self.train_classes),
            ("test", self.test, self.test_classes),
        ):
            order = np.arange(len(ranks))
            rng.shuffle(order)
            rows = [encode(ranks[i], num_words) for i in order]
            arrays[f"x_{part}"] = pad_sequences(rows, sequence_length, side, side)
            arrays[f"y_{part}"] = classes[order]
        return arrays


@dataclass(frozen=True)
class WordIndex:
    """All words of Keras's copy, the most frequent one first."""

    words: tuple[str, ...]
    digest: str
    note: str = ""


def encode(ranks: NDArray[np.int32], num_words: int) -> NDArray[np.int32]:
    """Turn ranks into ids, shape ``(ranks + 1,)``; rank 0 stands for an unknown word."""
    ids = ranks + INDEX_FROM
    known = (ranks > 0) & (ids < num_words)
    return np.concatenate([[np.int32(START)], np.where(known, ids, np.int32(UNKNOWN))])


def from_texts(reviews: Reviews) -> tuple[RankedReviews, WordIndex]:
    """Make the same of raw reviews: positive ones first, ranked by the train part's words."""
    tokenizer = Tokenizer.fit(text for some in reversed(reviews.train) for text in some)

    def ranks(part: Part) -> tuple[list[NDArray[np.int32]], NDArray[np.int32]]:
        rows = [
            np.array(row, np.int32)
            for some in reversed(part)
            for row in tokenizer.texts_to_sequences(some)
        ]
        negative, positive = part
        return rows, np.repeat(np.array([1, 0], np.int32), [len(positive), len(negative)])

    ranked = RankedReviews(*ranks(reviews.train), *ranks(reviews.test), reviews.digest)
    return ranked, WordIndex(tokenizer.words, reviews.digest)


def _parse_npz(members: Iterator[Member], digest: str | None) -> RankedReviews:
    _, stream = next(members)
    with zipfile.ZipFile(io.BytesIO(stream.read())) as archive:
        names = {f"{kind}_{part}.npy" for kind in "xy" for part in ("train", "test")}
        if set(archive.namelist()) != names:
            raise DataError(f"holds {', '.join(archive.namelist()[:5])}; expected {sorted(names)}")
        found = hashlib.sha256()
        parts: list[tuple[list[NDArray[np.int32]], NDArray[np.int32]]] = []
        for part in ("train", "test"):
            with archive.open(f"x_{part}.npy") as file:
                ranks, lengths = read_sequences(file)
            with archive.open(f"y_{part}.npy") as file:
                classes = np.lib.format.read_array(file, allow_pickle=False)
            if classes.shape != lengths.shape:
                raise DataError(f"{part}: {len(lengths)} reviews, but {classes.shape} classes")
            for array in (lengths, ranks, classes):
                found.update(array.astype("<i8").tobytes())
            ends = [0, *np.cumsum(lengths).tolist()]
            rows = [ranks[start:end] for start, end in pairwise(ends)]
            parts.append((rows, classes.astype(np.int32)))
    train, test = parts
    if digest is not None and found.hexdigest() != digest:
        raise DataError(
            f"not Keras's imdb.npz: {len(train[0]):,} reviews to train on and {len(test[0]):,} to "
            f"test, sha256 of the content {found.hexdigest()}; expected 25,000 each, {digest}: "
            "get the file again"
        )
    return RankedReviews(*train, *test, found.hexdigest())


def _parse_index(members: Iterator[Member]) -> WordIndex:
    _, stream = next(members)
    content = stream.read()
    # Not for safety: it is the checksum that Keras itself publishes.
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != _INDEX_MD5:
        raise DataError(f"not Keras's word index: md5 {md5}, expected {_INDEX_MD5}: get it again")
    ranks: dict[str, int] = json.loads(content)
    words = tuple(sorted(ranks, key=ranks.__getitem__))
    return WordIndex(words, hashlib.sha256(content).hexdigest())


CORPUS: Corpus[RankedReviews] = Corpus(
    name="imdb_keras",
    holds=("imdb.npz", "imdb.rebuilt.npz"),
    parse=partial(_parse_npz, digest=_SHA256),
    remotes=(
        Official(
            address=_ADDRESS + "imdb.npz",
            file_name="imdb.npz",
            parse=partial(_parse_npz, digest=None),  # the file's own is enough
            note="Keras's imdb.npz",
            sha256="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        ),
    ),
)

WORD_INDEX: Corpus[WordIndex] = Corpus(
    name="imdb_keras_words",
    holds=("imdb_word_index.json",),
    parse=_parse_index,
    remotes=(
        Official(
            address=_ADDRESS + "imdb_word_index.json",
            file_name="imdb_word_index.json",
            parse=_parse_index,
            note="Keras's word index",
        ),
    ),
)
