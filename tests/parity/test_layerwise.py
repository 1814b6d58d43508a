"""A Keras model taken apart: its layers one by one come to what the whole comes to."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from parity.errors import EngineFailed
from parity.runners.layerwise import Layerwise

# Keras says so of a model in a model, though its layers see the mask.
pytestmark = pytest.mark.filterwarnings("ignore:Layer 'inner'")

WORDS = np.array([[1, 2, 0, 0], [3, 1, 2, 0], [4, 4, 4, 4]])


def plain(function: Any) -> Any:
    return function


def masked() -> keras.Model:
    """Masks, an inner model, a layer that is shared, an operation, dropout."""
    words = keras.Input((4,), dtype="int32", name="words")
    inner_in = keras.Input((4, 3))
    inner_out = layers.LayerNormalization(name="norm")(layers.Dense(3, name="dense")(inner_in))
    inner = keras.Model(inner_in, inner_out, name="inner")
    embedded = layers.Embedding(5, 3, mask_zero=True, name="embedding")(words)
    memory = layers.LSTM(3, return_sequences=True, name="lstm")(embedded)
    turned = inner(layers.Dropout(0.5, name="dropout")(memory))
    shared = layers.GRU(2, name="gru")
    both = layers.Concatenate(name="both")([shared(turned), shared(embedded)])
    return keras.Model(words, keras.ops.tanh(both) * 2.0)


@pytest.mark.parametrize("compiled", [plain, None])
def test_layer_by_layer_comes_to_what_the_model_comes_to(compiled: Any) -> None:
    import tensorflow as tf

    model = masked()
    apart = Layerwise(model, compiled or tf.function)
    names = [call.name for call in apart.calls]
    said = ["embedding", "lstm", "dropout", "inner/dense", "inner/norm", "both"]
    assert [name for name in names if name in said] == said
    assert {"gru", "gru (call 2)"} < set(names)
    found = apart.values(WORDS)
    (end,) = apart.outputs
    np.testing.assert_allclose(found[f"values/{end}"], model(WORDS), rtol=1e-6)


def test_a_layer_that_is_fed_keeps_the_mask_that_it_has_in_the_model() -> None:
    apart = Layerwise(masked(), plain)
    computed = apart.run(WORDS)
    number = next(i for i, call in enumerate(apart.calls) if call.name == "lstm")
    call = apart.calls[number]
    own, *masks = (np.array(computed[i][0]) for i in call.inputs)  # some Keras hand it over
    (same,) = apart.apply(computed, number, [own, *masks])
    np.testing.assert_array_equal(same, computed[call.outputs[0]][0])
    behind = own.copy()
    behind[0, 2:] = 9.0  # where the mask says that there is nothing
    (masked_out,) = apart.apply(computed, number, [behind, *masks])
    np.testing.assert_array_equal(masked_out, same)
    behind[0, 0] = 9.0
    assert np.abs(apart.apply(computed, number, [behind, *masks])[0] - same).max() > 1e-3


def test_what_a_layer_cannot_take_gives_nothing_and_other_errors_are_errors() -> None:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2)(inputs))
    apart = Layerwise(model, plain)
    computed = apart.run(np.ones((3, 4), np.float32))
    assert apart.apply(computed, 0, [np.ones((3, 5))]) == []

    def broken(*_: Any) -> Any:
        raise TypeError("of another reason")

    apart.calls[0].run = broken
    assert apart.apply(computed, 0, [np.ones((3, 5))]) == []
    with pytest.raises(TypeError, match="of another reason"):
        apart.apply(computed, 0, [np.ones((3, 4))])


def test_a_sequential_model_is_taken_apart_and_one_with_a_call_of_its_own_is_not() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.ReLU(name="b")])
    assert [call.name for call in Layerwise(model, plain).calls] == ["a", "b"]

    class Own(keras.Model):  # type: ignore[misc]  # Keras ships no annotations
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(EngineFailed, match="a functional or a sequential model"):
        Layerwise(Own(), plain)
