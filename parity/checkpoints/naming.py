"""What TensorFlow 1 calls what: a variable's name says whether it is a slot, and of what."""

from __future__ import annotations

import re
from collections.abc import Mapping

from parity.checkpoints.stored import Stored

GLOBAL_STEP = "global_step"
# What `ExponentialMovingAverage` appends to a name.
AVERAGE = "ExponentialMovingAverage"
# What TensorFlow 1's optimizers append to a variable's name, and BERT's, whose slots are plain
# variables (optimization.py). A centered RMSProp keeps its mean gradient as the second of three.
SLOTS: Mapping[str, str] = {
    "RMSProp": "RMSProp's mean square",
    "RMSProp_1": "RMSProp's momentum",
    "RMSProp_2": "RMSProp's momentum",
    "Adam": "Adam's mean",
    "Adam_1": "Adam's mean square",
    "adam_m": "BERT's mean",
    "adam_v": "BERT's mean square",
    "Momentum": "Momentum's accumulator",
    "Adagrad": "Adagrad's accumulator",
    "Adadelta": "Adadelta's accumulator",
    "Adadelta_1": "Adadelta's updates",
    "Ftrl": "Ftrl's accumulator",
    "Ftrl_1": "Ftrl's linear term",
    AVERAGE: "moving average",
}


def owner(name: str, variables: Mapping[str, Stored]) -> str:
    """Return the variable that another is a slot of, by name and shape; nothing if it is none.

    An optimizer that was applied inside of a scope puts its slots there: ``train/embedding/Adam``.
    """
    *scopes, suffix = name.split("/")
    for first in range(len(scopes) if suffix in SLOTS else 0):
        found = "/".join(scopes[first:])
        if found in variables and variables[found].shape == variables[name].shape:
            return found
    return ""


def role(name: str, variables: Mapping[str, Stored]) -> str:
    """Return what a variable of a TensorFlow 1 checkpoint is, by its name, shape and dtype."""
    stored = variables[name]
    if of := owner(name, variables):
        suffix = name.rpartition("/")[2]
        centered = suffix == "RMSProp_1" and f"{of}/RMSProp_2" in variables
        return f"slot: {'mean gradient of RMSProp' if centered else SLOTS[suffix]}"
    if stored.dtype == "string":
        return "text"
    if is_power(name, stored):
        return "slot: power of Adam's beta"
    if name.rpartition("/")[2] == GLOBAL_STEP or (
        stored.dtype in ("int32", "int64") and not stored.shape
    ):
        return "count of steps"
    return "variable"


def is_power(name: str, stored: Stored) -> bool:
    """Tell whether a variable is a power of Adam's beta, which belongs to no variable."""
    return not stored.shape and bool(re.search(r"(^|/)beta[12]_power(_\d+)?$", name))


def is_state(name: str, variables: Mapping[str, Stored]) -> bool:
    """Tell whether a variable is an optimizer's or a counter, and no weight."""
    stored = variables[name]
    return (
        bool(owner(name, variables))
        or is_power(name, stored)
        or (name.rpartition("/")[2] == GLOBAL_STEP and not stored.shape)
    )
