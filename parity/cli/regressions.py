"""Commands that hold runs against each other: `trend`, `diff`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from parity import baselines, pairs, runs, wire
from parity.cli.common import HistoryPath, console, say
from parity.errors import ENGINE_FAILED, BadInput
from parity.figures import DIFFERENCE, Summary
from parity.history import DEFAULT, History
from parity.moved import compare
from parity.reports import moves, trends
from parity.results import gravest

app = typer.Typer()


@app.command()
def trend(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PAIR]...", help="Pairs; default: all known.")
    ] = None,
    last: Annotated[int, typer.Option(min=2, help="Show so many runs of each pair.")] = 20,
    path: HistoryPath = DEFAULT,
    output: Annotated[Path, typer.Option(help="Where the plots go.")] = Path("results/trend"),
) -> None:
    """Show how the figures of each pair went, and judge its newest run against the one before.

    Exit code 1 if something is worse beyond the noise, even where it is within its bounds.
    """
    history = History(path)
    chosen = [pairs.find(name).name for name in dict.fromkeys(names or [])]
    chosen = chosen or sorted({pair for run in history.runs(last=last) for pair in run.pairs})
    found = {pair: history.runs([pair], last) for pair in chosen}
    compared = {
        pair: [run for run in known if run.pairs[pair].code != ENGINE_FAILED]
        for pair, known in found.items()
    }
    missing = [pair for pair, known in compared.items() if len(known) < 2]
    if missing or not found:
        raise BadInput(
            f"{path} holds fewer than two finished runs of {', '.join(missing) or 'any pair'}",
            "two to tell what moved",
            "run `parity run` again, or name other pairs",
        )
    runs.writable(output)
    codes = []
    for pair, known in found.items():
        console.print(trends.table(pair, known))
        before, now = compared[pair][-2:]
        moved = compare(_only(pair, before, now.timed), _only(pair, now))
        say(moved)
        console.print(f"wrote {trends.write(output, pair, known)}\n", soft_wrap=True)
        codes.append(moved.exit_code)
    raise typer.Exit(gravest(codes))


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A folder of results, a baseline.")],
    now: Annotated[str, typer.Argument(metavar="B", help="Another, held against it.")],
    path: HistoryPath = DEFAULT,
    output: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("results/diff"),
) -> None:
    """Compare two results, made on whatever machines, without running anything.

    Each is a folder, the number of a run in the history, `last`, or a git ref. Times and memory of
    different machines are shown and not judged.
    """
    history = History(path)
    moved = compare(*(baselines.find(each, history, output) for each in (before, now)))
    runs.writable(output)
    for side, run in (("A", moved.before), ("B", moved.now)):
        console.print(f"{side}  {moves.label(run)}: {run.machine}", soft_wrap=True, highlight=False)
    say(moved)
    wire.write_text(output / "moved.md", moves.markdown(moved))
    drawn = moves.write(output, moved)
    console.print(f"wrote {', '.join(str(p) for p in [output / 'moved.md', *drawn])}")
    raise typer.Exit(moved.exit_code)


def _only(pair: str, run: Summary, costs: bool = True) -> Summary:
    """Return what a run knows of one pair; without what a step costs, if nobody asks for it."""
    kept = tuple(figure for figure in run.of(pair) if costs or figure.kind == DIFFERENCE)
    return dataclasses.replace(run, pairs={pair: run.pairs[pair]}, figures=kept)
