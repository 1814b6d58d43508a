"""Pictures of a run and of a training. Never imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # files only: a run must not need a screen

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from parity.checks import RECORDED, Comparison, Outcome
from parity.pair import Pair
from parity.reproduce import Trainings
from parity.tolerances import RUNGS, tolerance

COLOURS = {
    RECORDED: "#7f7f7f",
    "tf1": "#1b1b1b",
    "graph": "#d97706",
    "keras": "#2563eb",
    "stock": "#9f1239",
}
FLOOR = {"float32": 1e-9, "float64": 1e-18}  # where a difference of zero is drawn
STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "figure.dpi": 130,
}


def write(folder: Path, outcome: Outcome) -> list[Path]:
    """Draw a pair's pictures into `folder`; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    with plt.rc_context(STYLE):
        for dtype in sorted({c.dtype for c in outcome.comparisons if same_steps(c)}):
            drawn.append(_save(draw_curves(outcome, dtype), folder / f"curves-{dtype}.png"))
        if any(c.differences for c in outcome.comparisons):
            drawn.append(_save(draw_differences(outcome), folder / "differences.png"))
    return drawn


def write_history(
    folder: Path, history: Mapping[str, Sequence[float]], title: str, metrics: Sequence[str]
) -> list[Path]:
    """Draw one picture a metric over the epochs of a training; return their paths."""
    drawn = []
    with plt.rc_context(STYLE):
        for metric in metrics:
            figure, axes = plt.subplots(figsize=(6.4, 3.8))
            for part, colour in (("train", COLOURS["graph"]), ("test", COLOURS["keras"])):
                values = history[f"{part}_{metric}"]
                # With dots, or one epoch would be an empty picture.
                axes.plot(range(1, len(values) + 1), values, ".-", color=colour, label=part)
            axes.set(title=f"{title}: {metric}", xlabel="epoch", ylabel=metric)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend()
            drawn.append(_save(figure, folder / f"{metric}.png"))
    return drawn


def write_reproduction(folder: Path, pair: Pair, trainings: Sequence[Trainings]) -> list[Path]:
    """Draw one picture a metric: every engine's mean over the seeds, with its spread."""
    drawn = []
    with plt.rc_context(STYLE):
        for metric, band in pair.bands.items():
            figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
            for trained in trainings:
                rows = trained.curves[metric]  # (seeds, epochs)
                epochs, colour = _steps(rows[0]), COLOURS.get(trained.engine)
                axes.plot(epochs, rows.mean(axis=0), color=colour, label=trained.engine)
                axes.fill_between(
                    epochs, rows.min(axis=0), rows.max(axis=0), color=colour, alpha=0.1
                )
            axes.axhspan(*band, color="black", alpha=0.07, label="published, after the last epoch")
            title = f"{pair.name}: test {metric}, mean and range of {len(rows)} seeds"
            axes.set(xlabel="epoch", ylabel=f"test {metric}", title=title)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend()
            drawn.append(_save(figure, folder / f"{metric}.png"))
    return drawn


def draw_curves(outcome: Outcome, dtype: str) -> Figure:
    """Draw the loss of every step by every engine, and below how far each is from the judge.

    The judge is the first reference: a live or recorded TensorFlow 1.15.5 where there is one.
    """
    comparisons = [c for c in outcome.comparisons if c.dtype == dtype and same_steps(c)]
    judge = comparisons[0].reference
    lines = {name: curve for c in comparisons for name, curve in c.curves.items()}
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(8, 6.2), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    widths = np.linspace(4.5, 1.2, len(lines))  # thick to thin: lines that coincide stay visible
    for (name, curve), width in zip(lines.items(), widths, strict=True):
        loss = curve["curve/step_loss"]
        above.plot(_steps(loss), loss, label=name, color=COLOURS.get(name), lw=width, alpha=0.75)
    expected = lines[judge]["curve/step_loss"]
    if outcome.stock and dtype == outcome.stock_dtype:
        _draw_stock(above, below, outcome, expected)
    for comparison in comparisons:
        if comparison.reference == judge:
            _draw_gap(below, expected, comparison, dtype)
    bound = tolerance("curve/step_loss", dtype, outcome.pair.name).bound
    below.axhline(bound, color="black", lw=1, ls=":", label=f"tolerance {bound:.0e}")
    steps = f"the first {len(expected)} steps" if outcome.pair.steps else "every training step"
    above.set(ylabel="loss of the step", title=f"{outcome.pair.name}, {dtype}: {steps}")
    below.set(yscale="log", xlabel="training step", ylabel=f"difference from {judge}")
    below.set_ylim(bottom=FLOOR[dtype] / 2)
    above.legend(ncols=2)
    below.legend(ncols=4, fontsize=8, loc="center left", bbox_to_anchor=(0, 0.55))
    _announce(figure, outcome)
    return figure


def draw_differences(outcome: Outcome) -> Figure:
    """Draw the largest difference of every tensor, rung by rung, beside its tolerance."""
    comparisons = [c for c in outcome.comparisons if c.differences]
    everywhere = dict.fromkeys(d.key for c in comparisons for d in c.differences)
    keys = [key for rung in RUNGS for key in everywhere if key.partition("/")[0] == rung]
    rows = {key: row for row, key in enumerate(keys)}
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.19 * len(keys)), layout="constrained")
    for dtype, colour in (("float32", COLOURS["graph"]), ("float64", COLOURS["keras"])):
        worst: dict[str, float] = {}
        bounds: dict[str, float] = {}
        for difference in (d for c in comparisons if c.dtype == dtype for d in c.differences):
            worst[difference.key] = max(worst.get(difference.key, 0.0), difference.error)
            bounds[difference.key] = difference.bound
        shown = list(worst)
        floor = FLOOR["float64"]
        values = [min(max(worst[key], floor), 1e3) for key in shown]
        places = [rows[key] for key in shown]
        axes.scatter(values, places, s=22, color=colour, label=f"{dtype}, worst of all engines")
        ticks = [max(bounds[key], floor) for key in shown]
        axes.scatter(ticks, places, marker="|", s=60, color=colour, label=f"{dtype} tolerance")
    axes.set_yticks(range(len(keys)), keys, fontsize=7)
    axes.set_ylim(len(keys) - 0.4, -0.6)  # the first rung on top
    axes.set(xscale="log", xlabel="largest difference (far left: none at all)")
    axes.set_title(f"{outcome.pair.name}: every tensor at every rung")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.035), ncols=2)
    _announce(figure, outcome)
    return figure


def same_steps(comparison: Comparison) -> bool:
    """Tell whether both engines have a loss for every step of the same training run."""
    lengths = {len(curves.get("curve/step_loss", ())) for curves in comparison.curves.values()}
    return len(lengths) == 1 and lengths != {0}


def _announce(figure: Figure, outcome: Outcome) -> None:
    if outcome.dataset.origin.synthetic:
        figure.suptitle("SYNTHETIC DATA", color="#9f1239")


def _draw_gap(axes: Axes, expected: np.ndarray, comparison: Comparison, dtype: str) -> None:
    name = comparison.candidate
    actual = comparison.curves[name]["curve/step_loss"]
    gap = np.maximum(np.abs(actual - expected), FLOOR[dtype])
    axes.plot(_steps(gap), gap, ".", ms=3, color=COLOURS.get(name), label=name)


def _draw_stock(above: Axes, below: Axes, outcome: Outcome, expected: np.ndarray) -> None:
    stock = outcome.stock["curve/step_loss"]
    name = outcome.pair.stock.rpartition(":")[2]
    style: dict[str, Any] = {"color": COLOURS["stock"], "lw": 1, "ls": "--"}
    short = f", first {len(stock)} steps" if len(stock) < len(expected) else ""
    above.plot(_steps(stock), stock, label=f"stock {name}: the expected gap{short}", **style)
    gap = np.abs(stock - expected[: len(stock)])
    below.plot(_steps(gap), gap, label=f"stock {name}", **style)


def _steps(values: np.ndarray) -> np.ndarray:
    return np.arange(1, len(values) + 1)


def _save(figure: Figure, path: Path) -> Path:
    part = path.with_suffix(".part.png")
    figure.savefig(part, bbox_inches="tight")
    plt.close(figure)
    part.replace(path)
    return path
