"""Schedules give TensorFlow's own rates, bit for bit, and survive a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import schedules

from keras_v2.schedules import LinearCosineDecay, LinearWarmup, NaturalExpDecay, NoamDecay

train = tf.compat.v1.train
STEPS = range(0, 40)

SAME: list[tuple[Any, Callable[[Any], Any]]] = [
    (
        NaturalExpDecay(0.125, 8, 0.3),
        lambda step: train.natural_exp_decay(0.125, step, 8, 0.3),
    ),
    (
        NaturalExpDecay(0.125, 8, 0.3, staircase=True),
        lambda step: train.natural_exp_decay(0.125, step, 8, 0.3, staircase=True),
    ),
    (
        LinearCosineDecay(0.125, 30, num_periods=1.5, alpha=0.1, beta=0.01),
        lambda step: train.linear_cosine_decay(0.125, step, 30, 1.5, 0.1, 0.01),
    ),
]


def rates(schedule: Callable[[Any], Any]) -> np.ndarray:
    """Return the rate of every step, (steps,)."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        step = tf.compat.v1.placeholder(tf.int64, [])
        rate = schedule(step)
        return np.array([session.run(rate() if callable(rate) else rate, {step: k}) for k in STEPS])


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_rates_are_those_of_tensorflow(ours: Any, theirs: Callable[[Any], Any]) -> None:
    np.testing.assert_array_equal(rates(ours), rates(theirs))


def test_warm_up_reaches_the_decay_which_has_counted_all_along() -> None:
    decay = schedules.PolynomialDecay(1.0, 32, 0.0)
    schedule = LinearWarmup(decay, 1.0, 8)
    assert [float(schedule(k)) for k in (0, 4, 8, 16, 32)] == [0.0, 0.5, 0.75, 0.5, 0.0]


def test_warm_up_to_a_rate_that_stays() -> None:
    assert [float(LinearWarmup(0.5, 0.5, 4)(k)) for k in (0, 2, 4, 9)] == [0.0, 0.25, 0.5, 0.5]


def test_noam_decay_is_highest_where_the_warm_up_ends() -> None:
    found = [float(NoamDecay(1.0, 16, 8)(k)) for k in STEPS]
    assert int(np.argmax(found)) == 7  # the eighth step
    assert found[0] == pytest.approx(16**-0.5 * 8**-1.5)
    assert found[31] == pytest.approx(16**-0.5 * 32**-0.5)


@pytest.mark.parametrize(
    "schedule",
    [
        NaturalExpDecay(0.1, 8, 0.3, staircase=True),
        LinearCosineDecay(0.1, 30),
        LinearWarmup(schedules.PolynomialDecay(0.1, 32, 0.0), 0.1, 8),
        LinearWarmup(0.1, 0.1, 8),
        NoamDecay(1.0, 16, 8),
    ],
)
def test_a_schedule_survives_its_configuration(schedule: Any) -> None:
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert type(again) is type(schedule)
    np.testing.assert_array_equal(
        [float(again(k)) for k in STEPS], [float(schedule(k)) for k in STEPS]
    )
