"""Beam search: values, shapes, and the way through a file."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from keras_v2 import decoding
from keras_v2.decoding import BeamSearchDecoder

WORDS, UNITS, STEPS, START, END = 6, 4, 5, 0, 1
STATES = np.random.RandomState(0).normal(size=(20, UNITS)).astype(np.float32)


def decoder(beams: int, **options: Any) -> BeamSearchDecoder:
    drawn = [
        keras.initializers.Orthogonal(gain, seed=seed) for seed, gain in enumerate((3, 1, 1, 3))
    ]
    return BeamSearchDecoder(
        layers.Embedding(WORDS, 3, embeddings_initializer=drawn[0]),
        layers.GRUCell(UNITS, kernel_initializer=drawn[1], recurrent_initializer=drawn[2]),
        layers.Dense(WORDS, kernel_initializer=drawn[3]),
        beams=beams,
        steps=STEPS,
        start=START,
        end=END,
        **options,
    )


def likelihood(layer: BeamSearchDecoder, state: np.ndarray, words: np.ndarray) -> float:
    """Return the log probability of words up to the end."""
    total, word, given = 0.0, START, state[None]
    for following in words:
        given = np.array(layer.cell(layer.embedding(np.array([word])), [given])[0])
        logits = np.array(layer.projection(given))[0].astype(np.float64)
        total += logits[following] - np.log(np.exp(logits).sum())
        word = following
        if word == END:
            break
    return total


def test_scores_are_the_log_probabilities_of_the_words() -> None:
    layer = decoder(3)
    words, scores = map(np.array, layer(STATES))
    for state, beams, row in zip(STATES, words, scores, strict=True):
        expected = [likelihood(layer, state, beams[:, beam]) for beam in range(3)]
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-4)
        assert (np.diff(row) <= 0).all()


def test_a_beam_that_has_ended_stays() -> None:
    words = np.array(decoder(3)(STATES)[0])  # (batch, steps, beams)
    ended = words == END
    assert ended.any()
    assert (ended[:, 1:] >= ended[:, :-1]).all()


def test_as_many_beams_as_sequences_find_the_most_likely() -> None:
    layer = decoder(WORDS)
    layer.steps = 2
    scores = np.array(layer(STATES[:3])[1])
    for row, state in enumerate(STATES[:3]):
        every = {
            likelihood(layer, state, np.array([one, other]))
            for one in range(WORDS)
            for other in range(WORDS)
        }
        assert abs(scores[row, 0] - max(every)) < 1e-4


def test_a_length_penalty_prefers_longer_sequences() -> None:
    plain, longer = decoder(3), decoder(3, length_penalty_weight=2.0)
    lengths = [(np.array(each(STATES)[0])[:, :, 0] != END).sum() for each in (plain, longer)]
    assert lengths[0] < lengths[1]
    penalty = np.array(longer.length_penalty(np.array([1, 7])))
    np.testing.assert_allclose(penalty, [1.0, 4.0], rtol=1e-6)


def test_of_equal_scores_the_smaller_word_wins() -> None:
    layer = decoder(3)
    layer.build((None, UNITS))
    layer.projection.set_weights([np.zeros((UNITS, WORDS)), np.zeros(WORDS)])
    layer.steps = 1
    np.testing.assert_array_equal(layer(STATES)[0][:, 0], np.tile([0, 1, 2], (20, 1)))


def test_a_model_in_a_file_has_an_equal_decoder(tmp_path: Path) -> None:
    state = keras.Input((UNITS,))
    words, scores = decoder(3, length_penalty_weight=0.5)(state)
    assert (words.shape, scores.shape) == ((None, STEPS, 3), (None, 3))
    model = keras.Model(state, [words, scores])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for one, other in zip(again(STATES), model(STATES), strict=True):
        np.testing.assert_array_equal(one, other)


def test_examples_print_what_they_say() -> None:
    results = doctest.testmod(decoding, extraglobs={"np": np})
    assert results.attempted
    assert not results.failed
