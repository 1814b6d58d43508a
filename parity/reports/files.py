"""Results on disk: written whole or not at all, and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from parity import wire
from parity.errors import BadInput
from parity.moved import Moved
from parity.reports import summaries
from parity.reports.junit import junit
from parity.results import Run, from_json, to_json

RESULTS = "results.json"


def write(folder: Path, run: Run, moved: Moved | None = None) -> None:
    """Write ``results.json``, ``junit.xml`` and ``summary.md``.

    Args:
        folder: is made where it is missing.
        run: what was found; ``docs/results.schema.json`` describes the document.
        moved: what moved from a baseline, if the run was held against one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wire.write_text(folder / RESULTS, dumps(to_json(run)) + "\n")
    xml = ElementTree.tostring(junit(run), encoding="unicode", xml_declaration=False)
    wire.write_text(folder / "junit.xml", f"<?xml version='1.0' encoding='utf-8'?>\n{xml}\n")
    wire.write_text(folder / "summary.md", summaries.markdown(run, moved))


def read(folder: Path) -> Run:
    """Return the run that `write` wrote into a folder.

    Raises:
        BadInput: there are no results, or they are not whole, or of another schema.
    """
    path = folder / RESULTS
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}",
            "the folder of a whole `parity run`",
            "name its --output",
        ) from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Run:
    """Return the run that a ``results.json`` describes.

    Args:
        text: its content.
        name: what to call it where it is not in order.

    Raises:
        BadInput: it is not whole, or of another schema.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BadInput(
            f"{name} is not whole: {error}", "what `parity run` writes", "run it again"
        ) from error
    if not isinstance(document, dict):
        raise BadInput(f"{name} is no object", "what `parity run` writes")
    try:
        return from_json(document)
    except BadInput as error:
        raise BadInput(f"{name}: {error.received}", error.expected, error.mend) from error


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
