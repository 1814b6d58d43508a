"""Every pair on a corpus so small that all rungs are climbed in seconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from datasets import sequences
from datasets.dataset import Dataset, Origin, one_hot
from parity import pairs
from parity.pair import Pair

VOCABULARY, LENGTH, UNITS = 30, 8, 6
TRAIN, TEST = 56, 12


def labelled_words() -> Dataset:
    """Messages of two classes: 56 to train on, 12 to test.

    Made to provoke what sparse updates get wrong: words repeat within a batch, the padding word
    (id 0) most of all, and the last third of the vocabulary hardly occurs.
    """
    draw = np.random.RandomState(7)
    x = 1 + draw.randint(0, 20, (TRAIN + TEST, LENGTH))  # (messages, words)
    x[draw.randint(0, 9, x.shape) == 0] = 25
    x[np.arange(LENGTH) >= draw.randint(3, LENGTH + 1, (len(x), 1))] = 0
    y = (x[:, 0] % 2).astype(np.int32)  # (messages,)
    return Dataset(
        x_train=x[:TRAIN].astype(np.int32),
        y_train=y[:TRAIN],
        x_test=x[TRAIN:].astype(np.int32),
        y_test=y[TRAIN:],
        labels=("even", "odd"),
        encode=spelled,
        hyperparameters={"vocabulary_size": VOCABULARY, "sequence_length": LENGTH},
        origin=Origin("tiny", "synthetic", True, "made for the tests", "0" * 64),
    )


def one_hot_words() -> Dataset:
    """The labelled words, with one-hot classes."""
    words = labelled_words()
    return with_targets(words, one_hot(words.y_train, 2), one_hot(words.y_test, 2))


def yes_or_no_words() -> Dataset:
    """The labelled words, with the class as a number in a column."""
    words = labelled_words()
    return with_targets(
        words, *(y[:, None].astype(np.float32) for y in (words.y_train, words.y_test))
    )


def newsgroups() -> Dataset:
    """The labelled words as messages of 20 groups, with vectors of the words."""
    words = labelled_words()
    groups = [one_hot((x[:, 0] + 7 * x[:, 1]) % 20, 20) for x in (words.x_train, words.x_test)]
    named = with_targets(words, *groups)
    return dataclasses.replace(with_vectors(named), labels=tuple(map(str, range(20))))


def with_targets(words: Dataset, y_train: np.ndarray, y_test: np.ndarray) -> Dataset:
    """The same words, other targets."""
    return dataclasses.replace(words, y_train=y_train, y_test=y_test)


def with_vectors(words: Dataset) -> Dataset:
    """The same words, with a vector for each of them; the padding has zeros."""
    vectors = np.random.RandomState(9).normal(size=(VOCABULARY, UNITS)).astype(np.float32)
    vectors[0] = 0
    return dataclasses.replace(
        words,
        hyperparameters={**words.hyperparameters, "embedding_size": UNITS},
        weights={"embedding": vectors},
    )


def yes_or_no_vectors() -> Dataset:
    """The labelled words, with vectors of them."""
    return with_vectors(yes_or_no_words())


def numbers() -> Dataset:
    """A few of the sequences of numbers."""
    data = sequences.load()
    return dataclasses.replace(
        data,
        x_train=data.x_train[:TRAIN],
        y_train=data.y_train[:TRAIN],
        x_test=data.x_test[:TEST],
        y_test=data.y_test[:TEST],
    )


def spelled(texts: Sequence[str]) -> np.ndarray:
    """Turn the first letters of each text into word ids, (texts, words)."""
    ids = [[ord(letter) % VOCABULARY for letter in text.ljust(LENGTH)[:LENGTH]] for text in texts]
    return np.array(ids, np.int32)


# Pair -> its tiny corpus. A new pair adds a line.
TINY: Mapping[str, Callable[[], Dataset]] = {
    "sms_rnn": labelled_words,
    "sms_rnn_mended": labelled_words,
    "imdb_bilstm": one_hot_words,
    "imdb_bilstm_mended": one_hot_words,
    "imdb_simple_rnn": one_hot_words,
    "imdb_pooling": one_hot_words,
    "imdb_flatten": one_hot_words,
    "imdb_embedding_flatten": yes_or_no_words,
    "imdb_glove_dense": yes_or_no_vectors,
    "imdb_lstm_cells": yes_or_no_words,
    "imdb_gru_cells": yes_or_no_words,
    "imdb_gru_cells_v1": yes_or_no_words,
    "imdb_gru_layers": yes_or_no_words,
    "imdb_gru_layers_v1": yes_or_no_words,
    "imdb_lstm_glove": yes_or_no_vectors,
    "deep_lstm": numbers,
    "newsgroups_lstm": newsgroups,
    "newsgroups_lstm_mended": newsgroups,
}


def tiny(name: str) -> tuple[Pair, Dataset]:
    """Return a pair with a schedule that fits its tiny corpus, and that corpus.

    Two epochs of three batches, the last one short. An atom is as small as it is.
    """
    pair = pairs.find(name)
    if pair.atom:
        return pair, pair.data.load()
    schedule = dataclasses.replace(pair.schedule, batch_size=24, epochs=2, steps=0)
    return dataclasses.replace(pair, schedule=schedule), TINY[name]()
