"""GraphDefs made fit for comparing: cut down, drawn from seeds by name, widened to float64.

A GraphDef is data: these functions take one and return another, and run nothing.
"""

import hashlib
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Set, Tuple

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import op_def_registry

from parity.errors import BadInput, EngineFailed
from parity.graphfile import OUTSIDE

FLOAT, DOUBLE = tf.float32.as_datatype_enum, tf.float64.as_datatype_enum

# Random ops whose numbers depend on their dtype: a float64 twin draws in float32 and widens.
DRAWS = ("RandomUniform", "RandomStandardNormal", "TruncatedNormal", "ParameterizedTruncatedNormal")

# How the names begin of stateful ops that hold numbers, draw them, or check them, and no more.
HOLDING = (
    "Assert",
    "Assign",
    "Cudnn",
    "Multinomial",
    "Parameterized",
    "Placeholder",
    "Random",
    "ReadVariableOp",
    "Resource",
    "Stack",
    "Stateful",
    "StatelessRandom",
    "TemporaryVariable",
    "TensorArray",
    "TruncatedNormal",
    "Var",
)

# What holds a variable, the types of those that count, and what of a graph is a rate.
VARIABLES = ("VariableV2", "Variable", "VarHandleOp")
WHOLE = (tf.int32.as_datatype_enum, tf.int64.as_datatype_enum)
CONSTANT, COUNTER, RATE = "constant", "counter", "rate"
# How a variable is read and updated.
UPDATES = ("Assign", "AssignVariableOp", "Identity", "Mul", "ReadVariableOp")

# A TensorArray's flow orders its accesses; it is float32 in every graph, and its value is not read.
# op -> number of its input, and of its output, that is a flow
FLOWS: Mapping[str, Tuple[Any, Any]] = {
    "TensorArrayV3": (None, 1),
    "TensorArrayGradV3": (1, 1),
    "TensorArrayGradWithShape": (1, 1),
    "TensorArrayWriteV3": (3, 0),
    "TensorArrayScatterV3": (3, 0),
    "TensorArraySplitV3": (3, 0),
    "TensorArrayReadV3": (2, None),
    "TensorArrayGatherV3": (2, None),
    "TensorArrayConcatV3": (1, None),
    "TensorArraySizeV3": (1, None),
}
# What hands a flow on: all its inputs and outputs of type T are the same flow.
CARRIERS = (
    "Enter",
    "Exit",
    "Identity",
    "Merge",
    "NextIteration",
    "Switch",
    "Add",
    "AddN",
    "AddV2",
    "ZerosLike",
    "StackPushV2",
    "StackPopV2",
    "Const",
)


def refuse_outside(graph_def: Any, where: str) -> None:
    """Make sure that a graph computes, and does nothing else.

    Raises:
        BadInput: it would run Python, or reach for files or machines.
    """
    found = [node for node in every_node(graph_def) if reaches_outside(node.op)]
    found.sort(key=lambda node: node.op not in OUTSIDE)  # those that are known to come first
    if found:
        names = ", ".join("{} ({})".format(node.name, node.op) for node in found[:5])
        raise BadInput(
            "{} has {} ops that reach outside of it: {}".format(where, len(found), names),
            "a graph that only computes",
            "harvest it anew, or cut these ops out",
        )


def reaches_outside(op: str) -> bool:
    """Tell whether a type of op may do more than compute: it is known to, or nobody knows."""
    if op in OUTSIDE:
        return True
    definition = definition_of(op)  # none of a call of a function, whose own nodes are looked at
    return (
        definition is not None
        and definition.is_stateful
        and not op.startswith(HOLDING)
        and not op.endswith("CandidateSampler")
    )


def every_node(graph_def: Any) -> Iterator[Any]:
    """Yield the nodes of a graph and of its functions."""
    for node in graph_def.node:
        yield node
    for function in graph_def.library.function:
        for node in function.node_def:
            yield node


def cut(graph_def: Any, roots: Iterable[str], given: Iterable[str]) -> Any:
    """Return what `roots` need, with a placeholder for each tensor that is given.

    Args:
        graph_def: the whole graph.
        roots: names of ops.
        given: names of tensors, all of ops whose outputs are all given or not needed.

    Returns:
        the GraphDef, and given tensor -> the name of its placeholder's output.
    """
    nodes = {node.name: node for node in graph_def.node}
    given = list(given)
    placeholders = {name: _free_name(name, nodes) for name in given}
    kept: Set[str] = set()
    stack = list(roots)
    while stack:
        name = stack.pop()
        if name in kept:
            continue
        kept.add(name)
        stack.extend(
            op_of(each) for each in nodes[name].input if tensor_name(each) not in placeholders
        )
    result = tf.GraphDef()
    result.versions.CopyFrom(graph_def.versions)
    for tensor, name in placeholders.items():
        source = nodes[op_of(tensor)]
        node = result.node.add(name=name, op="Placeholder")
        node.attr["dtype"].type = output_types(source)[int(tensor.rpartition(":")[2])]
        node.attr["shape"].shape.unknown_rank = True
    for node in graph_def.node:
        if node.name in kept and node.name not in placeholders.values():
            copy = result.node.add()
            copy.CopyFrom(node)
            for i, each in enumerate(copy.input):
                if not each.startswith("^") and tensor_name(each) in placeholders:
                    copy.input[i] = placeholders[tensor_name(each)]
    _copy_functions(graph_def.library, result)
    return result, {tensor: name + ":0" for tensor, name in placeholders.items()}


def _copy_functions(library: Any, result: Any) -> None:
    """Copy the functions that are called in `result`, and those that they call."""
    known = {function.signature.name: function for function in library.function}
    waiting = [name for node in result.node for name in _called(node)]
    kept: Set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in known and name not in kept:
            kept.add(name)
            waiting += [each for node in known[name].node_def for each in _called(node)]
    result.library.function.extend(known[name] for name in sorted(kept))
    result.library.gradient.extend(g for g in library.gradient if g.function_name in kept)


def _called(node: Any) -> List[str]:
    """Return the names of the functions that a node may call."""
    functions = [attribute.func for attribute in node.attr.values()]
    functions += [each for attribute in node.attr.values() for each in attribute.list.func]
    return [node.op, *(function.name for function in functions if function.name)]


def _free_name(tensor: str, nodes: Mapping[str, Any]) -> str:
    """Return the name of a placeholder: that of its op, if this has one output."""
    op, _, number = tensor.partition(":")
    if number == "0":
        return op
    name = "{}_{}".format(op, number)
    while name in nodes:
        name += "_"
    return name


def output_types(node: Any) -> List[int]:
    """Return the dtype of every output of a node."""
    definition = definition_of(node.op)
    if definition is None:
        raise EngineFailed("op {} is unknown to this TensorFlow".format(node.op))
    types: List[int] = []
    for output in definition.output_arg:
        if output.type_list_attr:
            types += node.attr[output.type_list_attr].list.type
            continue
        one = node.attr[output.type_attr].type if output.type_attr else output.type
        types += [one] * (node.attr[output.number_attr].i if output.number_attr else 1)
    return types


def definition_of(op: str) -> Any:
    """Return what this TensorFlow knows of a type of op, or None."""
    if hasattr(op_def_registry, "get"):
        return op_def_registry.get(op)
    return op_def_registry.get_registered_ops().get(op)  # TensorFlow 1


def seeded(graph_def: Any, seed: int = 0) -> Any:
    """Return the graph with every random op drawing from a seed that is made of its name.

    So it draws the same numbers wherever it runs, inside of while loops too, whose iterations run
    one by one here.
    """
    result = tf.GraphDef()
    result.CopyFrom(graph_def)
    for node in every_node(result):
        if "seed" in node.attr and "seed2" in node.attr:
            digest = hashlib.sha256("{} {}".format(seed, node.name).encode()).digest()
            node.attr["seed"].i = int.from_bytes(digest[:4], "little") // 2 + 1
            node.attr["seed2"].i = int.from_bytes(digest[4:8], "little") // 2 + 1
        if "parallel_iterations" in node.attr:
            node.attr["parallel_iterations"].i = 1
    return result


def widened(graph_def: Any, narrow: Iterable[str] = ()) -> Any:
    """Return the float64 twin of a float32 graph.

    Args:
        graph_def: the graph.
        narrow: float32 variables that TensorFlow 1 keeps in float32 in a float64 model too, such as
            Adam's powers of beta.

    Raises:
        EngineFailed: names the ops that have no float64 form.
    """
    kept = _kept_narrow(graph_def, set(narrow)) | _rates(graph_def)
    flows = flow_nodes(graph_def) | kept
    unknown = [
        "{} ({})".format(node.name, node.op)
        for node in graph_def.node
        if node.name not in flows and not _has_twin(node)
    ]
    if any(node.op.startswith(("Stateful", "Partitioned")) for node in graph_def.node):
        unknown += [function.signature.name for function in graph_def.library.function]
    if unknown:
        raise EngineFailed(
            "{} ops have no float64 form: {}".format(len(unknown), ", ".join(unknown[:5])),
            "a graph of ops that compute in float64",
        )
    result = tf.GraphDef()
    result.versions.CopyFrom(graph_def.versions)
    draws = {node.name for node in graph_def.node if _draws_float(node)}
    for node in graph_def.node:
        copy = result.node.add()
        copy.CopyFrom(node)
        if node.name in flows:
            continue
        if node.name in draws:
            cast = result.node.add(name=node.name + "/float64", op="Cast", input=[node.name])
            cast.attr["SrcT"].type, cast.attr["DstT"].type = FLOAT, DOUBLE
            continue
        _widen(copy)
    for node in result.node:
        for i, each in enumerate(node.input):
            # What is a cast of a draw reads the draw; all else reads the cast.
            if each in draws and node.name != each + "/float64":
                node.input[i] = each + "/float64"
    _cast_at_borders(result, kept)
    return result


def _kept_narrow(graph_def: Any, variables: Set[str]) -> Set[str]:
    """Return the nodes that hold, read and update some variables."""
    found = set(variables)
    grown = True
    while grown:
        size = len(found)
        for node in graph_def.node:
            if node.op in UPDATES and any(op_of(each) in found for each in node.input):
                found.add(node.name)
        grown = len(found) > size
    return found


def _rates(graph_def: Any) -> Set[str]:
    """Return the float nodes that follow from step counters and constants alone: a decaying rate.

    TensorFlow 1 computes a rate in float32 whatever its variables are, and casts it then.
    """
    kinds = {node.name: CONSTANT for node in graph_def.node if node.op == "Const"}
    counters = [n for n in graph_def.node if n.op in VARIABLES and n.attr["dtype"].type in WHOLE]
    kinds.update((node.name, COUNTER) for node in counters)
    grown = bool(counters)
    while grown:
        size = len(kinds)
        for node in graph_def.node:
            behind = [kinds.get(op_of(each)) for each in node.input if not each.startswith("^")]
            if node.name in kinds or not behind or None in behind:
                continue
            if node.op.startswith("Assign"):
                continue
            if set(behind) == {CONSTANT}:
                kinds[node.name] = CONSTANT
            else:
                kinds[node.name] = RATE if FLOAT in output_types(node) else COUNTER
        grown = len(kinds) > size
    return {name for name, kind in kinds.items() if kind == RATE}


def _cast_at_borders(graph_def: Any, narrow: Set[str]) -> None:
    """Put a cast wherever a float goes into some float32 nodes, or out of them."""
    types = {node.name: node for node in graph_def.node}
    casts: Dict[str, Any] = {}
    for node in list(graph_def.node):
        for i, each in enumerate(node.input):
            if each.startswith("^") or (op_of(each) in narrow) == (node.name in narrow):
                continue
            number = int(tensor_name(each).rpartition(":")[2])
            given = output_types(types[op_of(each)])[number]
            wanted = FLOAT if node.name in narrow else DOUBLE
            if given not in (FLOAT, DOUBLE) or given == wanted:
                continue
            name = "{}/as_{}".format(op_of(each), "float32" if wanted == FLOAT else "float64")
            if name not in casts:
                cast = graph_def.node.add(name=name, op="Cast", input=[each])
                cast.attr["SrcT"].type, cast.attr["DstT"].type = given, wanted
                casts[name] = cast
            node.input[i] = name


def _widen(node: Any) -> None:
    for name, attribute in node.attr.items():
        if attribute.type == FLOAT:
            attribute.type = DOUBLE
        for i, each in enumerate(attribute.list.type):
            if each == FLOAT:
                attribute.list.type[i] = DOUBLE
        if name == "value" and attribute.tensor.dtype == FLOAT:
            value = tf.make_ndarray(attribute.tensor).astype(np.float64)
            attribute.tensor.CopyFrom(tf.make_tensor_proto(value, tf.float64, value.shape))


def _draws_float(node: Any) -> bool:
    return node.op in DRAWS and node.attr["dtype"].type == FLOAT


def _has_twin(node: Any) -> bool:
    """Tell whether an op can compute in float64 where it computes in float32."""
    definition = definition_of(node.op)
    if definition is None or node.op in FLOWS or _draws_float(node):
        return definition is not None
    for argument in (*definition.input_arg, *definition.output_arg):
        if argument.type == FLOAT:  # whatever the attributes say
            return False
    for attribute in definition.attr:
        allowed = attribute.allowed_values.list.type
        if node.attr[attribute.name].type == FLOAT and allowed and DOUBLE not in allowed:
            return False
    return True


def flow_nodes(graph_def: Any) -> Set[str]:
    """Return the names of all carriers of a TensorArray's flow."""
    nodes = {node.name: node for node in graph_def.node}
    readers: Dict[str, List[Tuple[str, int]]] = {}
    stacks: Dict[str, List[str]] = {}  # StackV2 -> what pushes to it and pops from it
    for node in graph_def.node:
        for i, each in enumerate(node.input):
            if not each.startswith("^"):
                readers.setdefault(tensor_name(each), []).append((node.name, i))
        if node.op in ("StackPushV2", "StackPopV2"):
            stacks.setdefault(_origin(node.input[0], nodes), []).append(node.name)

    found: Set[str] = set()
    waiting: List[str] = []

    def add(name: str) -> None:
        node = nodes[name]
        if name not in found and node.op in CARRIERS and _carries_float(node):
            found.add(name)
            waiting.append(name)

    for node in graph_def.node:
        takes, gives = FLOWS.get(node.op, (None, None))
        if takes is not None:
            add(op_of(node.input[takes]))
        if gives is not None:
            for reader, _ in readers.get("{}:{}".format(node.name, gives), []):
                add(reader)
    while waiting:
        node = nodes[waiting.pop()]
        if node.op in ("StackPushV2", "StackPopV2"):
            stack = _origin(node.input[0], nodes)
            found.add(stack)
            for name in stacks[stack]:
                add(name)
        values = node.input[1:2] if node.op.startswith("Stack") else node.input
        for each in values:
            if not each.startswith("^"):
                add(op_of(each))
        for number in range(len(output_types(node))):
            for reader, _ in readers.get("{}:{}".format(node.name, number), []):
                add(reader)
    return found


def _carries_float(node: Any) -> bool:
    kinds = [node.attr[name].type for name in ("T", "dtype", "elem_type") if name in node.attr]
    return FLOAT in kinds


def _origin(reference: str, nodes: Mapping[str, Any]) -> str:
    """Return the op that made a stack's handle."""
    node = nodes[op_of(reference)]
    while node.op in ("Enter", "Identity", "Switch"):
        node = nodes[op_of(node.input[0])]
    return str(node.name)


def op_of(reference: str) -> str:
    """Return the op of a node's input: ``^op``, ``op`` or ``op:1``."""
    return reference.lstrip("^").partition(":")[0]


def tensor_name(reference: str) -> str:
    """Return the full name of a node's input that is no control input: ``op`` is ``op:0``."""
    return reference if ":" in reference else reference + ":0"
