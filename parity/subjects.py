"""The two models of a conversion, and where the variables of the Keras one lie in its files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from parity import graphfile, wire
from parity.asking import Said
from parity.cases import Request
from parity.checkpoints import Reader
from parity.checkpoints.keras_files import KerasReader
from parity.engines import LEADER
from parity.errors import BadInput
from parity.layout import Layout
from parity.pair import Pair
from parity.pairfile import propose_layout
from parity.proposals import Proposal
from parity.trainers import optimizer_of
from parity.wire import Arrays, Job, Model

# Puts a question to an engine; returns the arrays of its answer.
Ask = Callable[[Request], Mapping[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Place:
    """A variable of a Keras model, and where it lies in the model's files.

    Args:
        place: in the file.
        path: Keras's name of it, as rules have it.
        shape: its sizes.
        dtype: NumPy's name of its dtype.
        kind: ``weight``, ``slot`` or ``other``.
    """

    place: str
    path: str
    shape: tuple[int, ...]
    dtype: str
    kind: str


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a Keras model's variables lie in its files.

    Args:
        variables: all that Keras saves.
        names: group of places -> name of its layer.
        values: place -> value as the model starts with it, of what is small and of all others.
        config: the model's configuration, as a `.keras` file has it.
        metadata: who wrote it, the same.
        model: what it is made of.
    """

    variables: tuple[Place, ...]
    names: Mapping[str, str]
    values: Arrays
    config: str
    metadata: str
    model: Mapping[str, Any]

    def of(self, kind: str) -> dict[str, Place]:
        """Return the variables of a kind by path."""
        return {each.path: each for each in self.variables if each.kind == kind}

    @property
    def others(self) -> Arrays:
        """Values by place of what is neither weight nor slot, as the model starts with them."""
        places = [each.place for each in self.variables if each.kind == "other"]
        return {place: self.values[place] for place in places}


def in_file(variables: Mapping[str, Place]) -> dict[str, str]:
    """Return variables by path as path -> place."""
    return {path: each.place for path, each in variables.items()}


def of_optimizer(place: str) -> bool:
    """Tell whether a place is the optimizer's."""
    return place.startswith("optimizer/")


@dataclasses.dataclass(frozen=True)
class Subject:
    """The two models between which is converted.

    Args:
        name: for messages.
        keras: ``module:attribute`` that builds the Keras model, or a ``.keras`` file.
        variables: names of weights on the TensorFlow 1 side, or of some of them.
        layout: called with what the Keras model is made of; returns the rules.
        hyperparameters: keyword arguments of the builder.
        settings: variables of the graph that are but settings of training, as a rate that the
            script assigns: Keras has none of them, and a checkpoint gets them as they are here.
    """

    name: str
    keras: str
    variables: tuple[str, ...]
    layout: Callable[[Mapping[str, Any]], Layout]
    hyperparameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def with_sizes(self, hyperparameters: Mapping[str, Any]) -> Subject:
        """Return the same models, the Keras one built with these keyword arguments."""
        return dataclasses.replace(self, hyperparameters=hyperparameters)


def of_pair(pair: Pair, hyperparameters: Mapping[str, Any]) -> Subject:
    """Return a pair of the table as a subject."""
    names = tuple(name for rule in pair.layout.rules for name in rule.tf1)
    return Subject(pair.name, pair.keras, names, lambda _: pair.layout, hyperparameters)


def of_graph(
    path: Path,
    keras: str,
    said: Said,
    tell: Callable[[Proposal], None] = lambda _: None,
    order: bool = False,
) -> Subject:
    """Return a graph file and a Keras model that know nothing of each other as a subject.

    Args:
        path: of the graph file.
        keras: ``module:attribute``, or a ``.keras`` file.
        said: what a user has decided of weights and optimizer.
        tell: called with what is paired with what, and why.
        order: whether order alone may pair: enough to look at a file, not to convert it.

    Raises:
        BadInput: the file is no graph file, or several optimizers train it.
    """
    graph = graphfile.read(str(path))
    if said.train_ops:
        raise BadInput(
            f"{path.name} is trained by several optimizers, which a Keras model saves in a way of "
            "its own",
            "a model with one optimizer",
            "set the weights from tf.train.load_checkpoint, by the [weights] of the pair file",
        )

    def layout(description: Mapping[str, Any]) -> Layout:
        own = optimizer_of(graph, said)
        optimizers = {} if own is None else {"optimizer": own}
        weights, slots = propose_layout(graph, optimizers, description, said)
        tell(weights)
        if weights.open and not order:
            names = ", ".join(name for entry in weights.open for name in entry.tf1)
            raise BadInput(
                f"these were paired by order alone: {names}",
                "a reason to pair them so",
                "have `parity check` tell them apart and keep it with --save-pair pair.toml, then "
                "convert by that file; or say --weight VARIABLE=PATH",
            )
        return weights.layout(slots)

    names = tuple(each.name for each in graph.variables if each.trainable)
    settings = {each.name: graph.values[each.name] for each in graph.variables if each.setting}
    return Subject(path.name, keras, names, layout, settings=settings)


def question(subject: Subject, dtype: str) -> Request:
    """Return what a Keras engine is asked that is to tell where a model's variables lie."""
    model = Model(subject.name, subject.keras, subject.hyperparameters, dtype)
    return Request(LEADER, Job("places", model), {})


def places_of(arrays: Mapping[str, np.ndarray]) -> Places:
    """Return what is in the answer to that question."""
    told = json.loads(arrays["description"].tobytes().decode())
    listed = (dict(each, shape=tuple(each["shape"])) for each in told.pop("variables"))
    return Places(
        tuple(Place(**each) for each in listed), values=wire.under(arrays, "values"), **told
    )


def places_in(ask: Ask, subject: Subject, reader: Reader) -> Places:
    """Have a Keras engine tell where the variables of a model lie, in the dtype of a file.

    Raises:
        BadInput: not one weight of the model is in the file, or they are of several dtypes.
        EngineFailed: the model cannot be built.
    """
    return places_of(ask(question(subject, dtype_of(reader, subject))))


def dtype_of(reader: Reader, subject: Subject) -> str:
    """Return the dtype that a model must have for the weights in a file.

    Raises:
        BadInput: as `places_in`.
    """
    stored = reader.variables
    names = [name for name in subject.variables if name in stored]
    if isinstance(reader, KerasReader):
        names = [name for name in stored if not of_optimizer(name)]
    found = {stored[name].dtype for name in names}
    if len(found) == 1 and found <= {"float32", "float64"}:
        return found.pop()
    if not found:
        raise BadInput(
            f"not one weight of {subject.name} is in this file; it holds "
            + (", ".join([*stored][:6]) or "nothing"),
            ", ".join(subject.variables[:6]),
            "look what is in it with `parity inspect`; `parity list` names the pairs",
        )
    raise BadInput(f"its weights are {', '.join(sorted(found))}", "all float32, or all float64")
