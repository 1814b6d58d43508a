"""The command that proves code which knows nothing of us."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from parity import api
from parity.cli.common import Device, Timeout, conclude, console, named_values, watching
from parity.engines import references
from parity.errors import BadInput
from parity.graphfile import SUFFIX
from parity.pairfile import Proposed
from parity.progress import Board
from parity.proposals import Proposal

app = typer.Typer()


@app.command()
def check(
    code: Annotated[
        str,
        typer.Argument(
            metavar="GRAPH_OR_SCRIPT",
            help=f"A file {SUFFIX}, or a script as `harvest` takes it, which is harvested first.",
        ),
    ],
    keras: Annotated[
        str,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Builds the compiled model. Or FILE.keras, MODULE:FILE.keras if it needs one.",
        ),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGUMENTS]", help="Of the script, after two dashes."),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIABLE=PATH", help="What belongs together, repeatable."),
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
    optimizer: Annotated[str, typer.Option(help="Train op, where the graph has several.")] = "",
    evaluation: Annotated[
        list[str] | None,
        typer.Option(metavar="INPUT=VALUE", help="What is fed when the model does not train."),
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(help="Reference engines, repeatable. Default: graph, and tf1 where present."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of the curve.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of dropout masks.")] = 0,
    output: Annotated[Path | None, typer.Option(help="Default: results/check/NAME.")] = None,
    device: Device = "",
    timeout: Timeout = 300,
) -> None:
    """Prove that a Keras model is the model of a graph file, or of a script, rung by rung.

    Which variable is which weight, what is fed, and what is compared is proposed from names, shapes
    and structure, and shown with its reasons. What cannot be told is asked for. Both start from the
    script's own weights (what is constant there is moved a little, or an exchange would not show),
    and train on the script's own batch.
    """
    name = api.graph_name(code)
    folder = output or Path("results/check") / name.removesuffix(SUFFIX)
    graph = Path(code)
    if not code.endswith(SUFFIX):
        graph = _harvested(code, arguments, folder / name, engine)
    with Board(console) as board:
        board.say(f"asking what {keras} is made of")
        result = api.check(
            graph,
            keras,
            weights=dict(named_values("--weight", weight)),
            tensors=dict(named_values("--tensor", tensor)),
            fed=dict(named_values("--fed", fed, bare=True)),
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
            listener=board,
            tell=_show,
        )
    conclude(result.run, folder)
    for remark in result.remarks:
        console.print(f"note: {remark}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(result.exit_code)


def _harvested(
    code: str, arguments: Sequence[str] | None, to: Path, engine: Sequence[str] | None
) -> Path:
    """Harvest a script on TensorFlow 1.15.5 where that is among the engines, else on ``graph``."""
    asked = [each.name for each in references(list(engine) if engine else None)]
    chosen = "tf1" if "tf1" in asked else "graph"
    to.parent.mkdir(parents=True, exist_ok=True)
    with watching(code, chosen) as watch:
        api.harvest(code, *(arguments or ()), output=to, engine=chosen, overwrite=True, watch=watch)
    console.print(f"harvested {code} on {chosen}: {to}", highlight=False, soft_wrap=True)
    return to


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
