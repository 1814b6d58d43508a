"""Learning rates that change with the step, under gradient descent."""

from typing import Any

import keras
from keras import layers
from keras.optimizers import schedules

from keras_v2.atoms.fitted import fitted
from keras_v2.schedules import LinearCosineDecay, LinearWarmup, NaturalExpDecay, NoamDecay

FEATURES, UNITS, RATE, STEPS = 4, 3, 0.125, 8


def trained(rate: Any) -> keras.Model:
    """Trains a layer."""
    x = keras.Input((FEATURES,), name="x")
    return fitted(x, layers.Dense(UNITS, name="dense")(x), keras.optimizers.SGD(rate))


def exponential_decay() -> keras.Model:
    """Keras's own."""
    return trained(schedules.ExponentialDecay(RATE, STEPS, 0.5))


def exponential_decay_staircase() -> keras.Model:
    """Keras's own."""
    return trained(schedules.ExponentialDecay(RATE, STEPS, 0.5, staircase=True))


def natural_exp_decay() -> keras.Model:
    """`NaturalExpDecay`."""
    return trained(NaturalExpDecay(RATE, STEPS, 0.5))


def inverse_time_decay() -> keras.Model:
    """Keras's own."""
    return trained(schedules.InverseTimeDecay(RATE, STEPS, 0.5))


def piecewise_constant() -> keras.Model:
    """Keras's own."""
    boundaries = [STEPS, 2 * STEPS]
    return trained(schedules.PiecewiseConstantDecay(boundaries, [RATE, RATE / 2, RATE / 4]))


def polynomial_decay() -> keras.Model:
    """Keras's own."""
    return trained(schedules.PolynomialDecay(RATE, STEPS, RATE / 8, power=2.0))


def polynomial_decay_cycle() -> keras.Model:
    """Keras's own."""
    return trained(schedules.PolynomialDecay(RATE, STEPS, RATE / 8, cycle=True))


def cosine_decay() -> keras.Model:
    """Keras's own."""
    return trained(schedules.CosineDecay(RATE, STEPS, alpha=0.25))


def cosine_decay_restarts() -> keras.Model:
    """Keras's own."""
    return trained(schedules.CosineDecayRestarts(RATE, STEPS, m_mul=0.5))


def linear_cosine_decay() -> keras.Model:
    """`LinearCosineDecay`."""
    return trained(LinearCosineDecay(RATE, 2 * STEPS, alpha=0.125, beta=0.0625))


def warmup() -> keras.Model:
    """`LinearWarmup` before Keras's own decay, which counts from the first step."""
    decayed = schedules.PolynomialDecay(RATE, 4 * STEPS, 0.0)
    return trained(LinearWarmup(decayed, RATE, STEPS))


def noam_decay() -> keras.Model:
    """`NoamDecay`."""
    return trained(NoamDecay(RATE, 16, STEPS))
