"""A field against all sequences of tags, one by one."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from keras_v2.crf import CRF

TIME, TAGS, LENGTHS = 4, 3, np.array([4, 1, 3], np.int32)


@pytest.fixture
def field() -> CRF:
    field = CRF()
    field.build((None, TIME, TAGS))
    field.transitions.assign(np.random.RandomState(1).normal(size=(TAGS, TAGS)))
    return field


SCORES = np.random.RandomState(0).normal(size=(len(LENGTHS), TIME, TAGS)).astype(np.float32)


def by_hand(field: CRF, row: int) -> dict[tuple[int, ...], float]:
    """Return every sequence of a row's tags, and its score."""
    transitions = np.array(field.transitions)
    return {
        tags: sum(SCORES[row, step, tag] for step, tag in enumerate(tags))
        + sum(transitions[one, two] for one, two in itertools.pairwise(tags))
        for tags in itertools.product(range(TAGS), repeat=int(LENGTHS[row]))
    }


def test_likelihoods_are_a_share_of_all_sequences(field: CRF) -> None:
    tags = np.array([[0, 2, 1, 1], [2, 0, 0, 0], [1, 1, 0, 2]])
    found = field.log_likelihood(SCORES, tags, LENGTHS)
    for row, length in enumerate(LENGTHS):
        scores = by_hand(field, row)
        expected = scores[tuple(tags[row, :length])] - np.log(np.sum(np.exp([*scores.values()])))
        assert float(found[row]) == pytest.approx(expected, abs=1e-5)


def test_the_best_sequence_is_found(field: CRF) -> None:
    found = np.array(field(SCORES, LENGTHS))
    for row, length in enumerate(LENGTHS):
        scores = by_hand(field, row)
        assert tuple(found[row, :length]) == max(scores, key=lambda tags: scores[tags])
        assert not found[row, length:].any()


def test_a_field_survives_its_configuration(field: CRF) -> None:
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(field))
    assert again.get_config() == field.get_config()
