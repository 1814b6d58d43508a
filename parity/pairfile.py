"""Makes a pair of a graph file and a Keras model that know nothing of each other.

What can be seen is proposed with its reason; what cannot is asked for, by naming what was seen.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.dataset import Dataset, Origin
from parity.cases import Request
from parity.engines import LEADER
from parity.errors import BadInput, look_up
from parity.graphfile import Draw, Graph, Optimizer, Output
from parity.pair import STEPS, Data, Pair, Schedule, Stock, Wiring
from parity.proposals import Proposal, propose, slots_of
from parity.wire import Job, Model

# A Keras layer's last activation -> the op that gives the same in a graph.
ACTIVATIONS = {"softmax": "Softmax", "sigmoid": "Sigmoid"}
MOVED = 0.1  # how far what a script starts at a constant is moved: see `starting`


@dataclasses.dataclass(frozen=True)
class Said:
    """What a user has decided; what is empty is proposed.

    Args:
        output: tensor of the graph that is the Keras model's output.
        optimizer: train op of the optimizer that is compared.
        evaluation: input of the graph -> its value when the model does not train.
        weights: variable of the graph -> path of a Keras weight.
    """

    output: str = ""
    optimizer: str = ""
    evaluation: Mapping[str, float] = dataclasses.field(default_factory=dict)
    weights: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Given(Data):
    """The batch that came with the graph file.

    Args:
        dataset: that batch, to train and to test on.
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
        lines: what else was decided, and why: what, and what it is.
    """

    pair: Pair
    weights: Proposal
    lines: Sequence[tuple[str, str]]


def question(name: str, keras: str) -> Request:
    """Return what a Keras engine is asked that is to describe a model."""
    return Request(LEADER, Job("describe", Model(name, keras, {})), {})


def described(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the description in an engine's answer."""
    description: dict[str, Any] = json.loads(arrays["description"].tobytes().decode())
    return description


def propose_pair(
    name: str, path: Path, graph: Graph, keras: str, description: Mapping[str, Any], said: Said
) -> Proposed:
    """Propose how a graph file and a Keras model go together.

    Args:
        name: of the pair.
        path: of the graph file.
        graph: what is in it.
        keras: ``module:attribute`` that builds the compiled Keras model.
        description: of that model, as `parity.runners.describing` tells it.
        said: what a user has decided.

    Raises:
        BadInput: something cannot be told; says what was seen, and how to decide it.
    """
    optimizer = _optimizer(graph, said)
    output = _output(graph, description, said)
    x, y, constants = _fed(graph, output)
    evaluation = {n: _evaluation(n, graph.feed[n], said) for n in constants}
    slots = {slot for each in graph.optimizers for slot in each.slots}
    variables = [v for v in graph.variables if v.name not in slots]
    weights = propose(variables, description["layers"], said.weights)
    sites = _dropout(graph.draws, description["dropout"])
    wiring = Wiring(
        taps={output.name: description["outputs"][0]["name"]},
        dropout=sites,
        training_feeds={n: graph.feed[n].item() for n in constants},
        evaluation_feeds=evaluation,
        metrics=("loss",),
        output="",
        handles={"x": x, "y": y, "loss": optimizer.loss, "train_op": optimizer.train_op},
    )
    dataset = _dataset(name, graph, x, y)
    pair = Pair(
        name=name,
        title=f"{graph.made_by['source']} and {keras}",
        graph=str(path.resolve()),
        keras=keras,
        data=Given(dataset=dataset),
        wiring=wiring,
        layout=weights.layout(slots_of(optimizer, graph.variables, description["optimizer"])),
        schedule=Schedule(1, len(dataset.x_train), steps=STEPS),
        stock=Stock("", 0.0, ""),  # it is not asked
    )
    lines = [
        ("input", f"{x} is {description['inputs'][0]['name']}"),
        ("target", y),
        ("output", f"{output.name} ({output.op}) is {description['outputs'][0]['name']}"),
        ("loss", optimizer.loss),
        ("optimizer", f"{optimizer.kind} is {description['optimizer']['class']}"),
        *(("dropout", f"{draw} is {layer}") for draw, layer in sites.items()),
        *(
            (n, f"{graph.feed[n].item():g} in training, {v:g} otherwise")
            for n, v in evaluation.items()
        ),
    ]
    return Proposed(pair, weights, lines)


def starting(graph: Graph) -> dict[str, np.ndarray]:
    """Return weights to start from: the script's own, none of them constant.

    What a script starts at a constant, as a bias at zero, is moved: two constant weights that were
    exchanged would not show. By whole 4096ths, so that a constant which Keras holds inside a weight
    is added and taken away exactly.
    """
    random = np.random.RandomState(0)
    slots = {slot for each in graph.optimizers for slot in each.slots}
    found = {}
    for name, value in graph.values.items():
        if name in slots or value.dtype.kind != "f":
            continue
        if value.size and (value == value.flat[0]).all():
            moves = np.round(random.uniform(-MOVED, MOVED, value.shape) * 4096) / 4096
            value = (value + moves).astype(value.dtype)
        found[name] = value
    return found


def _optimizer(graph: Graph, said: Said) -> Optimizer:
    known = {each.train_op: each for each in graph.optimizers if each.loss}
    if said.optimizer:
        return look_up("optimizer's train op", said.optimizer, known)
    if len(known) != 1:
        raise BadInput(
            f"the graph has {len(known)} optimizers whose loss was seen: "
            + (", ".join(f"{o.train_op} ({o.kind}, {o.loss})" for o in known.values()) or "none"),
            "one",
            "choose one with --optimizer TRAIN_OP" if known else "",
        )
    return next(iter(known.values()))


def _output(graph: Graph, description: Mapping[str, Any], said: Said) -> Output:
    """Return the tensor that is what the Keras model gives."""
    outputs = {each.name: each for each in graph.outputs}
    if said.output:
        return look_up("output", said.output, outputs)
    if len(description["outputs"]) != 1:
        raise BadInput(f"the Keras model has {len(description['outputs'])} outputs", "one")
    wanted = description["outputs"][0]
    kind = ACTIVATIONS.get(wanted["activation"], "")
    fitting = [
        each
        for each in outputs.values()
        if each.shape is not None
        and list(each.shape[1:]) == wanted["shape"][1:]
        and (each.op == kind if kind else each.op not in ACTIVATIONS.values())
    ]
    if len(fitting) != 1:
        seen = ", ".join(f"{o.name} {o.shape} ({o.op})" for o in graph.outputs) or "none"
        raise BadInput(
            f"{len(fitting)} outputs of the graph may be the Keras model's "
            f"{wanted['name']} {tuple(wanted['shape'])} ({wanted['activation']}); seen: {seen}",
            "one",
            "name it with --tensor TENSOR",
        )
    return fitting[0]


def _fed(graph: Graph, output: Output) -> tuple[str, str, list[str]]:
    """Return the graph's input, its target, and what is fed that is a number alone."""
    arrays = [name for name, value in graph.feed.items() if value.ndim]
    constants = [name for name, value in graph.feed.items() if not value.ndim]
    inputs = [name for name in arrays if name in output.inputs]
    targets = [name for name in arrays if name not in output.inputs]
    for what, found in (("inputs", inputs), ("targets", targets)):
        if len(found) != 1:
            raise BadInput(
                f"the graph was fed {len(found)} {what}: {', '.join(found) or 'none'}",
                "one",
                "models of several are not compared yet",
            )
    return inputs[0], targets[0], constants


def _evaluation(name: str, value: np.ndarray, said: Said) -> float:
    """Return what is fed outside of training in the place of a number."""
    if name in said.evaluation:
        return said.evaluation[name]
    if value.dtype == bool:
        return 0.0
    words = name.lower()
    if "keep" in words:
        return 1.0
    if "drop" in words or "rate" in words:
        return 0.0
    raise BadInput(
        f"{name} was fed {value.item()} in training",
        "its value when the model does not train",
        f"say it with --evaluation {name}=VALUE",
    )


def _dropout(draws: Sequence[Draw], layers: Sequence[str]) -> dict[str, str]:
    """Pair the graph's draws with Keras's dropout layers, in order."""
    if strange := [d for d in draws if d.in_loop or d.op != "RandomUniform"]:
        said = ", ".join(f"{d.name} ({d.op}{', in a loop' if d.in_loop else ''})" for d in strange)
        raise BadInput(
            f"the graph draws what a Keras model cannot be given yet: {said}",
            "dropout outside of loops",
            "compare it with that dropout or noise switched off in the script",
        )
    names = [draw.name for draw in draws]
    if len(names) != len(layers):
        raise BadInput(
            f"the graph draws {len(names)} times ({', '.join(names) or 'never'}), the Keras model "
            f"drops in {len(layers)} layers ({', '.join(layers) or 'none'})",
            "as many of both",
            "give the Keras model the dropout of the graph",
        )
    scopes = [name.rpartition("/")[0] or name for name in names]
    return dict(zip(scopes, layers, strict=True))


def _dataset(name: str, graph: Graph, x: str, y: str) -> Dataset:
    """Return the batch of the graph file."""
    batch = graph.feed[x], graph.feed[y]
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in batch))
    source = graph.made_by["source"]
    detail = "invented inputs" if graph.invented else f"the first batch that {source} trains on"
    return Dataset(
        x_train=batch[0],
        y_train=batch[1],
        x_test=batch[0],
        y_test=batch[1],
        labels=(),
        encode=lambda texts: np.zeros((len(texts), 0)),
        hyperparameters={},
        origin=Origin(
            name,
            "synthetic" if graph.invented else "script",
            graph.invented,
            detail,
            digest.hexdigest(),
        ),
        weights=starting(graph),
    )
