"""Learning rates that change."""

from __future__ import annotations

import dataclasses
import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import normal
from parity.slots import GRADIENT_DESCENT
from parity.weights import same

_DECAYS = "python/keras/optimizer_v2/legacy_learning_rate_decay.py"
_row = functools.partial(
    atom,
    family="schedules",
    x=normal(4),
    y=normal(3),
    taps={"outputs": "dense"},
    rules=(same("dense/kernel", "dense/kernel"), same("dense/bias", "dense/bias")),
    slots=dataclasses.replace(GRADIENT_DESCENT, counters={"global_step": "int64"}),
    source=_DECAYS,
    steps=40,
)
_LATER = Slip("steps are counted from one", "update")

ROWS: tuple[Pair, ...] = (
    _row(
        "exponential_decay",
        "exponential_decay",
        tf1="lr d^(step / steps)",
        keras="ExponentialDecay",
        slip=_LATER,
    ),
    _row(
        "exponential_decay_staircase",
        "exponential_decay, staircase",
        tf1="lr d^floor(step / steps)",
        keras="ExponentialDecay(staircase=True)",
        slip=Slip("staircase is left out", "update"),
    ),
    _row(
        "natural_exp_decay",
        "natural_exp_decay",
        tf1="lr exp(-d)^(step / steps)",
        keras="keras_v2.schedules.NaturalExpDecay",
        slip=Slip("ExponentialDecay is taken: d^(step / steps)", "update"),
    ),
    _row(
        "inverse_time_decay",
        "inverse_time_decay",
        tf1="lr / (1 + d step / steps)",
        keras="InverseTimeDecay",
        slip=_LATER,
    ),
    _row(
        "piecewise_constant",
        "piecewise_constant",
        tf1="the first rate while step <= 8, the second while step <= 16",
        keras="PiecewiseConstantDecay",
        slip=Slip("the rate changes a step early", "curve"),
    ),
    _row(
        "polynomial_decay",
        "polynomial_decay, to its end",
        tf1="(lr - end)(1 - min(step, steps) / steps)^power + end",
        keras="PolynomialDecay",
        slip=Slip("the power is left at 1", "update"),
    ),
    _row(
        "polynomial_decay_cycle",
        "polynomial_decay, cycle",
        tf1="the same with steps ceil(step / steps) in the place of steps",
        keras="PolynomialDecay(cycle=True)",
        slip=Slip("cycle is left out", "curve"),
    ),
    _row(
        "cosine_decay",
        "cosine_decay",
        tf1="lr ((1 - alpha)(1 + cos(pi min(step, steps) / steps)) / 2 + alpha)",
        keras="CosineDecay",
        slip=Slip("alpha is left out", "update"),
    ),
    _row(
        "cosine_decay_restarts",
        "cosine_decay_restarts",
        tf1="a cosine from 1 to 0 over 8, 16, 32 steps, each half as high as the one before",
        keras="CosineDecayRestarts",
        slip=Slip("every cosine is as high as the first", "curve"),
    ),
    _row(
        "linear_cosine_decay",
        "linear_cosine_decay",
        tf1="lr ((alpha + 1 - p)(1 + cos(pi p)) / 2 + beta), p = min(step, steps) / steps",
        keras="keras_v2.schedules.LinearCosineDecay",
        slip=Slip("CosineDecay is taken", "update"),
    ),
    _row(
        "warmup",
        "linear warm-up before polynomial_decay, as BERT has it",
        tf1="lr step / 8 while step < 8, then the decay, which has counted all along",
        keras="keras_v2.schedules.LinearWarmup",
        source="optimization.py of google-research/bert",
        slip=Slip("the decay counts from the end of the warm-up", "curve"),
    ),
    _row(
        "noam_decay",
        "the transformer's rate, by hand",
        tf1="lr size^-1/2 min(s^-1/2, s warmup^-3/2), s = step + 1",
        keras="keras_v2.schedules.NoamDecay",
        source="by hand",
        slip=Slip("steps are counted from two", "update"),
    ),
)
