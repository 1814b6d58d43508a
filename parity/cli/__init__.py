"""The command `parity`: parses what was asked, calls a use case, says what came of it."""

from __future__ import annotations

import logging
import signal
import sys
from typing import NoReturn

import typer
from rich.markup import escape

from datasets.dataset import DataError
from parity.cli import check, convert, harvest, models, proofs, regressions, studies
from parity.cli.common import errors
from parity.errors import AGREE, BAD_INPUT, ENGINE_FAILED, INTERRUPTED, ParityError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Proves, tensor by tensor and step by step, that a Keras 3 rewrite is the TensorFlow 1 "
    "model.\n\nExit codes: 0 all agree, 1 a difference, 2 wrong use or bad input, 3 an engine "
    "could not do its job.",
)
for group in (proofs, harvest, check, convert, regressions, models, studies):
    app.add_typer(group.app)


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
