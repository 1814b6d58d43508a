"""The registry of engines: the ways to run one side, and what each may be asked for."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from datasets.sources import cache_folder
from parity.errors import BadInput, EngineFailed, look_up

ROOT = Path(__file__).resolve().parent.parent
TF1_PYTHON = "PARITY_TF1_PYTHON"
TF1_FOLDER = "tf1"  # in the cache: what `parity setup-tf1` has built
# As in tox.ini, where the reasons stand.
TF1_REQUIREMENTS = ("tensorflow==1.15.5", "protobuf<3.21", "numpy<1.19")


@dataclasses.dataclass(frozen=True)
class Engine:
    """One way to run one side.

    Args:
        name: what users call it.
        family: the runner that it starts, ``graph`` or ``keras3``.
        about: one line for people.
        leads: whether it draws the dropout masks that all others are fed.
        environment: variables set in its process.
    """

    name: str
    family: str
    about: str
    leads: bool = False
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def python(self) -> str | None:
        """Return the interpreter that it runs on, or None where there is none."""
        return tf1_python() if self.name == "tf1" else sys.executable


ENGINES: Mapping[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("tf1", "graph", "TensorFlow 1.15.5 itself, on CPython 3.7"),
        Engine("graph", "graph", "tf.compat.v1 on the installed TensorFlow"),
        Engine(
            "keras",
            "keras3",
            "Keras 3 on TensorFlow",
            leads=True,
            environment={"KERAS_BACKEND": "tensorflow"},
        ),
    )
}
LEADER = next(engine for engine in ENGINES.values() if engine.leads)


def find(name: str) -> Engine:
    """Return the engine called `name`.

    Raises:
        BadInput: there is none; the known ones are listed.
    """
    return look_up("engine", name, ENGINES)


def tf1_python() -> str | None:
    """Return the interpreter that has TensorFlow 1.15.5: the one named, tox's, or the cache's."""
    if named := os.environ.get(TF1_PYTHON):
        return named
    places = (ROOT / ".tox" / "oracle", cache_folder() / TF1_FOLDER)
    built = (place / "bin" / "python" for place in places)
    return next((str(python) for python in built if python.exists()), None)


def tf1_missing() -> EngineFailed:
    """Return the error that says how to get TensorFlow 1.15.5."""
    return EngineFailed(
        "the engine 'tf1' is not here",
        "TensorFlow 1.15.5 on CPython 3.7",
        f"run `parity setup-tf1` (in a checkout `tox -e oracle`), which fetches both, or set "
        f"{TF1_PYTHON} to an interpreter that has them",
    )


def references(chosen: list[str] | None) -> list[Engine]:
    """Return the graph engines to ask: those named, with ``graph`` always among them.

    Args:
        chosen: names; if None, ``graph``, and ``tf1`` where it is.

    Raises:
        BadInput: a name is unknown.
        EngineFailed: a named engine is not here.
    """
    names = chosen or (["tf1"] if tf1_python() else [])
    found = [find(name) for name in dict.fromkeys([*names, "graph"])]
    for engine in found:
        if engine.python() is None:
            raise tf1_missing()
    return [engine for engine in found if engine.family == "graph"]


def visible_devices(device: str) -> dict[str, str]:
    """Return the environment that shows an engine just `device`.

    Raises:
        BadInput: `device` is not one of cpu, gpu, gpu:N.
    """
    if not device:
        return {}
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": "-1"}
    kind, _, number = device.partition(":")
    if kind == "gpu" and (number.isdigit() or device == "gpu"):
        return {"CUDA_VISIBLE_DEVICES": number} if number else {}
    raise BadInput(f"there is no device {device!r}", "cpu, gpu, or gpu:N such as gpu:0")
