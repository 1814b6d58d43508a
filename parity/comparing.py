"""Arrays in, differences out. No TensorFlow, no plotting, no printing.

Two recordings, each a mapping of a name (`parity.keys`) to an array, are compared tensor by tensor
in float64. Every tensor gets a full account, whether it passes or not.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from parity import keys
from parity.tolerances import LARGEST, Tolerance, tolerance

Recording = Mapping[str, np.ndarray]

SAMPLE = 256  # elements of a large tensor that a golden recording keeps
# Upper ends of the classes that `ulps` counts in; the last class is open.
ULPS = (0, 1, *(2**n for n in range(1, 13)), math.inf)


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the reference's own rounding adds to the bound of one tensor.

    Args:
        own: the rounding, in units of the tensor's tolerance: one number, or one a point of a line.
        bound: what it allows, of the same shape.
        runs: runs that it was measured with.
    """

    own: np.ndarray
    bound: np.ndarray
    runs: int


@dataclasses.dataclass(frozen=True)
class Difference:
    """How one tensor differs between a reference and a candidate.

    Args:
        key: the tensor's name.
        shape: its shape; of both sides, where they differ.
        error: largest error in units of the tolerance; infinite where a NaN, a name, a shape or
            a dtype differs.
        bound: the bound at the worst element.
        unit: what errors are measured in.
        used: largest share of its bound that an element uses; more than one is a failure.
        share: share of elements beyond the bound, 0 to 1.
        worst: index of the worst element, the one that uses most of its bound.
        expected: the reference's value there.
        actual: the candidate's value there.
        note: why nothing could be compared, or empty.
        compared: number of elements compared.
        first: first training step beyond the bound, counted from one; 0 where there is none.
        own: the reference's own rounding at the worst element, where it was measured.
        runs: runs that it was measured with; 0 where the bound is the general one.
    """

    key: str
    shape: tuple[int, ...]
    error: float
    bound: float
    unit: str = LARGEST
    used: float = float("inf")
    share: float = 1.0
    worst: tuple[int, ...] = ()
    expected: float = 0.0
    actual: float = 0.0
    note: str = ""
    compared: int = 0
    first: int = 0
    own: float | None = None
    runs: int = 0

    @property
    def rung(self) -> str:
        """The rung that the tensor belongs to."""
        return keys.parse(self.key).rung

    @property
    def passed(self) -> bool:
        """True if something was compared and every element is within its bound."""
        return self.compared > 0 and self.used <= 1


def compare_tensor(
    key: str,
    expected: Any,
    actual: Any,
    limit: Tolerance,
    largest: float = 0.0,
    measured: Measured | None = None,
) -> Difference:
    """Compare one tensor.

    Args:
        key: its name.
        expected: the reference, any shape and real dtype.
        actual: the candidate, which must have the same shape and dtype.
        limit: the general tolerance.
        largest: largest magnitude of the whole reference, where `expected` is a sample of it.
        measured: the reference's own rounding, where it was measured.
    """
    expected, actual = np.asarray(expected), np.asarray(actual)
    if expected.shape != actual.shape:
        note = f"shape {expected.shape} expected, {actual.shape} found"
        return Difference(key, expected.shape, np.inf, limit.bound, limit.relative_to, note=note)
    if expected.dtype != actual.dtype:
        note = f"dtype {expected.dtype} expected, {actual.dtype} found"
        return Difference(key, expected.shape, np.inf, limit.bound, limit.relative_to, note=note)
    if expected.size == 0:
        note = "the tensor is empty: nothing was compared"
        return Difference(key, expected.shape, np.inf, limit.bound, limit.relative_to, note=note)
    wanted, found = expected.astype(np.float64), actual.astype(np.float64)
    errors = errors_of(wanted, found, scale(wanted, found, limit, largest))
    bounds = np.broadcast_to(
        limit.bound if measured is None else np.maximum(limit.bound, measured.bound), errors.shape
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.where(errors > 0, errors / bounds, 0.0)
    worst = np.unravel_index(int(np.argmax(used)), used.shape)
    index = tuple(int(i) for i in worst)
    own = None if measured is None else np.broadcast_to(measured.own, errors.shape)[index]
    return Difference(
        key=key,
        shape=expected.shape,
        error=float(errors.max()),
        bound=float(bounds[index]),
        unit=limit.relative_to,
        used=float(used[index]),
        share=float(np.mean(used > 1)),
        worst=index,
        expected=float(wanted[index]),
        actual=float(found[index]),
        note="" if np.isfinite(errors[index]) else "a value is not finite",
        compared=expected.size,
        first=_first_step(key, used),
        own=None if own is None else float(own),
        runs=0 if measured is None else measured.runs,
    )


def errors_of(wanted: np.ndarray, found: np.ndarray, unit: float) -> np.ndarray:
    """Return the error of every element in `unit`s; infinite where either side is not finite.

    A NaN or an infinity is a difference even where both sides have it: nothing was proved.
    """
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(wanted) & np.isfinite(found)
        return np.where(finite, np.abs(found - wanted) / unit, np.inf)


def scale(
    expected: np.ndarray, actual: np.ndarray, limit: Tolerance, largest: float = 0.0
) -> float:
    """Return the unit that an error is measured in; the candidate's where all expected is zero."""
    if limit.relative_to != LARGEST:
        return 1.0
    sizes = (magnitude(each) for each in (expected, actual))
    return next((size for size in (largest, *sizes) if size), 1.0)


def magnitude(array: np.ndarray) -> float:
    """Return the largest magnitude among the finite values of an array; 0 if there is none."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=0.0))


def compare(
    expected: Recording,
    actual: Recording,
    dtype: str,
    largest: Mapping[str, float] | None = None,
    measured: Mapping[str, Measured] | None = None,
) -> list[Difference]:
    """Compare two recordings of one job, tensor by tensor, in the reference's order.

    A name that only one side has is a difference.

    Args:
        expected: the reference's recording.
        actual: the candidate's.
        dtype: that both were computed in.
        largest: largest magnitude of each whole tensor, where `expected` holds samples.
        measured: the reference's own rounding, by name, where it was measured.
    """
    differences = []
    for key in [*expected, *(key for key in actual if key not in expected)]:
        limit = tolerance(keys.parse(key), dtype)
        if key in expected and key in actual:
            unit, own = (largest or {}).get(key, 0.0), (measured or {}).get(key)
            difference = compare_tensor(key, expected[key], actual[key], limit, unit, own)
        else:
            side, array = (
                ("candidate", expected[key]) if key in expected else ("reference", actual[key])
            )
            difference = Difference(
                key,
                np.shape(array),
                np.inf,
                limit.bound,
                limit.relative_to,
                note=f"missing on the {side}'s side",
            )
        differences.append(difference)
    return differences


def ulps(expected: Recording, actual: Recording, dtype: str) -> dict[str, tuple[int, ...]]:
    """Count elements by how far they differ in units in the last place, rung by rung.

    The unit is that of the tensor's largest value, so that a value near zero, which is the
    difference of larger ones, does not count its own tiny unit; where all expected is zero, that
    of what was found. Tensors that cannot be compared are left out.

    Args:
        expected: the reference's recording.
        actual: the candidate's.
        dtype: that both were computed in.

    Returns:
        Rung -> elements in each class of `ULPS`, (len(ULPS),).
    """
    counts: dict[str, np.ndarray] = {}
    for key, wanted in expected.items():
        found = actual.get(key)
        if found is None or np.shape(found) != np.shape(wanted) or not np.size(wanted):
            continue
        wanted, found = np.asarray(wanted), np.asarray(found)
        largest = magnitude(wanted) or magnitude(found)
        unit = float(np.spacing(np.dtype(dtype).type(largest)))
        apart = wanted != found  # most are not: rows of words that no batch holds
        left, right = (each[apart].astype(np.float64) for each in (wanted, found))
        # A loss of a float32 run travels in float64, and may lie between two float32 numbers.
        classes = np.searchsorted(ULPS, np.ceil(errors_of(left, right, unit)))
        more = np.bincount(classes, minlength=len(ULPS))
        more[0] += wanted.size - classes.size
        rung = keys.parse(key).rung
        counts[rung] = counts.get(rung, 0) + more
    return {rung: tuple(int(n) for n in found) for rung, found in counts.items()}


def sample(
    recording: Recording, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, np.ndarray]:
    """Keep at most `SAMPLE` elements of each tensor, always the same ones, spread evenly.

    So a recording is small enough for a repository. A sample is compared with a sample.

    Args:
        recording: whole tensors.
        shapes: those that the tensors must have; one that has another is kept whole, so that its
            shape is found to differ.
    """
    kept = {}
    for key, value in recording.items():
        flat = np.asarray(value).reshape(-1)  # (elements,)
        wrong = shapes is not None and np.shape(value) != shapes.get(key)
        if flat.size <= SAMPLE or keys.parse(key).is_line or wrong:
            kept[key] = np.asarray(value)
        else:
            kept[key] = flat[places(flat.size)]
    return kept


def places(size: int) -> np.ndarray:
    """Return which elements of a flat tensor of `size` a sample keeps, (SAMPLE,)."""
    return np.linspace(0, size - 1, SAMPLE).astype(np.int64)


def of_whole(difference: Difference, shape: tuple[int, ...]) -> Difference:
    """Return the account of a sample with the shape and the worst index of the whole tensor."""
    if difference.shape == shape:
        return difference
    if difference.compared != SAMPLE:  # not compared: the candidate has another shape
        note = difference.note.replace(str(difference.shape), str(shape))
        return dataclasses.replace(difference, shape=shape, note=note)
    place = int(places(int(np.prod(shape)))[difference.worst[0]])
    worst = tuple(int(i) for i in np.unravel_index(place, shape))
    return dataclasses.replace(difference, shape=shape, worst=worst)


def _first_step(name: str, used: np.ndarray) -> int:
    """Return the first training step beyond its bound: of the steps' line, or the state's own."""
    key, beyond = keys.parse(name), np.flatnonzero(used > 1)
    if not beyond.size:
        return 0
    return int(beyond[0]) + 1 if key.is_step_line else key.step
