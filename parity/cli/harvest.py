"""The command that gets hold of a training step of code that knows nothing of us."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from parity import api, graphfile
from parity import setup_tf1 as building
from parity.cli.common import console, watching
from parity.graphfile import SUFFIX
from parity.harvesting import TIMEOUT
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
        typer.Argument(
            metavar="SCRIPT",
            help="A script of TensorFlow 1, module:function, a checkpoint's .meta file, or the "
            "folder of a SavedModel.",
        ),
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
    inputs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            help="Arrays by names of placeholders, fed in the place of all others.",
        ),
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(help="Of a .meta file, where it has another name, or its folder.")
    ] = "",
    signature: Annotated[
        str, typer.Option(help="Of a SavedModel. Default: its only one, or serving_default.")
    ] = "",
    fetch: Annotated[
        list[str] | None,
        typer.Option(metavar="TENSOR", help="What a .meta file's model gives, repeatable."),
    ] = None,
) -> None:
    """Run an untouched script to its first training run; write its training step as a graph file.

    The script is not changed, and is stopped before it updates a weight. The graph file holds the
    graph, its variables, what the optimizers were seen doing, and the batch that was fed.

    Where the script is lost, what it saved is enough: a .meta file with its checkpoint has the
    training step, a SavedModel the signature and as a rule nothing of training. Neither is run.
    Their inputs are invented from the placeholders, or come from --inputs.
    """
    with watching(code, engine) as watch:
        to = api.harvest(
            code,
            *(arguments or ()),
            output=output,
            engine=engine,
            cwd=cwd or ".",
            timeout=timeout,
            overwrite=overwrite,
            checkpoint=checkpoint,
            signature=signature,
            fetch=fetch or (),
            inputs=inputs,
            watch=watch,
        )
    graph = graphfile.read(str(to))
    for table in harvested.tables(graph):
        console.print(table)
    for line in harvested.remarks(graph):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    console.print(f"wrote {to}", soft_wrap=True, highlight=False)
