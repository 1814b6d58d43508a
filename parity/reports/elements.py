"""The picture of single elements: outputs of both sides, and differences in last places."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from parity.comparing import ULPS
from parity.keys import RUNGS
from parity.reports.plots import COLOURS, DTYPES, Numbers, announce, margins
from parity.results import Comparison, Outcome

NAMES = (
    "0",
    "1",
    "2",
    *(f"{low + 1:,.0f}-{high:,.0f}" for low, high in itertools.pairwise(ULPS[2:-1])),
    f">{ULPS[-2]:,.0f}",
)


def shown(outcome: Outcome) -> dict[str, Comparison]:
    """Return the comparison that is shown in each dtype: the last candidate with the judge."""
    found: dict[str, Comparison] = {}
    for comparison in outcome.comparisons:
        known = found.get(comparison.dtype)
        if comparison.ulps and (known is None or known.reference == comparison.reference):
            found[comparison.dtype] = comparison
    return found


def numbers(outcome: Outcome) -> Numbers | None:
    """Return a row a dtype and rung: how many elements differ by how many last places."""
    rows = []
    for dtype, comparison in shown(outcome).items():
        for rung in RUNGS:
            if rung in comparison.ulps:
                counts = (f"{n:,}" if n else "" for n in comparison.ulps[rung])
                rows.append((dtype, rung, *counts))
    return Numbers(("dtype", "rung", *NAMES), rows) if rows else None


def draw(outcome: Outcome) -> Figure | None:
    """Draw outputs against each other, and how many elements differ by how many last places."""
    found = shown(outcome)
    if not found:
        return None
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9), width_ratios=(2, 3))
    _draw_outputs(left, found)
    left.set_title(f"{outcome.pair}: outputs on the first batch")
    _draw_places(right, found)
    margins(figure, left=0.7, right=0.15, top=0.35, bottom=1.0, between=0.3)
    announce(figure, outcome)
    return figure


def _draw_outputs(axes: Axes, found: dict[str, Comparison]) -> None:
    """Draw the candidate's outputs over the reference's; on the diagonal they are the same."""
    for dtype, comparison in found.items():
        engine, mark, _ = DTYPES[dtype]
        if comparison.outputs:
            expected, actual = comparison.outputs["expected"], comparison.outputs["actual"]
            size = 5.0 if dtype == "float32" else 2.5  # one lies on the other
            style: Any = {"ls": "", "mew": 0, "ms": size, "alpha": 0.6, "color": COLOURS[engine]}
            axes.plot(expected, actual, marker=mark, label=dtype, **style)
    comparison = next(iter(found.values()))
    axes.axline((0, 0), slope=1, color="0.6", lw=0.8, zorder=0)
    axes.set(xlabel=f"output of {comparison.reference}", ylabel=f"output of {comparison.candidate}")
    axes.margins(0.08)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8.5)


def _draw_places(axes: Axes, found: dict[str, Comparison]) -> None:
    """Draw a bar a class and dtype: the share of all elements, over all rungs."""
    for dtype, comparison in found.items():
        engine, _, offset = DTYPES[dtype]
        counts = np.sum(list(comparison.ulps.values()), axis=0)  # (classes,)
        places = np.arange(len(counts)) + 1.4 * offset
        share = counts / counts.sum()
        axes.bar(places, share, 0.38, color=COLOURS[engine], label=f"{dtype}: {counts.sum():,}")
    axes.set(yscale="log", ylabel="share of elements", ylim=(1e-7, 1.5))
    axes.yaxis.set_major_locator(LogLocator(numticks=9))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda share, _: f"{share:.0e}" if share < 1 else "1")
    )
    axes.set_xticks(range(len(NAMES)), NAMES, rotation=60, ha="right", fontsize=7.5)
    axes.set_title("difference in units in the last place")
    axes.grid(axis="x", visible=False)
    axes.legend(title="elements compared", fontsize=8.5, title_fontsize=8.5)
