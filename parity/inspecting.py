"""Tells what is in a checkpoint or a Keras file: what is whose slot, and which rule takes each."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from parity.checkpoints import Reader, Stored
from parity.checkpoints.keras_files import KerasReader
from parity.converting import AVERAGE, GLOBAL_STEP, KERAS_AVERAGE
from parity.subjects import Places
from parity.weights import ITERATION, Layout, Rule

# What TensorFlow 1's optimizers append to a variable's name, in the order in which they make slots;
# and BERT's, whose slots are plain variables (optimization.py).
SLOTS: Mapping[str, str] = {
    "RMSProp": "RMSProp, mean square",
    "RMSProp_1": "RMSProp, momentum (of a centered one, mean gradient)",
    "RMSProp_2": "centered RMSProp, momentum",
    "Adam": "Adam, mean",
    "Adam_1": "Adam, mean square",
    "adam_m": "BERT's Adam, mean",
    "adam_v": "BERT's Adam, mean square",
    "Momentum": "Momentum, accumulator",
    "Adagrad": "Adagrad, accumulator",
    "Adadelta": "Adadelta, accumulator",
    "Adadelta_1": "Adadelta, accumulated updates",
    "Ftrl": "Ftrl, accumulator",
    "Ftrl_1": "Ftrl, linear",
    AVERAGE: "moving average",
}
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


@dataclasses.dataclass(frozen=True)
class Row:
    """One variable of a file.

    Args:
        name: in the file.
        stored: its dtype and shape.
        role: what it is, as far as that can be told.
        rule: what would take it, and to where; empty where nobody asked.
    """

    name: str
    stored: Stored
    role: str
    rule: str = ""


def rows(reader: Reader, layout: Layout | None = None, places: Places | None = None) -> list[Row]:
    """Return a row for each variable of a file, each weight followed by its slots.

    Args:
        reader: the file.
        layout: rules, if each is to have its rule.
        places: of the Keras model, for the rules of a Keras file.
    """
    if isinstance(reader, KerasReader):
        return _of_keras(reader, layout, places)
    found = []
    for name in sorted(reader.variables):
        rule = _rule_of(layout, name) if layout else ""
        found.append(Row(name, reader.variables[name], role(name, reader.variables), rule))
    return found


def remarks(reader: Reader) -> list[str]:
    """Return what should be known of a file as a whole."""
    if OBJECT_GRAPH in reader.variables:
        return [
            "tf.train.Checkpoint of TensorFlow 2 wrote it: its names are paths of objects, which "
            "no rule knows; Saver of TensorFlow 1 writes names of variables"
        ]
    return []


def role(name: str, variables: Mapping[str, Stored]) -> str:
    """Return what a variable of a TensorFlow 1 checkpoint is, by its name, shape and dtype."""
    stored = variables[name]
    owner, _, suffix = name.rpartition("/")
    if owner in variables and suffix in SLOTS and variables[owner].shape == stored.shape:
        return f"slot of {owner}: {SLOTS[suffix]}"
    if stored.dtype == "string":
        return "text"
    if re.search(r"(^|/)beta[12]_power(_\d+)?$", name) and not stored.shape:
        return "slot of no variable: power of Adam's beta"
    if name.rpartition("/")[2] == GLOBAL_STEP or (
        stored.dtype in ("int32", "int64") and not stored.shape
    ):
        return "count of steps"
    return "variable"


def _of_keras(reader: KerasReader, layout: Layout | None, places: Places | None) -> list[Row]:
    named = {each.place: each for each in places.variables} if places else {}
    layers, found = reader.layer_names(), []
    for name, stored in reader.variables.items():
        group = name.rpartition("/vars/")[0]
        layer = f" of {layers[group]}" if group in layers else ""
        what = "state of the optimizer" if group == "optimizer" else f"weight{layer}"
        rule = ""
        if place := named.get(name):
            what = f"{place.kind}: {place.path}"
            rule = _rule_of_path(layout, place.path, place.kind) if layout else ""
        elif places:
            rule = "not of this model"
        found.append(Row(name, stored, what, rule))
    return found


def _rule_of(layout: Layout, name: str) -> str:
    for rule in layout.rules:
        if name in rule.tf1:
            return f"{_kind(rule)}: {' + '.join(rule.keras)}"
        for suffix, slot in layout.slots.tf1_to_keras.items():
            if any(name == f"{each}/{suffix}" for each in rule.tf1):
                return f"{_kind(rule)}, as {slot} of {' + '.join(rule.keras)}"
        if any(name == f"{each}/{AVERAGE}" for each in rule.tf1):
            return f"{_kind(rule)}, as {KERAS_AVERAGE} of {' + '.join(rule.keras)}"
    if name in layout.slots.shared:
        return layout.slots.shared[name]
    if name in layout.slots.powers or name in layout.slots.counters or name == GLOBAL_STEP:
        return f"Keras's {ITERATION}"
    return "no rule"


def _rule_of_path(layout: Layout, path: str, kind: str) -> str:
    if kind == "other":
        return "no counterpart in a checkpoint"
    if path == ITERATION:
        return f"{GLOBAL_STEP}, powers and counters"
    for rule in layout.rules:
        if kind == "weight" and path in rule.keras:
            return f"{_kind(rule)}: {' + '.join(rule.tf1)}"
        flat = [each.replace("/", "_") for each in rule.keras]
        for suffix, slot in {**layout.slots.tf1_to_keras, AVERAGE: KERAS_AVERAGE}.items():
            if kind == "slot" and any(path == f"{each}_{slot}" for each in flat):
                return f"{_kind(rule)}: {' + '.join(f'{each}/{suffix}' for each in rule.tf1)}"
    shared = {keras: tf1 for tf1, keras in layout.slots.shared.items()}
    return shared.get(path, "no rule")


def _kind(rule: Rule) -> str:
    """Return the name of a rule for people."""
    return "unchanged" if type(rule) is Rule else type(rule).__name__
