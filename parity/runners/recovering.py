"""Finds the optimizers of a graph that nobody watched being built: of a .meta file, a SavedModel.

What a variable is comes from how ops use it, not from its name: what an ``Apply*`` op updates is
trained, its other variables are slots, and so is a number that an update reads and that is written
after it, as Adam's powers. What was differentiated is the op that the first ops of a backward pass
belong to: TensorFlow names their scope after it.
"""

import re
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import tensorflow.compat.v1 as tf

from parity.runners.watching import VARIABLES, Applied, ancestors, flat_ops

APPLY = re.compile(r"^(Resource)?(Sparse)?Apply(Centered)?(?P<rule>\w+?)(V2)?$")
SCATTERS = ("ScatterAdd", "ScatterSub", "ResourceScatterAdd", "ResourceScatterSub")
SUBTRACTS = ("AssignSub", "AssignSubVariableOp")
WRITES = ("Assign", "AssignAdd", "AssignVariableOp", "AssignAddVariableOp", *SUBTRACTS)
# What hands a variable, or its value, on as it is.
READS = ("Cast", "Enter", "Identity", "ReadVariableOp", "RefEnter", "RefSwitch", "Switch")


class Update:
    """What one op does to one variable.

    Attributes:
        op: that writes it.
        kind: name of the optimizer's class.
        variable: op that holds it.
        gradient: tensor or `tf.IndexedSlices`, as the optimizer was handed it.
        slots: ops that hold its slots.
    """

    def __init__(self, op: Any, kind: str, variable: Any, gradient: Any, slots: Set[Any]) -> None:
        self.op, self.kind, self.variable = op, kind, variable
        self.gradient, self.slots = gradient, slots


def recovered(graph: Any) -> Tuple[List[Applied], List[str]]:
    """Return the optimizers of a graph in the order of their making, and what was not understood.

    A train op is one of the collection ``train_op``, where TensorFlow puts every one of them; where
    that was not saved, it is put together from the updates, and added to the graph.

    Args:
        graph: as it was imported.
    """
    losses = differentiated(graph)
    behind_loss = after(list(losses))
    updates = [*_applies(graph), *_by_hand(graph, behind_loss)]
    ends, loose = _grouped(graph, updates, losses)
    found = []
    for end, (members, behind) in ends.items():
        finishing = _finishing(members, behind)
        found.append(_applied(graph, end, members, finishing, _loss_of(members, losses)))
    for members in loose:
        finishing = _finishing(members, graph.get_operations())
        with graph.as_default():
            end = tf.group(*(each.op for each in members), *finishing, name="train_op")
        found.append(_applied(graph, end, members, finishing, _loss_of(members, losses)))
    found.sort(key=lambda each: each.train_op._id)
    return found, _not_understood(graph, {each.variable for each in updates}, behind_loss)


# A train op -> what it makes, and all that it depends on.
Ends = Dict[Any, Tuple[List[Update], Any]]


def _grouped(
    graph: Any, updates: List[Update], losses: Dict[Any, Any]
) -> Tuple[Ends, List[List[Update]]]:
    """Return the updates of every train op that was saved, and those of the others.

    An update is the train op's that depends on least: a group of train ops may have been saved,
    too. The others are told apart by the kind of their optimizer, and by their loss.
    """
    saved = flat_ops(graph.get_collection(tf.GraphKeys.TRAIN_OP))
    behind = sorted(((op, ancestors([op])) for op in saved), key=lambda each: len(each[1]))
    ends: Ends = {}
    loose: Dict[Tuple[str, str], List[Update]] = {}
    for update in updates:
        mine = next((each for each in behind if update.op in each[1]), None)
        if mine:
            ends.setdefault(mine[0], ([], mine[1]))[0].append(update)
        else:
            loss = _loss_of([update], losses)
            name = "" if loss is None else loss.name
            loose.setdefault((update.kind, name), []).append(update)
    return ends, list(loose.values())


def differentiated(graph: Any) -> Dict[Any, Any]:
    """Return the ones that backward passes start from, each with the tensor that it is one of.

    The ops which take them stand in a scope ``LOSS_grad`` beside them.
    """
    found: Dict[Any, Any] = {}
    for op in graph.get_operations():
        if op.type != "Fill" or tf.get_static_value(op.inputs[1]) != 1:
            continue
        scope = op.name.rpartition("/")[0] + "/"
        names = {
            name
            for consumer in op.outputs[0].consumers()
            for name in _differentiated_by(consumer.name, scope, graph)
        }
        if len(names) == 1:
            loss = graph.get_operation_by_name(names.pop()).outputs[0]
            if loss.shape.ndims == 0 and loss.dtype.is_floating:
                found[op] = loss
    return found


def _differentiated_by(name: str, scope: str, graph: Any) -> Iterator[str]:
    """Yield the op whose gradient an op is a part of, by the scope that it stands in."""
    if not name.startswith(scope):
        return
    parts = name[len(scope) :].split("/")
    for i, part in enumerate(parts[:-1]):
        match = re.match(r"(.+)_grad(_\d+)?$", part)
        forward = "/".join([*parts[:i], match.group(1)]) if match else ""
        if match and _there(graph, forward):
            yield forward
            return


def _there(graph: Any, name: str) -> bool:
    try:
        graph.get_operation_by_name(name)
    except KeyError:
        return False
    return True


def after(ops: List[Any]) -> Set[Any]:
    """Return every op that is computed from `ops`, they too."""
    waiting, found = list(ops), set()
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [consumer for output in op.outputs for consumer in output.consumers()]
    return found


def variable_of(tensor: Any) -> Optional[Any]:
    """Return the op that holds the variable which a tensor is, or reads; None if it is none."""
    op = tensor.op
    while op.type in READS:
        op = op.inputs[0].op
    return op if op.type in VARIABLES else None


def _applies(graph: Any) -> Iterator[Update]:
    """Yield what the ops do that were made to update a variable."""
    for op in graph.get_operations():
        match = APPLY.match(op.type)
        if not match:
            continue
        inputs = dict(zip((arg.name for arg in op.op_def.input_arg), op.inputs))
        variable = variable_of(inputs["var"]) if "var" in inputs else None
        gradient = inputs.get("grad", inputs.get("delta"))  # as plain gradient descent calls it
        if variable is None or gradient is None:
            continue
        held = {
            variable_of(inputs[arg.name])
            for arg in op.op_def.input_arg
            if arg.name != "var" and (arg.is_ref or arg.type == tf.resource.as_datatype_enum)
        }
        if "indices" in inputs:
            gradient = _rows(gradient, inputs["indices"])
        yield Update(op, match.group("rule") + "Optimizer", variable, gradient, held - {None})


def _by_hand(graph: Any, behind_loss: Set[Any]) -> Iterator[Update]:
    """Yield what is done to rows of a table without an op made for it.

    Plain gradient descent scatters into the variable; Adam into its two slots, from which the whole
    variable is updated then (``_apply_sparse`` of both).
    """
    scatters = [
        op
        for op in graph.get_operations()
        if op.type in SCATTERS and op.inputs[2].op in behind_loss
    ]
    into_slots: Set[Any] = set()
    for op in graph.get_operations():
        if op.type not in SUBTRACTS or not scatters:
            continue
        variable, behind = variable_of(op.inputs[0]), ancestors([op])
        mine = [each for each in scatters if each in behind and each not in into_slots]
        mine = [each for each in mine if variable_of(each.inputs[0]) is not variable]
        gradients = [(each, _factor(each.inputs[2], behind_loss)) for each in mine]
        known = [_rows(found, each.inputs[1]) for each, found in gradients if found is not None]
        if variable is not None and len(mine) == 2 and len(known) == 1:
            into_slots.update(mine)
            slots = {variable_of(each.inputs[0]) for each in mine}
            yield Update(op, "AdamOptimizer", variable, known[0], slots - {None})
    trained = {v.op for v in graph.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES)}
    for op in scatters:
        variable, values = variable_of(op.inputs[0]), _factor(op.inputs[2], behind_loss)
        if op in into_slots or variable not in trained or values is None:
            continue
        if op.type == "ResourceScatterAdd":  # of what is to be subtracted
            if values.op.type != "Neg":
                continue
            values = values.op.inputs[0]
        gradient = _rows(values, op.inputs[1])
        yield Update(op, "GradientDescentOptimizer", variable, gradient, set())


def _factor(tensor: Any, behind_loss: Set[Any]) -> Optional[Any]:
    """Return the gradient that a number is multiplied with; None if a tensor is no such product.

    The number is what is not computed from the loss. A square, as Adam's second slot takes it, has
    none.
    """
    if tensor.op.type != "Mul":
        return None
    gradients = [each for each in tensor.op.inputs if each.op in behind_loss]
    if len(gradients) != 1 or _is_square(gradients[0].op):
        return None
    return gradients[0]


def _is_square(op: Any) -> bool:
    return op.type == "Square" or (op.type == "Mul" and op.inputs[0] is op.inputs[1])


def _rows(values: Any, indices: Any) -> Any:
    """Return a gradient by rows, as it was before rows that occur twice were summed up."""
    summed = values.op.type == "UnsortedSegmentSum" and indices.op.type == "Unique"
    if summed and values.op.inputs[1].op is indices.op:
        return tf.IndexedSlices(values.op.inputs[0], indices.op.inputs[0])
    return tf.IndexedSlices(values, indices)


def _finishing(updates: List[Update], where: Any) -> List[Any]:
    """Return what is written after some updates and is theirs: step counters, Adam's powers."""
    ops = {each.op for each in updates}
    gradients = [part.op for each in updates for part in _parts(each.gradient)]
    read = {op for op in ancestors(list(ops), stop=gradients) if op.type in VARIABLES}
    found = []
    for op in where:
        if op.type not in WRITES or op in ops:
            continue
        variable = variable_of(op.inputs[0])
        if variable is None or ops.isdisjoint(ancestors([op], stop=gradients)):
            continue
        counts = tf.as_dtype(variable.get_attr("dtype")).is_integer
        number = tf.TensorShape(variable.get_attr("shape")).num_elements() == 1
        if counts or (number and variable in read):
            found.append(op)
    return found


def _parts(gradient: Any) -> List[Any]:
    if isinstance(gradient, tf.IndexedSlices):
        return [gradient.values, gradient.indices]
    return [gradient]


def _loss_of(updates: List[Update], losses: Dict[Any, Any]) -> Any:
    """Return what the gradients of some updates are of, or None where that is not one tensor.

    A gradient inside of a loss, as a penalty on it, is no loss: the loss depends on it.
    """
    behind = ancestors([part.op for each in updates for part in _parts(each.gradient)])
    found = {loss.name: loss for seed, loss in losses.items() if seed in behind}
    inner = {
        name
        for name, loss in found.items()
        for other in found.values()
        if other is not loss and loss.op in ancestors([other.op])
    }
    outer = [loss for name, loss in found.items() if name not in inner]
    return outer[0] if len(outer) == 1 else None


def _applied(
    graph: Any, end: Any, updates: List[Update], finishing: List[Any], loss: Any
) -> Applied:
    kinds = [each.kind for each in updates if APPLY.match(each.op.type)]
    pairs = [(each.gradient, each.variable.outputs[0]) for each in updates]
    with graph.as_default():
        found = Applied((kinds or [updates[0].kind])[0], pairs, loss)
    slots = {slot for each in updates for slot in each.slots}
    written = [variable_of(op.inputs[0]) for op in finishing]
    found.slots = {op.name for op in (*slots, *written) if op is not None}
    found.train_op = end
    return found


def _not_understood(graph: Any, trained: Set[Any], behind_loss: Set[Any]) -> List[str]:
    """Return a sentence on each variable that is trained in a way which is not known."""
    names = {v.op.name for v in graph.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES)}
    names -= {op.name for op in trained}
    found = {
        variable.name: op.type
        for op in graph.get_operations()
        if op.type in WRITES and any(each.op in behind_loss for each in op.inputs[1:])
        for variable in [variable_of(op.inputs[0])]
        if variable is not None and variable.name in names
    }
    return [
        "{}: updated by {}, as no optimizer of tf.train does it".format(name, kind)
        for name, kind in sorted(found.items())
    ]
