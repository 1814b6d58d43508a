"""What a value may rightly be, and what layers make of it: the words of `parity.searching`.

Until it is decided what a wrong layer should have given, a value has several *options*. A *link* is
a layer that was tried on some of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Call:
    """A layer, called once.

    Args:
        name: of the layer.
        inputs, outputs: numbers of the values that it takes and gives.
        weights: whether it has any: what it gives is then found in a graph by no accident.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    weights: bool = True


@dataclasses.dataclass(frozen=True)
class Layered:
    """A Keras model as calls of its layers.

    Args:
        inputs: numbers of its inputs.
        calls: in the order of computation.
        values: number -> what the model itself has there.
        taps: number -> what the graph is known to have there.
        ends: numbers of its outputs.
    """

    inputs: tuple[int, ...]
    calls: tuple[Call, ...]
    values: Mapping[int, np.ndarray]
    taps: Mapping[int, tuple[str, np.ndarray]] = dataclasses.field(default_factory=dict)
    ends: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Trial:
    """A question: what does a call make of these arrays?"""

    call: int
    inputs: tuple[np.ndarray, ...]


# Of every trial its outputs, or None where the layer cannot take the arrays.
Apply = Callable[[Sequence[Trial]], Sequence["tuple[np.ndarray, ...] | None"]]


@dataclasses.dataclass(eq=False)
class Option:
    """What a value may rightly be.

    Args:
        array: the value, in Keras's shape.
        name: the graph's tensor that is the same; empty if there is none.
        made: by the layer itself; otherwise it was taken from the graph.
        found: whether the graph has it: always, of what the model is fed.
    """

    array: np.ndarray
    name: str = ""
    made: bool = False
    found: bool = False


@dataclasses.dataclass(eq=False)
class Link:
    """A layer that was tried.

    Args:
        inputs, outputs: what it was fed, and gave.
        matched: whether the graph has all that it gave.
        moves: whether it gave the very numbers that it was fed, in another order or shape: that
            the graph has them proves nothing.
    """

    inputs: tuple[Option, ...]
    outputs: tuple[Option, ...]
    matched: bool
    moves: bool


def unconfirmed(link: Link) -> bool:
    """Tell whether a layer was fed what a layer before it made and the graph has not."""
    return any(option.made and not option.found for option in link.inputs)


def among(
    options: Iterable[Option], values: Iterable[int], known: Mapping[int, Sequence[Option]]
) -> bool:
    """Tell whether every option is still one of its value's."""
    return all(option in known[i] for option, i in zip(options, values, strict=True))


def moved(value: np.ndarray, output: np.ndarray) -> bool:
    """Tell whether an output is the numbers of an input, moved."""
    return (
        value.size == output.size
        and (np.max(value, initial=0), np.min(value, initial=0))
        == (np.max(output, initial=0), np.min(output, initial=0))
        and np.array_equal(np.sort(value, axis=None), np.sort(output, axis=None))
    )


def in_shape(value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a value in another shape, if that holds as many numbers."""
    return value.reshape(shape) if value.size == int(np.prod(shape)) else value
