"""How far candidates lie from references, in units of the reference's own rounding: `--measure`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from parity import wire
from parity.comparing import Difference
from parity.keys import RUNGS
from parity.reports import markdown
from parity.reports.plots import COLOURS, STYLE, save
from parity.results import RECORDED, Comparison, Outcome
from parity.rounding import FACTOR

LOWEST, HIGHEST = 1e-2, 1e2  # where ratios outside of the picture are drawn


@dataclasses.dataclass(frozen=True)
class Ratio:
    """One float32 tensor: its difference, and the reference's own rounding of it.

    Args:
        comparison: whose.
        difference: the account of the tensor.
    """

    comparison: Comparison
    difference: Difference

    @property
    def value(self) -> float:
        """Difference over own rounding, both at the worst element."""
        return self.error / (self.difference.own or np.nan)

    @property
    def error(self) -> float:
        """The difference at the element that uses most of its bound."""
        return self.difference.used * self.difference.bound


def ratios(outcomes: Sequence[Outcome]) -> list[Ratio]:
    """Return the ratio of every float32 tensor whose rounding was measured and is not zero.

    TensorFlow 1.15.5 against its own recording is left out.
    """
    return [
        Ratio(comparison, difference)
        for outcome in outcomes
        for comparison in outcome.comparisons
        for difference in comparison.differences
        if comparison.dtype == "float32"
        and (comparison.reference, comparison.candidate) != (RECORDED, "tf1")
        and difference.own
    ]


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the distribution as a Markdown table, a row a rung, and the largest of all."""
    head = ("rung", "tensors", "median", "99 %", "largest", f"above {FACTOR:g}")
    found, rows = ratios(outcomes), []
    for rung in RUNGS[1:]:
        values = np.array([r.value for r in found if r.difference.rung == rung])
        if not values.size:
            continue
        figures = [np.median(values), np.quantile(values, 0.99), values.max()]
        above = int(np.sum(values > FACTOR))
        rows.append((rung, f"{values.size:,}", *(f"{each:.2g}" for each in figures), str(above)))
    lines = [markdown.table(head, rows, right=head[1:])]
    lines += ["", "The largest:", ""]
    lines += [
        f"- {r.value:.1f}: {r.comparison.pair}, {r.comparison.reference} → "
        f"{r.comparison.candidate}, `{r.difference.key}`: {r.error:.1e} against "
        f"{r.difference.own:.1e}; its bound is {r.difference.bound:.1e}"
        for r in sorted(found, key=lambda r: -r.value)[:8]
    ]
    return "\n".join(lines) + "\n"


def write(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Draw ``rounding.png`` and write ``rounding.md``, if any rounding was measured."""
    if ratios(outcomes):
        wire.write_text(folder / "rounding.md", table(outcomes))
        with plt.rc_context(STYLE):
            save(draw(outcomes), folder / "rounding.png")


def draw(outcomes: Sequence[Outcome]) -> Figure:
    """Draw a histogram of the ratios, a row a rung, with the factor marked."""
    found = ratios(outcomes)
    rungs = [rung for rung in RUNGS if any(r.difference.rung == rung for r in found)]
    edges = np.geomspace(LOWEST, HIGHEST, 41)
    figure, rows = plt.subplots(
        len(rungs), 1, figsize=(8, 1.2 + 1.15 * len(rungs)), sharex=True, layout="constrained"
    )
    for rung, axes in zip(rungs, np.atleast_1d(rows), strict=True):
        values = [r.value for r in found if r.difference.rung == rung]
        differing = [value for value in values if value]
        axes.hist(np.clip(differing, LOWEST, HIGHEST), edges, color=COLOURS["keras"])
        axes.axvline(FACTOR, color="black", lw=1.2, ls="--")
        axes.set_ylabel(rung)
        axes.set_xscale("log")
        same = len(values) - len(differing)
        said = f"{len(values):,} tensors, {same:,} the same to the last bit"
        axes.set_title(f"{said}; largest {max(values):.2g}", loc="right", fontsize=8)
    axes = np.atleast_1d(rows)[-1]
    axes.set_xlabel(f"difference / the reference's own rounding (dashed: {FACTOR:g})")
    pairs = len({outcome.pair for outcome in outcomes})
    figure.suptitle(f"float32, every tensor of {pairs} pairs, every reference and candidate")
    return figure
