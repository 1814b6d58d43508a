"""The command that proves code which knows nothing of us."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from parity import api, pairtoml
from parity.cli.common import Device, conclude, console, named_values
from parity.errors import BadInput
from parity.graphfile import SUFFIX
from parity.pairfile import Proposed
from parity.pairtoml import ENDING, PairFile
from parity.progress import Board
from parity.proposals import Proposal

app = typer.Typer()


@app.command()
def check(
    code: Annotated[
        str,
        typer.Argument(
            metavar="GRAPH_OR_SCRIPT",
            help=f"A file {SUFFIX}, or what `harvest` takes, which is harvested first; or a pair "
            f"file ending in {ENDING}, which says all the rest.",
        ),
    ],
    keras: Annotated[
        str,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Builds the compiled model. Or FILE.keras, MODULE:FILE.keras if it needs one.",
        ),
    ] = "",
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGUMENTS]", help="Of the script, after two dashes."),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VARIABLE=PATH",
            help="What belongs together; of a cell its scope and its path. Repeatable.",
        ),
    ] = None,
    tensor: Annotated[
        list[str] | None,
        typer.Option(metavar="TENSOR=LAYER", help="The graph's tensor that a Keras layer gives."),
    ] = None,
    fed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TENSOR=NAME",
            help="What is fed to the graph is which input, or the target of which output; TENSOR= "
            "where the graph alone takes it. Repeatable.",
        ),
    ] = None,
    dropout: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE=LAYER", help="Which draw is which Keras layer's, repeatable."),
    ] = None,
    inputs: Annotated[
        str,
        typer.Option(
            metavar="FILE.npz",
            help="What is trained on in the place of the script's batch: arrays by names of "
            "placeholders. Or MODULE:FUNCTION that gives such batches one after the other.",
        ),
    ] = "",
    optimizer: Annotated[str, typer.Option(help="Train op, where the graph has several.")] = "",
    train_op: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TRAIN_OP=ATTRIBUTE",
            help="Where several optimizers step in turn: each in its order, and the Keras model's "
            "attribute that is it. Repeatable.",
        ),
    ] = None,
    carried: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INPUT=TENSOR", help="What the next step is fed there, as a state. Repeatable."
        ),
    ] = None,
    evaluation: Annotated[
        list[str] | None,
        typer.Option(metavar="INPUT=VALUE", help="What is fed when the model does not train."),
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(help="Reference engines, repeatable. Default: graph, and tf1 where present."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the curve.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of dropout masks. Default: 0.")] = None,
    output: Annotated[Path | None, typer.Option(help="Default: results/check/NAME.")] = None,
    save_pair: Annotated[
        Path | None,
        typer.Option(help=f"A new file {ENDING} for all that was decided, if all agrees."),
    ] = None,
    device: Device = "",
    timeout: Annotated[
        float | None, typer.Option(help="Seconds of silence before an engine is ended. [300]")
    ] = None,
) -> None:
    """Prove that a Keras model is the model of a graph file, or of a script, rung by rung.

    Which variable is which weight, what is fed, and what is compared is proposed from names, shapes
    and structure, and shown with its reasons. What cannot be told is asked for, with a pair file to
    choose in, where all else is filled in. Both start from the script's own weights (what is
    constant there is moved a little, or an exchange would not show), and train on the script's own
    batch.
    """
    asked = pairtoml.resolved(PairFile(code, keras))
    name = api.graph_name(asked.graph)
    folder = Path(output or asked.output or Path("results/check") / name.removesuffix(SUFFIX))
    with Board(console) as board:
        board.say(f"asking what {asked.keras} is made of")
        result = api.check(
            code,
            keras,
            arguments=arguments or (),
            weights=dict(named_values("--weight", weight)),
            tensors=dict(named_values("--tensor", tensor, bare=True)),
            fed=dict(named_values("--fed", fed, bare=True)),
            dropout=dict(named_values("--dropout", dropout)),
            train_ops=dict(named_values("--train-op", train_op)),
            carried=dict(named_values("--carried", carried)),
            inputs=inputs or None,
            optimizer=optimizer,
            evaluation={
                n: _number(n, value) for n, value in named_values("--evaluation", evaluation)
            },
            engines=engine,
            steps=steps,
            seed=seed,
            output=folder,
            device=device,
            timeout=timeout,
            save_pair=save_pair,
            listener=board,
            watch=lambda passed, line: board.say(f"{asked.graph}, {passed:.0f} s  {line[:60]}"),
            tell=_show,
        )
    conclude(result.run, folder)
    for remark in result.remarks:
        console.print(f"note: {remark}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(result.exit_code)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise BadInput(f"--evaluation {name}={value}", "a number") from error


def _show(proposed: Proposed) -> None:
    """Print what is paired with what, and why."""
    console.print(weights_table(proposed.weights))
    for what, decided in proposed.lines:
        console.print(f"{what}: {decided}", highlight=False, markup=False, soft_wrap=True)


def weights_table(proposal: Proposal) -> Table:
    """Return which variable is paired with which weight, and why."""
    table = Table(title="weights", title_justify="left", box=None, pad_edge=False)
    for head in ("graph", "Keras", "because it is"):
        table.add_column(head, overflow="fold")
    for entry in proposal.entries:
        table.add_row("\n".join(entry.tf1), "\n".join(entry.keras), entry.reason)
    return table
