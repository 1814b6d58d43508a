"""Commands that look into checkpoints, and carry them across: `inspect`, `convert`."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from parity import api, converting, inspecting, pairs, pairtoml, subjects
from parity.asking import Said
from parity.cases import Request
from parity.checkpoints import open_file
from parity.checkpoints.keras_files import KerasReader
from parity.cli.check import weights_table
from parity.cli.common import Timeout, console, load, named_values, running
from parity.converting import Options
from parity.errors import BadInput
from parity.graphfile import SUFFIX
from parity.pairtoml import ENDING, PairFile
from parity.proposals import Proposal
from parity.subjects import Ask, Subject

app = typer.Typer()

LOADING = (
    "to load it with the optimizer's state, make the optimizer's variables first, or Keras leaves "
    "them out:\n  model.optimizer.build(model.trainable_variables)\n  model.load_weights(FILE)"
)

Keras = Annotated[
    str,
    typer.Option(
        metavar="MODULE:FUNCTION",
        help=f"With a PAIR that is a file {SUFFIX}: builds the Keras model. Or FILE.keras.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A size of the Keras model, such as vocabulary_size=1124, repeatable. Default: as the "
        "pair's corpus has them.",
    ),
]
Weight = Annotated[
    list[str] | None,
    typer.Option(metavar="VARIABLE=PATH", help="What belongs together, as `check` takes it."),
]


@app.command()
def inspect(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A TensorFlow 1 checkpoint (its prefix or folder), .weights.h5 or .keras.",
        ),
    ],
    pair: Annotated[
        str,
        typer.Option(metavar="PAIR", help=f"Also say which rule takes each: a pair or a {SUFFIX}."),
    ] = "",
    keras: Keras = "",
    sizes: Set = None,
    weight: Weight = None,
    timeout: Timeout = 300,
) -> None:
    """List what is in a checkpoint or a Keras file: variables, slots, shapes, dtypes, rules.

    Nothing of the file is run, and no framework is asked, unless a rule hangs on the Keras model.
    """
    with open_file(file) as reader:
        layout = places = None
        if pair:
            of_keras = isinstance(reader, KerasReader)
            subject = _subject(pair, keras, sizes, weight, lambda _: None, ask=of_keras, order=True)
            if of_keras or keras:
                places = subjects.places_in(_asking(timeout), subject, reader)
            layout = subject.layout(places.model if places else {})
        table = Table(box=None, pad_edge=False)
        for head in ("name", "shape", "dtype", "what it is", *(["rule"] if pair else [])):
            table.add_column(head, overflow="fold")
        listed = inspecting.rows(reader, layout, places)
        for row in listed:
            shape = f"{row.stored.shape}" + (f" {row.stored.note}" if row.stored.note else "")
            beneath = row.owner and row.name.startswith(row.owner)
            name = f"  + {row.name[len(row.owner) :]}" if beneath else row.name
            cells = [name, shape, row.stored.dtype, row.role, *([row.rule] if pair else [])]
            table.add_row(*map(escape, cells))
        size = sum(stored.size for stored in reader.variables.values())
        console.print(
            f"{file}: {reader.kind}, {len(reader.variables)} variables, {size:,} bytes",
            highlight=False,
            soft_wrap=True,
        )
        console.print(table)
        for remark in inspecting.remarks(reader, listed):
            console.print(f"note: {remark}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def convert(
    pair: Annotated[
        str,
        typer.Argument(
            metavar="PAIR",
            help=f"A pair; a pair file {ENDING}; or a {SUFFIX} together with --keras.",
        ),
    ],
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A TensorFlow 1 checkpoint (its prefix or folder), .weights.h5 or .keras.",
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="TARGET",
            help="One of the other side: FILE.weights.h5, FILE.keras, or a prefix.",
        ),
    ],
    keras: Keras = "",
    sizes: Set = None,
    step: Annotated[
        int | None, typer.Option(min=0, help="Training steps taken, where the file does not tell.")
    ] = None,
    slots: Annotated[
        bool, typer.Option("--slots/--no-slots", help="Carry the optimizer's state as well.")
    ] = True,
    averages: Annotated[
        bool, typer.Option("--averages", help="Take moving averages for the weights.")
    ] = False,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Names of a checkpoint to leave out, repeatable."),
    ] = None,
    global_step: Annotated[
        bool, typer.Option("--global-step", help="Give the checkpoint a variable global_step.")
    ] = False,
    v1: Annotated[
        bool, typer.Option("--v1", help="Write the format that TensorFlow before 0.12 reads.")
    ] = False,
    weight: Weight = None,
    optimizer: Annotated[str, typer.Option(help="Train op, where a graph file has several.")] = "",
    overwrite: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
    timeout: Timeout = 300,
) -> None:
    """Carry weights and the optimizer's state across, in the direction that the files say.

    parity convert sms_rnn model.ckpt-50 model.weights.h5: from tf.train.Saver to Keras, where
    training goes on with model.load_weights. The other way round, Saver.restore reads what is
    written. Names that no rule knows are an error, and then nothing is written.
    """
    options = Options(step, slots, averages, tuple(drop or ()), global_step, v1)
    subject = _subject(pair, keras, sizes, weight, _show, optimizer)
    with _bar(source.name) as watch:
        plan = converting.convert(
            _asking(timeout), subject, source, target, options, overwrite, watch
        )
    for line in _said(plan, slots):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"wrote {target}", highlight=False, soft_wrap=True)
    if plan.with_slots and target.name.endswith(".weights.h5"):
        console.print(LOADING, highlight=False, markup=False, soft_wrap=True)


def _subject(
    pair: str,
    keras: str,
    sizes: Sequence[str] | None,
    weight: Sequence[str] | None,
    tell: Callable[[Proposal], None],
    optimizer: str = "",
    ask: bool = True,
    order: bool = False,
) -> Subject:
    """Return what is converted between.

    Args:
        pair: name of a pair, a graph file or a pair file.
        keras: the Keras model of a graph file.
        sizes: of the Keras model, ``NAME=VALUE``.
        weight: what belongs together, ``VARIABLE=PATH``.
        tell: called with what is paired with what, and why.
        optimizer: train op of a graph file.
        ask: whether the Keras model of a pair is to be built.
        order: whether order alone may pair.
    """
    given = {name: _value(value) for name, value in named_values("--set", sizes)}
    if pair.endswith((SUFFIX, ENDING)):
        said = Said(optimizer=optimizer, weights=dict(named_values("--weight", weight)))
        asked = pairtoml.resolved(PairFile(pair, keras, said=said))
        if not asked.keras:
            raise BadInput(f"{pair} has no Keras model", "--keras MODULE:FUNCTION or FILE.keras")
        if not asked.graph.endswith(SUFFIX):
            raise BadInput(
                f"{pair} is of the script {asked.graph}", f"a graph file {SUFFIX}: parity harvest"
            )
        keras = api.located(asked.keras)
        found = subjects.of_graph(Path(asked.graph), keras, asked.said, tell, order)
        return found.with_sizes(given)
    if keras or weight or optimizer:
        raise BadInput(
            f"{pair} is a pair of the table, which has its Keras model and its rules",
            f"a pair file {ENDING}, or a file {SUFFIX}, with --keras, --weight and --optimizer",
        )
    row = pairs.find(pair)
    if not given and ask:
        given = dict(load(row).hyperparameters)
    return subjects.of_pair(row, given)


def _asking(timeout: float) -> Ask:
    """Return what starts a Keras engine for one question, and ends it: it takes memory."""

    def ask(request: Request) -> Mapping[str, np.ndarray]:
        with running("cpu", timeout) as executor:
            return executor.submit(request, keep=False).result().arrays

    return ask


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _said(plan: converting.Plan, slots: bool) -> list[str]:
    """Return what a user should know of a conversion."""
    lines = []
    if slots and not plan.with_slots:
        lines.append("note: the file has no optimizer state; training would start with fresh slots")
    elif plan.step is not None:
        lines.append(f"steps taken: {plan.step:,}, says {plan.told_by}")
    elif slots:
        lines.append(
            "note: nothing in the file tells how many steps were taken, so they count from 0; that "
            "matters to a rate that changes, and can be said with --step"
        )
    if plan.left_out:
        lines.append(f"left out: {', '.join(plan.left_out)}")
    return lines


def _show(proposal: Proposal) -> None:
    console.print(weights_table(proposal))


@contextlib.contextmanager
def _bar(title: str) -> Iterator[converting.Watch]:
    """Show how many bytes are carried; nothing where there is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(True))
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_interactive,
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
