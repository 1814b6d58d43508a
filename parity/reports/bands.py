"""Pictures of trainings over many seeds: the curves of every side, and how far sides are apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from parity import published
from parity.findings import ENGINES, STOCK, Equivalence, Study, curves
from parity.reports.plots import COLOURS, STYLE, save
from parity.reports.reproduction import PICTURE, pictured

HELD = (5, 95)  # percentiles between which a band lies
MARKS = {"graph": "o-", "keras": "s-", STOCK: "^--"}


def write(folder: Path, studies: Sequence[Study]) -> list[Path]:
    """Draw ``PAIR/curves.png`` for every pair that was trained; return the paths."""
    drawn = []
    with plt.rc_context(STYLE):
        for study in filter(pictured, studies):
            drawn.append(save(draw(study), folder / study.pair / PICTURE))
    return drawn


def draw(study: Study) -> Figure:
    """Draw a column a curve: every side's mean and band, the published figures with their margins.

    Where equivalence was tested, a second row has the difference of the means from the graph's,
    with its 90 % interval after every epoch, between the margins.
    """
    names = _shown(study)
    rows = 2 if study.equivalences else 1
    figure, panels = plt.subplots(
        rows,
        len(names),
        figsize=(4.6 * len(names) + 0.6, 1.2 + 3.0 * rows),
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    for column, name in enumerate(names):
        _draw_curves(panels[0][column], study, name)
        panels[-1][column].set_xlabel("epoch")
        panels[-1][column].xaxis.set_major_locator(MaxNLocator(integer=True))
        if rows > 1:
            tested = [e for e in study.equivalences if f"test_{e.metric}" == name]
            _draw_differences(panels[1][column], study, tested)
    seeds = sorted({sum(r.side == side for r in study.records) for side in _sides(study)})
    figure.suptitle(f"{study.pair}: {' to '.join(map(str, seeds))} seeds of every side")
    figure.legend(*_entries(panels), loc="outside lower center", ncols=3, fontsize=8.5)
    return figure


def _shown(study: Study) -> list[str]:
    """Return the curves to draw: the test metrics, and what else a figure was read from."""
    tested = [name for name in study.records[0].curves if name.startswith("test_")]
    read = [f.curve for f in study.published.figures if isinstance(f, published.Figure)]
    return list(dict.fromkeys([*tested, *read]))


def _sides(study: Study) -> list[str]:
    known = {record.side for record in study.records}
    return [side for side in (*ENGINES, STOCK) if side in known]


def _label(study: Study, side: str) -> str:
    return f"stock {study.optimizer}" if side == STOCK else side


def _draw_curves(axes: Axes, study: Study, name: str) -> None:
    for side in _sides(study):
        values = curves(study.records, side, name)  # (seeds, epochs)
        epochs, colour = np.arange(1, values.shape[1] + 1), COLOURS[side]
        label = _label(study, side)
        axes.plot(epochs, values.mean(axis=0), MARKS[side], ms=3, color=colour, label=label)
        if len(values) > 1:
            low, high = np.percentile(values, HELD, axis=0)
            axes.fill_between(epochs, low, high, color=colour, alpha=0.15, lw=0)
    style: Any = {"fmt": "D", "color": "black", "ms": 4, "capsize": 3, "zorder": 5}
    for figure in study.published.figures:
        if figure.curve == name:
            size = figure.margin.size
            axes.errorbar(
                figure.epoch, figure.value, size, label="published, and its margin", **style
            )
    axes.set_title(name.replace("_", " "))


def _draw_differences(axes: Axes, study: Study, tested: Sequence[Equivalence]) -> None:
    for row in tested:
        epochs, colour = np.arange(1, len(row.difference) + 1), COLOURS[row.side]
        axes.plot(epochs, row.difference, MARKS[row.side], ms=3, color=colour)
        axes.fill_between(epochs, row.low, row.high, color=colour, alpha=0.2, lw=0)
        for sign in (-1, 1):
            height, label = sign * row.margin.size, "margin of equivalence"
            axes.axhline(height, color="black", lw=1, ls=":", label=label)
    axes.set_title(f"difference from {ENGINES[0]}, 90 % interval of the mean")
    axes.set_visible(bool(tested))


def _entries(panels: np.ndarray) -> tuple[list[Any], list[str]]:
    """Return one entry a name, over all panels."""
    found: dict[str, Any] = {}
    for axes in np.ravel(panels):
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    return list(found.values()), list(found)
