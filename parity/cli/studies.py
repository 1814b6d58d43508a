"""Commands that train over many seeds and hold the outcome against what was published."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from parity import engines, pairs, reproduce, runs, wire
from parity.cli.common import Device, PairName, Timeout, console, load, running
from parity.errors import AGREE, DIFFERENCE, BadInput
from parity.progress import Board
from parity.reports import plots, tables

app = typer.Typer()


@app.command("reproduce")
def reproduce_figures(
    name: PairName,
    seeds: Annotated[int, typer.Option(min=2, help="Independent trainings of each engine.")] = 5,
    output: Annotated[Path | None, typer.Option(help="Default: results/reproduce/PAIR.")] = None,
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Reproduce the published figures: every engine on its own, over many seeds.

    Own initial weights, own random numbers, and Keras with its stock optimizer as well. The stock
    optimizer is shown, but the verdict rests on the engines with TensorFlow 1's arithmetic.
    """
    pair = pairs.find(name)
    if not pair.published.bands:
        raise reproduce.no_bands(pair)
    folder = output or Path("results/reproduce") / name
    runs.writable(folder)
    dataset = load(pair)
    if dataset.origin.synthetic:
        raise BadInput(
            "synthetic data cannot reproduce a real corpus's figures", mend="see `parity data`"
        )
    sides = [*(each.name for each in engines.references(None)), "keras", reproduce.STOCK]
    with running(device, timeout, threads=1) as executor, Board(console) as board:
        trainings = reproduce.reproduce(
            pair, dataset, executor, sides, seeds, watch=board.seeds(pair.name)
        )
    found = reproduce.judge(pair, trainings)
    console.print(tables.findings(pair.name, found, seeds))
    document = {
        "pair": pair.name,
        "corpus": dataset.origin.announcement,
        "seeds": seeds,
        "published": pair.published.figures,
        "findings": [dataclasses.asdict(row) for row in found],
    }
    wire.write_json(str(folder / "reproduce.json"), document)
    drawn = plots.write_reproduction(folder, pair.name, pair.published.bands, trainings)
    console.print(f"wrote {folder}/reproduce.json and {', '.join(str(p) for p in drawn)}")
    passed = all(row.passed for row in found if row.engine != reproduce.STOCK)
    raise typer.Exit(AGREE if passed else DIFFERENCE)
