"""Commands that use one implementation: `train`, `evaluate`, `predict`, `data`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from datasets.dataset import Dataset
from parity import checkpoints, engines, pairs, runs, wire
from parity import train as practice
from parity.cli.common import Device, PairName, TensorBoard, Timeout, console, load, running
from parity.engines import Engine
from parity.errors import BadInput
from parity.pair import Pair
from parity.pairs import PAIRS
from parity.progress import Board
from parity.reports import events, plots

app = typer.Typer()

Side = Annotated[str, typer.Option("--engine", help="graph, keras, or tf1 (see `parity list`).")]
Weights = Annotated[
    Path | None, typer.Option(help="Weights of either engine. Default: those `parity train` saved.")
]


@app.command()
def train(
    name: PairName,
    engine: Side = "keras",
    epochs: Annotated[int | None, typer.Option(min=1, help="Default: as published.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of initial weights, order and dropout.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Default: results/train/PAIR-ENGINE.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace weights that are there.")] = False,
    tensorboard: TensorBoard = False,
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Train one implementation on the real corpus; save weights, history and two plots."""
    if tensorboard:
        events.check()
    pair, chosen = pairs.find(name), engines.find(engine)
    folder = output or _trained(pair, engine)
    runs.writable(folder)
    path, logs = folder / "weights.npz", folder / events.FOLDER
    for written in (path, logs) if tensorboard else (path,):
        if written.exists() and not overwrite:
            raise BadInput(
                f"{written} exists",
                mend="add --overwrite to replace it, or choose another --output",
            )
    epochs = epochs or pair.schedule.epochs
    dataset = load(pair)
    with running(device, timeout) as executor, Board(console) as board:
        training = practice.train(
            pair, dataset, executor, chosen, epochs, seed, board.training(chosen.name)
        )
    made_by = {"engine": engine, "seed": seed, "epochs": epochs, **training.about}
    checkpoints.save_weights(path, pair, dataset, training.weights, made_by)
    wire.write_json(
        str(folder / "history.json"),
        {"corpus": dataset.origin.announcement, "made_by": made_by, **training.history},
    )
    if tensorboard:
        shutil.rmtree(logs, ignore_errors=True)  # two trainings in one folder are one zigzag
        events.write_training(logs, training.history, training.losses)
    title = _title(f"{pair.name}, {chosen.name}", dataset)
    drawn = plots.write_history(folder, training.history, title, pair.wiring.metrics)
    for metric in pair.wiring.metrics:
        console.print(f"test {metric} {training.history[f'test_{metric}'][-1]:.4f}")
    for figure in pair.published.figures:
        console.print(f"published: {figure.what} {figure.value:g}", highlight=False)
    console.print(f"wrote {', '.join(str(p) for p in [path, *drawn])}", soft_wrap=True)


@app.command()
def evaluate(
    name: PairName,
    engine: Side = "keras",
    weights: Weights = None,
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Evaluate weights, of either engine, on the test set."""
    pair, chosen, dataset, arrays = _prepare(name, engine, weights)
    with running(device, timeout) as executor, Board(console) as board:
        metrics = practice.evaluate(
            pair, dataset, executor, chosen, arrays, board.training(chosen.name)
        )
    for metric, value in metrics.items():
        console.print(f"test {metric} {value:.4f}")


@app.command()
def predict(
    name: PairName,
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Your own sentences.")],
    engine: Side = "keras",
    weights: Weights = None,
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Answer with a label and its probability for each text."""
    pair, chosen, dataset, arrays = _prepare(name, engine, weights)
    with running(device, timeout) as executor, Board(console) as board:
        probabilities = practice.predict(
            pair, dataset, executor, chosen, arrays, texts, board.training(chosen.name)
        )
    for text, row in zip(texts, probabilities, strict=True):
        best = int(row.argmax())
        console.print(f"{dataset.labels[best]}  {row[best]:.3f}  {escape(text)}", highlight=False)
    if pair.caution:
        console.print(f"note: {pair.caution}", highlight=False, soft_wrap=True)


@app.command()
def data() -> None:
    """Fetch the corpora, and say where each one came from."""
    for pair in PAIRS.values():
        dataset = load(pair)
        size = ", ".join(f"{key} {value:,}" for key, value in dataset.hyperparameters.items())
        console.print(
            f"  {pair.name}: {len(dataset.x_train):,} train, {len(dataset.x_test):,} test, {size}",
            highlight=False,
        )


def _title(text: str, dataset: Dataset) -> str:
    return f"SYNTHETIC DATA: {text}" if dataset.origin.synthetic else text


def _prepare(name: str, engine: str, weights: Path | None) -> tuple[Pair, Engine, Dataset, Any]:
    pair, chosen = pairs.find(name), engines.find(engine)
    path = weights or _newest(pair, engine)
    dataset = load(pair)
    return pair, chosen, dataset, checkpoints.load_weights(path, pair, dataset)


def _trained(pair: Pair, engine: str) -> Path:
    return Path("results/train") / f"{pair.name}-{engine}"


def _newest(pair: Pair, engine: str) -> Path:
    """Return this engine's trained weights, or another's: each takes the other's."""
    own = _trained(pair, engine) / "weights.npz"
    others = [_trained(pair, other) / "weights.npz" for other in engines.ENGINES]
    return next((path for path in [own, *others] if path.exists()), own)
