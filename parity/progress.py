"""What a run looks like in the terminal: progress while it works, then verdicts."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from parity import report
from parity.checks import RECORDED, Comparison, Outcome
from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED
from parity.pair import Pair
from parity.reproduce import Finding
from parity.tolerances import RUNGS

WORDS = {AGREE: "[green]agree[/]", DIFFERENCE: "[red bold]differ[/]"}
PROVED = "pairs proved"
NOT_COMPARED = "[yellow]not compared[/]"
HEADS = {"variables": "vars", "gradients": "grad"}  # a row must fit in 80 columns


class Board:
    """Progress bars, one an engine and dtype, that disappear when their pair is done.

    Args:
        console: where to draw; where it is no terminal, only the verdicts are printed.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()  # pairs are proved side by side

    def __enter__(self) -> Board:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def watch(self, pair: str) -> Callable[[str, str, str, int, int], None]:
        """Return the callback that shows how far each engine of a pair is."""

        def show(engine: str, dtype: str, stage: str, done: int, total: int) -> None:
            self._show(f"{pair}  {engine:<5} {dtype}", stage, done, total)

        return show

    def seeds(self, pair: str) -> Callable[[str, int, int, int], None]:
        """Return the callback that shows how far each engine is with each seed."""

        def show(engine: str, seed: int, done: int, total: int) -> None:
            self._show(f"{pair}  {engine:<5}", f"seed {seed}", done, total)

        return show

    def training(self, engine: str) -> Callable[[str, int, int, Mapping[str, float]], None]:
        """Return the callback that shows a training and its latest metrics."""

        def show(stage: str, done: int, total: int, metrics: Mapping[str, float]) -> None:
            said = "  ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in metrics.items())
            self._show(engine, said, done, total)

        return show

    def expect(self, pairs: int) -> None:
        """Show how many of so many pairs have their verdict."""
        self._tasks[PROVED] = self._progress.add_task(PROVED, total=pairs, note="")

    def finish(self, outcome: Outcome) -> None:
        """Remove the bars of a pair; print its verdicts, and a report of every failure."""
        said: list[Any] = [verdicts(outcome), *remarks(outcome)]
        said += [Text(f"\n{text}") for text in report.explain_all(outcome)]
        with self._lock:
            for title in [t for t in self._tasks if t.startswith(f"{outcome.pair.name}  ")]:
                self._progress.remove_task(self._tasks.pop(title))
            if PROVED in self._tasks:
                self._progress.advance(self._tasks[PROVED])
            for each in said:
                self._console.print(each, soft_wrap=True, highlight=False)

    def _show(self, title: str, note: str, done: int, total: int) -> None:
        fields: dict[str, Any] = {"completed": done, "total": total or None, "note": note}
        with self._lock:
            if title not in self._tasks:
                self._tasks[title] = self._progress.add_task(title, total=None, note="")
            self._progress.update(self._tasks[title], **fields)


def verdicts(outcome: Outcome) -> Table:
    """Return the table of a pair: a row a comparison, the largest difference of every rung."""
    rungs = [HEADS.get(rung, rung) for rung in RUNGS]
    table = Table(
        "engines", "dtype", *rungs, "verdict", box=None, header_style="bold", pad_edge=False
    )
    for column in table.columns:
        column.no_wrap = True
    table.title = f"{outcome.pair.name}: largest difference at every rung"
    table.title_justify = "left"
    for comparison in outcome.comparisons:
        table.add_row(
            f"{comparison.reference} → {comparison.candidate}",
            comparison.dtype,
            *(_cell(comparison, rung) for rung in RUNGS),
            WORDS.get(comparison.exit_code, NOT_COMPARED),
        )
    return table


def summary(outcomes: Sequence[Outcome]) -> Table:
    """Return a row a pair and dtype: the largest difference of any two engines at every rung."""
    rungs = [HEADS.get(rung, rung) for rung in RUNGS]
    # Short heads: the longest row must fit in 80 columns.
    table = Table("pair", "bits", *rungs, "", box=None, header_style="bold", pad_edge=False)
    for column in table.columns:
        column.no_wrap = True
    for outcome in outcomes:
        for dtype in dict.fromkeys(c.dtype for c in outcome.comparisons):
            found = [c for c in outcome.comparisons if c.dtype == dtype]
            code = max((c.exit_code for c in found), key=(AGREE, ENGINE_FAILED, DIFFERENCE).index)
            cells = [_cell(max(found, key=lambda c: _height(c, rung)), rung) for rung in RUNGS]
            word = WORDS.get(code if outcome.finished else ENGINE_FAILED, NOT_COMPARED)
            table.add_row(outcome.pair.name, dtype.removeprefix("float"), *cells, word)
    return table


def unjudged(outcomes: Sequence[Outcome]) -> str:
    """Return which pairs met no TensorFlow 1.15.5, live or recorded; empty if all have."""
    judges = {RECORDED, "tf1"}
    names = [
        outcome.pair.name
        for outcome in outcomes
        if not judges & {comparison.reference for comparison in outcome.comparisons}
    ]
    if not names:
        return ""
    return (
        f"[yellow]not judged by TensorFlow 1.15.5 in this run:[/] {', '.join(names)}; "
        "`tox -e oracle` asks it"
    )


def remarks(outcome: Outcome) -> list[str]:
    """Return what a reader of the table has to know besides."""
    lines = []
    if any(comparison.reference == RECORDED for comparison in outcome.comparisons):
        lines.append(
            f"[dim]{RECORDED}: TensorFlow 1.15.5, from the recordings in the repository[/]"
        )
    lines += [f"[yellow]note:[/] {escape(note)}" for note in dict.fromkeys(outcome.notes)]
    gap = report.gap(outcome)
    if gap is not None:
        stock, expected = outcome.pair.stock.rpartition(":")[2], outcome.pair.gap
        word = "as expected" if gap <= expected.largest else "[red]more than expected[/]"
        lines.append(
            f"stock {stock} in place of TF1's: largest per-step gap {gap:.2g}, {word} "
            f"(up to {expected.largest:g}): {expected.cause}"
        )
    return lines


def findings(pair: Pair, found: Sequence[Finding], seeds: int) -> Table:
    """Return the table of the stock lane: final test metrics against the published band."""
    table = Table("engine", "metric", "mean", "std", "published", "gap", "verdict")
    table.box, table.header_style = None, "bold"
    table.title = f"{pair.name}: test metrics after the last epoch, {seeds} seeds"
    table.title_justify = "left"
    for row in found:
        verdict = "[green]reproduced[/]" if row.reproduced else "[red bold]outside[/]"
        if not row.equivalent:
            verdict += ", [yellow]not equivalent[/]"
        low, high = row.band
        table.add_row(
            row.engine,
            row.metric,
            f"{row.mean:.4f}",
            f"{row.deviation:.4f}",
            f"{low:g} to {high:g}",
            f"{row.gap:.4f}" if row.gap else "",
            verdict,
        )
    return table


def _height(comparison: Comparison, rung: str) -> tuple[bool, float]:
    """Order comparisons by what they show at a rung: a failure, then the largest error."""
    worst = comparison.worst(rung)
    failed = report.status(comparison, rung) == "failed"
    return failed, worst.error if worst else -1.0


def _cell(comparison: Comparison, rung: str) -> str:
    worst = comparison.worst(rung)
    state = report.status(comparison, rung)
    if worst is None or state == "not judged":
        return "[dim]-[/]"
    found = "NaN" if not math.isfinite(worst.error) else f"{worst.error:.0e}"
    found = found if worst.error else "0"
    return f"[red bold]✗{found}[/]" if state == "failed" else found
