"""The command `parity`: parses what was asked, calls a use case, says what came of it."""

from __future__ import annotations

import dataclasses
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from datasets.dataset import DataError, Dataset
from parity import checkpoints, engines, pairs, reproduce, runs, wire
from parity import train as practice
from parity.cases import DTYPES
from parity.engines import Engine
from parity.errors import (
    AGREE,
    BAD_INPUT,
    DIFFERENCE,
    ENGINE_FAILED,
    INTERRUPTED,
    BadInput,
    ParityError,
    look_up,
)
from parity.executor import Executor
from parity.options import Options
from parity.pair import Pair
from parity.pairs import PAIRS
from parity.progress import Board
from parity.reports import plots, tables
from parity.results import Run

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Proves, tensor by tensor and step by step, that a Keras 3 rewrite is the TensorFlow 1 "
    "model.\n\nExit codes: 0 all agree, 1 a difference, 2 wrong use or bad input, 3 an engine "
    "could not do its job.",
)

console = Console()
errors = Console(stderr=True)

PairName = Annotated[str, typer.Argument(metavar="PAIR", help="A pair; `parity list` names them.")]
Side = Annotated[str, typer.Option("--engine", help="graph, keras, or tf1 (see `parity list`).")]
Device = Annotated[str, typer.Option(help="cpu, gpu or gpu:N. Default: the framework's choice.")]
Timeout = Annotated[float, typer.Option(help="Seconds of silence before an engine is ended.")]
Weights = Annotated[
    Path | None, typer.Option(help="Weights of either engine. Default: those `parity train` saved.")
]


def main() -> NoReturn:
    """Run the command; every expected error is one clear message and the right exit code."""
    logging.getLogger("datasets").setLevel(logging.ERROR)  # each corpus is announced anyway
    # A `with` block ends the engines it started, if it gets the chance.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        code = app(standalone_mode=False) or AGREE
    except (ParityError, DataError) as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        code = getattr(error, "exit_code", BAD_INPUT)
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if hasattr(error, "format_message"):  # Typer's own: a wrong option or argument
            errors.print(f"[red]error:[/red] {escape(error.format_message())}", highlight=False)
            code = BAD_INPUT
        else:
            errors.print_exception()  # a bug of ours must not look like a difference found
            code = ENGINE_FAILED
    if code == INTERRUPTED:  # Typer turns Ctrl-C into this exit code, and says nothing
        errors.print("[yellow]interrupted[/yellow]; nothing is left half written")
    raise SystemExit(code)


@app.command("list")
def list_pairs() -> None:
    """List the pairs, and the engines that can run here."""
    console.print(tables.pairs_table(PAIRS.values()))
    console.print(tables.engines_table(engines.ENGINES.values()))


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PAIR]...", help="Pairs to prove; default: all.")
    ] = None,
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
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Prove that both sides of each pair are the same model, rung by rung.

    Climbs variables, forward, loss, gradients, update and curve, in float32 and float64, with the
    same weights, batches and dropout masks on every engine. Where a float32 difference exceeds the
    general bound, it measures how far the reference parts from itself by rounding alone, and judges
    by that. Writes results.json, junit.xml and plots. Answers are kept, so that a second run asks
    only what has changed.
    """
    chosen = [pairs.find(name) for name in dict.fromkeys(names or PAIRS)]
    if full and steps:
        raise BadInput("--full and --steps were given", "at most one of them", "leave out either")
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
    )
    engines.visible_devices(device)  # says so at once if there is no such device
    found = runs.begun()
    drawn: list[Path] = []
    try:
        with Board(console) as board:
            runs.prove(found, chosen, options, output, board, drawn)
    finally:
        if found.outcomes:
            _conclude(found, output, drawn)
    raise typer.Exit(found.exit_code)


@app.command()
def record(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PAIR]...", help="Pairs; default: all.")
    ] = None,
    timeout: Timeout = 300,
) -> None:
    """Renew the recordings of TensorFlow 1.15.5 that stand in for it (needs the engine tf1)."""
    chosen = [pairs.find(name) for name in dict.fromkeys(names or PAIRS)]
    with Board(console) as board:
        for path in runs.record(chosen, timeout, board):
            console.print(f"wrote {path}", soft_wrap=True)


@app.command()
def train(
    name: PairName,
    engine: Side = "keras",
    epochs: Annotated[int | None, typer.Option(min=1, help="Default: as published.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of initial weights, order and dropout.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Default: results/train/PAIR-ENGINE.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace weights that are there.")] = False,
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Train one implementation on the real corpus; save weights, history and two plots."""
    pair, chosen = pairs.find(name), engines.find(engine)
    folder = output or _trained(pair, engine)
    runs.writable(folder)
    path = folder / "weights.npz"
    if path.exists() and not overwrite:
        raise BadInput(
            f"{path} exists", mend="add --overwrite to replace it, or choose another --output"
        )
    epochs = epochs or pair.schedule.epochs
    dataset = _load(pair)
    with _running(device, timeout) as executor, Board(console) as board:
        training = practice.train(
            pair, dataset, executor, chosen, epochs, seed, board.training(chosen.name)
        )
    made_by = {"engine": engine, "seed": seed, "epochs": epochs, **training.about}
    checkpoints.save_weights(path, pair, dataset, training.weights, made_by)
    wire.write_json(
        str(folder / "history.json"),
        {"corpus": dataset.origin.announcement, "made_by": made_by, **training.history},
    )
    title = _title(f"{pair.name}, {chosen.name}", dataset)
    drawn = plots.write_history(folder, training.history, title, pair.wiring.metrics)
    for metric in pair.wiring.metrics:
        console.print(f"test {metric} {training.history[f'test_{metric}'][-1]:.4f}")
    if pair.published.figures:
        console.print(f"published: {pair.published.figures}")
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
    with _running(device, timeout) as executor, Board(console) as board:
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
    with _running(device, timeout) as executor, Board(console) as board:
        probabilities = practice.predict(
            pair, dataset, executor, chosen, arrays, texts, board.training(chosen.name)
        )
    for text, row in zip(texts, probabilities, strict=True):
        best = int(row.argmax())
        console.print(f"{dataset.labels[best]}  {row[best]:.3f}  {escape(text)}", highlight=False)


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
    dataset = _load(pair)
    if dataset.origin.synthetic:
        raise BadInput(
            "synthetic data cannot reproduce a real corpus's figures", mend="see `parity data`"
        )
    sides = [*(each.name for each in engines.references(None)), "keras", reproduce.STOCK]
    with _running(device, timeout, threads=1) as executor, Board(console) as board:
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


@app.command()
def data() -> None:
    """Fetch the corpora, and say where each one came from."""
    for pair in PAIRS.values():
        dataset = _load(pair)
        size = ", ".join(f"{key} {value:,}" for key, value in dataset.hyperparameters.items())
        console.print(
            f"  {pair.name}: {len(dataset.x_train):,} train, {len(dataset.x_test):,} test, {size}",
            highlight=False,
        )


def _conclude(found: Run, output: Path, drawn: list[Path]) -> None:
    """Print what all pairs together came to, and where it is written."""
    if len(found.outcomes) > 1:
        console.print(tables.summary(found.outcomes))
    for line in tables.conclusion(found):
        console.print(line, soft_wrap=True, highlight=False)
    console.print(f"\nwrote {output}/results.json, junit.xml and {len(drawn)} plots, such as")
    for path in drawn[:3]:
        console.print(f"  {path}", highlight=False)


def _load(pair: Pair) -> Dataset:
    """Load a pair's corpus and announce where it came from, before any other output."""
    dataset = pair.data.load()
    console.print(tables.announcement(dataset.origin), highlight=False, soft_wrap=True)
    return dataset


def _title(text: str, dataset: Dataset) -> str:
    return f"SYNTHETIC DATA: {text}" if dataset.origin.synthetic else text


def _prepare(name: str, engine: str, weights: Path | None) -> tuple[Pair, Engine, Dataset, Any]:
    pair, chosen = pairs.find(name), engines.find(engine)
    path = weights or _newest(pair, engine)
    dataset = _load(pair)
    return pair, chosen, dataset, checkpoints.load_weights(path, pair, dataset)


def _trained(pair: Pair, engine: str) -> Path:
    return Path("results/train") / f"{pair.name}-{engine}"


def _newest(pair: Pair, engine: str) -> Path:
    """Return this engine's trained weights, or another's: each takes the other's."""
    own = _trained(pair, engine) / "weights.npz"
    others = [_trained(pair, other) / "weights.npz" for other in engines.ENGINES]
    return next((path for path in [own, *others] if path.exists()), own)


def _known(chosen: list[str] | None) -> tuple[str, ...]:
    """Return the dtypes that were asked for, each once."""
    known = {dtype: dtype for dtype in DTYPES}
    return tuple(dict.fromkeys(look_up("dtype", value, known) for value in chosen or DTYPES))


@contextmanager
def _running(device: str, timeout: float, threads: int = 0) -> Iterator[Executor]:
    """Lend an executor whose engines choose their number of threads, and keep no answers."""
    with runs.scratch() as logs, Executor(logs, device, timeout, threads=threads) as executor:
        yield executor
