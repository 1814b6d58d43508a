"""The tensors between a graph's inputs and its taps: which can be fetched, and what feeds what.

Nothing is told by name. What is inside of a while loop has a value an iteration, what is inside of
a conditional may have none: neither is fetched, what comes out of them is.
"""

import hashlib
from typing import Any, Callable, Dict, Iterable, List, Mapping, Tuple

import numpy as np

from parity.runners.segments import telling
from parity.runners.watching import ancestors
from parity.wire import Arrays

LIMIT = 256 * 2**20  # bytes of all values together; the largest are left out first
AT_ONCE = 256  # tensors fetched in one run: bounds memory, not the result

ENTERS, EXITS = ("Enter", "RefEnter"), ("Exit", "RefExit")
SWITCHES, MERGES = ("Switch", "RefSwitch"), ("Merge", "RefMerge")
NEXT = ("NextIteration", "RefNextIteration")
CALLS = ("StatefulPartitionedCall", "While", "If", "Case")  # of functions: loops of TensorFlow 2

Run = Callable[[Mapping[str, Any]], Arrays]


def collect(
    run: Run, inputs: List[Any], taps: List[Any], dtype: Any, rows: int
) -> Tuple[Arrays, Dict[str, Any]]:
    """Fetch what lies between the inputs of a graph and its taps.

    Args:
        run: returns the value of every tensor that it is handed, under the same names.
        inputs: placeholders that are fed.
        taps: where to stop.
        dtype: that the graph computes in; others are not fetched.
        rows: of the batch: what a size that is not known counts for.

    Returns:
        Name of a tensor -> its value, each value once, those that prove nothing left out. And
        ``parents``: name -> the nearest such tensors that it is computed from; ``left_out``: number
        of tensors that were too large.
    """
    ops = in_order(ancestors([tap.op for tap in taps]))
    wanted = fetchable(ops, inputs, dtype)
    small = [tensor for tensor in wanted if _bytes(tensor, rows) <= LIMIT]
    values: Arrays = {}
    known: Dict[Tuple[Any, bytes], str] = {}
    alias: Dict[str, str] = {}  # tensor -> the first one of the same value
    for start in range(0, len(small), AT_ONCE):
        part = {tensor.name: tensor for tensor in small[start : start + AT_ONCE]}
        for name, value in run(part).items():
            value = np.asarray(value)
            if telling(value):
                digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).digest()
                alias[name] = known.setdefault((np.squeeze(value).shape, digest), name)
                values.setdefault(alias[name], value)
        _drop_largest(values)
    left_out = len(wanted) - len(small) + len(set(alias.values()) - set(values))
    alias = {name: first for name, first in alias.items() if first in values}
    return values, {"parents": parents(ops, alias), "left_out": left_out}


def fetchable(ops: Iterable[Any], inputs: List[Any], dtype: Any) -> List[Any]:
    """Return the tensors of a dtype that depend on the inputs, outside of loops and conditionals.

    What is drawn is left out: another run gives another value.

    Args:
        ops: those to look at, each after those that it depends on, and all of these among them.
        inputs: tensors that are fed.
        dtype: of what is wanted.
    """
    reached = {tensor.op for tensor in inputs}
    depths = inside(ops)
    found = []
    for op in ops:
        if op in reached:  # an input
            continue
        if any(tensor.op in reached for tensor in op.inputs):
            reached.add(op)
            if depths[op] == (0, 0) and not _draws(op):
                found += [tensor for tensor in op.outputs if tensor.dtype == dtype]
    return found


def inside(ops: Iterable[Any]) -> Dict[Any, Tuple[int, int]]:
    """Return in how many loops, and in how many conditionals, each op is.

    An imported graph knows it by nothing but its ops: a loop is entered and left, a conditional
    begins with a switch and ends in a merge, and a loop has switches and merges of its own.
    """
    found: Dict[Any, Tuple[int, int]] = {}
    for op in ops:
        around = [found[each] for each in sources(op)]
        loops = max((each[0] for each in around), default=0)
        branches = max((each[1] for each in around), default=0)
        loops += (op.type in ENTERS) - (op.type in EXITS)
        if not loops:
            branches += (op.type in SWITCHES) - (op.type in MERGES)
        found[op] = max(loops, 0), max(branches, 0)
    return found


def in_order(ops: Mapping[Any, None]) -> List[Any]:
    """Return ops so that each comes after those that it depends on; a loop's way back is cut."""
    found: Dict[Any, None] = {}
    for root in ops:
        stack = [(root, False)]
        while stack:
            op, done = stack.pop()
            if done:
                found[op] = None
            elif op not in found:
                stack.append((op, True))
                stack += [(each, False) for each in sources(op) if each not in found]
    return list(found)


def sources(op: Any) -> List[Any]:
    """Return the ops that an op waits for, without a loop's way back."""
    inputs = [tensor.op for tensor in op.inputs]
    if op.type in MERGES:
        inputs = [each for each in inputs if each.type not in NEXT]
    return inputs + list(op.control_inputs)


def parents(ops: Iterable[Any], alias: Mapping[str, str]) -> Dict[str, List[str]]:
    """Return of every value the nearest ones that it is computed from.

    Args:
        ops: each after those that it depends on.
        alias: name of a tensor -> the value that it has.
    """
    behind: Dict[Any, Dict[str, None]] = {}  # op -> the nearest values that it is computed from
    found: Dict[str, Dict[str, None]] = {}
    for op in ops:
        nearest: Dict[str, None] = {}
        for tensor in op.inputs:
            if tensor.name in alias:
                nearest[alias[tensor.name]] = None
            else:
                nearest.update(behind.get(tensor.op, {}))
        behind[op] = nearest
        for tensor in op.outputs:
            if tensor.name in alias:
                found.setdefault(alias[tensor.name], {}).update(nearest)
    return {name: [each for each in nearest if each != name] for name, nearest in found.items()}


def _draws(op: Any) -> bool:
    """Tell whether an op draws numbers, or does more than compute; what reads an array does not."""
    definition = op.op_def
    stateful = definition is not None and definition.is_stateful
    return stateful and not op.type.startswith("TensorArray") and op.type not in CALLS


def _bytes(tensor: Any, rows: int) -> int:
    if tensor.shape.ndims is None:
        return 0
    sizes = [rows if size is None else size for size in tensor.shape.as_list()]
    return int(np.prod(sizes, dtype=np.float64)) * int(tensor.dtype.size)


def _drop_largest(values: Arrays) -> None:
    """Drop values, the largest first, until they keep the limit."""
    total = sum(value.nbytes for value in values.values())
    while total > LIMIT:
        total -= values.pop(max(values, key=lambda name: values[name].nbytes)).nbytes
