"""Values without names: whether two are the same, and where in a graph a value is found.

Float64 throughout, where two engines that compute the same agree to the last few bits: a wrong
layer is off by far more than what passes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from parity.runners.segments import SAME, telling

# Numbers of this size stand for "never" in attention masks: they must not be the measure of others.
MASK = 1e8
SAMPLED = 16  # elements that are compared first


class Tensors:
    """The tensors of a graph, to be searched by value.

    Args:
        values: name -> value, in the order of computation.
        parents: name -> the nearest tensors among them that it is computed from; nothing is known
            of what feeds what if it is empty.
    """

    def __init__(
        self, values: Mapping[str, np.ndarray], parents: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._values = {name: value for name, value in values.items() if telling(value)}
        self._by_size: dict[int, list[str]] = {}
        for name, value in self._values.items():
            self._by_size.setdefault(value.size, []).append(name)
        self._children: dict[str, list[str]] = {}
        for name, feeding in (parents or {}).items():
            for each in feeding:
                self._children.setdefault(each, []).append(name)

    def name_of(self, value: np.ndarray) -> str:
        """Return the first tensor that is the same as a value, or nothing.

        Its elements are compared in order, whatever its shape; with the first two axes exchanged,
        too, for graphs whose time comes first.
        """
        if not telling(value):
            return ""
        for shown in _shown(value):
            flat = np.ravel(shown)
            few = np.linspace(0, flat.size - 1, SAMPLED).astype(int)
            for name in self._by_size.get(flat.size, ()):
                other = np.ravel(self._values[name])
                scale = _scale(other)
                if _near(flat[few], other[few], scale) and _near(flat, other, scale):
                    return name
        return ""

    def below(self, names: Iterable[str]) -> set[str] | None:
        """Return what is computed from some tensors, they too; None if nothing is known of that."""
        waiting = [name for name in names if name in self._values]
        if not waiting or not self._children:
            return None
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self._children.get(name, [])
        return found

    def fitting(
        self, shape: tuple[int, ...], within: set[str] | None = None
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the tensors that could stand where a value of some shape does, in that shape.

        The last computed come first: what a layer gives is what is computed last of it. After those
        of the very size come those that differ in length alone, as where padding is another.

        Args:
            shape: (batch, ..., features).
            within: names to choose from; all if None.
        """
        names = [name for name in reversed(self._values) if within is None or name in within]
        names.sort(key=lambda name: self._values[name].shape != shape)  # the very shape first
        size = int(np.prod(shape))
        for name in names:
            value = self._values[name]
            if value.size == size:
                yield from ((name, each) for each in _reshaped(value, shape))
        for name in names:
            value = np.squeeze(self._values[name])
            if (
                value.size != size
                and value.ndim == len(shape) > 2
                and (value.shape[0], value.shape[-1]) == (shape[0], shape[-1])
            ):
                yield name, value


def same(value: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether a value is the same as that of a graph, in the same order of elements."""
    left, right = np.ravel(value), np.ravel(other)
    return left.size == right.size and _near(left, right, _scale(right))


def distance(value: np.ndarray, other: np.ndarray) -> float | None:
    """Return the largest difference in units of the other's largest value; None of other sizes."""
    if value.size != other.size or not value.size:
        return None
    left, right = np.ravel(value), np.ravel(other)
    found = float(np.max(np.abs(left - right)) / (_scale(right) or 1.0))
    return found if np.isfinite(found) else float("inf")


def _near(left: np.ndarray, right: np.ndarray, scale: float) -> bool:
    with np.errstate(invalid="ignore"):  # infinity less infinity
        off = np.abs(left - right)
        near = off <= SAME * np.maximum(scale, np.abs(right))
    return bool(np.all((near & np.isfinite(right)) | (left == right)))


def _scale(value: np.ndarray) -> float:
    """Return the largest value that is no mask's."""
    sizes = np.abs(value)
    usual = sizes[sizes < MASK]
    return float(np.max(usual if usual.size else sizes, initial=0.0))


def _shown(value: np.ndarray) -> list[np.ndarray]:
    return [value, np.swapaxes(value, 0, 1)] if value.ndim > 1 else [value]


def _reshaped(value: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return a value in another shape; also as time first, where its own shape allows that."""
    turned = (shape[1], shape[0], *shape[2:]) if len(shape) > 1 else shape
    squeezed = np.squeeze(value)
    if turned == shape:
        return [value.reshape(shape)]
    if len(shape) == 2:
        return [squeezed.T if squeezed.shape == turned else value.reshape(shape)]
    if squeezed.ndim < len(shape):  # batch and time are one axis: of which order, nobody knows
        return [value.reshape(shape), np.swapaxes(value.reshape(turned), 0, 1)]
    if squeezed.shape[:2] == turned[:2]:
        return [np.swapaxes(value.reshape(turned), 0, 1)]
    return [value.reshape(shape)]
