"""Which optimizer of a graph is which of a Keras model: the only one, or several in turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.asking import Asked, Said
from parity.errors import BadInput, look_up
from parity.graphfile import Graph, Optimizer
from parity.proposals import ORDERED, pairing

OR_ALL = (
    "; or, where a step is made of several, name all in their order: "
    "--train-op TRAIN_OP=ATTRIBUTE, that of the Keras model's optimizer"
)


def loss_of(attribute: str) -> str:
    """Return what `train_step` calls the loss of an optimizer: `d_loss` of `d_optimizer`."""
    if "optimizer" in attribute:
        return attribute.replace("optimizer", "loss")
    return f"{attribute}_loss"


def optimizers_of(graph: Graph, description: Mapping[str, Any], said: Said) -> dict[str, Optimizer]:
    """Return what trains both, in the order of a step: attribute of the Keras model -> the graph's.

    Several are proposed where the Keras model has as many, and names tell which is which; their
    order is that of their making, what the first training run did not run after what it ran. None
    if the graph has none whose loss was seen.

    Raises:
        Asked: which is which, or which of several, cannot be told.
        BadInput: one that was said is not there, or what was said goes not together.
    """
    others = description.get("optimizers", {})
    if said.optimizer and any(said.train_ops.values()):
        raise BadInput(
            f"--optimizer {said.optimizer} and --train-op {' '.join(said.train_ops)}",
            "one optimizer, or all that a training step is made of",
            "leave one of the two out",
        )
    known = {each.train_op: each for each in graph.optimizers if each.loss}
    if any(said.train_ops.values()):
        return _said(known, others, {op: name for op, name in said.train_ops.items() if name})
    if said.optimizer or len(known) < 2 or len(known) != len(others):
        one = optimizer_of(graph, said, OR_ALL)
        return {} if one is None else {"optimizer": one}
    names, train_ops = [*others], [*known]
    called = [" ".join((op, each.loss, *each.variables)) for op, each in known.items()]
    pairs = pairing(called, names)
    if any(reason.startswith(ORDERED) for _, _, reason in pairs):
        raise Asked(
            f"the graph has {len(known)} optimizers: {', '.join(train_ops)}; so has the Keras "
            f"model: {', '.join(names)}",
            "one for each, told apart by name",
            f"name them in their order with --train-op {train_ops[0]}={names[0]}",
            Said(),
            {"train_ops": dict.fromkeys(train_ops, (*names, ""))},
        )
    in_order = sorted(pairs, key=lambda pair: (not known[train_ops[pair[0]]].ran, pair[0]))
    return _told_apart({names[j]: known[train_ops[i]] for i, j, _ in in_order})


def _said(
    known: Mapping[str, Optimizer], others: Mapping[str, Any], train_ops: Mapping[str, str]
) -> dict[str, Optimizer]:
    found: dict[str, Optimizer] = {}
    for train_op, attribute in train_ops.items():
        look_up("attribute of the Keras model that is an optimizer", attribute, others)
        if attribute in found:
            raise BadInput(f"--train-op names {attribute} twice", "once")
        found[attribute] = look_up("optimizer's train op", train_op, known)
    if len(found) < 2:
        raise BadInput(
            f"--train-op names one optimizer: {', '.join(train_ops)}",
            "all that a training step is made of, in their order",
            "choose one alone with --optimizer",
        )
    return _told_apart(found)


def _told_apart(found: dict[str, Optimizer]) -> dict[str, Optimizer]:
    losses = [loss_of(name) for name in found]
    if len(set(losses)) < len(losses):
        raise BadInput(
            f"train_step would call the losses of {', '.join(found)}: {', '.join(losses)}",
            "a name for each",
            "rename an attribute",
        )
    return found


def optimizer_of(graph: Graph, said: Said, besides: str = "") -> Optimizer | None:
    """Return the optimizer that is compared; None where none was seen with its loss.

    Args:
        graph: the graph.
        said: what a user has decided.
        besides: what else one may do about several.

    Raises:
        Asked: there are several.
        BadInput: the one that was said is not there.
    """
    known = {each.train_op: each for each in graph.optimizers if each.loss}
    if said.optimizer:
        return look_up("optimizer's train op", said.optimizer, known)
    if len(known) > 1:
        seen = ", ".join(f"{o.train_op} ({o.kind}, {o.loss})" for o in known.values())
        raise Asked(
            f"the graph has {len(known)} optimizers whose loss was seen: {seen}",
            "one",
            "choose one with --optimizer TRAIN_OP" + besides,
            Said(),
            {"optimizer": {"": tuple(known)}},
        )
    return next(iter(known.values()), None)
