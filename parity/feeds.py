"""What a graph file's step is fed, where a user says so: arrays by the names of placeholders.

From an ``.npz`` file, or from a function that gives one batch after the other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from parity import wire
from parity.errors import BadInput, did_you_mean
from parity.graphfile import Graph, Input

MADE_FROM = "inputs"  # under which `Graph.made_by` says where a feed is from

Batch = Mapping[str, Any]  # name of an input -> array
# A path ending in .npz, ``module:function``, such a function, or arrays of many rows.
Inputs = str | os.PathLike[str] | Callable[[], Iterable[Batch]] | Batch


@dataclasses.dataclass(frozen=True)
class Fed:
    """A graph, and the batches that it trains on one after the other.

    Args:
        graph: its feed is the first of them.
        rows: input -> rows of all batches, where there is more than the first.
        sizes: rows of each batch; empty where the first is all.
    """

    graph: Graph
    rows: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    sizes: tuple[int, ...] = ()


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read an ``.npz`` file of plain arrays.

    Raises:
        BadInput: it cannot be read, or is empty.
    """
    arrays = wire.read_arrays(os.fspath(path))
    if not arrays:
        raise BadInput(f"{os.fspath(path)} holds no array", "one for each placeholder, by its name")
    return arrays


def supplied(graph: Graph, inputs: Inputs, steps: int) -> Fed:
    """Return a graph that trains on a user's inputs.

    Arrays of more rows than the script's batch are cut into batches of that size, in their order; a
    short rest is left out.

    Args:
        graph: the graph.
        inputs: arrays, or what gives batches.
        steps: no more batches than that are asked for.

    Raises:
        BadInput: they cannot be had, do not fit the graph, or not each other.
    """
    if isinstance(inputs, Mapping):
        return _cut(graph, inputs, "the inputs")
    if not callable(inputs):
        said = os.fspath(inputs)
        if said.endswith(".npz"):
            return _cut(graph, read(said), said)
        return _joined(graph, _batches(_function(said), said, steps), said)
    origin = getattr(inputs, "__name__", "the function")
    return _joined(graph, _batches(inputs, origin, steps), origin)


def _cut(graph: Graph, arrays: Mapping[str, Any], origin: str) -> Fed:
    found = fed(graph, arrays, origin)
    own = {len(value) for value in graph.feed.values() if value.ndim}
    rows = {name: value for name, value in found.feed.items() if value.ndim}
    given = {len(value) for value in rows.values()}
    if graph.invented or len(own) != 1 or len(given) != 1:
        return Fed(found)  # as one batch; of what does not go together others tell
    (size,), (count,) = own, given
    if count < 2 * size:
        return Fed(found)
    whole = {name: value[: count // size * size] for name, value in rows.items()}
    first = {name: value[:size] for name, value in rows.items()}
    feed = {**found.feed, **first}
    return Fed(dataclasses.replace(found, feed=feed), whole, (size,) * (count // size))


def _joined(graph: Graph, batches: Iterable[Batch], origin: str) -> Fed:
    """Return a graph with the batches of a function.

    Raises:
        BadInput: a batch has other inputs, other sizes but for its rows, or another number.
    """
    feeds: list[dict[str, np.ndarray]] = []
    for number, batch in enumerate(batches, 1):
        found = fed(graph, batch, f"batch {number} of {origin}").feed
        first = feeds[0] if feeds else found
        for name, value in found.items():
            if value.shape[1:] != first[name].shape[1:]:
                raise BadInput(
                    f"batch {number} of {origin}: {name} has shape {value.shape}, that of the "
                    f"first is {first[name].shape}",
                    "the same sizes in all batches, but for the number of rows",
                    "pad them all alike",
                )
            if not value.ndim and value != first[name]:
                raise BadInput(
                    f"batch {number} of {origin}: {name} is {value}, and was {first[name]}",
                    "one number for all batches",
                )
        feeds.append(found)
    if not feeds:
        raise BadInput(f"{origin} gives no batch", "one a training step")
    rows = {
        name: np.concatenate([each[name] for each in feeds])
        for name, value in feeds[0].items()
        if value.ndim
    }
    sizes = [{len(each[name]) for name in rows} for each in feeds]
    if uneven := [number for number, size in enumerate(sizes, 1) if len(size) > 1]:
        raise BadInput(
            f"batch {uneven[0]} of {origin} has arrays of different first sizes",
            "one row for each sample in all of them",
            "feed what the script fed, too: all inputs that have rows",
        )
    whole = fed(graph, feeds[0], origin)
    return Fed(whole, rows, tuple(size for each in sizes for size in each))


def _function(reference: str) -> Callable[[], Iterable[Batch]]:
    """Return what ``module:function`` names; the module is looked for in this folder, too.

    Raises:
        BadInput: it is not of that form, or there is no such function.
    """
    module, colon, name = reference.partition(":")
    if not (colon and name.isidentifier()):
        raise BadInput(f"inputs are {reference!r}", "a file ending in .npz, or module:function")
    with _here():
        try:
            found: Callable[[], Iterable[Batch]] = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise BadInput(f"inputs are {reference!r}: {error}", "'module:function'") from error
    return found


def _batches(function: Callable[[], Iterable[Batch]], origin: str, most: int) -> Iterator[Batch]:
    """Yield what a user's function gives, and no more than is asked for.

    Raises:
        BadInput: it fails, or gives something else than batches.
    """
    with _here():
        try:
            for batch in itertools.islice(iter(function()), most):
                if not isinstance(batch, Mapping):
                    raise BadInput(
                        f"{origin} gives {type(batch).__name__}",
                        "batches: dicts of arrays by names of placeholders",
                    )
                yield batch
        except BadInput:
            raise
        except Exception as error:  # of the user's own code
            raise BadInput(f"{origin} failed: {type(error).__name__}: {error}") from error


@contextlib.contextmanager
def _here() -> Iterator[None]:
    """Look for modules in the current folder, too, as the engines do."""
    here = os.getcwd()
    sys.path.append(here)
    try:
        yield
    finally:
        sys.path.remove(here)


def fed(graph: Graph, arrays: Mapping[str, Any], origin: str) -> Graph:
    """Return a graph whose step is fed these arrays; what is not named stays as it is.

    Args:
        graph: the graph.
        arrays: by name of an input: ``words:0``, ``words``, or as a signature calls it.
        origin: where they are from, for people.

    Raises:
        BadInput: there is no such input, or its dtype or shape is another.
    """
    known = inputs_of(graph)
    given: dict[str, np.ndarray] = {}
    for name, value in arrays.items():
        if name not in known:
            raise BadInput(
                f"{origin}: the graph has no input {name!r}",
                f"one of {', '.join(each.name for each in graph.inputs)}",
                did_you_mean(name, known),
            )
        wanted = known[name]
        if wanted.name in given:
            raise BadInput(f"{origin} feeds {wanted.name} twice, as {name!r} too", "once")
        given[wanted.name] = fitted(wanted, np.asarray(value), origin)
    feed = {**graph.feed, **given}
    return dataclasses.replace(
        graph,
        feed=feed,
        made_by={**graph.made_by, MADE_FROM: origin},
        invented=graph.invented and not set(graph.feed) <= set(given),
    )


def inputs_of(graph: Graph) -> dict[str, Input]:
    """Return every name that an input may be called by, and the input."""
    found: dict[str, Input] = {}
    for each in graph.inputs:
        for name in (each.alias, each.name.removesuffix(":0"), each.name):
            if name:
                found[name] = each
    return found


def fitted(wanted: Input, value: np.ndarray, origin: str) -> np.ndarray:
    """Return what an input is fed in its dtype; floats are rounded, no whole number is changed.

    Raises:
        BadInput: it is of another kind, or of another shape.
    """
    dtype = np.dtype(wanted.dtype)
    whole = value.dtype.kind in "iu" and dtype.kind in "iuf"
    if not whole and not np.can_cast(value.dtype, dtype, "same_kind"):
        raise BadInput(f"{origin}: {wanted.name} is {value.dtype}", wanted.dtype)
    if wanted.shape is not None and (
        len(wanted.shape) != value.ndim
        or any(size not in (None, had) for size, had in zip(wanted.shape, value.shape, strict=True))
    ):
        sizes = ", ".join("any" if size is None else str(size) for size in wanted.shape)
        raise BadInput(f"{origin}: {wanted.name} has shape {value.shape}", f"({sizes})")
    found = value.astype(dtype)
    if dtype.kind in "iu" and not np.array_equal(found, value):
        raise BadInput(f"{origin}: {wanted.name} holds numbers that {wanted.dtype} cannot hold")
    return found
