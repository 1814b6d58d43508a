"""Keras models that are, or are nearly, what a graph trains: the scripts' and `sms_rnn`'s."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from keras_v2 import sms_rnn
from keras_v2.optimizers import TF1Adam, TF1RMSprop


def tiny_cnn(
    activations: tuple[str, str] = ("relu", "tanh"),
    rate: float = 0.5,
    names: tuple[str, str] = ("left", "right"),
    padding: str = "valid",
) -> keras.Model:
    words = keras.Input((6,), dtype="int32", name="words")
    embedded = layers.Embedding(20, 5, name="embedding")(words)
    pooled = []
    for name, activation in zip(names, activations, strict=True):
        found = layers.Conv1D(4, 2, padding=padding, activation=activation, name=name)(embedded)
        pooled.append(layers.Flatten()(layers.MaxPooling1D(5)(found)))
    dropped = layers.Dropout(rate, name="dropout")(layers.Concatenate()(pooled))
    model = keras.Model(words, layers.Dense(3, name="output")(dropped))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(TF1Adam(0.01), loss)
    return model


def gentle() -> keras.Model:
    return tiny_cnn(rate=0.2)


def wrong_activation() -> keras.Model:
    return tiny_cnn(activations=("relu", "relu"))


def unnamed() -> keras.Model:
    """Nothing in its names says which filter is which."""
    return tiny_cnn(names=("one", "two"))


def reversed_order() -> keras.Model:
    """Nothing in its names says which filter is which, and their order is the other one."""
    return tiny_cnn(activations=("tanh", "relu"), names=("one", "two"))


def tiny_rnn() -> keras.Model:
    """With a stock optimizer, whose rate is a float64 number in float64."""
    sequence = keras.Input((4, 3))
    last = layers.LSTM(5)(sequence)
    model = keras.Model(sequence, layers.Dense(2)(last))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.001), loss)
    return model


def decaying(steps: int = 3) -> keras.Model:
    model = tiny_rnn()
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, steps, 0.7)
    model.compile(TF1Adam(rate), model.loss)
    return model


def decaying_later() -> keras.Model:
    return decaying(4)


def averaged(counted: bool = True) -> keras.Model:
    model = tiny_rnn()
    optimizer = TF1Adam(0.01, use_ema=True, ema_momentum=0.75, ema_num_updates=counted)
    model.compile(optimizer, model.loss)
    return model


def averaged_without_a_count() -> keras.Model:
    return averaged(counted=False)


def backwards() -> keras.Model:
    sequence = keras.Input((4, 3))
    model = keras.Model(sequence, layers.Dense(2)(layers.LSTM(5, go_backwards=True)(sequence)))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.001), loss)
    return model


class Summed(layers.Dense):  # type: ignore[misc]  # Keras is untyped
    """The same layer, which sums in another order."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return ops.sum(ops.flip(inputs[:, :, None] * self.factor(), 1), 1) + self.bias

    def factor(self) -> Any:
        return self.kernel


class Doubled(Summed):
    """Gives the same; its kernel's gradient is twice what it should be."""

    def factor(self) -> Any:
        return self.kernel + (self.kernel - ops.stop_gradient(self.kernel))


def normed(hidden: type[Summed] = Summed) -> keras.Model:
    """A bias before a batch norm: by algebra its gradient is zero, and only rounding is left."""
    x = keras.Input((3,), name="x")
    normed = layers.BatchNormalization(name="norm")(hidden(4, name="hidden")(x))
    model = keras.Model(x, layers.Dense(2, name="logits")(ops.relu(normed)))
    model.compile(TF1Adam(0.01), keras.losses.CategoricalCrossentropy(from_logits=True))
    return model


def normed_twice() -> keras.Model:
    return normed(Doubled)


def tied(turned: bool = False) -> keras.Model:
    """At a tie the first argument gets the gradient."""
    x = keras.Input((3,), name="x")
    both = [layers.Dense(2, use_bias=False, name=name)(x) for name in ("one", "other")]
    larger = ops.maximum(*(reversed(both) if turned else both))
    model = keras.Model(x, layers.Identity(name="larger")(larger))
    model.compile(keras.optimizers.SGD(0.125), "mean_squared_error")
    return model


def tied_the_other_way() -> keras.Model:
    return tied(turned=True)


class InTurn(keras.Model):  # type: ignore[misc]  # Keras ships no annotations
    """Trains two heads, each with an optimizer of its own."""

    def compile(self, left_optimizer: Any, right_optimizer: Any) -> None:
        super().compile()
        self.left_optimizer, self.right_optimizer = left_optimizer, right_optimizer

    def losses_of(self, data: Any) -> dict[str, Any]:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        given = self(x)
        return {f"{name}_loss": ops.mean(ops.square(y[name] - given[name])) for name in given}

    def train_step(self, data: Any) -> dict[str, Any]:
        with tf.GradientTape(persistent=True) as tape:
            losses = self.losses_of(data)
        for name in ("left", "right"):
            weights = self.get_layer(name).trainable_weights
            gradients = tape.gradient(losses[f"{name}_loss"], weights)
            getattr(self, f"{name}_optimizer").apply(gradients, weights)
        return losses

    def test_step(self, data: Any) -> dict[str, Any]:
        return self.losses_of(data)


def in_turn(momentum: float = 0.5) -> keras.Model:
    x = keras.Input((3,), name="x")
    model = InTurn(x, {name: layers.Dense(2, name=name)(x) for name in ("left", "right")})
    model.compile(TF1Adam(0.01), TF1RMSprop(0.01, momentum=momentum))
    return model


def in_turn_with_less_momentum() -> keras.Model:
    return in_turn(momentum=0.25)


def without_dropout() -> keras.Model:
    words = keras.Input((6,), dtype="int32", name="words")
    flat = layers.Flatten()(layers.Embedding(20, 5)(words))
    model = keras.Model(words, layers.Dense(3)(flat))
    model.compile("adam", "mse")
    return model


def not_compiled(**options: Any) -> keras.Model:
    compiled = tiny_cnn(**options)
    return keras.Model(compiled.inputs, compiled.outputs)


def not_compiled_and_wrong() -> keras.Model:
    return not_compiled(activations=("relu", "relu"))


def not_compiled_and_unnamed() -> keras.Model:
    return not_compiled(names=("one", "two"))


def sms_rnn_by_xla(**hyperparameters: Any) -> keras.Model:
    """The model of the pair, compiled as Keras compiles it on a GPU without being asked."""
    model = sms_rnn.build_model(**hyperparameters)
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    model.compile(model.optimizer, model.loss, metrics=[accuracy], jit_compile=True)
    return model


def tiny_heads(mask: bool = True) -> keras.Model:
    """Two inputs and two outputs; where the script is told lengths, padding is masked."""
    words = keras.Input((6,), dtype="int32", name="words")
    facts = keras.Input((4,), name="facts")
    embedded = layers.Embedding(20, 5, mask_zero=mask, name="embedding")(words)
    read = layers.LSTM(4, name="lstm")(embedded)
    known = layers.Dense(3, "tanh", name="facts_layer")(facts)
    joined = layers.Concatenate()([read, known])
    outputs = [layers.Dense(3, name="kind")(joined), layers.Dense(2, name="size")(joined)]
    model = keras.Model([words, facts], outputs)
    kind_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(TF1Adam(0.01), {"kind": kind_loss, "size": "mse"})
    return model


def without_mask() -> keras.Model:
    return tiny_heads(mask=False)


# With planted faults: each is named after the layer that is wrong


class LSTMCell(layers.LSTMCell):  # type: ignore[misc]  # Keras ships no annotations
    """Takes the columns of its kernels for TensorFlow 1's: input, cell, forget, output.

    Its name is the right one's, or its weights would not be known for those of an LSTM.
    """

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        hidden, carry = states
        kernels = ops.matmul(inputs, self.kernel), ops.matmul(hidden, self.recurrent_kernel)
        gates = ops.split(kernels[0] + kernels[1] + self.bias, 4, axis=1)
        let_in, cell, forget, out = gates
        carry = ops.sigmoid(forget) * carry + ops.sigmoid(let_in) * ops.tanh(cell)
        hidden = ops.sigmoid(out) * ops.tanh(carry)
        return hidden, [hidden, carry]


class Transposed(layers.Dense):  # type: ignore[misc]  # the same
    """Multiplies by its square kernel the other way round."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.activation(ops.matmul(inputs, ops.transpose(self.kernel)) + self.bias)


def stacked(
    padding: str = "same",
    cell: type[layers.LSTMCell] = layers.LSTMCell,
    square: type[layers.Dense] = layers.Dense,
    activations: tuple[str, str] = ("relu", "tanh"),
    extra: str = "",
    tail: tuple[str, str] = ("sigmoid", "linear"),
) -> keras.Model:
    """What the script `stacked` trains, or nearly that."""
    words = keras.Input((6,), dtype="int32", name="words")
    embedded = layers.Embedding(20, 5, name="embedding")(words)
    active = {"activation": activations[0], "padding": padding}
    found = layers.Conv1D(5, 2, name="conv", **active)(embedded)
    if extra:
        found = layers.Activation(extra, name="extra")(found)
    memory = layers.RNN(cell(5, name="lstm_cell"), return_sequences=True, name="lstm")(found)
    added = layers.Add(name="add")([memory, found])
    turned = square(5, activation=activations[1], name="square")(added)
    mean = layers.GlobalAveragePooling1D(name="mean")(turned)
    hidden = layers.Dense(5, activation=tail[0], name="hidden")(mean)
    model = keras.Model(words, layers.Dense(3, activation=tail[1], name="output")(hidden))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.001), loss)
    return model


def gates_of_tf1() -> keras.Model:
    return stacked(cell=LSTMCell)


def padded_in_front() -> keras.Model:
    return stacked(padding="causal")


def transposed() -> keras.Model:
    return stacked(square=Transposed)


def other_activation() -> keras.Model:
    return stacked(activations=("relu", "relu"))


def no_activation() -> keras.Model:
    """What the convolution gives is in the graph, but the graph goes on from there."""
    return stacked(activations=("linear", "tanh"))


def no_last_activation_but_one() -> keras.Model:
    return stacked(tail=("linear", "linear"))


def one_activation_more() -> keras.Model:
    return stacked(extra="tanh")


def two_faults() -> keras.Model:
    return stacked(padding="causal", square=Transposed)


def two_neighbours() -> keras.Model:
    return stacked(activations=("relu", "relu"), tail=("tanh", "linear"))


def three_faults() -> keras.Model:
    return stacked(padding="causal", cell=LSTMCell, tail=("tanh", "linear"))


def two_in_a_row() -> keras.Model:
    """Of the second nobody knows what it should be fed."""
    return stacked(tail=("tanh", "tanh"))


def last_layer() -> keras.Model:
    """Its logits are in the graph of the right model: as logits."""
    return stacked(tail=("sigmoid", "tanh"))


def both_filters() -> keras.Model:
    """Two faults side by side."""
    return tiny_cnn(activations=("tanh", "relu"))


def padded_filters() -> keras.Model:
    """Longer than what the graph has there."""
    return tiny_cnn(padding="causal")


def served(compiled: bool = False, pooling: Any = layers.GlobalAveragePooling1D) -> keras.Model:
    """What the script `saves` serves, with the dropout that it was trained with."""
    words = keras.Input((6,), dtype="int32", name="words")
    mean = pooling(name="mean")(layers.Embedding(20, 5, name="table")(words))
    dropped = layers.Dropout(0.5, name="dropout")(mean)
    last = None if compiled else "softmax"
    model = keras.Model(words, layers.Dense(3, last, name="scores")(dropped))
    if compiled:
        model.compile(TF1Adam(0.01), keras.losses.CategoricalCrossentropy(from_logits=True))
    return model


def trained() -> keras.Model:
    return served(compiled=True)


def served_otherwise() -> keras.Model:
    return served(pooling=layers.GlobalMaxPooling1D)
