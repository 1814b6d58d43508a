"""The command that gets hold of a training step of code that knows nothing of us."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from parity import engines, graphfile
from parity import harvest as harvesting
from parity import setup_tf1 as building
from parity.cli.common import console
from parity.errors import BadInput
from parity.graphfile import SUFFIX
from parity.harvest import TIMEOUT, Source
from parity.reports import harvested

app = typer.Typer()


@app.command("setup-tf1")
def setup_tf1() -> None:
    """Build the engine tf1, TensorFlow 1.15.5 on CPython 3.7, in your cache (needs uv)."""
    python = building.setup()
    console.print(f"the engine tf1 is {python}", soft_wrap=True, highlight=False)


@app.command()
def harvest(
    code: Annotated[
        str,
        typer.Argument(metavar="SCRIPT", help="A script of TensorFlow 1, or module:function."),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGUMENTS]", help="Of the script, after two dashes."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help=f"The graph file. Default: SCRIPT{SUFFIX}, here.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="tf1, or graph where nothing of tf.contrib is needed.")
    ] = "tf1",
    cwd: Annotated[Path | None, typer.Option(help="Where the script runs. Default: here.")] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds until a script that has not trained is ended.")
    ] = TIMEOUT,
    overwrite: Annotated[bool, typer.Option(help="Replace a graph file that is there.")] = False,
) -> None:
    """Run an untouched script to its first training run; write its training step as a graph file.

    The script is not changed, and is stopped before it updates a weight. The graph file holds the
    graph, its variables, what the optimizers were seen doing, and the batch that was fed.
    """
    source = Source(code, tuple(arguments or ()), cwd or Path())
    to = output or Path(Path(code.replace(":", ".")).name.removesuffix(".py") + SUFFIX)
    graphfile.check_name(str(to))
    if to.exists() and not overwrite:
        raise BadInput(
            f"{to} exists", mend="add --overwrite to replace it, or choose another --output"
        )
    chosen = engines.find(engine)
    if chosen.family != "graph":
        raise BadInput(f"engine {engine!r} runs no graph", "tf1 or graph")
    with console.status(f"{code} on {engine}") as status:

        def watch(passed: float, line: str) -> None:
            status.update(f"{escape(code)} on {engine}, {passed:.0f} s  [dim]{escape(line[:60])}")

        graph = harvesting.harvest(source, to, chosen, timeout, watch)
    for table in harvested.tables(graph):
        console.print(table)
    for line in harvested.remarks(graph):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    console.print(f"wrote {to}", soft_wrap=True, highlight=False)
