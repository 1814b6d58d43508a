"""Makes a pair of a graph file and a Keras model that know nothing of each other.

What can be seen is proposed with its reason; what cannot is asked for, by naming what was seen.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.dataset import Dataset, Origin
from parity.asking import Asked, Choices, Said
from parity.cases import Request
from parity.engines import LEADER
from parity.errors import BadInput
from parity.feeds import MADE_FROM, Fed
from parity.graphfile import Graph, Optimizer
from parity.handles import Handles, propose_handles
from parity.keys import RUNGS
from parity.pair import STEPS, Data, Pair, Schedule, Wiring
from parity.proposals import Proposal, propose, slots_of
from parity.slots import Slots, slots_together
from parity.wire import Job, Model

FORWARD_RUNGS = RUNGS[: RUNGS.index("forward") + 1]
MOVED = 0.1  # how far what a script starts at a constant is moved: see `starting`


@dataclasses.dataclass(frozen=True)
class Given(Data):
    """The batch that came with the graph file, or what a user gives in its place.

    Args:
        dataset: it, to train and to test on.
    """

    loader: str = ""
    dataset: Dataset | None = dataclasses.field(default=None, repr=False)

    def load(self) -> Dataset:
        """Return the batch."""
        assert self.dataset is not None
        return self.dataset


@dataclasses.dataclass(frozen=True)
class Proposed:
    """A pair that was proposed.

    Args:
        pair: ready to be proved.
        weights: which variable is which weight, and why.
        lines: what else was decided: what, and what it is.
        several: whether inputs, targets, outputs or dropout layers had to be told apart.
        said: all of it, as a user would have decided it.
    """

    pair: Pair
    weights: Proposal
    lines: Sequence[tuple[str, str]]
    several: bool = False
    said: Said = dataclasses.field(default_factory=Said)

    @property
    def choices(self) -> Choices:
        """What order alone decided: variable or scope -> what else it may be, as it is first."""
        return {"weights": {each.name: each.among for each in self.weights.open}}


def question(name: str, keras: str) -> Request:
    """Return what a Keras engine is asked that is to describe a model."""
    return Request(LEADER, Job("describe", Model(name, keras, {})), {})


def described(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the description in an engine's answer."""
    description: dict[str, Any] = json.loads(arrays["description"].tobytes().decode())
    return description


def propose_pair(
    name: str, path: Path, fed: Fed, keras: str, description: Mapping[str, Any], said: Said
) -> Proposed:
    """Propose how a graph file and a Keras model go together.

    Args:
        name: of the pair.
        path: of the graph file.
        fed: what is in it, and what it is trained on.
        keras: ``module:attribute`` that builds the Keras model, or a ``.keras`` file.
        description: of that model, as `parity.runners.describing` tells it.
        said: what a user has decided.

    Raises:
        BadInput: something cannot be told; says what was seen, and how to decide it.
    """
    graph = fed.graph
    try:
        handles = propose_handles(graph, description, said)
    except Asked as question:
        with contextlib.suppress(BadInput):  # the question comes first
            seen, _ = propose_layout(graph, {}, description, said)
            sure = {each.name: each.path for each in seen.entries if not each.among}
            question.known = question.known.over(Said(weights=sure))
        raise
    optimizer, trains = handles.optimizer, description["optimizer"]
    weights, slots = propose_layout(graph, handles.optimizers, description, said)
    dataset = _dataset(name, fed, handles)
    in_order = (len(dataset.x_train),) if handles.carried else ()  # a state belongs to its row
    pair = Pair(
        name=name,
        title=f"{graph.made_by['source']} and {keras}",
        graph=str(path.resolve()),
        keras=keras,
        data=Given(dataset=dataset),
        wiring=_wiring(handles),
        layout=weights.layout(slots),
        schedule=Schedule(1, len(dataset.x_train), steps=STEPS, batches=fed.sizes or in_order),
        rungs=RUNGS if optimizer and trains else FORWARD_RUNGS,
    )
    classes = {name: each["class"] for name, each in _trainers(description).items()}
    lines = handles.lines(classes)
    told = {each.name: each.path for each in weights.entries}
    whole = dataclasses.replace(handles.said, weights=told)
    return Proposed(pair, weights, lines, handles.several, whole)


def propose_layout(
    graph: Graph, optimizers: Mapping[str, Optimizer], description: Mapping[str, Any], said: Said
) -> tuple[Proposal, Slots]:
    """Propose which variable of a graph is which weight of a Keras model, and which slot which.

    Args:
        graph: what is in a graph file.
        optimizers: what trains both, by attribute of the Keras model; none for no slots.
        description: of the Keras model; if that is not compiled, there are no slots.
        said: what a user has decided.

    Raises:
        BadInput: weights do not pair off, or there is no rule for the optimizer's slots.
    """
    of_optimizers = {slot for each in graph.optimizers for slot in each.slots}
    variables = [v for v in graph.variables if not v.setting and v.name not in of_optimizers]
    trainers = _trainers(description)
    parts = {
        name: slots_of(each, graph.variables, trainers[name])
        for name, each in optimizers.items()
        if name in trainers
    }
    slots = next(iter(parts.values()), Slots({}))
    if len(parts) > 1:
        slots = slots_together(parts, {name: optimizers[name].variables for name in parts})
    return propose(variables, description["layers"], said.weights), slots


def _trainers(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the optimizers of a Keras model by attribute; none if it is not compiled."""
    own = description["optimizer"]
    return {"optimizer": own, **description.get("optimizers", {})} if own else {}


def _wiring(handles: Handles) -> Wiring:
    """Return which part of one model answers to which of the other."""
    return Wiring(
        taps=handles.outputs,
        dropout=handles.dropout,
        training_feeds=handles.training,
        evaluation_feeds=handles.evaluation,
        metrics=("loss",),
        output="",
        handles=_handles(handles),
        fed={**handles.inputs, **handles.targets},
        quiet=handles.optimizer is None,
        trained=handles.trained,
        carried=handles.carried,
    )


def _handles(handles: Handles) -> dict[str, str]:
    """Return what the names of losses, and of the only train op, stand for."""
    if handles.trained or not handles.optimizer:
        losses = zip(handles.trained, handles.optimizers.values(), strict=False)
        return {each.loss: optimizer.loss for each, optimizer in losses}
    return {"loss": handles.optimizer.loss, "train_op": handles.optimizer.train_op}


def starting(graph: Graph) -> dict[str, np.ndarray]:
    """Return weights to start from: the script's own, none of them constant.

    What a script starts at a constant, as a bias at zero, is moved: two constant weights that were
    exchanged would not show. By whole 4096ths, so that a constant which Keras holds inside a weight
    is added and taken away exactly.
    """
    random = np.random.RandomState(0)
    others = {slot for each in graph.optimizers for slot in each.slots}
    others |= {each.name for each in graph.variables if each.setting}
    found = {}
    for name, value in graph.values.items():
        if name in others or value.dtype.kind != "f":
            continue
        if value.size and (value == value.flat[0]).all():
            moves = np.round(random.uniform(-MOVED, MOVED, value.shape) * 4096) / 4096
            value = (value + moves).astype(value.dtype)
        found[name] = value
    return found


def _dataset(name: str, fed: Fed, handles: Handles) -> Dataset:
    """Return what is trained on, each part under the names of its tensors; tested on the first."""
    graph = fed.graph
    rows = {**graph.feed, **fed.rows}
    x = _table({name: rows[name] for name in handles.inputs})
    y = np.empty(len(x), [])  # rows of no parts
    if handles.targets:
        y = _table({name: rows[name] for name in handles.targets})
    first = slice(fed.sizes[0] if fed.sizes else None)
    digest = hashlib.sha256(x.tobytes() + y.tobytes())
    source = graph.made_by["source"]
    given = graph.made_by.get(MADE_FROM, "")
    detail = f"the inputs of {given}" if given else f"the first batch that {source} trains on"
    detail = "invented inputs" if graph.invented else detail
    return Dataset(
        x_train=x,
        y_train=y,
        x_test=x[first],
        y_test=y[first],
        labels=(),
        encode=lambda texts: np.zeros((len(texts), 0)),
        hyperparameters={},
        origin=Origin(
            name,
            "synthetic" if graph.invented else "user" if given else "script",
            graph.invented,
            detail,
            digest.hexdigest(),
        ),
        weights=starting(graph),
    )


def _table(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return arrays of as many rows as one structured array, whose fields have their names."""
    rows = len(next(iter(columns.values())))
    table = np.empty(
        rows, [(name, value.dtype, value.shape[1:]) for name, value in columns.items()]
    )
    for name, value in columns.items():
        table[name] = value
    return table
