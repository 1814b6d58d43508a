"""Arrays in, differences out. No TensorFlow, no plotting, no printing.

Two recordings, each a mapping of ``rung/...`` to an array, are compared tensor by tensor in
float64. Every tensor gets a full account, whether it passes or not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.tolerances import LARGEST, Tolerance, tolerance

Recording = Mapping[str, np.ndarray]

SAMPLE = 256  # elements of a large tensor that a golden recording keeps


@dataclasses.dataclass(frozen=True)
class Difference:
    """How one tensor differs between a reference and a candidate.

    Args:
        key: ``rung/...``, the tensor's name.
        shape: its shape; of both sides, where they differ.
        error: largest error in units of the tolerance; infinite where a NaN, a name or a shape
            differs. Also the smallest bound that would have passed.
        bound: the tolerance's bound.
        share: share of elements beyond the bound, 0 to 1.
        worst: index of the worst element.
        expected: the reference's value there.
        actual: the candidate's value there.
        note: why nothing could be compared, or empty.
        compared: number of elements compared.
    """

    key: str
    shape: tuple[int, ...]
    error: float
    bound: float
    share: float = 0.0
    worst: tuple[int, ...] = ()
    expected: float = 0.0
    actual: float = 0.0
    note: str = ""
    compared: int = 0

    @property
    def rung(self) -> str:
        """The rung that the tensor belongs to."""
        return self.key.partition("/")[0]

    @property
    def passed(self) -> bool:
        """True if something was compared and every element is within the bound."""
        return self.compared > 0 and self.error <= self.bound


def compare_tensor(
    key: str, expected: Any, actual: Any, limit: Tolerance, largest: float = 0.0
) -> Difference:
    """Compare one tensor.

    Args:
        key: its name.
        expected: the reference, any shape and real dtype.
        actual: the candidate, which must have the same shape.
        limit: the tolerance.
        largest: largest magnitude of the whole reference, where `expected` is a sample of it.
    """
    expected, actual = np.asarray(expected), np.asarray(actual)
    if expected.shape != actual.shape:
        note = f"shape {expected.shape} became {actual.shape}"
        return Difference(key, expected.shape, np.inf, limit.bound, note=note, share=1.0)
    if expected.dtype != actual.dtype:
        note = f"dtype {expected.dtype} became {actual.dtype}"
        return Difference(key, expected.shape, np.inf, limit.bound, note=note, share=1.0)
    if expected.size == 0:
        note = "the tensor is empty: nothing was compared"
        return Difference(key, expected.shape, np.inf, limit.bound, note=note)
    wanted, found = expected.astype(np.float64), actual.astype(np.float64)
    finite = np.isfinite(wanted) & np.isfinite(found)
    with np.errstate(invalid="ignore"):
        # A NaN or an infinity is a difference even where both sides have it: nothing was proved.
        unit = scale(wanted, found, limit, largest)
        errors = np.where(finite, np.abs(found - wanted) / unit, np.inf)
    worst = np.unravel_index(int(np.argmax(errors)), errors.shape)
    index = tuple(int(i) for i in worst)
    note = "" if np.isfinite(errors[index]) else "a value is not finite"
    return Difference(
        key=key,
        shape=expected.shape,
        error=float(errors[index]),
        bound=limit.bound,
        share=float(np.mean(errors > limit.bound)),
        worst=index,
        expected=float(wanted[index]),
        actual=float(found[index]),
        note=note,
        compared=expected.size,
    )


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
    pair: str = "",
    largest: Mapping[str, float] | None = None,
) -> list[Difference]:
    """Compare two recordings of one job, tensor by tensor, in the reference's order.

    A name that only one side has is a difference.

    Args:
        expected: the reference's recording.
        actual: the candidate's.
        dtype: that both were computed in.
        pair: name of the pair, for the tolerances that it has of its own.
        largest: largest magnitude of each whole tensor, where `expected` holds samples.
    """
    differences = []
    for key in [*expected, *(key for key in actual if key not in expected)]:
        limit = tolerance(key, dtype, pair)
        if key in expected and key in actual:
            unit = (largest or {}).get(key, 0.0)
            differences.append(compare_tensor(key, expected[key], actual[key], limit, unit))
        else:
            side, shape = (
                ("candidate", expected[key].shape)
                if key in expected
                else ("reference", actual[key].shape)
            )
            note = f"missing on the {side}'s side"
            differences.append(Difference(key, shape, np.inf, limit.bound, note=note, share=1.0))
    return differences


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
        if flat.size <= SAMPLE or is_curve(key) or wrong:
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


def is_curve(key: str) -> bool:
    """Tell whether a tensor is a line over the training run, such as the loss of every step."""
    return key.startswith("curve/") and not key.startswith("curve/final/")
