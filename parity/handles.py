"""Proposes what of a graph is what of a Keras model, its weights aside: what is fed, what is given.

From names, shapes and structure. What cannot be told is asked for, by naming what was seen.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from parity.errors import BadInput, look_up
from parity.graphfile import Draw, Graph, Optimizer, Output
from parity.proposals import ORDERED, pairing, squeezed

# A Keras layer's last activation -> the op that gives the same in a graph.
NO_OPTIMIZER = (
    "none in the graph whose loss is known: only variables are compared, and forward, dropout off"
)
NOT_TRAINED = "; the Keras model is not compiled: only variables and forward are compared"
ACTIVATIONS = {"softmax": "Softmax", "sigmoid": "Sigmoid"}


@dataclasses.dataclass(frozen=True)
class Said:
    """What a user has decided; what is empty is proposed.

    Args:
        outputs: tensor of the graph -> the Keras layer that gives it.
        optimizer: train op of the optimizer that is compared.
        evaluation: input of the graph -> its value when the model does not train.
        weights: variable of the graph -> path of a Keras weight.
        fed: input or target of the graph -> Keras input, or the output that is its target; empty
            where the graph alone takes it.
    """

    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    optimizer: str = ""
    evaluation: Mapping[str, float] = dataclasses.field(default_factory=dict)
    weights: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fed: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Handles:
    """What of a graph is what of a Keras model.

    Args:
        optimizer: the one that trains both; None where the graph has none whose loss is known.
        outputs: tensor of the graph -> Keras layer.
        inputs: what is fed row by row -> Keras input, or nothing where the graph alone takes it.
        targets: the same of what a loss is taken against -> Keras output.
        training: what is fed as a number -> its value in training.
        evaluation: the same otherwise.
        dropout: scope of a draw -> Keras layer.
    """

    optimizer: Optimizer | None
    outputs: Mapping[str, str]
    inputs: Mapping[str, str]
    targets: Mapping[str, str]
    training: Mapping[str, float]
    evaluation: Mapping[str, float]
    dropout: Mapping[str, str]

    @property
    def several(self) -> bool:
        """Whether anything had to be told apart by name or order."""
        parts = (self.inputs, self.targets, self.outputs, self.dropout)
        return any(len(part) > 1 for part in parts)

    def lines(self, optimizer: str) -> list[tuple[str, str]]:
        """Return what was decided, for people: what, and what it is.

        Args:
            optimizer: class of the Keras model's; empty if it is not compiled.
        """
        trains = NO_OPTIMIZER
        if self.optimizer:
            trains = self.optimizer.kind + (f" is {optimizer}" if optimizer else NOT_TRAINED)
        return [
            *(("input", _line(*each)) for each in self.inputs.items()),
            *(("target", _line(*each)) for each in self.targets.items()),
            *(("output", _line(*each)) for each in self.outputs.items()),
            *([("loss", self.optimizer.loss)] if self.optimizer else []),
            ("optimizer", trains),
            *(("dropout", _line(*each)) for each in self.dropout.items()),
            *(
                (name, f"{self.training[name]:g} in training, {value:g} otherwise")
                for name, value in self.evaluation.items()
            ),
        ]


def propose_handles(graph: Graph, description: Mapping[str, Any], said: Said) -> Handles:
    """Propose what of a graph is what of a Keras model.

    Args:
        graph: what is in the graph file.
        description: of the Keras model, as `parity.runners.describing` tells it.
        said: what a user has decided.

    Raises:
        BadInput: something cannot be told; says what was seen, and how to decide it.
    """
    optimizer = None
    if said.optimizer or any(each.loss for each in graph.optimizers):
        optimizer = _optimizer(graph, said)
    outputs = _outputs(graph, description["outputs"], said)
    behind = {name for each in graph.outputs if each.name in outputs for name in each.inputs}
    rows = {name: value for name, value in graph.feed.items() if value.ndim}
    numbers = {name: value.item() for name, value in graph.feed.items() if not value.ndim}
    for what, names, known in (
        ("tensor that is fed row by row", said.fed, rows),
        ("tensor that is fed a number", said.evaluation, numbers),
    ):
        for name in names:
            look_up(what, name, known)
    _same_rows(rows)
    aliases = {each.name: each.alias for each in graph.inputs if each.alias}
    ahead = {name: value for name, value in rows.items() if name in behind}
    after = {name: value for name, value in rows.items() if name not in behind}
    return Handles(
        optimizer,
        outputs,
        _paired("input", ahead, description["inputs"], said, aliases),
        _paired("target", after, description["outputs"], said, aliases) if optimizer else {},
        numbers,
        {name: _evaluation(name, graph.feed[name], said) for name in numbers},
        _dropout(graph.draws, description["dropout"]) if optimizer else {},
    )


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


def _outputs(graph: Graph, layers: Sequence[Mapping[str, Any]], said: Said) -> dict[str, str]:
    """Return the tensors that the Keras model gives, each with the layer that gives it."""
    tensors = {each.name: each for each in graph.outputs}
    called = {each.name: each.alias or each.name for each in graph.outputs}
    given = {each["name"] for each in layers}
    for name, giver in said.outputs.items():
        if giver in given:  # any tensor may be what an inner layer gives
            look_up("output", name, tensors)
    found = dict(said.outputs)
    if len(set(found.values())) < len(found):
        raise BadInput(f"--tensor names a layer twice: {', '.join(found.values())}", "once")
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for layer in layers:
        if layer["name"] not in found.values():
            fitting = (o.name for o in graph.outputs if o.name not in found and _fits(o, layer))
            groups[tuple(fitting)].append(layer)
    for names, wanted in groups.items():
        pairs = []
        if len(names) == len(wanted):
            pairs = pairing([called[n] for n in names], [each["name"] for each in wanted])
        if not pairs or any(reason.startswith(ORDERED) for _, _, reason in pairs):
            seen = ", ".join(f"{o.name} {o.shape} ({o.op})" for o in graph.outputs) or "none"
            asked = ", ".join(
                f"{each['name']} {tuple(each['shape'])} ({each['activation']})" for each in wanted
            )
            raise BadInput(
                f"{len(names)} outputs of the graph may be the Keras model's {asked}; seen: {seen}",
                "one for each, told apart by shape or name",
                f"name it with --tensor TENSOR={wanted[0]['name']}",
            )
        found.update({names[i]: wanted[j]["name"] for i, j, _ in pairs})
    return found


def _fits(output: Output, layer: Mapping[str, Any]) -> bool:
    """Tell whether a tensor may be what a layer gives: its shape and last activation fit."""
    kind = ACTIVATIONS.get(layer["activation"], "")
    return (
        output.shape is not None
        and list(output.shape[1:]) == layer["shape"][1:]
        and (output.op == kind if kind else output.op not in ACTIVATIONS.values())
    )


def _paired(
    what: str,
    fed: Mapping[str, np.ndarray],
    wanted: Sequence[Mapping[str, Any]],
    said: Said,
    aliases: Mapping[str, str],
) -> dict[str, str]:
    """Pair what the graph is fed with Keras's inputs, or with the outputs it is the target of.

    Inputs that pair off have one shape. A target may be class ids or one-hot rows, whatever the
    shape of its output: targets are told apart by name.
    """
    shapes = {each["name"]: tuple(each["shape"][1:]) for each in wanted}
    found = {name: said.fed[name] for name in fed if name in said.fed}
    for name in filter(None, found.values()):
        look_up(f"Keras {what}", name, shapes)
    left = [name for name in fed if name not in found]
    free = [name for name in shapes if name not in found.values()]
    kind = _kind_of_shape([shapes[name] for name in free]) if what == "input" else _of_no_shape
    groups: dict[tuple[int, ...], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for name in left:
        groups[kind(fed[name].shape[1:])][0].append(name)
    for name in free:
        groups[kind(shapes[name])][1].append(name)
    for names, others in groups.values():
        called = [aliases.get(name, name) for name in names]
        pairs = pairing(called, others) if len(names) == len(others) else []
        if not pairs or any(reason.startswith(ORDERED) for _, _, reason in pairs):
            seen = ", ".join(f"{name} {fed[name].shape}" for name in left) or "none"
            asked = ", ".join(f"{name} {(None, *shapes[name])}" for name in free) or "none"
            raise BadInput(
                f"the graph was fed {len(left)} {what}s: {seen}; the Keras model has {len(free)}: "
                f"{asked}",
                "one for each, told apart by shape or name",
                "say --fed TENSOR=NAME what belongs together, and --fed TENSOR= of what the graph "
                "alone takes",
            )
        found.update({names[i]: others[j] for i, j, _ in pairs})
    return found


def _kind_of_shape(
    shapes: Sequence[tuple[int | None, ...]],
) -> Callable[[tuple[Any, ...]], tuple[int, ...]]:
    """Return what tells inputs apart: their sizes, or their ranks where a size is open."""
    if any(None in shape for shape in shapes):
        return lambda shape: (len(shape),)
    return squeezed


def _of_no_shape(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return ()


def _same_rows(rows: Mapping[str, np.ndarray]) -> None:
    if len({len(value) for value in rows.values()}) > 1:
        seen = ", ".join(f"{name} {value.shape}" for name, value in rows.items())
        raise BadInput(
            f"the graph was fed arrays of different first sizes: {seen}",
            "one row for each sample in all of them",
            "what is no batch, such as a state that is carried on or weights of classes, is not "
            "compared yet",
        )


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


def _line(tensor: str, name: str) -> str:
    return f"{tensor} is {name}" if name else f"{tensor}, which the graph alone takes"
