"""Proposes what of a graph is what of a Keras model, its weights aside: what is fed, what is given.

From names, shapes and structure. What cannot be told is asked for, by naming what was seen.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from parity.asking import Asked, Asking, Said, together
from parity.errors import BadInput, look_up
from parity.graphfile import Draw, Graph, Optimizer, Output
from parity.pair import Trained
from parity.proposals import ORDERED, pairing, squeezed
from parity.trainers import loss_of, optimizers_of

NO_OPTIMIZER = (
    "none in the graph whose loss is known: only variables are compared, and forward, dropout off"
)
NOT_TRAINED = "; the Keras model is not compiled: only variables and forward are compared"
# A Keras layer's last activation -> the op that gives the same in a graph.
ACTIVATIONS = {"softmax": "Softmax", "sigmoid": "Sigmoid"}


@dataclasses.dataclass(frozen=True)
class Handles:
    """What of a graph is what of a Keras model.

    Args:
        optimizers: what trains both, in the order of a step: attribute of the Keras model -> the
            graph's; none where the graph has none whose loss is known.
        outputs: tensor of the graph -> Keras layer.
        inputs: what is fed row by row -> Keras input, or nothing where the graph alone takes it.
        targets: the same of what a loss is taken against -> Keras output.
        training: what is fed as a number -> its value in training.
        evaluation: the same otherwise.
        dropout: scope of a draw -> Keras layer.
        carried: input that is fed what the step before gave -> tensor that gives it.
    """

    optimizers: Mapping[str, Optimizer]
    outputs: Mapping[str, str]
    inputs: Mapping[str, str]
    targets: Mapping[str, str]
    training: Mapping[str, float]
    evaluation: Mapping[str, float]
    dropout: Mapping[str, str]
    carried: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def optimizer(self) -> Optimizer | None:
        """The only one, or the first that steps; None where there is none."""
        return next(iter(self.optimizers.values()), None)

    @property
    def trained(self) -> tuple[Trained, ...]:
        """All of several optimizers, in their order; nothing of one alone."""
        if len(self.optimizers) < 2:
            return ()
        return tuple(
            Trained(loss_of(name), each.train_op, name, each.variables)
            for name, each in self.optimizers.items()
        )

    @property
    def said(self) -> Said:
        """All of it, as a user would have decided it."""
        return Said(
            outputs=self.outputs,
            optimizer=self.optimizer.train_op if self.optimizer and not self.trained else "",
            evaluation=self.evaluation,
            fed={**self.inputs, **self.targets},
            dropout=self.dropout,
            train_ops={each.train_op: each.optimizer for each in self.trained},
            carried=self.carried,
        )

    @property
    def several(self) -> bool:
        """Whether anything had to be told apart by name or order."""
        parts = (self.inputs, self.targets, self.outputs, self.dropout)
        return any(len(part) > 1 for part in parts)

    def lines(self, classes: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return what was decided, for people: what, and what it is.

        Args:
            classes: of the Keras model's optimizers, by attribute; none if it is not compiled.
        """
        return [
            *(("input", _line(*each)) for each in self.inputs.items()),
            *(("target", _line(*each)) for each in self.targets.items()),
            *(("output", _line(*each)) for each in self.outputs.items()),
            *(("carried", f"{tensor} is the next {name}") for name, tensor in self.carried.items()),
            *self._trains(classes),
            *(("dropout", _line(*each)) for each in self.dropout.items()),
            *(
                (name, f"{self.training[name]:g} in training, {value:g} otherwise")
                for name, value in self.evaluation.items()
            ),
        ]

    def _trains(self, classes: Mapping[str, str]) -> list[tuple[str, str]]:
        if not self.optimizers:
            return [("optimizer", NO_OPTIMIZER)]
        found = []
        for number, (name, each) in enumerate(self.optimizers.items(), 1):
            kind = each.kind + (f" is {classes[name]}" if classes else NOT_TRAINED)
            if not self.trained:
                return [("loss", each.loss), ("optimizer", kind)]
            said = f"{each.train_op} is {name}, {kind}; its loss {each.loss} is {loss_of(name)}"
            found.append((f"step {number}", said))
        return found


def propose_handles(graph: Graph, description: Mapping[str, Any], said: Said) -> Handles:
    """Propose what of a graph is what of a Keras model.

    Args:
        graph: what is in the graph file.
        description: of the Keras model, as `parity.runners.describing` tells it.
        said: what a user has decided.

    Raises:
        BadInput: something cannot be told; says what was seen, and how to decide it.
    """
    rows = {name: value for name, value in graph.feed.items() if value.ndim}
    numbers = {name: value.item() for name, value in graph.feed.items() if not value.ndim}
    _check_said(said, rows, numbers)
    _same_rows(rows)
    ask = Asking()
    trains = bool(said.optimizer) or any(each.loss for each in graph.optimizers)
    optimizers = ask(optimizers_of, graph, description, said)
    outputs = ask(_outputs, graph, description["outputs"], said)
    inputs: dict[str, str] | None = {}
    targets: dict[str, str] | None = {}
    if outputs is not None:
        aliases = {each.name: each.alias for each in graph.inputs if each.alias}
        behind = {name for each in graph.outputs if each.name in outputs for name in each.inputs}
        ahead = {name: value for name, value in rows.items() if name in behind}
        inputs = ask(_paired, "input", ahead, description["inputs"], said, aliases)
        if trains:
            after = {name: value for name, value in rows.items() if name not in behind}
            aims = [each for each in description["outputs"] if each.get("loss", True)]
            if after or not description.get("own_step"):  # which may take its losses of inputs
                targets = ask(_paired, "target", after, aims, said, aliases)
    evaluation = {name: ask(_evaluation, name, graph.feed[name], said) for name in numbers}
    dropout = _dropout(graph.draws, description["dropout"], said) if trains else {}
    if ask.questions:
        told = Said(
            outputs=outputs or {},
            optimizer=said.optimizer,
            evaluation={n: value for n, value in evaluation.items() if value is not None},
            fed={**(inputs or {}), **(targets or {})},
            dropout=dropout,
        )
        raise together(ask.questions, told.over(said))
    assert outputs is not None
    assert inputs is not None
    assert targets is not None
    values = {name: value for name, value in evaluation.items() if value is not None}
    assert optimizers is not None
    found = Handles(optimizers, outputs, inputs, targets, numbers, values, dropout, said.carried)
    _check_steps(found)
    return found


def _check_said(said: Said, rows: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
    """Make sure that what a user says is fed is fed.

    Raises:
        BadInput: something is not.
    """
    for what, names, known in (
        ("tensor that is fed row by row", said.fed, rows),
        ("tensor that is fed a number", said.evaluation, numbers),
    ):
        for name in names:
            look_up(what, name, known)


def _check_steps(handles: Handles) -> None:
    """Make sure that a training step is one that both sides can be told to take.

    Raises:
        BadInput: something is carried that is no Keras input; or of several optimizers' step
            something is dropped or carried.
    """
    known = {name: each for name, each in handles.inputs.items() if each}
    for name in handles.carried:
        look_up("input of both models", name, known)
    if handles.trained and (handles.dropout or handles.carried):
        raise BadInput(
            "a training step of several optimizers drops or carries something",
            "neither: each of them would have masks, and a state, of its own",
            "compare them one by one with --optimizer",
        )


def _outputs(graph: Graph, layers: Sequence[Mapping[str, Any]], said: Said) -> dict[str, str]:
    """Return the tensors that the Keras model gives, each with the layer that gives it."""
    tensors = {each.name: each for each in graph.outputs}
    called = {each.name: each.alias or each.name for each in graph.outputs}
    given = {each["name"] for each in layers}
    for name, giver in said.outputs.items():
        if giver in given:  # any tensor may be what an inner layer gives
            look_up("output", name, tensors)
    found = {name: giver for name, giver in said.outputs.items() if giver}
    if len(set(found.values())) < len(found):
        raise BadInput(f"--tensor names a layer twice: {', '.join(found.values())}", "once")
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for layer in layers:
        if layer["name"] not in found.values():
            free = (each for each in graph.outputs if each.name not in said.outputs)
            fitting = (each.name for each in free if _fits(each, layer))
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
            raise Asked(
                f"{len(names)} outputs of the graph may be the Keras model's {asked}; seen: {seen}",
                "one for each, told apart by shape or name",
                f"name it with --tensor TENSOR={wanted[0]['name']}",
                Said(outputs=found),
                {"outputs": {n: (*(w["name"] for w in wanted), "") for n in names}},
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
    open_rows: dict[str, Sequence[str]] = {}
    unclear = False
    for names, others in groups.values():
        called = [aliases.get(name, name) for name in names]
        pairs = pairing(called, others) if len(names) == len(others) else []
        if not pairs or any(reason.startswith(ORDERED) for _, _, reason in pairs):
            unclear = True
            open_rows.update(dict.fromkeys(names, (*others, "")))
        else:
            found.update({names[i]: others[j] for i, j, _ in pairs})
    if unclear:
        seen = ", ".join(f"{name} {fed[name].shape}" for name in left) or "none"
        asked = ", ".join(f"{name} {(None, *shapes[name])}" for name in free) or "none"
        raise Asked(
            f"the graph was fed {len(left)} {what}s: {seen}; the Keras model has {len(free)}: "
            f"{asked}",
            "one for each, told apart by shape or name",
            "say --fed TENSOR=NAME what belongs together, and --fed TENSOR= of what the graph "
            "alone takes",
            Said(fed=found),
            {"fed": open_rows},
        )
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
            "what has other rows than the batch, such as weights of classes, is not compared yet; "
            "a state needs one row for each sample",
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
    raise Asked(
        f"{name} was fed {value.item()} in training",
        "its value when the model does not train",
        f"say it with --evaluation {name}=VALUE",
        Said(),
        {"evaluation": {name: tuple(dict.fromkeys((value.item(), 0.0, 1.0)))}},
    )


def _dropout(draws: Sequence[Draw], layers: Sequence[str], said: Said) -> dict[str, str]:
    """Pair the graph's draws with Keras's dropout layers: as it is said, and the rest in order."""
    if strange := [d for d in draws if d.in_loop or d.op != "RandomUniform"]:
        seen = ", ".join(f"{d.name} ({d.op}{', in a loop' if d.in_loop else ''})" for d in strange)
        raise BadInput(
            f"the graph draws what a Keras model cannot be given yet: {seen}",
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
    found = dict(said.dropout)
    for scope, layer in found.items():
        look_up("scope of a draw", scope, dict.fromkeys(scopes, True))
        look_up("Keras layer that drops", layer, dict.fromkeys(layers, True))
    if len(set(found.values())) < len(found):
        raise BadInput(f"--dropout names a layer twice: {', '.join(found.values())}", "once")
    rest = [layer for layer in layers if layer not in found.values()]
    found.update(zip((scope for scope in scopes if scope not in found), rest, strict=True))
    return {scope: found[scope] for scope in scopes}


def _line(tensor: str, name: str) -> str:
    return f"{tensor} is {name}" if name else f"{tensor}, which the graph alone takes"
