"""The pair file: what `parity check` is asked, as TOML, to be kept beside a team's tests.

    graph = "train.graph.npz"              # or a script; as seen from the pair file
    keras = "rewrite:build_model"

    [weights]                              # variable of the graph = path of the Keras weight
    "embedding/W" = "embedding/embeddings"

Whatever the command line can say, it can. Where something cannot be told, `draft` writes a file in
which all else is filled in, and a list stands for what is to be chosen: ``"a:0" = ["left", ""]``.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Table

from parity import wire
from parity.asking import Choices, Said
from parity.errors import BadInput, did_you_mean
from parity.graphfile import SUFFIX

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1
ENDING = ".toml"

# Field of `Said` -> its table in a pair file, as the argument of `parity.check` is called, and what
# a row of it says.
TABLES = {
    "weights": ("weights", "variable of the graph, or scope of a cell = its path in Keras"),
    "outputs": ("tensors", 'tensor of the graph = the Keras layer that gives it; "": none does'),
    "fed": ("fed", 'what is fed = Keras input, or output that it is the target of; "": none'),
    "evaluation": ("evaluation", "number that is fed = its value when the model does not train"),
    "dropout": ("dropout", "scope of a draw = the Keras layer that drops"),
    "train_ops": ("train_ops", "in their order: train op = attribute that is Keras's optimizer"),
    "carried": ("carried", "input = the tensor that the next step is fed there"),
}


@dataclasses.dataclass(frozen=True)
class PairFile:
    """What a check is asked; what is None or empty is left to it. Paths are as seen from here.

    Args:
        graph: path of a graph file, or what `parity.harvest` takes, which is harvested first.
        keras: as `parity.check` takes it.
        arguments: of the script.
        inputs: ``.npz`` file, or ``module:function`` that gives batches.
        said: what is decided.
        engines: reference engines.
        steps: of the curve.
        seed: of dropout masks.
        output: folder for results.
        device: that engines compute on.
        timeout: seconds without a sign of life before an engine counts as hung.
    """

    graph: str
    keras: str = ""
    arguments: tuple[str, ...] = ()
    inputs: str = ""
    said: Said = dataclasses.field(default_factory=Said)
    engines: tuple[str, ...] = ()
    steps: int | None = None
    seed: int | None = None
    output: str = ""
    device: str = ""
    timeout: float | None = None

    def over(self, other: PairFile) -> PairFile:
        """Return what is asked here, and what of the rest is asked there; the graph is theirs."""
        found: dict[str, Any] = {"graph": other.graph, "said": self.said.over(other.said)}
        for field in dataclasses.fields(self):
            if field.name not in found:
                mine = getattr(self, field.name)
                found[field.name] = getattr(other, field.name) if mine in (None, "", ()) else mine
        return PairFile(**found)


def read(path: str | os.PathLike[str]) -> PairFile:
    """Read a pair file.

    Raises:
        BadInput: it cannot be read, has a key that is not known, a value of another type, or
            something in it is still to be chosen.
    """
    where = os.fspath(path)
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:  # of TOML and of UTF-8, too
        raise BadInput(f"{where} cannot be read: {error}", "a pair file in TOML") from error
    plain: dict[str, Any] = {}
    tables = {name: field for field, (name, _) in TABLES.items()}
    said: dict[str, Any] = {}
    for key, value in document.items():
        if key not in KEYS and key not in tables:
            known = [*KEYS, *tables]
            received = f"{where}: there is no key {key!r}"
            raise BadInput(received, f"one of {', '.join(known)}", did_you_mean(key, known))
        if key in tables:
            _demand(isinstance(value, dict), where, key, value, "a table")
            said[tables[key]] = {n: _row(where, key, n, each) for n, each in value.items()}
        elif key == "optimizer":
            said[key] = _chosen(where, key, value)
            _demand(isinstance(said[key], str), where, key, value, "a text")
        else:
            KEYS[key].demand(where, key, value)
            plain[key] = tuple(value) if isinstance(value, list) else value
    if plain.pop("format", FORMAT) != FORMAT:
        raise BadInput(f"{where} has format {document['format']}", f"format {FORMAT}")
    if not plain.get("graph"):
        raise BadInput(f"{where} does not say what is checked", 'graph = "train.graph.npz"')
    for key in PATHS:
        if key in plain:
            plain[key] = _moved(key, plain[key], lambda p: os.path.join(os.path.dirname(where), p))
    return PairFile(**plain, said=Said(**said))


def resolved(own: PairFile) -> PairFile:
    """Return what is asked: of a pair file, what stands in it and is not said beside it.

    Raises:
        BadInput: as `read`.
    """
    return own.over(read(own.graph)) if own.graph.endswith(ENDING) else own


def write(path: str | os.PathLike[str], asked: PairFile, choices: Choices | None = None) -> None:
    """Write a pair file; what is in `choices` is left to be chosen.

    Args:
        path: of the file.
        asked: what is asked.
        choices: field of `Said` -> name -> what it may be.

    Raises:
        BadInput: it is there already, or cannot be written.
    """
    if os.path.lexists(path):
        raise BadInput(f"{os.fspath(path)} exists", "the name of a new pair file")
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        wire.write_text(path, _text(Path(path), asked, choices or {}))
    except OSError as error:
        raise BadInput(f"{os.fspath(path)} cannot be written: {error.strerror}") from error


def draft(folder: Path, asked: PairFile, choices: Choices) -> Path:
    """Write a pair file in which something is to be chosen; nothing that is there is overwritten.

    Returns:
        its path.

    Raises:
        BadInput: it cannot be written.
    """
    numbered = (folder / f"pair-{number}{ENDING}" for number in itertools.count(2))
    names = itertools.chain([folder / f"pair{ENDING}"], numbered)
    for path in names:
        if not os.path.lexists(path):
            write(path, asked, choices)
            return path
        if path.is_file() and path.read_bytes() == _text(path, asked, choices).encode():
            return path  # it was asked before, and nothing is chosen yet
    raise AssertionError("there is a number for every file")


def _text(path: Path, asked: PairFile, choices: Choices) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    document = tomlkit.document()
    document.add(tomlkit.comment(f"parity check {path.name}"))
    if choices:
        document.add(tomlkit.comment("Of each list in brackets leave one, and drop the brackets."))
    document.add("format", FORMAT)
    for key in KEYS:
        value = getattr(asked, key, None)
        if key == "optimizer":
            value = choices.get(key, {}).get("") or asked.said.optimizer
        if value in (None, "", ()):
            continue
        if key in PATHS:
            value = _moved(key, value, lambda p: os.path.relpath(p, folder))
        document.add(key, list(value) if isinstance(value, tuple) else value)
    for field, (name, meaning) in TABLES.items():
        rows = {**getattr(asked.said, field), **choices.get(field, {})}
        if rows:
            document.add(name, _table(meaning, rows))
    return tomlkit.dumps(document)


def _table(meaning: str, rows: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    table.add(tomlkit.comment(meaning))
    for name, value in rows.items():
        table.add(name, list(value) if isinstance(value, tuple) else value)
    return table


@dataclasses.dataclass(frozen=True)
class Kind:
    """What stands behind a key.

    Args:
        expected: it, for people.
        fits: tells whether a value is of this kind.
    """

    expected: str
    fits: Callable[[Any], bool]

    def demand(self, where: str, key: str, value: Any) -> None:
        """Make sure that a value is of this kind.

        Raises:
            BadInput: it is not.
        """
        _demand(self.fits(value), where, key, value, self.expected)


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value >= least


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TEXT = Kind("a text", _is_text)
TEXTS = Kind("a list of texts", lambda v: isinstance(v, list) and all(map(_is_text, v)))

# In the order in which they are written.
KEYS = {
    "format": Kind("a whole number", _whole(0)),
    "graph": TEXT,
    "arguments": TEXTS,
    "keras": TEXT,
    "inputs": TEXT,
    "optimizer": TEXT,
    "engines": TEXTS,
    "steps": Kind("a whole number, 1 or more", _whole(1)),
    "seed": Kind("a whole number, 0 or more", _whole(0)),
    "output": TEXT,
    "device": TEXT,
    "timeout": Kind("a number", _is_number),
}
PATHS = ("graph", "keras", "inputs", "output")


def _demand(met: bool, where: str, key: str, value: Any, expected: str) -> None:
    if not met:
        raise BadInput(f"{where}: {key} is {value!r}", expected)


def _chosen(where: str, key: str, value: Any) -> Any:
    """Return what was chosen of a list, or what stands there alone."""
    if not isinstance(value, list):
        return value
    if len(value) != 1:
        said = ", ".join(map(repr, value)) or "nothing"
        raise BadInput(f"{where}: {key} is still to be chosen: {said}", "one of them")
    return value[0]


def _row(where: str, table: str, name: str, value: Any) -> Any:
    """Return a row of a table, checked."""
    key = f"[{table}] {name!r}"
    chosen = _chosen(where, key, value)
    if table == "evaluation":
        fits = isinstance(chosen, (int, float))  # a switch is a number, too
        _demand(fits, where, key, value, "a number")
        return float(chosen)
    _demand(isinstance(chosen, str), where, key, value, "a text")
    return chosen


def _moved(key: str, value: str, move: Callable[[str], str]) -> str:
    """Return a path as seen from another folder; what names a module stays as it is."""
    module, colon, file = value.rpartition(":")
    if key == "keras":
        path = file.endswith(".keras")
    else:
        module, colon, file = "", "", value
        path = key == "output" or ":" not in value or value.endswith((SUFFIX, ".npz"))
    if not path or os.path.isabs(file):
        return value
    return module + colon + os.path.normpath(move(file))
