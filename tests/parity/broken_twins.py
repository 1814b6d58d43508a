"""Keras models that are almost right. The suite must say of each one where it goes wrong.

Each builder takes the arguments of `keras_v2.sms_rnn.build_model` and breaks one thing. Some break
so little that a bound which is a bit too wide would not see it.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import keras
import numpy as np
from keras import layers, ops

from keras_v2 import sms_rnn
from keras_v2.optimizers import TF1RMSprop
from keras_v2.optimizers.base import summed_gradient

RATE = 0.0005  # what the pair publishes
COARSER = 14  # times the largest logit: that makes the forward difference three times as large
FULL_BATCH = 24  # of the tiny corpus; the last batch of its epochs is a short one

Step = Callable[..., Any]


class UnscaledDropout(layers.Dropout):  # type: ignore[misc]  # Keras ships no annotations
    """Drops, but does not divide what is left by the share that is kept."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        outputs = super().call(inputs, training=training)
        return outputs * (1 - self.rate) if training else outputs


class ZeroStart(TF1RMSprop):
    """Starts the mean square at zero, as `keras.optimizers.RMSprop` does."""

    def build(self, variables: list[Any]) -> None:
        super().build(variables)
        for slot in self._velocities:
            slot.assign(ops.zeros_like(slot))


class UnsummedRepeats(TF1RMSprop):
    """Squares the repeats of a row one by one, as `keras.optimizers.RMSprop` does."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        before = ops.copy(self._velocities[index])
        super().update_step(gradient, variable, learning_rate)
        if hasattr(gradient, "dense_shape"):
            summed, touched = summed_gradient(gradient, variable)
            squares = ops.segment_sum(
                ops.square(gradient.values), gradient.indices, num_segments=variable.shape[0]
            )
            change = (squares - ops.square(summed)) * (1 - self.rho)
            slot = self._velocities[index]
            self.assign(slot, ops.where(touched, slot + change, before))


class DecayEverywhere(TF1RMSprop):
    """Decays the slots of words that do not occur, as `keras.optimizers.RMSprop` does."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        dense, _ = summed_gradient(gradient, variable)
        super().update_step(dense, variable, learning_rate)


class Unrounded(TF1RMSprop):
    """Computes with 0.9 and 0.0005 where TensorFlow 1 has them rounded to float32."""

    def __init__(self, learning_rate: float) -> None:
        super().__init__(learning_rate)
        self.learning_rate = learning_rate

    def number(self, hyperparameter: Any, variable: Any) -> Any:
        return ops.convert_to_tensor(hyperparameter, dtype=variable.dtype)


class WarmLogits(keras.losses.SparseCategoricalCrossentropy):  # type: ignore[misc]  # the same
    """Takes the softmax at a temperature of 1.02."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return super().call(y_true, y_pred / 1.02)


class StrongerMemory(layers.SimpleRNNCell):  # type: ignore[misc]  # the same
    """Multiplies by a recurrent kernel that is a hundredth too large."""

    def call(self, sequence: Any, states: Any, training: bool = False) -> Any:
        return super().call(sequence, [1.01 * state for state in states], training)


class SlowEmbedding(layers.Embedding):  # type: ignore[misc]  # the same
    """Looks up the right vectors, but lets half of their gradient through."""

    def call(self, inputs: Any) -> Any:
        half = super().call(inputs) * 0.5
        return half + ops.stop_gradient(half)


class CoarseLogits(layers.Dense):  # type: ignore[misc]  # the same
    """Rounds its outputs as if they were larger numbers: a difference grows within its bound."""

    def call(self, inputs: Any) -> Any:
        outputs = super().call(inputs)
        larger = COARSER * ops.stop_gradient(ops.max(ops.abs(outputs)))
        return (outputs + larger) - larger


def unscaled_dropout(**hyperparameters: Any) -> keras.Model:
    with mock.patch.object(layers, "Dropout", UnscaledDropout):
        return sms_rnn.build_model(**hyperparameters)


def judged_by(loss: keras.losses.Loss, hyperparameters: dict[str, Any]) -> keras.Model:
    model = sms_rnn.build_model(**hyperparameters)
    model.compile(
        optimizer=model.optimizer,
        loss=loss,
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


def summed_loss(**hyperparameters: Any) -> keras.Model:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    return judged_by(loss, hyperparameters)


def warm_softmax(**hyperparameters: Any) -> keras.Model:
    return judged_by(WarmLogits(from_logits=True), hyperparameters)


def stronger_memory(**hyperparameters: Any) -> keras.Model:
    def recurrent(units: int, name: str, return_sequences: bool, **initializers: Any) -> Any:
        cell = StrongerMemory(units, name="simple_rnn_cell", **initializers)
        return layers.RNN(cell, return_sequences=return_sequences, name=name)

    with mock.patch.object(layers, "SimpleRNN", recurrent):
        return sms_rnn.build_model(**hyperparameters)


def halved_gradient(**hyperparameters: Any) -> keras.Model:
    with mock.patch.object(layers, "Embedding", SlowEmbedding):
        return sms_rnn.build_model(**hyperparameters)


def slower(**hyperparameters: Any) -> keras.Model:
    return sms_rnn.build_model(learning_rate=0.98 * RATE, **hyperparameters)


def last_batch_twice(**hyperparameters: Any) -> keras.Model:
    def twice(step: Step, x: np.ndarray, y: np.ndarray, **options: Any) -> Any:
        logs = step(x, y, **options)
        if len(x) < FULL_BATCH:
            step(x, y, **options)
        return logs

    return stepping(twice, hyperparameters)


def flipped_labels(**hyperparameters: Any) -> keras.Model:
    """One label in fifty is wrong in training, and right in testing."""

    def flipped(step: Step, x: np.ndarray, y: np.ndarray, **options: Any) -> Any:
        return step(x, np.where(np.arange(len(y)) % 50 == 0, 1 - y, y), **options)

    return stepping(flipped, hyperparameters)


def stepping(wrap: Callable[..., Any], hyperparameters: dict[str, Any]) -> keras.Model:
    """Return the right model, whose training step is wrapped."""
    model = sms_rnn.build_model(**hyperparameters)
    model.train_on_batch = functools.partial(wrap, model.train_on_batch)
    return model


def trained_by(optimizer: type[TF1RMSprop], hyperparameters: dict[str, Any]) -> keras.Model:
    return sms_rnn.build_model(optimizer=optimizer(RATE), **hyperparameters)


def zero_start(**hyperparameters: Any) -> keras.Model:
    return trained_by(ZeroStart, hyperparameters)


def unsummed_repeats(**hyperparameters: Any) -> keras.Model:
    return trained_by(UnsummedRepeats, hyperparameters)


def decay_everywhere(**hyperparameters: Any) -> keras.Model:
    return trained_by(DecayEverywhere, hyperparameters)


def unrounded(**hyperparameters: Any) -> keras.Model:
    return trained_by(Unrounded, hyperparameters)


def coarse_logits(**hyperparameters: Any) -> keras.Model:
    """Agrees, but its rounding is three times as large."""
    with mock.patch.object(layers, "Dense", CoarseLogits):
        return sms_rnn.build_model(**hyperparameters)


def a_fifth_slower(**hyperparameters: Any) -> keras.Model:
    """Agrees, but a training step takes 1.2 times as long."""

    def slow(step: Step, *batch: np.ndarray, **options: Any) -> Any:
        begun = time.perf_counter()
        logs = step(*batch, **options)
        until = time.perf_counter() + 0.2 * (time.perf_counter() - begun)
        while time.perf_counter() < until:
            pass
        return logs

    return stepping(slow, hyperparameters)


def talkative(**hyperparameters: Any) -> keras.Model:
    """Nothing is wrong with this one, but it prints."""
    print("Hello, I am a model")
    os.write(1, b'{"event": "done"}\n')
    return sms_rnn.build_model(**hyperparameters)
