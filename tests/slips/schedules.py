"""Learning rates that change."""

from __future__ import annotations

from typing import Any

import keras
from keras.optimizers import schedules

from keras_v2.atoms.schedules import RATE, STEPS, trained
from keras_v2.schedules import LinearWarmup, NoamDecay


class Shifted(schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras is untyped
    """Counts steps from another number."""

    def __init__(self, schedule: Any, by: int) -> None:
        super().__init__()
        self.schedule, self.by = schedule, by

    def __call__(self, step: Any) -> Any:
        return self.schedule(keras.ops.maximum(step + self.by, 0))


def exponential_decay() -> keras.Model:
    return trained(Shifted(schedules.ExponentialDecay(RATE, STEPS, 0.5), 1))


def exponential_decay_staircase() -> keras.Model:
    return trained(schedules.ExponentialDecay(RATE, STEPS, 0.5))


def natural_exp_decay() -> keras.Model:
    return trained(schedules.ExponentialDecay(RATE, STEPS, 0.5))


def inverse_time_decay() -> keras.Model:
    return trained(Shifted(schedules.InverseTimeDecay(RATE, STEPS, 0.5), 1))


def piecewise_constant() -> keras.Model:
    boundaries = [STEPS - 1, 2 * STEPS - 1]
    return trained(schedules.PiecewiseConstantDecay(boundaries, [RATE, RATE / 2, RATE / 4]))


def polynomial_decay() -> keras.Model:
    return trained(schedules.PolynomialDecay(RATE, STEPS, RATE / 8))


def polynomial_decay_cycle() -> keras.Model:
    return trained(schedules.PolynomialDecay(RATE, STEPS, RATE / 8))


def cosine_decay() -> keras.Model:
    return trained(schedules.CosineDecay(RATE, STEPS))


def cosine_decay_restarts() -> keras.Model:
    return trained(schedules.CosineDecayRestarts(RATE, STEPS))


def linear_cosine_decay() -> keras.Model:
    return trained(schedules.CosineDecay(RATE, 2 * STEPS))


def warmup() -> keras.Model:
    decayed = Shifted(schedules.PolynomialDecay(RATE, 4 * STEPS, 0.0), -STEPS)
    return trained(LinearWarmup(decayed, RATE, STEPS))


def noam_decay() -> keras.Model:
    return trained(Shifted(NoamDecay(RATE, 16, STEPS), 1))
