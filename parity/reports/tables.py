"""Tables of what was found, for a terminal of 80 columns, and the lines below them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from datasets.dataset import Origin
from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED
from parity.figures import MEMORY, TIME, figures
from parity.keys import RUNGS
from parity.reports.words import figure, parting, without_a_gradient
from parity.results import RECORDED, Comparison, Outcome, Run, gravest, verdict

HEADS = {"variables": "vars", "gradients": "grad"}  # a row must fit in 80 columns
COLOURS = {AGREE: "green", DIFFERENCE: "red bold", ENGINE_FAILED: "yellow"}
OWN = "  [dim]own rounding[/]"
NOTHING = "[dim]-[/]"
COSTS = ("engine", "ms a step", "MiB at most", "rounds")


class Row(Protocol):
    """What `pairs_table` needs to know about a pair."""

    @property
    def name(self) -> str:
        """Its name in commands."""

    @property
    def title(self) -> str:
        """What it is, in one line."""


class EngineRow(Protocol):
    """What `engines_table` needs to know about an engine."""

    @property
    def name(self) -> str:
        """Its name in commands."""

    @property
    def about(self) -> str:
        """What it is, in one line."""

    def python(self) -> str | None:
        """Return its interpreter, or None where it is not here."""


def verdicts(outcome: Outcome) -> Table:
    """Return the table of a pair: a row a comparison, the largest difference of every rung.

    Below a figure whose bound was measured stands the reference's own rounding. The last column
    but one is the largest share of its bound that any tensor uses.
    """
    table = _table("engines", "of\nbound")
    table.title = f"{outcome.pair}: largest difference at every rung"
    table.title_justify = "left"
    for comparison in outcome.comparisons:
        shown = dict.fromkeys(RUNGS, comparison)
        names = f"{comparison.reference} → {comparison.candidate}", comparison.dtype
        _add(table, *names, shown, [comparison], comparison.exit_code)
    return table


def summary(outcomes: Sequence[Outcome]) -> Table:
    """Return a row a pair and dtype: the largest difference of any two engines at every rung."""
    table = _table("pair", "of\nbound")
    for outcome in outcomes:
        for dtype in dict.fromkeys(c.dtype for c in outcome.comparisons):
            found = [c for c in outcome.comparisons if c.dtype == dtype]
            shown = {rung: max(found, key=lambda c: _height(c, rung)) for rung in RUNGS}
            codes = [c.exit_code for c in found] + [ENGINE_FAILED] * (not outcome.finished)
            _add(table, outcome.pair, dtype, shown, found, gravest(codes))
    return table


def remarks(outcome: Outcome) -> list[str]:
    """Return, in rich's markup, what a reader of the table has to know besides."""
    lines = []
    if any(comparison.reference == RECORDED for comparison in outcome.comparisons):
        lines.append(
            f"[dim]{RECORDED}: TensorFlow 1.15.5, from the recordings in the repository[/]"
        )
    for comparison in outcome.comparisons:
        if said := parting(comparison, outcome):
            names = f"{comparison.reference} → {comparison.candidate} {comparison.dtype}"
            lines.append(f"{names}: {escape(said)}")
    notes = [*outcome.notes, without_a_gradient(outcome)]
    lines += [f"[yellow]note:[/] {escape(note)}" for note in dict.fromkeys(filter(None, notes))]
    stock = outcome.stock
    if stock is not None:
        word = "as expected" if stock.gap <= stock.expected else "[red]more than expected[/]"
        lines.append(
            f"stock {escape(stock.optimizer)} in place of TF1's: largest per-step gap "
            f"{figure(stock.gap)}, {word} (up to {stock.expected:g}): {escape(stock.cause)}"
        )
    return lines


def conclusion(run: Run) -> list[str]:
    """Return, in rich's markup, what is to be said of all pairs together."""
    jobs = [job for outcome in run.outcomes for job in outcome.jobs]
    kept = sum(job.kept for job in jobs)
    lines = [line for line in (unjudged(run), *map(escape, run.notes)) if line]
    lines.append(
        f"{len(jobs)} questions were put to engines, {kept} of them answered in an earlier run; "
        f"{run.seconds:.0f} s"
    )
    return lines


def unjudged(run: Run) -> str:
    """Return which pairs met no TensorFlow 1.15.5, live or recorded; empty if all have."""
    if not run.unjudged:
        return ""
    return (
        f"[yellow]not judged by TensorFlow 1.15.5 in this run:[/] {', '.join(run.unjudged)}; "
        "`tox -e oracle`, or --engine tf1, asks it"
    )


def share(shares: Sequence[float]) -> str:
    """Return the largest of some shares of a bound, as people read it; nothing of none."""
    if not shares:
        return ""
    used = max(shares)
    if used > 1:
        return ">100%"
    return f"{used:.0%}" if used >= 0.005 or not used else "<1%"


def costs(outcome: Outcome) -> list[tuple[str, ...]]:
    """Return a row an engine whose training steps were timed; `COSTS` names the cells."""
    found = {(figure.kind, figure.what): figure for figure in figures(outcome)}
    rows: list[tuple[str, ...]] = []
    for (kind, engine), timed in found.items():
        if kind == TIME:
            memory = found.get((MEMORY, engine))
            size = f"{memory.value / 2**20:.0f}" if memory else ""
            rows.append((engine, f"{timed.value * 1e3:.3g}", size, str(len(timed.sample))))
    return rows


def pairs_table(pairs: Iterable[Row], kind: str = "pair") -> Table:
    """Return the table of pairs, a line each: the name whole, what it is as far as it fits."""
    rows = list(pairs)
    table = Table(box=None, header_style="bold", pad_edge=False)
    longest = max((len(row.name) for row in rows), default=0)
    table.add_column(kind, no_wrap=True, min_width=longest)
    table.add_column("what it is", no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(escape(row.name), escape(row.title))
    return table


def engines_table(engines: Iterable[EngineRow]) -> Table:
    """Return the table of engines, with whether each can run here."""
    table = Table("engine", "what it is", "here", box=None, header_style="bold", pad_edge=False)
    for engine in engines:
        here = "yes" if engine.python() else "no: run `tox -e oracle`"
        table.add_row(engine.name, engine.about, here)
    return table


def announcement(origin: Origin) -> Text:
    """Return the line that says where a corpus came from; made-up data cannot pass for real."""
    return Text(origin.announcement, "bold red" if origin.synthetic else "dim")


def _table(first: str, share: str) -> Table:
    # A single blank between columns: the longest names must fit in 80.
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    for head in (first, "bits", *(HEADS.get(rung, rung) for rung in RUNGS)):
        table.add_column(head, no_wrap=True, vertical="top")
    table.add_column(share, justify="right", no_wrap=True)
    table.add_column("")  # the verdict; "not compared" may wrap
    return table


def _add(
    table: Table,
    name: str,
    dtype: str,
    shown: dict[str, Comparison],
    compared: Sequence[Comparison],
    code: int,
) -> None:
    """Add a row, and a line below it where a bound was measured."""
    own = {rung: _own(comparison, rung) for rung, comparison in shown.items()}
    measured = any(own.values())
    cells = [
        _cell(comparison, rung) + (f"\n{own[rung]}" if measured else "")
        for rung, comparison in shown.items()
    ]
    table.add_row(
        escape(name) + (f"\n{OWN}" if measured else ""),
        dtype.removeprefix("float"),
        *cells,
        share([used for c in compared for r in RUNGS if (used := c.share(r)) is not None])
        or NOTHING,
        f"[{COLOURS.get(code, COLOURS[ENGINE_FAILED])}]{verdict(code)}[/]",
    )


def _height(comparison: Comparison, rung: str) -> tuple[bool, float]:
    """Order comparisons by what they show at a rung: a failure, then the largest error."""
    largest = comparison.largest(rung)
    return comparison.status(rung) == "failed", largest.error if largest else -1.0


def _cell(comparison: Comparison, rung: str) -> str:
    largest, state = comparison.largest(rung), comparison.status(rung)
    if largest is None or state == "not judged":
        return NOTHING
    found = _short(largest.error)
    return f"[red bold]✗{found}[/]" if state == "failed" else found


def _own(comparison: Comparison, rung: str) -> str:
    measured = comparison.measured(rung)
    if measured is None or measured.own is None or comparison.status(rung) == "not judged":
        return ""
    line = comparison.own.get(measured.key)  # of a line, the largest, as the error above it
    own = measured.own if line is None else float(np.max(line, initial=0.0))
    return f"[dim]{_short(own)}[/]"


def _short(value: float) -> str:
    if not math.isfinite(value):
        return "NaN"
    return f"{value:.0e}" if value else "0"
