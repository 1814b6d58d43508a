"""Writes what a run has found into files, each whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from parity.reports.junit import junit
from parity.results import Run, to_json


def write(folder: Path, run: Run) -> None:
    """Write ``results.json`` and ``junit.xml``.

    Args:
        folder: is made where it is missing.
        run: what was found; ``docs/results.schema.json`` describes the document.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "results.json", dumps(to_json(run)) + "\n")
    xml = ElementTree.tostring(junit(run), encoding="unicode", xml_declaration=False)
    _replace(folder / "junit.xml", f"<?xml version='1.0' encoding='utf-8'?>\n{xml}\n")


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


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    os.replace(part, path)
