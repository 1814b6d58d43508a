"""Tells where a Keras model's weights and its optimizer's state lie in its files.

A file has no names: places follow from the model's structure. So the model is built, but without
memory for its weights: of a model of four gigabytes only shapes are asked for.
"""

import contextlib
from typing import Any, Dict, Iterator, List, Tuple

import keras
import numpy as np
from keras.src.saving import saving_lib

from parity.errors import EngineFailed
from parity.runners import describing
from parity.wire import Arrays

SMALL = 64  # elements: step counters, rates and seeds have their values


class Places(saving_lib.H5IOStore):  # type: ignore[misc]  # Keras is untyped
    """Stands in for a file that Keras saves to, and notes what it would write where.

    Attributes:
        found: place -> the variable.
        names: group of places -> the name that Keras notes beside it.
    """

    def __init__(self) -> None:
        self.found: Dict[str, Any] = {}
        self.names: Dict[str, str] = {}
        self._at = ""

    def __bool__(self) -> bool:
        return True

    def make(self, path: str, metadata: Any = None) -> "Places":
        self._at = path
        if metadata:
            self.names[path] = metadata["name"]
        return self

    def __setitem__(self, key: str, value: Any) -> None:
        self.found["/".join(filter(None, (self._at, "vars", key)))] = value


@contextlib.contextmanager
def without_memory() -> Iterator[None]:
    """Make variables of more than a few elements have a shape, and no value.

    As Keras itself leaves them while it traces; only that it then refuses those that are made of a
    value, as an optimizer's counter is.
    """

    def leave(self: Any, initializer: Any) -> None:
        if int(np.prod(self._shape)) <= SMALL:
            initialize(self, initializer)
        else:
            self._value, self._initializer = None, initializer

    def build(self: Any, variables: Any) -> None:
        for variable in variables:
            if variable._value is None:  # asked for its device and its identity: any one will do
                variable._value = keras.Variable(0.0).value
        inherited(self, variables)

    variable, optimizer = keras.Variable, keras.Optimizer
    initialize, inherited = variable._initialize_with_initializer, optimizer.build
    variable._initialize_with_initializer, optimizer.build = leave, build
    try:
        yield
    finally:
        variable._initialize_with_initializer, optimizer.build = initialize, inherited


def places(model: Any) -> Tuple[Dict[str, Any], Arrays]:
    """Return what a model's file holds.

    Args:
        model: built `without_memory`, its optimizer too.

    Returns:
        Plain JSON types, and values by place: of what is small, or no weight and no slot, as the
        model starts with them. ``variables``: of each place its path, shape, dtype,
        and whether it is a ``weight``, a ``slot`` or ``other`` (a seed, a rate, a metric's sum).
        ``names``: as `Places` has them. ``config`` and ``metadata``: texts of a `.keras` file.
        ``model``: what it is made of (`parity.runners.describing`).

    Raises:
        EngineFailed: the model saves its state in a way of its own.
    """
    optimizer = getattr(model, "optimizer", None)
    seen = Places()
    with _handing_over_variables(optimizer):
        saving_lib._save_state(model, seen, None, "", set())
    weights = {id(v) for v in model.variables if not v.path.endswith("seed_generator_state")}
    state = optimizer.variables if optimizer is not None else []
    slots = {id(v) for v in state if v.name != "learning_rate"}
    listed: List[Dict[str, Any]] = []
    values: Arrays = {}
    for place, variable in seen.found.items():
        if not isinstance(variable, keras.Variable):
            raise EngineFailed(
                "{} saves {!r} in a way of its own".format(model.name, place),
                "layers that save variables",
            )
        kind = "weight" if id(variable) in weights else "other"
        kind = "slot" if id(variable) in slots else kind
        path = variable.path.partition("/")[2] if kind == "slot" else variable.path
        listed.append(
            {
                "place": place,
                "path": path,
                "shape": list(variable.shape),
                "dtype": str(variable.dtype),
                "kind": kind,
            }
        )
        if kind == "other" or int(np.prod(variable.shape)) <= SMALL:
            values[place] = np.array(variable)
    config, metadata = saving_lib._serialize_model_as_json(model)
    return {
        "variables": listed,
        "names": seen.names,
        "config": config,
        "metadata": metadata,
        "model": describing.describe(
            model, [(e["path"], e) for e in listed if e["kind"] == "slot"]
        ),
    }, values


@contextlib.contextmanager
def _handing_over_variables(optimizer: Any) -> Iterator[None]:
    """Have an optimizer hand over its variables, where Keras has it hand over their values."""
    if optimizer is None:
        yield
        return

    def hand_over(store: Any) -> None:
        for i, variable in enumerate(optimizer.variables):
            store[str(i)] = variable

    optimizer.save_own_variables = hand_over
    try:
        yield
    finally:
        del optimizer.save_own_variables
