"""Text steps."""

from __future__ import annotations

import keras
from keras import layers

from keras_v2.atoms.text import TIME, embedded


def hash_bucket() -> keras.Model:
    x = keras.Input((TIME,), dtype="string", name="x")
    return embedded(x, layers.Hashing(7, mask_value="", name="ids"), 7)
