"""Collects from a script's graph and session all that one training step needs."""

from typing import Any, Callable, Dict, List, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.util import nest

from parity.graphfile import (
    OUTSIDE,
    Draw,
    Gradient,
    Graph,
    Input,
    Optimizer,
    Output,
    Variable,
)
from parity.runners import graphdefs
from parity.runners.gates import forget_bias
from parity.runners.sources import reading
from parity.runners.watching import VARIABLES, Applied, Run, ancestors, components, flat_ops

# That a product of matrices is a gradient: TensorFlow 2 says so to its kernels, 1 knows it not.
HINTS = ("grad_a", "grad_b", "grad_x", "grad_y")
# What a step takes from these is fetched once, and fed from then on.
SOURCES = (
    "IteratorGetNext",
    "IteratorGetNextSync",
    "OneShotIterator",
    "QueueDequeueV2",
    "QueueDequeueManyV2",
    "QueueDequeueUpToV2",
    "LookupTableFindV2",
    "LookupTableSizeV2",
    "LookupTableExportV2",
    "StagingAreaGet",
    *OUTSIDE,
)
CROSS_ENTROPIES = ("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits")
PROBABILITIES = ("Softmax", "Sigmoid")
READING = ("ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape")
RANDOM = ("Random", "Multinomial", "TruncatedNormal", "CandidateSampler", "StatelessRandom")


# Returns what tensors give that take from iterators, queues, tables or Python.
Take = Callable[[List[Any]], List[Any]]


def collect(
    applied: List[Applied],
    graph: Any,
    targets: List[Any],
    fetched: List[Any],
    feed: Mapping[str, Any],
    take: Take,
    run: Run,
    made_by: Mapping[str, str],
    aliases: Mapping[str, str],
) -> Graph:
    """Return all that a training step needs; of a graph that does not train, all that it gives.

    Args:
        applied: its optimizers.
        graph: the graph.
        targets: ops of the run that trains.
        fetched: tensors of the run that trains, or what a signature names.
        feed: tensor -> what it is fed.
        take: what stands for data is asked once.
        run: runs a session with the variables, and is asked for nothing else.
        made_by: what is harvested, and by which versions.
        aliases: tensor -> its name in a signature.
    """
    missing: List[str] = []
    behind = ancestors(targets)
    optimizers = [_optimizer(each, each.train_op in behind, missing) for each in applied]
    updates = flat_ops(graph.get_collection(tf.GraphKeys.UPDATE_OPS)) if applied else []
    losses = [each.loss for each in applied if each.loss is not None]
    looked_at = ancestors([loss.op for loss in losses])
    if not losses and not fetched:
        looked_at = dict.fromkeys(graph.get_operations())
        fetched = last_probabilities(graph)
    outputs = model_outputs(looked_at, losses, fetched)
    roots = [graph.as_graph_element(each) for each in _roots(optimizers)]
    roots += updates
    roots += [t.op for t in outputs]

    needed = ancestors(roots, stop=[op for op in graph.get_operations() if op.type in SOURCES])
    given = _given(needed, feed, take, missing)
    graph_def, renamed = graphdefs.cut(definition(graph), [op.name for op in roots], given)
    graphdefs.refuse_outside(graph_def, "the training step")
    present = {node.name for node in graph_def.node}
    kept = [op for op in needed if op.name in present]

    names = {renamed.get(name, name): name for name in [*feed, *given]}
    fed = {new: given[old] if old in given else feed[old] for new, old in names.items()}
    inputs = [_input(graph, old, new, aliases) for new, old in names.items()]
    inputs += [
        _input(graph, op.outputs[0].name, op.outputs[0].name, aliases)
        for op in kept
        if is_input(op) and op.outputs[0].name not in names
    ]
    inputs = [each for each in inputs if graphdefs.op_of(each.name) in present]
    modelled = ancestors([tensor.op for tensor in [*losses, *outputs]])
    variables, values = _variables(kept, modelled, graph, run, missing)
    return Graph(
        graph_def=graph_def.SerializeToString(),
        made_by=dict(made_by),
        inputs=tuple(inputs),
        outputs=tuple(_output(tensor, names, aliases) for tensor in outputs),
        optimizers=tuple(optimizers),
        variables=tuple(variables),
        draws=tuple(_draws(kept)),
        updates=tuple(op.name for op in updates),
        missing=tuple(missing),
        invented=False,
        values=values,
        feed={each.name: fed[each.name] for each in inputs if each.name in fed},
    )


def definition(graph: Any) -> Any:
    """Return a graph's GraphDef without attributes at their defaults, and without `HINTS`.

    An older TensorFlow refuses a graph with an attribute that it does not know. Types of floats
    stay where they are: a float64 twin is written by them. Functions are left as they are:
    TensorFlow 1 knows none of the ops that call them.
    """
    found = graph.as_graph_def()
    for node in found.node:
        for attr in graph.get_operation_by_name(node.name).op_def.attr:
            if attr.name in node.attr and attr.default_value.type != tf.float32.as_datatype_enum:
                default = attr.default_value if attr.HasField("default_value") else None
                if attr.name in HINTS or node.attr[attr.name] == default:
                    del node.attr[attr.name]
    return found


def model_outputs(behind: Any, losses: List[Any], fetched: List[Any]) -> List[Any]:
    """Return what a model gives: what a cross-entropy is taken of, its probabilities, the fetched.

    Args:
        behind: ops that the losses depend on.
        losses: what is differentiated.
        fetched: tensors that the script fetched when it trained.
    """
    found = [unshaped(op.inputs[0]) for op in behind if op.type in CROSS_ENTROPIES]
    found += [unshaped(logits) for op in behind for logits in sigmoid_logits(op)]
    found += [unshaped(each.op.inputs[0]) for each in fetched if each.op.type in PROBABILITIES]
    for logits in list(found):
        for op in logits.graph.get_operations():
            if op.type in PROBABILITIES and unshaped(op.inputs[0]) is logits:
                found.append(op.outputs[0])
    found += [tensor for tensor in fetched if tensor.dtype.is_floating]
    rest = [tensor for tensor in found if not any(tensor is loss for loss in losses)]
    return sorted({tensor.name: tensor for tensor in rest}.values(), key=lambda t: t.op._id)


def sigmoid_logits(op: Any) -> List[Any]:
    """Return x where an op is log(1 + exp(x > 0 ? -x : x)): a part of each sigmoid cross-entropy.

    `sigmoid_cross_entropy_with_logits` has no op of its own; see nn_impl.py of TensorFlow 1.15.
    """
    if op.type != "Log1p" or op.inputs[0].op.type != "Exp":
        return []
    select = op.inputs[0].op.inputs[0].op
    if select.type not in ("Select", "SelectV2") or select.inputs[1].op.type != "Neg":
        return []
    return [select.inputs[2]] if select.inputs[1].op.inputs[0] is select.inputs[2] else []


def last_probabilities(graph: Any) -> List[Any]:
    """Return the probabilities of which nothing is made but classes, as `argmax` does."""
    return [
        op.outputs[0]
        for op in graph.get_operations()
        if op.type in PROBABILITIES
        and not any(
            output.dtype.is_floating
            for each in op.outputs[0].consumers()
            for output in each.outputs
        )
    ]


def unshaped(tensor: Any) -> Any:
    """Return what a tensor was before it was given another shape."""
    while tensor.op.type in ("Reshape", "Identity"):
        tensor = tensor.op.inputs[0]
    return tensor


def _output(tensor: Any, names: Mapping[str, str], aliases: Mapping[str, str]) -> Output:
    """Describe an output.

    Args:
        tensor: the output.
        names: input in the file -> in the script's graph.
        aliases: tensor -> its name in a signature.
    """
    graph = tensor.graph
    fed: Dict[Any, List[str]] = {}  # an iterator's op gives several
    for new, old in names.items():
        fed.setdefault(graph.as_graph_element(old).op, []).append(new)
    inputs: List[str] = []
    for op in ancestors([tensor.op], stop=fed):
        inputs += fed.get(op, [op.outputs[0].name] if is_input(op) else [])
    shape = None if tensor.shape.ndims is None else tuple(tensor.shape.as_list())
    alias = aliases.get(tensor.name, "")
    return Output(tensor.name, tensor.op.type, shape, tuple(inputs), alias)


def is_input(op: Any) -> bool:
    """Tell whether an op is a placeholder."""
    return bool(op.type.startswith("Placeholder"))


def _roots(optimizers: List[Optimizer]) -> List[str]:
    """Return the names of the ops that a training step is made of."""
    names: List[str] = []
    for each in optimizers:
        gradients = [n for g in each.gradients.values() for n in (g.values, g.indices)]
        names += [graphdefs.op_of(name) for name in (each.train_op, each.loss, *gradients) if name]
    return list(dict.fromkeys(names))


def _optimizer(seen: Applied, ran: bool, missing: List[str]) -> Optimizer:
    gradients = {}
    for gradient, variable in seen.pairs:
        if gradient is not None:
            parts = components(gradient)
            indices = parts[1].name if len(parts) > 1 else ""
            gradients[variable.op.name] = Gradient(parts[0].name, indices)
    if seen.loss is None:
        missing.append("{}: what it differentiates was not seen".format(seen.train_op.name))
    loss = tf.convert_to_tensor(seen.loss).name if seen.loss is not None else ""
    return Optimizer(
        seen.kind,
        seen.train_op.name,
        loss,
        gradients,
        tuple(variable.op.name for _, variable in seen.pairs),
        tuple(sorted(seen.slots | seen.averages)),
        ran,
        tuple(sorted(seen.averages)),
    )


def _given(
    needed: Any, feed: Mapping[str, Any], take: Take, missing: List[str]
) -> Dict[str, np.ndarray]:
    """Take once what a step takes from iterators, queues, tables and Python."""
    used = {tensor for op in needed for tensor in op.inputs}
    wanted = [
        tensor
        for op in needed
        if op.type in SOURCES
        for tensor in op.outputs
        if tensor in used and tensor.name not in feed
    ]
    plain = [tensor for tensor in wanted if tensor.dtype not in (tf.resource, tf.variant)]
    missing += [
        "{}: what it gives is no array".format(tensor.name)
        for tensor in wanted
        if tensor not in plain
    ]
    values = take(plain) if plain else []
    return {tensor.name: np.asarray(value) for tensor, value in zip(plain, values)}


def _variables(
    kept: List[Any], modelled: Any, graph: Any, run: Run, missing: List[str]
) -> Tuple[List[Variable], Dict[str, np.ndarray]]:
    """Return the variables that a training step reads or writes, and their values.

    Args:
        kept: ops of the step.
        modelled: ops that losses and outputs depend on.
        graph: the graph.
        run: runs a session with the variables.
        missing: is told what has no value.
    """
    written = {op for each in kept for op in written_by(each)}
    trainable = {v.op.name for v in graph.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES)}
    found, values = [], {}
    for op in kept:
        if op.type not in VARIABLES:
            continue
        resource = op.type == "VarHandleOp"
        try:
            values[op.name] = value = np.asarray(run(reading(op)))
        except tf.errors.FailedPreconditionError:
            missing.append("{}: not initialised before the first training run".format(op.name))
            continue
        trains = op.name in trainable
        setting = not trains and op not in modelled and op not in written
        about = (op.name, str(value.dtype), value.shape, trains, resource, setting)
        found.append(Variable(*about, forget_bias=forget_bias(op)))
    return found, values


def written_by(op: Any) -> List[Any]:
    """Return the variables that an op may change: references it takes, resources not just read."""
    references = [tensor for arg, tensor in zip(op.op_def.input_arg, op.inputs) if arg.is_ref]
    resources = [tensor for tensor in op.inputs if tensor.dtype == tf.resource]
    taken = references + ([] if op.type in READING else resources)
    return [tensor.op for tensor in taken if tensor.op.type in VARIABLES]


def _draws(kept: List[Any]) -> List[Draw]:
    return [
        Draw(op.name, op.type, _in_loop(op))
        for op in kept
        if any(part in op.type for part in RANDOM)
    ]


def _in_loop(op: Any) -> bool:
    context = op._get_control_flow_context()
    while context is not None:
        if context.IsWhileContext():
            return True
        context = context.outer_context
    return False


def _input(graph: Any, tensor: str, name: str, aliases: Mapping[str, str]) -> Input:
    found = graph.as_graph_element(tensor)
    shape = None if found.shape.ndims is None else tuple(found.shape.as_list())
    alias = aliases.get(tensor, "")
    return Input(name, found.op.type, found.dtype.base_dtype.name, shape, alias)


def flat_feed(session: Any, feeds: Any) -> Dict[str, np.ndarray]:
    """Return what a script feeds, tensor by tensor: nested and sparse values are taken apart."""
    flat: Dict[str, np.ndarray] = {}
    for key, value in nest.flatten_dict_items(feeds or {}).items():
        if isinstance(key, (str, bytes)):
            key = session.graph.as_graph_element(key)
        parts, values = [key], [value]
        if isinstance(key, tf.SparseTensor):
            parts, values = [key.indices, key.values, key.dense_shape], list(value)
        for tensor, each in zip(parts, values):
            flat[tensor.name] = np.asarray(each, tensor.dtype.base_dtype.as_numpy_dtype)
    return flat
