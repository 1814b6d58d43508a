"""What was found in a graph file, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.table import Table

from parity.graphfile import Graph, is_saved

SHOWN = 12  # rows of a kind; the rest is counted


def tables(graph: Graph) -> Iterator[Table]:
    """Yield what was found: inputs, optimizers, variables, random ops."""
    yield _table(
        "inputs",
        ("tensor", "from", "dtype", "shape", "fed"),
        [
            (
                _called(each.name, each.alias),
                each.op,
                each.dtype,
                _shape(each.shape),
                _range(graph.feed.get(each.name)),
            )
            for each in graph.inputs
        ],
    )
    yield _table(
        "optimizers",
        ("train op", "optimizer", "loss", "variables", "slots", "first run"),
        [
            (
                each.train_op,
                each.kind,
                each.loss or "not seen",
                str(len(each.variables)),
                str(len(each.slots)),
                "yes" if each.ran else "no",
            )
            for each in graph.optimizers
        ]
        or [("none",)],
    )
    slots = {name for each in graph.optimizers for name in each.slots}
    yield _table(
        "variables",
        ("name", "dtype", "shape", "trained", "mean", "std"),
        [
            (
                each.name,
                each.dtype,
                _shape(each.shape),
                "yes" if each.trainable else "no",
                *_moments(graph.values[each.name]),
            )
            for each in graph.variables
            if each.name not in slots
        ],
    )
    if graph.draws:
        yield _table(
            "random ops",
            ("name", "op", "in a loop"),
            [(each.name, each.op, "yes" if each.in_loop else "no") for each in graph.draws],
        )
    if graph.outputs:
        yield _table(
            "outputs",
            ("tensor", "op", "shape", "depends on"),
            [
                (_called(o.name, o.alias), o.op, _shape(o.shape), ", ".join(o.inputs))
                for o in graph.outputs
            ],
        )
    if graph.updates:
        yield _table("update ops", ("op",), [(name,) for name in graph.updates])


def remarks(graph: Graph) -> list[str]:
    """Return what could not be had, and who ran the script."""
    by = graph.made_by
    versions = f"TensorFlow {by['tensorflow']}, NumPy {by['numpy']}, Python {by['python']}"
    how = "was read by" if is_saved(by["source"]) else "ran on"
    missing = [*graph.missing, *(["what it is fed: inputs are invented"] if graph.invented else [])]
    return [*(f"not had: {each}" for each in missing), f"{by['source']} {how} {versions}"]


def _called(name: str, alias: str) -> str:
    """Return the name of a tensor, and what a signature calls it."""
    return f"{name} ({alias})" if alias else name


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows[:SHOWN]:
        table.add_row(*row)
    if len(rows) > SHOWN:
        table.add_row(f"and {len(rows) - SHOWN} more")
    return table


def _shape(shape: Sequence[int | None] | None) -> str:
    if shape is None:
        return "any"
    return "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"


def _range(value: np.ndarray | None) -> str:
    """Return the shape of what was fed, and its least and largest value."""
    if value is None:
        return "nothing"
    if not value.size or value.dtype.kind not in "biuf":
        return _shape(value.shape)
    low, high = value.min(), value.max()
    return f"{_shape(value.shape)} {low:.4g}" + (f" to {high:.4g}" if high != low else "")


def _moments(value: np.ndarray) -> tuple[str, str]:
    if not value.size or value.dtype.kind not in "biuf":
        return "", ""
    return f"{value.mean():.3g}", f"{value.std():.3g}"
