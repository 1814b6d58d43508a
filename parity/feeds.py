"""What a graph file's step is fed, where a user says so: arrays by the names of placeholders."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping

import numpy as np

from parity import wire
from parity.errors import BadInput, look_up
from parity.graphfile import Graph, Input

MADE_FROM = "inputs"  # under which `Graph.made_by` says where a feed is from


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read an ``.npz`` file of plain arrays.

    Raises:
        BadInput: it cannot be read, or is empty.
    """
    arrays = wire.read_arrays(os.fspath(path))
    if not arrays:
        raise BadInput(f"{path} holds no array", "one for each placeholder, by its name")
    return arrays


def fed(graph: Graph, arrays: Mapping[str, np.ndarray], origin: str) -> Graph:
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
        wanted = look_up("input of the graph", name, known)
        if wanted.name in given:
            raise BadInput(f"{origin} feeds {wanted.name} twice, as {name!r} too", "once")
        given[wanted.name] = fitted(wanted, value, origin)
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
    """Return what an input is fed in its dtype, where no number is changed by that but rounded.

    Raises:
        BadInput: it is of another kind, or of another shape.
    """
    dtype = np.dtype(wanted.dtype)
    if not np.can_cast(value.dtype, dtype, "same_kind") and not (
        value.dtype.kind in "iu" and dtype.kind in "iuf"
    ):
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
