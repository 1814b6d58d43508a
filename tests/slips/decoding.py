"""Decoding."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_v2.atoms.decoding import searched
from keras_v2.decoding import BeamSearchDecoder


class DividedByLength(BeamSearchDecoder):
    """Divides by a power of the length itself."""

    def length_penalty(self, lengths: Any) -> Any:
        lengths = ops.cast(ops.maximum(lengths, 1), self.compute_dtype)
        return lengths**self.length_penalty_weight


def beam_search() -> keras.Model:
    return searched(DividedByLength)
