"""How the figures of a pair went from run to run: a table and a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from rich.markup import escape
from rich.table import Table

from parity.figures import DIFFERENCE, MEMORY, PROCESSOR, TIME, Figure, Summary
from parity.reports.moves import value
from parity.reports.plots import COLOURS, FLOOR, STYLE, save
from parity.results import verdict

SHARE = "share"
LABELS = {  # a panel each, from top to bottom
    DIFFERENCE: "largest difference",
    SHARE: "share of its bound",
    TIME: "ms a step",
    PROCESSOR: "ms a step, processor",
    MEMORY: "peak memory, MiB",
}
DTYPES = {"float32": "-", "float64": "--"}  # dtype -> how its line is drawn


def table(pair: str, runs: Sequence[Summary]) -> Table:
    """Return a row a run, oldest first: differences, the share of a bound, and what a step costs.

    Args:
        pair: name of the pair.
        runs: that hold it.
    """
    engines = sorted({f.what for run in runs for f in run.of(pair) if f.kind != DIFFERENCE})
    heads = ("run", "day", "commit", *DTYPES, "of bound", *engines, "verdict")
    found = Table(*heads, box=None, header_style="bold", pad_edge=False)
    found.title, found.title_justify = f"{pair}: {len(runs)} runs, oldest first", "left"
    for run in runs:
        known = {figure.key: figure for figure in run.of(pair)}
        costs = [_cost(known, pair, engine) for engine in engines]
        used = [f.used for f in known.values() if f.used is not None]
        found.add_row(
            run.name.removeprefix("run "),
            run.started.partition("T")[0],
            escape(run.commit or "-"),
            *(_largest(run, pair, dtype) for dtype in DTYPES),
            f"{max(used):.0%}" if used else "-",
            *(cost or "-" for cost in costs),
            verdict(run.pairs[pair].code),
        )
    return found


def write(folder: Path, pair: str, runs: Sequence[Summary]) -> Path:
    """Draw ``PAIR.png``; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        return save(draw(pair, runs), folder / f"{pair}.png")


def draw(pair: str, runs: Sequence[Summary]) -> Picture:
    """Draw the figures of a pair over its runs; a dotted line stands where versions changed."""
    measured = {figure.kind for run in runs for figure in run.of(pair)}
    kinds = [kind for kind in LABELS if kind in measured or kind == SHARE]
    picture, rows = plt.subplots(
        len(kinds), 1, figsize=(8.5, 0.8 + 2 * len(kinds)), sharex=True, layout="constrained"
    )
    panels = np.atleast_1d(rows)
    names = [run.name.removeprefix("run ") for run in runs]
    for axes, kind in zip(panels, kinds, strict=True):
        _panel(axes, kind, pair, runs)
        for place in range(1, len(runs)):
            if runs[place].engines != runs[place - 1].engines:
                axes.axvline(place - 0.5, color="black", lw=1, ls=":")
    places = np.unique(np.linspace(0, len(runs) - 1, min(len(runs), 12)).astype(int))
    panels[-1].set_xticks(places, [names[place] for place in places])
    panels[-1].set_xlabel("run of the history (dotted: versions changed)")
    picture.suptitle(f"{pair}: {len(runs)} runs; {runs[-1].pairs[pair].question}")
    return picture


def _panel(axes: Axes, kind: str, pair: str, runs: Sequence[Summary]) -> None:
    lines: dict[str, dict[int, Figure]] = {}
    for place, run in enumerate(runs):
        for figure in run.of(pair):
            if figure.kind == (DIFFERENCE if kind == SHARE else kind):
                lines.setdefault(_line(figure), {})
                known = lines[_line(figure)].get(place)
                if known is None or _height(known, kind) < _height(figure, kind):
                    lines[_line(figure)][place] = figure
    for name, points in lines.items():
        dtype, _, rest = name.partition(" ")
        colour = COLOURS.get((rest or name).split(" -> ")[-1])
        heights = [_height(figure, kind) for figure in points.values()]
        style: Any = {"ls": DTYPES.get(dtype, "-"), "color": colour, "label": name}
        axes.plot(list(points), heights, marker="o", ms=3.5, lw=1.2, **style)
    axes.set_ylabel(LABELS[kind])
    if kind == DIFFERENCE:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.08 * axes.get_ylim()[1])
    if lines:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)


def _cost(known: Mapping[tuple[str, str, str], Figure], pair: str, engine: str) -> str:
    found = (known.get((pair, kind, engine)) for kind in (TIME, MEMORY))
    return "\n".join(value(figure) for figure in found if figure)


def _line(figure: Figure) -> str:
    """Return which line a figure belongs to: rungs are one, the largest of them is drawn."""
    return figure.what.rpartition(" ")[0] if figure.kind == DIFFERENCE else figure.what


def _height(figure: Figure, kind: str) -> float:
    if kind == SHARE:
        return figure.used or 0.0
    if kind == DIFFERENCE:
        dtype = figure.what.partition(" ")[0]
        size = max(figure.value, FLOOR.get(dtype, 0.0))
        return size if math.isfinite(size) else np.nan
    return figure.value * (2**-20 if kind == MEMORY else 1e3)


def _largest(run: Summary, pair: str, dtype: str) -> str:
    found = [f for f in run.of(pair) if f.kind == DIFFERENCE and f.what.startswith(dtype)]
    return value(max(found, key=lambda f: f.value)) if found else "-"
