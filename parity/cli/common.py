"""What the commands share: consoles, options, and what is lent to several of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from datasets.dataset import Dataset
from parity import runs
from parity.errors import INTERRUPTED, BadInput
from parity.executor import Executor
from parity.harvesting import Watch
from parity.moved import Moved
from parity.pair import Pair
from parity.reports import moves, page, tables
from parity.results import Run

console = Console()
errors = Console(stderr=True)

PairName = Annotated[str, typer.Argument(metavar="PAIR", help="A pair; `parity list` names them.")]
Device = Annotated[str, typer.Option(help="cpu, gpu or gpu:N. Default: the framework's choice.")]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Also write event files for TensorBoard.")
]
HistoryPath = Annotated[Path, typer.Option("--history", help="The file that every run adds to.")]
Timeout = Annotated[float, typer.Option(help="Seconds of silence before an engine is ended.")]


def load(pair: Pair) -> Dataset:
    """Load a pair's corpus and announce where it came from, before any other output."""
    dataset = pair.data.load()
    console.print(tables.announcement(dataset.origin), highlight=False, soft_wrap=True)
    return dataset


@contextmanager
def running(device: str, timeout: float, threads: int = 0) -> Iterator[Executor]:
    """Lend an executor whose engines choose their number of threads, and keep no answers."""
    with runs.scratch() as logs, Executor(logs, device, timeout, threads=threads) as executor:
        yield executor


def named_values(
    option: str, given: Sequence[str] | None, bare: bool = False
) -> list[tuple[str, str]]:
    """Return what an option of the form NAME=VALUE was given; VALUE may be left out if `bare`."""
    found = [each.rpartition("=") for each in given or ()]
    for each, (name, _, value) in zip(given or (), found, strict=True):
        if not name or not (value or bare):
            raise BadInput(f"{option} {each!r}", "NAME=VALUE", f"say {option} NAME=VALUE")
    return [(name, value) for name, _, value in found]


def say(moved: Moved) -> None:
    """Print what moved."""
    console.print(f"\n{moves.headline(moved)}", soft_wrap=True, highlight=False, markup=False)
    for line in moves.remarks(moved):
        console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
    if moves.shown(moved):
        console.print(moves.table(moved))


def conclude(found: Run, output: Path) -> None:
    """Print what all pairs together came to, and where it is written."""
    if len(found.outcomes) > 1:
        console.print(tables.summary(found.outcomes))
    for line in tables.conclusion(found):
        console.print(line, soft_wrap=True, highlight=False)
    console.print(
        f"\nwrote {output}/results.json, junit.xml and summary.md", highlight=False, soft_wrap=True
    )
    if found.exit_code != INTERRUPTED:
        show(found, output)


def show(found: Run, output: Path) -> None:
    """Write the page of a run, and say where it is."""
    with console.status("drawing") as status:
        path, drawn = page.write(
            output, found, lambda done, total: status.update(f"drawing: {done} of {total} pairs")
        )
    console.print(
        f"wrote {path}: open it in a browser; its {len(drawn)} pictures lie beside it",
        highlight=False,
        soft_wrap=True,
    )


@contextmanager
def watching(code: str, engine: str) -> Iterator[Watch]:
    """Show how long a script has run, and what it printed last, while it is harvested."""
    with console.status(f"{escape(code)} on {engine}") as status:

        def watch(passed: float, line: str) -> None:
            status.update(f"{escape(code)} on {engine}, {passed:.0f} s  [dim]{escape(line[:60])}")

        yield watch
