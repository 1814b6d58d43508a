"""The command that trains over many seeds and holds the outcome against what was published."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from parity import counting, engines, pairs, records, runs, studies
from parity.cli.common import Device, Timeout, console, load, running
from parity.errors import BadInput
from parity.executor import Executor, cores
from parity.findings import ENGINES, Study
from parity.pair import Pair
from parity.pairs import PAIRS
from parity.process import Progress
from parity.progress import Board, duration
from parity.records import Counts, Record
from parity.reports import bands, reproduction
from parity.results import gravest
from parity.studies import Clock, Task

app = typer.Typer()


@app.command()
def reproduce(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PAIR]...", help="Default: all with figures.")
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Trainings of each side. Default: 3, or 20 for the stock lane."),
    ] = None,
    output: Annotated[Path, typer.Option(help="Where trainings are kept.")] = Path(
        "results/reproduce"
    ),
    report: Annotated[
        bool, typer.Option("--report", help="Train nothing: tables of what is kept.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Count, say how long training will take, and stop.")
    ] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="Train anew what answered another question.")
    ] = False,
    device: Device = "",
    timeout: Timeout = 600,
) -> None:
    """Reproduce the published figures, and hold stock Keras against the graph over many seeds.

    Every engine trains from its own initial weights, with its own random numbers, by the published
    schedule; where it takes minutes, so does Keras with its stock optimizer. Each finished training
    is kept: a killed run goes on where it was. Writes a page of tables, and pictures. The stock
    optimizer is told, and decides nothing.
    """
    chosen = [pairs.find(name) for name in dict.fromkeys(names or PAIRS)]
    for pair in chosen:
        if names and not studies.studied(pair):
            raise BadInput(
                f"{pair.name} has nothing to reproduce",
                "a pair with published figures or counts, or with margins of its stock lane",
            )
    chosen = [pair for pair in chosen if studies.studied(pair)]
    runs.writable(output)
    studies.judge(chosen, output)  # what is damaged is told before hours are spent
    if not report and not _train(chosen, seeds, output, estimate, renew, device, timeout):
        return
    found = studies.judge(chosen, output)
    _show(found, output)
    raise typer.Exit(gravest([study.exit_code for study in found]))


def _train(
    chosen: Sequence[Pair],
    seeds: int | None,
    output: Path,
    estimate: bool,
    renew: bool,
    device: str,
    timeout: float,
) -> bool:
    """Train what is missing; return False if that was only to be estimated."""
    loaded = {pair.name: (pair, load(pair)) for pair in chosen}
    for each in loaded.values():
        studies.check_real(*each)
    begun = runs.begun()
    made_by = {"machine": begun.machine, "commit": begun.commit}
    with running(device, timeout, threads=1) as executor, Board(console) as board:
        wanted = studies.tasks(loaded, seeds)
        missing = studies.unknown(wanted, output, executor, renew)
        console.print(
            f"{len(wanted) - len(missing)} of {len(wanted)} trainings are kept", highlight=False
        )
        for pair, dataset in loaded.values():
            if pair.published.counts:
                found = counting.count(pair, dataset, executor, [*map(engines.find, ENGINES)])
                corpus = studies.corpus(dataset.origin)
                records.save_counts(output, Counts(pair.name, corpus, found))
        costs = studies.costs(
            missing,
            records.load(output),
            begun.machine,
            executor,
            lambda task: board.measuring(f"{task.pair.name}  {task.side}"),
        )
        _announce(costs)
        if estimate:
            return False
        # One seed of everything, then the short trainings: a table is whole as soon as can be.
        missing.sort(key=lambda task: (task.seed > 0, costs[task.key]))
        _work(missing, output, executor, made_by, board, Clock(costs))
    return True


def _work(
    missing: Sequence[Task],
    output: Path,
    executor: Executor,
    made_by: Mapping[str, str],
    board: Board,
    clock: Clock,
) -> None:
    """Train; say of each training what came of it, and how long the rest will take."""

    def watch(task: Task) -> Progress:
        show = board.training(f"{task.pair.name}  {task.side} {task.seed}")

        def progress(stage: str, done: int, total: int, metrics: Mapping[str, float]) -> None:
            if total:
                clock.advance(task.key, done / total)
            board.say(f"time left {duration(clock.left)}")
            show(stage, done, total, {})

        return progress

    for number, record in enumerate(studies.run(missing, output, executor, made_by, watch), 1):
        clock.advance((record.pair, record.side, record.seed), 1.0)
        board.done(
            f"{record.pair}  {record.side} {record.seed}",
            f"{number}/{len(missing)}  {_told(record)}  time left {duration(clock.left)}",
        )


def _told(record: Record) -> str:
    finals = {
        name.removeprefix("test_"): values[-1]
        for name, values in record.curves.items()
        if name.startswith("test_")
    }
    said = ", ".join(f"{name} {value:.4f}" for name, value in finals.items())
    return f"{record.pair} {record.side} {record.seed}: {said}; {duration(record.seconds)}."


def _announce(costs: Mapping[studies.Key, float]) -> None:
    """Say how long the trainings will take, as measured."""
    numbers = collections.Counter(key[:2] for key in costs)
    for (pair, side), number in numbers.items():
        cost = next(seconds for key, seconds in costs.items() if key[:2] == (pair, side))
        console.print(f"  {pair} {side}: {number} x {duration(cost)}", highlight=False)
    if costs:
        total = sum(costs.values()) / cores()
        console.print(
            f"{len(costs)} trainings to do, {cores()} at a time: about {duration(total)} in all, "
            "by a few steps of each",
            highlight=False,
        )


def _show(found: Sequence[Study], output: Path) -> None:
    for table in (
        reproduction.figures_table(found),
        reproduction.counts_table(found),
        reproduction.equivalences_table(found),
    ):
        if table.row_count:
            console.print(table)
    for study in found:
        for sentence in reproduction.sentences(study):
            console.print(f"{study.pair}: {sentence}", soft_wrap=True, highlight=False)
    console.print(reproduction.conclusion(found), soft_wrap=True, highlight=False)
    path = reproduction.write(output, found)
    drawn = bands.write(output, found)
    console.print(f"wrote {path} and {len(drawn)} pictures in {output}", soft_wrap=True)
