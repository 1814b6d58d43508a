"""Tells what is in a checkpoint or a Keras file: what is whose slot, and which rule takes each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from parity.checkpoints import Reader, Stored
from parity.checkpoints.keras_files import KerasReader
from parity.checkpoints.naming import AVERAGE, GLOBAL_STEP, owner, role
from parity.converting import KERAS_AVERAGE
from parity.layout import Layout
from parity.slots import ITERATION
from parity.subjects import Places
from parity.weights import Rule

NO_RULE, NOT_HERE = "no rule", "not of this model"
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


@dataclasses.dataclass(frozen=True)
class Row:
    """One variable of a file.

    Args:
        name: in the file.
        stored: its dtype and shape.
        role: what it is, as far as that can be told.
        rule: what would take it, and to where; empty where nobody asked.
        owner: the variable that it is a slot of, or nothing.
    """

    name: str
    stored: Stored
    role: str
    rule: str = ""
    owner: str = ""


def rows(reader: Reader, layout: Layout | None = None, places: Places | None = None) -> list[Row]:
    """Return a row for each variable of a file, each weight followed by its slots.

    Args:
        reader: the file.
        layout: rules, if each is to have its rule.
        places: of the Keras model, for the rules of a Keras file.
    """
    if isinstance(reader, KerasReader):
        return _of_keras(reader, layout, places)
    variables, found = reader.variables, []
    for name in sorted(variables, key=lambda name: (owner(name, variables) or name, name)):
        rule = _rule_of(layout, name) if layout else ""
        of = owner(name, variables)
        found.append(Row(name, variables[name], role(name, variables), rule, of))
    return found


def remarks(reader: Reader, listed: Sequence[Row]) -> list[str]:
    """Return what should be known of a file as a whole.

    Args:
        reader: the file.
        listed: its rows.
    """
    found = []
    if OBJECT_GRAPH in reader.variables:
        found.append(
            "tf.train.Checkpoint of TensorFlow 2 wrote it: its names are paths of objects, which "
            "no rule knows; Saver of TensorFlow 1 writes names of variables"
        )
    missed = [row.name for row in listed if row.rule in (NO_RULE, NOT_HERE)]
    if missed:
        found.append(f"no rule takes {len(missed)} of {len(listed)}: {', '.join(missed)}")
    elif listed and all(row.rule for row in listed):
        found.append(f"a rule takes each of the {len(listed)}")
    return found


def _of_keras(reader: KerasReader, layout: Layout | None, places: Places | None) -> list[Row]:
    named = {each.place: each for each in places.variables} if places else {}
    layers, found = reader.layer_names(), []
    for name, stored in sorted(reader.variables.items(), key=lambda each: _counted(each[0])):
        group = name.rpartition("/vars/")[0]
        layer = f" of {layers[group]}" if group in layers else ""
        what = "state of the optimizer" if group == "optimizer" else f"weight{layer}"
        rule = ""
        if place := named.get(name):
            what = f"{place.kind}: {place.path}"
            rule = _rule_of_path(layout, place.path, place.kind) if layout else ""
        elif places:
            rule = NOT_HERE
        found.append(Row(name, stored, what, rule))
    return found


def _rule_of(layout: Layout, name: str) -> str:
    for rule in layout.rules:
        if name in rule.tf1:
            return f"{_kind(rule)}{' + '.join(rule.keras)}"
        for suffix, slot in {**layout.slots.tf1_to_keras, AVERAGE: KERAS_AVERAGE}.items():
            if any(name == f"{each}/{suffix}" for each in rule.tf1):
                return f"the same, as {slot}"
    if name in layout.slots.shared:
        return layout.slots.shared[name]
    if name in layout.slots.powers or name in layout.slots.counters or name == GLOBAL_STEP:
        return f"Keras's {ITERATION}"
    return NO_RULE


def _rule_of_path(layout: Layout, path: str, kind: str) -> str:
    if kind == "other":
        return "no counterpart in a checkpoint"
    if path == ITERATION:
        return f"{GLOBAL_STEP}, powers and counters"
    for rule in layout.rules:
        if kind == "weight" and path in rule.keras:
            return f"{_kind(rule)}{' + '.join(rule.tf1)}"
        flat = [each.replace("/", "_") for each in rule.keras]
        for suffix, slot in {**layout.slots.tf1_to_keras, AVERAGE: KERAS_AVERAGE}.items():
            if kind == "slot" and any(path == f"{each}_{slot}" for each in flat):
                return f"{_kind(rule)}{' + '.join(f'{each}/{suffix}' for each in rule.tf1)}"
    shared = {keras: tf1 for tf1, keras in layout.slots.shared.items()}
    return shared.get(path, NO_RULE)


def _kind(rule: Rule) -> str:
    """Return what stands before the names of what a rule gives; nothing where it moves nothing."""
    return "" if type(rule) is Rule else f"{type(rule).__name__}: "


def _counted(place: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``vars/10`` behind ``vars/9``."""
    return [(int(part) if part.isdigit() else -1, part) for part in place.split("/")]
