"""The command `parity`."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from datasets.dataset import DataError, Dataset
from parity import checks, engines, pairs, plots, report, reproduce, wire
from parity import train as practice
from parity.checks import DTYPES, Fleet, Outcome
from parity.engines import Engine, Process
from parity.errors import (
    AGREE,
    BAD_INPUT,
    DIFFERENCE,
    ENGINE_FAILED,
    INTERRUPTED,
    BadInput,
    ParityError,
)
from parity.pair import Pair
from parity.pairs import PAIRS
from parity.progress import Board, findings, summary, unjudged

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Proves, tensor by tensor and step by step, that a Keras 3 rewrite is the TensorFlow 1 "
    "model.\n\nExit codes: 0 all agree, 1 a difference, 2 wrong use or bad input, 3 an engine "
    "could not do its job.",
)
PAIRS_AT_ONCE = 3  # enough that no core waits for the last job of a pair

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
    table = Table("pair", "what it is", "published", box=None, header_style="bold")
    for pair in PAIRS.values():
        table.add_row(pair.name, pair.title, pair.published)
    console.print(table)
    table = Table("engine", "what it is", "here", box=None, header_style="bold")
    for engine in engines.ENGINES.values():
        here = "yes" if engine.python() else "no: run `tox -e oracle`"
        table.add_row(engine.name, engine.about, here)
    console.print(table)


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
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of the curve. Default: the pair's own steps.")
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
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Prove that both sides of each pair are the same model, rung by rung.

    Climbs variables, forward, loss, gradients, update and curve, in float32 and float64, with the
    same weights, batches and dropout masks on every engine. Writes results.json, junit.xml and
    plots.
    """
    chosen = [pairs.find(name) for name in dict.fromkeys(names or PAIRS)]
    dtypes = _known(dtype, DTYPES, "dtype")
    references = _references(engine)
    if full and epochs:
        raise BadInput("--full asks for the published epochs, --epochs for others; give just one")
    engines.visible_devices(device)  # says so at once if there is no such device
    _writable(output)
    outcomes: list[Outcome] = []
    drawn: list[Path] = []
    code = AGREE
    try:
        logs = output / "logs"
        shutil.rmtree(logs, ignore_errors=True)  # an old log would explain a new failure
        logs.mkdir()
        with _threads() as pool, Fleet(logs, device, timeout) as fleet, Board(console) as board:

            def prove(outcome: Outcome) -> Outcome:
                pair = outcome.pair
                length = pair.epochs if full else epochs
                checks.prove(
                    outcome, fleet, references, dtypes, length, seed, stock, board.watch(pair.name)
                )
                board.finish(outcome)
                return outcome

            board.expect(len(chosen))
            futures, unread = [], []
            for pair in chosen:
                try:  # here, not in a thread: an interrupt must not wait for a download
                    outcomes.append(Outcome(pair, _load(pair)))
                except DataError as error:
                    unread.append(DataError(f"{pair.name}: {error}"))
                else:
                    futures.append(pool.submit(prove, outcomes[-1]))
            for future in as_completed(futures):
                outcome = future.result()
                drawn += plots.write(output / outcome.pair.name, outcome)
            if unread:
                raise DataError("\n".join(map(str, unread)))
    except (KeyboardInterrupt, SystemExit):
        code = INTERRUPTED
        raise
    except (ParityError, DataError) as error:
        code = getattr(error, "exit_code", BAD_INPUT)
        raise
    except Exception:
        code = ENGINE_FAILED
        raise
    finally:
        if outcomes:
            code = code or _verdict(outcomes)
            if len(chosen) > 1:
                console.print(summary(outcomes))
            console.print(unjudged(outcomes), soft_wrap=True, highlight=False)
            report.write(output, outcomes, code)
            console.print(
                f"\nwrote {output}/results.json, junit.xml and {len(drawn)} plots, such as"
            )
            for path in drawn[:3]:
                console.print(f"  {path}", highlight=False)
    raise typer.Exit(code)


@app.command()
def record(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PAIR]...", help="Pairs; default: all.")
    ] = None,
    timeout: Timeout = 300,
) -> None:
    """Renew the recordings of TensorFlow 1.15.5 that stand in for it (needs the engine tf1)."""
    _references(["tf1"])
    chosen = [pairs.find(name) for name in dict.fromkeys(names or PAIRS)]
    with contextlib.ExitStack() as stack:
        logs, pool = stack.enter_context(_logs()), stack.enter_context(_threads())
        fleet = stack.enter_context(Fleet(logs, "cpu", timeout))
        board = stack.enter_context(Board(console))

        def keep(pair: Pair, dataset: Dataset, dtype: str) -> None:
            path = checks.record(pair, dtype, dataset, fleet, board.watch(pair.name))
            console.print(f"wrote {path}")

        loaded = [(pair, _load(pair)) for pair in chosen]
        futures = [pool.submit(keep, *each, dtype) for each in loaded for dtype in DTYPES]
        for future in as_completed(futures):
            future.result()


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
    _writable(folder)
    path = folder / "weights.npz"
    if path.exists() and not overwrite:
        raise BadInput(f"{path} exists; add --overwrite to replace it, or choose another --output")
    dataset = _load(pair)
    with _running(chosen, device, timeout) as process, Board(console) as board:
        training = practice.train(
            pair, dataset, process, epochs or pair.epochs, seed, board.training(chosen.name)
        )
    made_by = {"engine": engine, "seed": seed, "epochs": epochs or pair.epochs, **training.about}
    practice.save_weights(path, pair, dataset, training.weights, made_by)
    wire.write_json(
        str(folder / "history.json"),
        {"corpus": dataset.origin.announcement, "made_by": made_by, **training.history},
    )
    title = _title(f"{pair.name}, {chosen.name}", dataset)
    drawn = plots.write_history(folder, training.history, title, pair.metrics)
    for metric in pair.metrics:
        console.print(f"test {metric} {training.history[f'test_{metric}'][-1]:.4f}")
    if pair.published:
        console.print(f"published: {pair.published}")
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
    with _running(chosen, device, timeout) as process, Board(console) as board:
        metrics = practice.evaluate(pair, dataset, process, arrays, board.training(chosen.name))
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
    with _running(chosen, device, timeout) as process, Board(console) as board:
        probabilities = practice.predict(
            pair, dataset, process, arrays, texts, board.training(chosen.name)
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
    if not pair.bands:
        raise BadInput(reproduce.NO_BANDS.format(pair=name))
    folder = output or Path("results/reproduce") / name
    _writable(folder)
    dataset = _load(pair)
    if dataset.origin.synthetic:
        raise BadInput("synthetic data cannot reproduce a real corpus's figures; see `parity data`")
    names = [*_references(None), "keras", reproduce.STOCK]
    with _logs() as logs, Fleet(logs, device, timeout) as fleet, Board(console) as board:
        trainings = reproduce.reproduce(
            pair, dataset, fleet, names, seeds, watch=board.seeds(pair.name)
        )
    found = reproduce.judge(pair, trainings)
    console.print(findings(pair, found, seeds))
    document = {
        "pair": pair.name,
        "corpus": dataset.origin.announcement,
        "seeds": seeds,
        "published": pair.published,
        "findings": [dataclasses.asdict(row) for row in found],
    }
    wire.write_json(str(folder / "reproduce.json"), document)
    drawn = plots.write_reproduction(folder, pair, trainings)
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


@contextlib.contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Lend threads for pairs that are proved side by side; what has not begun is dropped."""
    pool = ThreadPoolExecutor(PAIRS_AT_ONCE)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _load(pair: Pair) -> Dataset:
    """Load a pair's corpus and announce where it came from, before any other output."""
    logging.getLogger("datasets").setLevel(logging.ERROR)  # the announcement says it all
    dataset = pair.load()
    colour = "bold red" if dataset.origin.synthetic else "dim"
    console.print(
        f"[{colour}]{escape(dataset.origin.announcement)}[/]", highlight=False, soft_wrap=True
    )
    return dataset


def _title(text: str, dataset: Dataset) -> str:
    return f"SYNTHETIC DATA: {text}" if dataset.origin.synthetic else text


def _prepare(name: str, engine: str, weights: Path | None) -> tuple[Pair, Any, Dataset, Any]:
    pair, chosen = pairs.find(name), engines.find(engine)
    path = weights or _newest(pair, engine)
    dataset = _load(pair)
    return pair, chosen, dataset, practice.load_weights(path, pair, dataset)


def _trained(pair: Pair, engine: str) -> Path:
    return Path("results/train") / f"{pair.name}-{engine}"


def _newest(pair: Pair, engine: str) -> Path:
    """Return this engine's trained weights, or another's: each takes the other's."""
    own = _trained(pair, engine) / "weights.npz"
    others = [_trained(pair, other) / "weights.npz" for other in engines.ENGINES]
    return next((path for path in [own, *others] if path.exists()), own)


def _references(chosen: list[str] | None) -> list[str]:
    if chosen:
        for name in chosen:
            if engines.find(name).python() is None:
                raise ParityError(engines.TF1_MISSING)
        named = [name for name in chosen if name != "keras"]
        return list(dict.fromkeys([*named, "graph"]))
    return ["tf1", "graph"] if engines.tf1_python() else ["graph"]


def _known(chosen: list[str] | None, known: tuple[str, ...], what: str) -> tuple[str, ...]:
    for value in chosen or ():
        if value not in known:
            raise BadInput(f"there is no {what} {value!r}; known: {', '.join(known)}")
    return tuple(dict.fromkeys(chosen)) if chosen else known


def _writable(folder: Path) -> None:
    """Make sure that results can be written, before hours are spent on them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(
            f"cannot write to {folder}: {error.strerror}; choose another folder with --output"
        ) from error


@contextlib.contextmanager
def _logs() -> Iterator[Path]:
    """Lend a folder for the engines' logs; it stays only where an error may send a reader there."""
    folder = Path(tempfile.mkdtemp(prefix="parity-logs-"))
    yield folder
    shutil.rmtree(folder)


@contextlib.contextmanager
def _running(engine: Engine, device: str, timeout: float) -> Iterator[Process]:
    with _logs() as logs:
        log = logs / f"{engine.name}.log"
        with engines.running(engine, log, device, timeout) as process:
            yield process


def _verdict(outcomes: list[Outcome]) -> int:
    codes = [outcome.exit_code for outcome in outcomes]
    return DIFFERENCE if DIFFERENCE in codes else max(codes)
