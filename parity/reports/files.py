"""Results on disk: written whole or not at all, and read back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from parity.errors import BadInput
from parity.reports.junit import junit
from parity.results import Run, from_json, to_json

RESULTS = "results.json"


def write(folder: Path, run: Run) -> None:
    """Write ``results.json`` and ``junit.xml``.

    Args:
        folder: is made where it is missing.
        run: what was found; ``docs/results.schema.json`` describes the document.
    """
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / RESULTS, dumps(to_json(run)) + "\n")
    xml = ElementTree.tostring(junit(run), encoding="unicode", xml_declaration=False)
    replace(folder / "junit.xml", f"<?xml version='1.0' encoding='utf-8'?>\n{xml}\n")


def read(folder: Path) -> Run:
    """Read back what `write` wrote.

    Raises:
        BadInput: there are no results, they are cut short, or another version wrote them.
    """
    path = folder / RESULTS
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadInput(
            f"there is no {path}", "a folder that `parity run` wrote", "run `parity run` first"
        ) from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read: {error}", "what `parity run` writes") from error
    if not isinstance(document, dict):
        raise BadInput(f"{path} holds no results", "what `parity run` writes")
    return from_json(document)


def dumps(value: Any, indent: str = "") -> str:
    """Return JSON with one line a list of numbers, and one a list's item that holds no other.

    So a curve is a line, the account of a tensor is a line, and a person can read, search and
    compare the document.

    Raises:
        ValueError: a number is not finite; JSON has no word for it.
    """
    inner = indent + " "
    if isinstance(value, dict) and value:
        items = [f"{json.dumps(key)}: {dumps(each, inner)}" for key, each in value.items()]
        return "{\n" + ",\n".join(inner + item for item in items) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and any(isinstance(each, dict | list) for each in value):
        items = [_flat(each) or dumps(each, inner) for each in value]
        return "[\n" + ",\n".join(inner + item for item in items) + f"\n{indent}]"
    return json.dumps(value, allow_nan=False)


def _flat(value: Any) -> str:
    """Return an object that holds no other on one line; nothing for any other value."""
    if not isinstance(value, dict) or any(_deep(each) for each in value.values()):
        return ""
    return json.dumps(value, allow_nan=False)


def _deep(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(isinstance(each, dict | list | tuple) for each in value)
    return isinstance(value, dict)


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)
