"""The picture of all differences: a row a kind of tensor, beside the bounds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from parity import keys
from parity.comparing import Difference
from parity.keys import RUNGS
from parity.reports.plots import (
    COLOURS,
    DTYPES,
    FLOOR,
    HIGHEST,
    WRONG,
    Numbers,
    announce,
    draw_points,
    mark_zero,
)
from parity.reports.words import bounded
from parity.reports.words import figure as quoted
from parity.results import Outcome


@dataclasses.dataclass
class Kind:
    """All tensors of one kind, such as the slots after the update steps.

    Args:
        name: its rung, and what of it.
        found: dtype -> tensor -> its largest difference between any two engines.
        decided: dtypes in which a free run is beyond its bound, but anchors agree.
    """

    name: str
    found: dict[str, dict[str, Difference]] = dataclasses.field(default_factory=dict)
    decided: set[str] = dataclasses.field(default_factory=set)

    @property
    def size(self) -> int:
        """Number of tensors."""
        return max(len(tensors) for tensors in self.found.values())

    def worst(self, *dtypes: str) -> Difference:
        """Return the account that uses most of its bound, in any of some dtypes."""
        everything = [d for dtype in dtypes or self.found for d in self.found[dtype].values()]
        return max(everything, key=lambda d: (not d.passed, d.used))


def kinds(outcome: Outcome) -> list[Kind]:
    """Return the kinds of tensor of a pair, in the order of the rungs."""
    known: dict[str, Kind] = {}
    failed: set[tuple[str, str]] = set()
    for comparison in outcome.comparisons:
        # Where anchors agree, a free run beyond its bound is no difference.
        agrees = comparison.anchors and comparison.status("curve") == "passed"
        for difference in comparison.differences:
            name = _kind(difference.key)
            kind = known.setdefault(name, Kind(name))
            if not difference.passed and agrees:
                kind.decided.add(comparison.dtype)
            elif not difference.passed:
                failed.add((name, comparison.dtype))
            tensors = kind.found.setdefault(comparison.dtype, {})
            other = tensors.get(difference.key)
            if other is None or other.error < difference.error:
                tensors[difference.key] = difference
    for name, dtype in failed:
        known[name].decided.discard(dtype)
    return sorted(known.values(), key=lambda kind: RUNGS.index(kind.name.split()[0]))


def numbers(outcome: Outcome) -> Numbers | None:
    """Return a row a kind of tensor and dtype: the one that uses most of its bound."""
    rows = []
    for kind in kinds(outcome):
        for dtype, tensors in kind.found.items():
            worst = kind.worst(dtype)
            row = (
                kind.name,
                str(len(tensors)),
                dtype,
                _short_name(worst) or worst.key,
                quoted(worst.error),
                quoted(worst.bound),
                f"{worst.used:.1%}" if math.isfinite(worst.used) else "not finite",
                bounded(worst),
            )
            rows.append(row)
    head = ("kind", "tensors", "dtype", "nearest its bound", "difference", "bound", "used", "how")
    return Numbers(head, rows) if rows else None


def draw(outcome: Outcome) -> Figure | None:
    """Draw how far every tensor differs, a row a kind of tensor, beside the bounds.

    The worst of a row stands out and is named; its fellows are faint.
    """
    rows = kinds(outcome)
    if not rows:
        return None
    figure, axes = plt.subplots(figsize=(9.5, 1.9 + 0.34 * len(rows)), layout="constrained")
    for dtype in DTYPES:
        _draw_marks(axes, rows, dtype)
    for row, kind in enumerate(rows):
        axes.annotate(
            _short_name(kind.worst()),
            (1.01, row),
            xycoords=axes.get_yaxis_transform(),
            fontsize=7.5,
            color="0.35",
            va="center",
            annotation_clip=False,
        )
    _explain(axes, rows)
    axes.set_yticks(range(len(rows)), [f"{kind.name}  ({kind.size})" for kind in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)  # the first rung on top
    axes.set(xscale="log", xlabel="largest difference, in the unit of its bound")
    axes.set_xlim(FLOOR["float64"] / 3, max(axes.get_xlim()[1], 1e-1))
    mark_zero(axes.xaxis, FLOOR["float64"])
    axes.set_title(f"{outcome.pair}: differences by kind of tensor (how many), and the worst")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8.5)
    announce(figure, outcome)
    return figure


def _explain(axes: Axes, rows: Sequence[Kind]) -> None:
    """Add what the marks mean to the legend."""
    for dtype, (engine, mark, _) in DTYPES.items():
        if any(dtype in kind.found for kind in rows):
            style: Any = {"color": COLOURS[engine], "ls": ""}
            axes.plot([], [], marker=mark, ms=5.5, label=f"{dtype}, worst of all engines", **style)
            axes.plot([], [], marker="|", ms=9, mew=1.8, label=f"{dtype} bound", **style)
    axes.plot([], [], "x", color=WRONG, ms=8, mew=2, label="beyond its bound")
    if any(kind.decided for kind in rows):
        label = "free run beyond its bound: see the anchors"
        axes.plot([], [], "D", mfc="none", color="black", ms=9, label=label)


def _kind(name: str) -> str:
    """Return the kind of a tensor: its rung, and what of it; steps of a rung are one kind."""
    key = keys.parse(name)
    if key.is_line:
        return f"{key.rung} {key.name.replace('_', ' ')}"
    part = "" if key.step and key.rung == "update" else "at steps" if key.step else key.part
    return " ".join(piece for piece in (key.rung, part, key.kind) if piece)


def _draw_marks(axes: Axes, rows: Sequence[Kind], dtype: str) -> None:
    """Draw all of one dtype; one artist a kind of mark, as layout asks every artist its size."""
    engine, mark, offset = DTYPES[dtype]
    faint, strong, bounds, decided, wrong = [], [], [], [], []
    for row, kind in enumerate(rows):
        found = list(kind.found.get(dtype, {}).values())
        height = row + offset
        errors = [(_place(d.error), height) for d in found]
        faint += errors
        strong += [max(errors)] if errors else []
        bounds += [(bound, height) for bound in sorted({_place(d.bound) for d in found})]
        beyond = [(_place(d.error), height) for d in found if not d.passed]
        if dtype in kind.decided:
            decided += beyond
        else:
            wrong += beyond
    style: Any = {"color": COLOURS[engine]}
    draw_points(axes, faint, marker=mark, ms=3, alpha=0.25, mew=0, **style)
    draw_points(axes, strong, marker=mark, ms=5.5, mew=0, **style)
    draw_points(axes, bounds, marker="|", ms=9, mew=1.8, **style)
    draw_points(axes, decided, marker="D", mfc="none", color="black", ms=9)
    draw_points(axes, wrong, marker="x", color=WRONG, ms=8, mew=2)


def _short_name(worst: Difference) -> str:
    """Return a tensor's name as far as it fits; nothing where its kind says it all."""
    key = keys.parse(worst.key)
    if key.is_line or not (worst.error or not worst.passed):
        return ""
    name = key.name if len(key.name) <= 40 else f"…{key.name[-39:]}"
    return f"{name}, {key.part}" if key.rung == "update" else name


def _place(value: float) -> float:
    """Return where a figure is drawn on an axis that has neither zero nor infinity."""
    return min(max(value, FLOOR["float64"]), HIGHEST) if math.isfinite(value) else HIGHEST
