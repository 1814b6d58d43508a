"""Decoding: beam search, which Keras has not."""

import keras
from keras import layers

from keras_v2.atoms.fitted import fitted
from keras_v2.decoding import BeamSearchDecoder

VOCABULARY, EMBEDDING, UNITS = 7, 3, 4
BEAMS, STEPS, START, END = 3, 6, 0, 1
LENGTH_PENALTY_WEIGHT = 0.5


def searched(decoder: type[BeamSearchDecoder]) -> keras.Model:
    """Decodes from states, by a decoder that is made here."""
    state = keras.Input((UNITS,), name="state")
    words, scores = decoder(
        layers.Embedding(VOCABULARY, EMBEDDING, name="embedding"),
        layers.GRUCell(UNITS, reset_after=False, name="gru_cell"),
        layers.Dense(VOCABULARY, use_bias=False, name="dense"),
        beams=BEAMS,
        steps=STEPS,
        start=START,
        end=END,
        length_penalty_weight=LENGTH_PENALTY_WEIGHT,
        name="decoder",
    )(state)
    outputs = {
        "words": layers.Identity(name="words", dtype="int32")(words),
        "scores": layers.Identity(name="scores")(scores),
    }
    return fitted(state, outputs, loss={"words": None, "scores": "mean_squared_error"})


def beam_search() -> keras.Model:
    """`BeamSearchDecoder` with contrib's length penalty."""
    return searched(BeamSearchDecoder)
