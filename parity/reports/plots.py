"""Pictures of a run and of a training.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; what matters has a mark
of its own as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # files only: a run must not need a screen

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from parity import keys
from parity.compare import Difference
from parity.keys import RUNGS
from parity.results import RECORDED, STEP_LOSS, Comparison, Outcome, StockLane
from parity.rounding import FACTOR
from parity.tolerances import tolerance

COLOURS = {
    RECORDED: "#7f7f7f",
    "tf1": "#000000",
    "graph": "#d55e00",
    "keras": "#0072b2",
    "stock": "#aa4499",
}
WRONG = "#882255"
FLOOR = {"float32": 1e-9, "float64": 1e-18}  # where a difference of zero is drawn
HIGHEST = 1e3  # where one that is not finite is drawn
DTYPES = {"float32": ("graph", "o", -0.14), "float64": ("keras", "s", 0.14)}
STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "figure.dpi": 130,
}


def write(folder: Path, outcome: Outcome) -> list[Path]:
    """Draw a pair's pictures into `folder`; return their paths.

    ``curves-DTYPE.png`` for every dtype in which both engines finished a training, and
    ``differences.png`` if anything was compared.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    with plt.rc_context(STYLE):
        for dtype in sorted({c.dtype for c in outcome.comparisons if same_steps(c)}):
            drawn.append(save(draw_curves(outcome, dtype), folder / f"curves-{dtype}.png"))
        if any(c.differences for c in outcome.comparisons):
            drawn.append(save(draw_differences(outcome), folder / "differences.png"))
    return drawn


def write_history(
    folder: Path, history: Mapping[str, Sequence[float]], title: str, metrics: Sequence[str]
) -> list[Path]:
    """Draw one picture a metric over the epochs of a training; return their paths.

    Args:
        folder: where to.
        history: ``train_METRIC`` and ``test_METRIC`` -> a value an epoch.
        title: of the pictures, before the metric's name.
        metrics: their names.
    """
    drawn = []
    with plt.rc_context(STYLE):
        for metric in metrics:
            figure, axes = plt.subplots(figsize=(6.4, 3.8))
            for part, engine, mark in (("train", "graph", "o-"), ("test", "keras", "s-")):
                values = history[f"{part}_{metric}"]
                # With marks, or one epoch would be an empty picture.
                axes.plot(_steps(values), values, mark, ms=4, color=COLOURS[engine], label=part)
            axes.set(title=f"{title}: {metric}", xlabel="epoch", ylabel=metric)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend()
            drawn.append(save(figure, folder / f"{metric}.png"))
    return drawn


def draw_curves(outcome: Outcome, dtype: str) -> Figure:
    """Draw the loss of every step by every engine, and below how far each is from the judge.

    The judge is the first reference: a live or recorded TensorFlow 1.15.5 where there is one. Its
    own rounding is shaded where it was measured, and the bound drawn is the one that was applied.
    """
    comparisons = [c for c in outcome.comparisons if c.dtype == dtype and same_steps(c)]
    judge = comparisons[0].reference
    judged = [c for c in comparisons if c.reference == judge]
    lines = {name: curve for c in comparisons for name, curve in c.curves.items()}
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 6.4), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    widths = np.linspace(4.5, 1.2, len(lines))  # thick to thin: lines that coincide stay visible
    for (name, curve), width in zip(lines.items(), widths, strict=True):
        loss = curve[STEP_LOSS]
        above.plot(_steps(loss), loss, label=name, color=COLOURS.get(name), lw=width, alpha=0.75)
    expected = np.asarray(lines[judge][STEP_LOSS], np.float64)
    _draw_bound(below, judged, len(expected), dtype)
    if outcome.stock and dtype == outcome.stock.dtype:
        _draw_stock(above, below, outcome.stock, expected)
    for comparison in judged:
        _draw_gap(below, expected, comparison)
    _draw_anchors(below, judged)
    title = f"{outcome.pair}, {dtype}: {len(expected)} training steps"
    above.set(ylabel="loss of the step", title=title)
    below.set(yscale="log", xlabel="training step", ylabel=f"difference from {judge}")
    below.set_ylim(bottom=FLOOR[dtype] / 2)
    _mark_zero(below.yaxis, FLOOR[dtype])
    below.set_xlim(-0.01 * len(expected), 1.01 * len(expected) + 0.5)
    below.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]))
    # Outside: the curves fill the panels, and no corner is free in all of them.
    figure.legend(*_legend(above, below), loc="outside lower center", ncols=3, fontsize=8.5)
    _announce(figure, outcome)
    return figure


def draw_differences(outcome: Outcome) -> Figure:
    """Draw how far every tensor differs, a row a kind of tensor, beside the bounds.

    The worst of a row stands out and is named; its fellows are faint.
    """
    groups: dict[str, dict[str, dict[str, Difference]]] = {}  # group -> dtype -> key
    decided: set[tuple[str, str]] = set()  # (dtype, group) with a tensor beyond its bound
    failed: set[tuple[str, str]] = set()
    for comparison in outcome.comparisons:
        # Where anchors agree, a free run beyond its bound is no difference.
        agrees = comparison.anchors and comparison.status("curve") == "passed"
        beyond = {(comparison.dtype, _group(d.key)) for d in comparison.differences if not d.passed}
        (decided if agrees else failed).update(beyond)
        for difference in comparison.differences:
            group = groups.setdefault(_group(difference.key), {})
            found = group.setdefault(comparison.dtype, {})
            if difference.key not in found or found[difference.key].error < difference.error:
                found[difference.key] = difference
    decided -= failed
    names = sorted(groups, key=lambda name: RUNGS.index(name.split()[0]))
    figure, axes = plt.subplots(figsize=(9.5, 1.9 + 0.34 * len(names)), layout="constrained")
    for row, name in enumerate(names):
        for dtype, found in groups[name].items():
            _draw_row(axes, row, dtype, list(found.values()), (dtype, name) in decided)
    for dtype, (engine, mark, _) in DTYPES.items():
        if any(dtype in found for found in groups.values()):
            style: Any = {"color": COLOURS[engine], "ls": ""}
            axes.plot([], [], marker=mark, ms=5.5, label=f"{dtype}, worst of all engines", **style)
            axes.plot([], [], marker="|", ms=9, mew=1.8, label=f"{dtype} bound", **style)
    axes.plot([], [], "x", color=WRONG, ms=8, mew=2, label="beyond its bound")
    if decided:
        label = "free run beyond its bound: see the anchors"
        axes.plot([], [], "D", mfc="none", color="black", ms=9, label=label)
    labels = [f"{name}  ({max(len(found) for found in groups[name].values())})" for name in names]
    axes.set_yticks(range(len(names)), labels)
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first rung on top
    axes.set(xscale="log", xlabel="largest difference, in the unit of its bound")
    axes.set_xlim(FLOOR["float64"] / 3, max(axes.get_xlim()[1], 1e-1))
    _mark_zero(axes.xaxis, FLOOR["float64"])
    for row, name in enumerate(names):
        axes.annotate(
            _worst_name(groups[name]),
            (1.01, row),
            xycoords=axes.get_yaxis_transform(),
            fontsize=7.5,
            color="0.35",
            va="center",
            annotation_clip=False,
        )
    axes.set_title(f"{outcome.pair}: differences by kind of tensor (how many), and the worst")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8.5)
    _announce(figure, outcome)
    return figure


def same_steps(comparison: Comparison) -> bool:
    """Tell whether both engines have a loss for every step of the same training run."""
    lengths = {len(curves.get(STEP_LOSS, ())) for curves in comparison.curves.values()}
    return len(lengths) == 1 and lengths != {0}


def _group(name: str) -> str:
    """Return the kind of a tensor: its rung, and what of it; steps of a rung are one kind."""
    key = keys.parse(name)
    if key.is_line:
        return f"{key.rung} {key.name.replace('_', ' ')}"
    part = "" if key.step and key.rung == "update" else "at steps" if key.step else key.part
    return " ".join(piece for piece in (key.rung, part, key.kind) if piece)


def _draw_row(axes: Axes, row: int, dtype: str, found: Sequence[Difference], decided: bool) -> None:
    engine, mark, offset = DTYPES[dtype]
    colour, height = COLOURS[engine], row + offset
    style: Any = {"color": colour, "ls": ""}
    worst = max(found, key=lambda d: d.error)
    errors, bounds = [_place(d.error) for d in found], sorted({_place(d.bound) for d in found})
    axes.plot(errors, [height] * len(errors), marker=mark, ms=3, alpha=0.25, mew=0, **style)
    axes.plot(_place(worst.error), height, marker=mark, ms=5.5, mew=0, **style)
    axes.plot(bounds, [height] * len(bounds), marker="|", ms=9, mew=1.8, **style)
    wrong = [_place(d.error) for d in found if not d.passed]
    mark_wrong: Any = (
        {"marker": "D", "mfc": "none", "color": "black", "ms": 9}
        if decided
        else {"marker": "x", "color": WRONG, "ms": 8, "mew": 2}
    )
    axes.plot(wrong, [height] * len(wrong), ls="", **mark_wrong)


def _worst_name(found: Mapping[str, Mapping[str, Difference]]) -> str:
    """Return the name of the tensor that uses most of its bound, in either dtype."""
    everything = [d for tensors in found.values() for d in tensors.values()]
    worst = max(everything, key=lambda d: (not d.passed, d.used))
    key = keys.parse(worst.key)
    if key.is_line or not (worst.error or not worst.passed):
        return ""
    name = key.name if len(key.name) <= 40 else f"…{key.name[-39:]}"
    return f"{name}, {key.part}" if key.rung == "update" else name


def _place(value: float) -> float:
    """Return where a figure is drawn on an axis that has neither zero nor infinity."""
    return min(max(value, FLOOR["float64"]), HIGHEST) if math.isfinite(value) else HIGHEST


def _mark_zero(axis: Any, floor: float) -> None:
    """Label the decades of an axis; the lowest one stands for zero."""
    axis.set_major_locator(LogLocator(numticks=9))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: "0" if value <= floor * 1.01 else f"{value:.0e}")
    )


def _legend(*panels: Axes) -> tuple[list[Any], list[str]]:
    """Return one entry a name; an engine has the same colour in every panel."""
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    return list(found.values()), list(found)


def _announce(figure: Figure, outcome: Outcome) -> None:
    if outcome.origin.synthetic:
        figure.suptitle("SYNTHETIC DATA", color=WRONG, fontweight="bold")


def _draw_bound(axes: Axes, judged: Sequence[Comparison], steps: int, dtype: str) -> None:
    """Shade the judge's own rounding, and draw the bound that was applied at every step."""
    general = tolerance(keys.parse(STEP_LOSS), dtype).bound
    bounds = np.full(steps, general)
    label = f"bound {general:.0e}"
    own = [np.ravel(c.own[STEP_LOSS])[:steps] for c in judged if STEP_LOSS in c.own]
    own = [sizes for sizes in own if len(sizes) == steps]
    if own:
        sizes = np.max(own, axis=0)  # (steps,)
        bounds = np.maximum(general, FACTOR * sizes)
        label = f"bound: {general:.0e}, or {FACTOR:g} times own rounding"
        shown = np.maximum(sizes, FLOOR[dtype])
        own_label = f"{judged[0].reference}'s own rounding"
        axes.fill_between(
            _steps(sizes), FLOOR[dtype], shown, color="0.8", lw=0, step="mid", label=own_label
        )
    axes.plot(_steps(bounds), bounds, color="black", lw=1, ls=":", label=label)


def _draw_gap(axes: Axes, expected: np.ndarray, comparison: Comparison) -> None:
    name = comparison.candidate
    actual = np.asarray(comparison.curves[name][STEP_LOSS], np.float64)
    gap = np.maximum(np.abs(actual - expected), FLOOR[comparison.dtype])
    mark = "s" if name == "keras" else "o"
    axes.plot(_steps(gap), gap, mark, ms=2.6, mew=0, color=COLOURS.get(name), label=name)


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
    above.plot(_steps(losses), losses, label=label, **style)
    below.plot(_steps(losses), np.abs(losses - expected[:steps]), label=label, **style)


def _steps(values: Sequence[float] | np.ndarray) -> np.ndarray:
    return np.arange(1, len(values) + 1)


def save(figure: Figure, path: Path) -> Path:
    """Write a picture whole or not at all, and close it; return its path."""
    part = path.with_suffix(".part.png")
    figure.savefig(part, bbox_inches="tight")
    plt.close(figure)
    part.replace(path)
    return path
