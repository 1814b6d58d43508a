"""Finished trainings, kept as one small file each: `FOLDER/PAIR/SIDE-SEED.json`.

A file appears whole or not at all, so a killed run goes on where it was, and a table can be made
from whatever is there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from parity import wire
from parity.errors import BadInput
from parity.results import from_plain, to_plain

SCHEMA = 1
COUNTS = "counts.json"
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Record:
    """What is kept of one training.

    Args:
        pair: name of the pair.
        side: who trained: an engine, or ``stock``.
        seed: of initial weights, order and dropout.
        question: part of the question -> its digest: ``job``, ``data``, ``model``, ``versions``.
        corpus: what it trained on.
        curves: ``SPLIT_METRIC`` -> a value an epoch; and what was predicted, under its own name.
        made_by: versions, device, processor, and the commit of the checkout.
        started: when, ISO 8601 in UTC.
        seconds: how long it took.
    """

    pair: str
    side: str
    seed: int
    question: Mapping[str, str]
    corpus: str
    curves: Mapping[str, tuple[float, ...]]
    made_by: Mapping[str, str]
    started: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class Counts:
    """What was counted of a pair's weights and its corpus.

    Args:
        pair: name of the pair.
        corpus: what was counted.
        found: what was counted -> who counted -> how many.
    """

    pair: str
    corpus: str
    found: Mapping[str, Mapping[str, int]]


def path_of(folder: Path, pair: str, side: str, seed: int) -> Path:
    """Return where a training is kept."""
    return folder / pair / f"{side}-{seed:02}.json"


def save(folder: Path, record: Record) -> None:
    """Keep a training."""
    _write(path_of(folder, record.pair, record.side, record.seed), record)


def save_counts(folder: Path, counts: Counts) -> None:
    """Keep what was counted of a pair."""
    _write(folder / counts.pair / COUNTS, counts)


def load(folder: Path) -> list[Record]:
    """Read every training that is kept in a folder, in the order of its names.

    Raises:
        BadInput: a file is damaged, of another schema, or not what its name says.
    """
    found = []
    for path in sorted(folder.glob("*/*-*.json")):
        record = _read(path, Record)
        if path_of(folder, record.pair, record.side, record.seed) != path:
            raise BadInput(
                f"{path} holds {record.pair}, {record.side}, seed {record.seed}",
                "what its name says",
                "give it its name back, or delete it",
            )
        found.append(record)
    return found


def load_counts(folder: Path) -> dict[str, Counts]:
    """Read what was counted: pair -> counts.

    Raises:
        BadInput: a file is damaged or of another schema.
    """
    return {path.parent.name: _read(path, Counts) for path in sorted(folder.glob(f"*/{COUNTS}"))}


def _write(path: Path, kept: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"schema": SCHEMA, **to_plain(kept)}
    # A line a field: a curve is one of them.
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    wire.write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def _read(path: Path, kind: type[T]) -> T:
    mend = "delete it, so that it is made anew, or choose another folder with --output"
    try:
        document = json.loads(path.read_text("utf-8"))
        schema = document.pop("schema")
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} cannot be read ({type(error).__name__}: {error})",
            "what `parity reproduce` keeps",
            mend,
        ) from error
    if schema != SCHEMA:
        raise BadInput(f"{path} has schema {schema!r}", f"schema {SCHEMA}", mend)
    try:
        return from_plain(document, kind)
    except BadInput as error:
        raise BadInput(
            f"{path} does not follow its schema", "what `parity reproduce` keeps", mend
        ) from error
