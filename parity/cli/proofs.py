"""Commands that prove, and show what was proved: `list`, `run`, `report`, `record`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from parity import baselines, engines, pairs, runs
from parity.cases import DTYPES
from parity.cli.common import (
    Device,
    HistoryPath,
    TensorBoard,
    Timeout,
    conclude,
    console,
    say,
    show,
)
from parity.errors import BadInput, look_up
from parity.history import DEFAULT, History
from parity.moved import REPEATS
from parity.options import Options
from parity.pairs import ATOMS, PAIRS
from parity.progress import Board
from parity.reports import events, files, moves, tables

app = typer.Typer()


@app.command("list")
def list_pairs() -> None:
    """List the pairs, models and atoms, and the engines that can run here."""
    console.print(tables.pairs_table(PAIRS.values()))
    console.print(tables.pairs_table(ATOMS.values(), "atom"))
    console.print(tables.engines_table(engines.ENGINES.values()))


@app.command()
def run(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PAIR]...", help="Pairs to prove, or patterns: 'gru_*'; default: all models."
        ),
    ] = None,
    all_atoms: Annotated[
        bool, typer.Option("--atoms", help="The catalogue of atoms in place of the models.")
    ] = False,
    engine: Annotated[
        list[str] | None,
        typer.Option(help="Reference engines, repeatable. Default: graph, and tf1 where present."),
    ] = None,
    dtype: Annotated[
        list[str] | None, typer.Option(help="float32 or float64, repeatable. Default: both.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the curve. Default: the pair's own number.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="The whole published schedule for every pair.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and dropout masks.")] = 0,
    output: Annotated[Path, typer.Option(help="Where results and plots go.")] = Path(
        "results/parity"
    ),
    stock: Annotated[
        bool, typer.Option(help="Also train with the stock Keras optimizer, to show the gap.")
    ] = True,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Measure rounding everywhere, not only where it must be."),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ask every engine anew; use no kept answers.")
    ] = False,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads that each engine computes with.")
    ] = 1,
    tensorboard: TensorBoard = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="BASELINE",
            help="Hold the run against a folder of results, a number in the history, `last` "
            "(the newest that ended well), or a git ref.",
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="Values of every difference, from rounding twins: its noise.")
    ] = 1,
    time: Annotated[
        bool,
        typer.Option(
            "--time",
            help="Time the steps of both sides, when all is proved: a quarter of an hour a pair.",
        ),
    ] = False,
    path: HistoryPath = DEFAULT,
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Prove that both sides of each pair are the same model, rung by rung.

    Climbs variables, forward, loss, gradients, update and curve, in float32 and float64, with the
    same weights, batches and dropout masks on every engine. Where a float32 difference exceeds the
    general bound, it measures how far the reference parts from itself by rounding alone, and judges
    by that. Writes results.json, junit.xml and a page to look at, report.html. Answers are kept, so
    that a second run asks only what has changed.

    Every run adds its figures to the history. With --against, a worsening beyond the noise ends
    with exit code 1, even where it is within its bounds. A baseline that tells small worsenings is
    recorded with --repeats 16 --time.
    """
    chosen = pairs.chosen(names or [], ATOMS if all_atoms else PAIRS)
    if full and steps:
        raise BadInput("--full and --steps were given", "at most one of them", "leave out either")
    history, found = History(path), runs.begun()
    names_of = [pair.name for pair in chosen]
    baseline = baselines.find(against, history, output, names_of) if against else None
    timed = time or (baseline is not None and baseline.timed and baseline.machine == found.machine)
    options = Options(
        engines.references(engine),
        _known(dtype),
        0 if full else steps,
        seed,
        stock,
        measure,
        device,
        timeout,
        threads,
        fresh,
        repeats,
        REPEATS if timed else 0,
    )
    if tensorboard:
        events.check()
    engines.visible_devices(device)  # says so at once if there is no such device
    moved = None
    try:
        with Board(console, brief=len(chosen) > 1 and all(p.atom for p in chosen)) as board:
            moved = runs.prove(found, chosen, options, output, board, history, baseline)
    finally:
        if found.outcomes:
            conclude(found, output)
            if tensorboard:
                logs = events.write_run(output / events.FOLDER, found)
                console.print(f"wrote event files in {logs}", soft_wrap=True, highlight=False)
    if measure:
        console.print(f"wrote {output}/rounding.png and rounding.md", highlight=False)
    if moved:
        say(moved)
        for drawing in moves.write(output, moved):
            console.print(f"wrote {drawing}", highlight=False, soft_wrap=True)
    raise typer.Exit(found.exit_code)


@app.command()
def report(
    folder: Annotated[
        Path, typer.Argument(help="Results of `parity run`, of this or another machine.")
    ] = Path("results/parity"),
) -> None:
    """Write the page of a run again: report.html, which holds its pictures and needs no network.

    Reads results.json alone: no engine is asked and no framework is imported. Every run writes the
    page anyway; this is for results from elsewhere, or of a run that was interrupted.
    """
    found = files.read(folder)
    runs.writable(folder)
    show(found, folder)


@app.command()
def record(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PAIR]...", help="Pairs, or patterns; default: all models."),
    ] = None,
    all_atoms: Annotated[
        bool, typer.Option("--atoms", help="The catalogue of atoms in place of the models.")
    ] = False,
    timeout: Timeout = 300,
) -> None:
    """Renew the recordings of TensorFlow 1.15.5 that stand in for it (needs the engine tf1)."""
    chosen = pairs.chosen(names or [], ATOMS if all_atoms else PAIRS)
    with Board(console) as board:
        for path in runs.record(chosen, timeout, board):
            console.print(f"wrote {path}", soft_wrap=True)


def _known(chosen: list[str] | None) -> tuple[str, ...]:
    """Return the dtypes that were asked for, each once."""
    known = {dtype: dtype for dtype in DTYPES}
    return tuple(dict.fromkeys(look_up("dtype", value, known) for value in chosen or DTYPES))
