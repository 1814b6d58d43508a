"""The picture of a training run: every step's loss, and how far engines part from the judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from parity import keys
from parity.reports.plots import (
    COLOURS,
    FLOOR,
    WRONG,
    Numbers,
    announce,
    margins,
    mark_zero,
    steps_of,
)
from parity.reports.words import figure as quoted
from parity.results import STEP_LOSS, Comparison, Outcome, StockLane
from parity.rounding import FACTOR
from parity.tolerances import tolerance

SIZE = (8, 6.4)  # of the picture, in inches
COLUMNS = 3  # of its legend
MOST_ROWS = 100  # of a table; results.json has every step


@dataclasses.dataclass(frozen=True)
class Runs:
    """The training runs of all engines in one dtype.

    Args:
        judge: the first reference: TensorFlow 1.15.5, live or recorded, where there is one.
        judged: comparisons with it.
        losses: engine -> the loss of every step, (steps,).
        own: the judge's own rounding at every step, (steps,), or None where it was not measured.
        general: the general bound.
    """

    judge: str
    judged: Sequence[Comparison]
    losses: Mapping[str, np.ndarray]
    own: np.ndarray | None
    general: float

    @property
    def bounds(self) -> np.ndarray:
        """The bound that was applied at every step, (steps,)."""
        general = np.full(len(self.losses[self.judge]), self.general)
        return general if self.own is None else np.maximum(general, FACTOR * self.own)

    def gap(self, engine: str) -> np.ndarray:
        """Return how far an engine is from the judge at every step, (steps,)."""
        return np.asarray(np.abs(self.losses[engine] - self.losses[self.judge]))


def runs_of(outcome: Outcome, dtype: str) -> Runs | None:
    """Return the training runs of a pair in one dtype; None if no two engines finished one."""
    found = [c for c in outcome.comparisons if c.dtype == dtype and _same_steps(c)]
    if not found:
        return None
    judge = found[0].reference
    judged = [c for c in found if c.reference == judge]
    losses = {
        name: np.asarray(curve[STEP_LOSS], np.float64)
        for c in found
        for name, curve in c.curves.items()
    }
    steps = len(losses[judge])
    own = [np.ravel(c.own[STEP_LOSS])[:steps] for c in judged if STEP_LOSS in c.own]
    own = [sizes for sizes in own if len(sizes) == steps]
    general = tolerance(keys.parse(STEP_LOSS), dtype).bound
    return Runs(judge, judged, losses, np.max(own, axis=0) if own else None, general)


def draw(outcome: Outcome, dtype: str) -> Figure | None:
    """Draw the loss of every step by every engine, and below how far each is from the judge.

    The judge's own rounding is shaded where it was measured, and the bound drawn is the one that
    was applied.
    """
    runs = runs_of(outcome, dtype)
    if runs is None:
        return None
    figure, (above, below) = plt.subplots(2, 1, figsize=SIZE, sharex=True, height_ratios=(3, 2))
    steps, losses = len(runs.losses[runs.judge]), runs.losses
    widths = np.linspace(4.5, 1.2, len(losses))  # thick to thin: lines that coincide stay visible
    for (name, line), width in zip(losses.items(), widths, strict=True):
        above.plot(steps_of(line), line, label=name, color=COLOURS.get(name), lw=width, alpha=0.75)
    _draw_bound(below, runs, dtype)
    if outcome.stock and dtype == outcome.stock.dtype:
        _draw_stock(above, below, outcome.stock, losses[runs.judge])
    for comparison in runs.judged:
        name = comparison.candidate
        gap = np.maximum(runs.gap(name), FLOOR[dtype])
        mark = "s" if name == "keras" else "o"
        below.plot(steps_of(gap), gap, mark, ms=2.6, mew=0, color=COLOURS.get(name), label=name)
    _draw_anchors(below, runs.judged)
    title = f"{outcome.pair}, {dtype}: {steps} training steps"
    above.set(ylabel="loss of the step", title=title)
    below.set(yscale="log", xlabel="training step", ylabel=f"difference from {runs.judge}")
    below.set_ylim(bottom=FLOOR[dtype] / 2)
    mark_zero(below.yaxis, FLOOR[dtype])
    below.set_xlim(-0.01 * steps, 1.01 * steps + 0.5)
    below.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    # Outside: the curves fill the panels, and no corner is free in all of them.
    handles, names = _legend(above, below)
    figure.legend(handles, names, loc="lower center", ncols=COLUMNS, fontsize=8.5)
    rows = -(-len(names) // COLUMNS)
    # In inches. What all of these pictures have in common need not be measured for each.
    margins(figure, left=0.85, right=0.15, top=0.35, bottom=0.65 + 0.19 * rows)
    announce(figure, outcome)
    return figure


def numbers(outcome: Outcome, dtype: str) -> Numbers | None:
    """Return what the picture is drawn from: a row a step, or every n-th of a long run."""
    runs = runs_of(outcome, dtype)
    if runs is None:
        return None
    others = [c.candidate for c in runs.judged]
    head = ["step", runs.judge, *(f"{name} - {runs.judge}" for name in others), "bound"]
    columns = [[f"{loss:.6g}" for loss in runs.losses[runs.judge]]]
    columns += [[quoted(gap) for gap in runs.gap(name)] for name in others]
    columns.append([quoted(bound) for bound in runs.bounds])
    if runs.own is not None:
        head.append("own rounding")
        columns.append([quoted(size) for size in runs.own])
    rows = [[str(i + 1), *row] for i, row in enumerate(zip(*columns, strict=True))]
    apart = -(-len(rows) // MOST_ROWS)
    return Numbers(head, rows[::-apart][::-1])  # the last step is always there


def _legend(*panels: Axes) -> tuple[list[Any], list[str]]:
    """Return one entry a name; an engine has the same colour in every panel."""
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    return list(found.values()), list(found)


def _draw_bound(axes: Axes, runs: Runs, dtype: str) -> None:
    """Shade the judge's own rounding, and draw the bound that was applied at every step."""
    label = f"bound {runs.general:.0e}"
    if runs.own is not None:
        label = f"bound: {runs.general:.0e}, or {FACTOR:g} times own rounding"
        shown = np.maximum(runs.own, FLOOR[dtype])
        own_label = f"{runs.judge}'s own rounding"
        axes.fill_between(
            steps_of(shown), FLOOR[dtype], shown, color="0.8", lw=0, step="mid", label=own_label
        )
    axes.plot(steps_of(runs.bounds), runs.bounds, color="black", lw=1, ls=":", label=label)


def _draw_anchors(axes: Axes, judged: Sequence[Comparison]) -> None:
    """Mark, on the axis of steps, where the judge's state was handed over."""
    anchors = [anchor for c in judged for anchor in c.anchors]
    failed = sorted({anchor.after for anchor in anchors if not anchor.passed})
    passed = sorted({anchor.after for anchor in anchors} - set(failed))
    style: Any = {"transform": axes.get_xaxis_transform(), "clip_on": False, "ls": "", "zorder": 5}
    if passed:
        label = "anchor: agrees from the judge's state"
        axes.plot(passed, [0] * len(passed), marker="^", color="black", ms=5, label=label, **style)
    if failed:
        label = "anchor: differs from the judge's state"
        axes.plot(
            failed, [0] * len(failed), marker="X", color=WRONG, ms=8, mew=0, label=label, **style
        )


def _draw_stock(above: Axes, below: Axes, stock: StockLane, expected: np.ndarray) -> None:
    steps = min(len(stock.losses), len(expected))
    losses = np.asarray(stock.losses[:steps], np.float64)
    style: dict[str, Any] = {"color": COLOURS["stock"], "lw": 1.2, "ls": "--"}
    short = f", first {steps} steps" if steps < len(expected) else ""
    label = f"stock {stock.optimizer}: the expected gap{short}"
    above.plot(steps_of(losses), losses, label=label, **style)
    below.plot(steps_of(losses), np.abs(losses - expected[:steps]), label=label, **style)


def _same_steps(comparison: Comparison) -> bool:
    """Tell whether both engines have a loss for every step of the same training run."""
    lengths = {len(curves.get(STEP_LOSS, ())) for curves in comparison.curves.values()}
    return len(lengths) == 1 and lengths != {0}
