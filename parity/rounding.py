"""An engine's own rounding, measured: what a float32 difference is judged against.

A constant bound cannot know how much a model amplifies a rounding; the reference engine can be
asked. It answers the very question again, in float64 from the same float32 weights (the truth), and
with every initial weight moved by at most one unit in the last place (rounding twins). How far
those answers lie from its first one is its own rounding. A candidate that is no further away than
a few times that cannot be told from the reference by anyone; see docs/decisions/0006.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from parity import keys
from parity.comparing import Measured, Recording, errors_of, scale
from parity.keys import Key
from parity.tolerances import tolerance
from parity.wire import Arrays

# Up to 2.5 was seen over fifteen pairs, but for last bits and for constants inside weights: the
# distribution is in docs/decisions/0006.
FACTOR = 4.0
TWINS = 4
MOST_TWINS = 16  # a branch at which training forks may be a rare one
CHAOTIC = 1e-3  # own rounding, in units of the tolerance, beyond which a free run proves nothing


def twin_of(weights: Arrays, number: int) -> Arrays:
    """Return weights of which each is moved by at most one unit in the last place.

    Args:
        weights: of any float dtype.
        number: of the twin, from 1; the seed of its moves. Zeros stay: their unit in the last
            place is no rounding of anything.
    """
    random = np.random.RandomState(number)
    moved = {}
    for name, value in weights.items():
        moves = random.randint(-1, 2, value.shape)  # down, not at all, up
        if np.issubdtype(value.dtype, np.floating):
            towards = np.where(moves < 0, -np.inf, np.inf).astype(value.dtype)
            stays = (moves == 0) | (value == 0)
            value = np.where(stays, value, np.nextafter(value, towards)).astype(value.dtype)
        moved[name] = value
    return moved


def own_rounding(
    reference: Recording,
    others: Sequence[Recording],
    dtype: str,
    largest: Mapping[str, float] | None = None,
) -> dict[str, np.ndarray]:
    """Return how far the same engine's other answers lie from its first, by tensor.

    Args:
        reference: the first answer.
        others: its float64 truth and its rounding twins.
        dtype: of the first answer.
        largest: largest magnitude of each whole tensor, where recordings hold samples.

    Returns:
        The largest error over all elements and answers, in units of the tensor's tolerance; for a
        line the running maximum at every point.
    """
    found = {}
    for name, value in reference.items():
        key = keys.parse(name)
        if key.rung == "variables":  # copied in: nothing is computed that could be rounded
            continue
        limit = tolerance(key, dtype)
        unit = scale(value, value, limit, (largest or {}).get(name, 0.0))
        errors = [
            errors_of(np.asarray(value, np.float64), np.asarray(other[name], np.float64), unit)
            for other in others
            if name in other and np.shape(other[name]) == np.shape(value)
        ]
        # A twin that is not finite excuses nothing.
        errors = [np.where(np.isfinite(each), each, 0.0) for each in errors]
        if not errors or not np.size(value):
            continue
        worst = np.max(errors, axis=0)
        found[name] = np.maximum.accumulate(worst) if key.is_line else worst.max()
    return found


def larger(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the larger of two roundings of each tensor of `one`, over the points that it has."""
    return {
        name: np.maximum(size, other[name][: len(size)] if np.ndim(size) else other[name])
        if name in other
        else size
        for name, size in one.items()
    }


def bounds(
    own: Mapping[str, np.ndarray], runs: int, floor: Callable[[Key], float] = lambda _: 0.0
) -> dict[str, Measured]:
    """Return the bound that own rounding allows each tensor.

    Args:
        own: own rounding by tensor, as `own_rounding` returns it.
        runs: answers that it was measured with.
        floor: the floor of the representation, in units of the tensor's tolerance.
    """
    return {
        name: Measured(np.asarray(size), FACTOR * np.asarray(size) + floor(keys.parse(name)), runs)
        for name, size in own.items()
    }


def floor_of(held: float, steps: int, unit: float, dtype: str) -> float:
    """Return how far rounding moves a weight that is kept inside a larger number.

    Keras keeps the forget bias of one inside its bias: each step stores the sum, rounded to a unit
    in the last place of one.

    Args:
        held: magnitude of the constant that the weight is kept in.
        steps: training steps, each of which stores the weight.
        unit: largest magnitude of the weight.
        dtype: of the weight.
    """
    return float(np.spacing(np.dtype(dtype).type(held))) * steps / unit if held else 0.0
