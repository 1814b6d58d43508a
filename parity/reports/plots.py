"""What pictures share, and the picture of a training.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; what matters has a mark
of its own as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")  # files only: a run must not need a screen

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from PIL import Image

from parity.results import RECORDED, Outcome

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
    "figure.dpi": 110,
}


class Numbers(NamedTuple):
    """The table behind a picture.

    Args:
        head: names of the columns.
        rows: their text.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


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
                axes.plot(steps_of(values), values, mark, ms=4, color=COLOURS[engine], label=part)
            axes.set(title=f"{title}: {metric}", xlabel="epoch", ylabel=metric)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend()
            drawn.append(save(figure, folder / f"{metric}.png"))
    return drawn


def mark_zero(axis: Any, floor: float) -> None:
    """Label the decades of an axis; the lowest one stands for zero."""
    axis.set_major_locator(LogLocator(numticks=9))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: "0" if value <= floor * 1.01 else f"{value:.0e}")
    )


def draw_points(axes: Axes, points: Sequence[tuple[float, float]], **style: Any) -> None:
    """Draw a mark at every (x, y); nothing where there is none."""
    if points:
        axes.plot(*zip(*points, strict=True), ls="", **style)


def margins(
    figure: Figure,
    left: float,
    right: float,
    top: float,
    bottom: float,
    between: float = 0.15,
) -> None:
    """Set a picture's margins, in inches, and the space between its panels, in panels.

    A layout engine measures every text for them, which takes as long as to draw them.
    """
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=left / width,
        right=1 - right / width,
        top=1 - top / height,
        bottom=bottom / height,
        wspace=between,
        hspace=between,
    )


def announce(figure: Figure, outcome: Outcome) -> None:
    """Say across a picture that its data was made up, so that it cannot pass for real."""
    if outcome.origin.synthetic:
        figure.suptitle("SYNTHETIC DATA", color=WRONG, fontweight="bold")
        if figure.get_layout_engine() is None:
            height = figure.get_size_inches()[1]
            figure.subplots_adjust(top=figure.subplotpars.top - 0.3 / height)


def steps_of(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return the numbers of steps or epochs, counted from one, (len(values),)."""
    return np.arange(1, len(values) + 1)


def save(figure: Figure, path: Path) -> Path:
    """Write a picture whole or not at all, and close it; return its path.

    In 256 colours: a third of the size, and the eye sees no difference.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.fromarray(pixels).convert("RGB")
    plt.close(figure)
    part = path.with_suffix(".part.png")
    image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(part)
    part.replace(path)
    return path
