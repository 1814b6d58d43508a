"""Invents inputs for a graph that nobody fed: what its placeholders can take.

Floats are uniform, a single one is 0.5, as what dropout keeps might be; bools are True; whole
numbers lie below what they index: the rows of a table that is looked up, the depth of a one-hot,
the classes of a sparse cross-entropy, the range of a sampler. That is followed through the ops that
only hand a number on. Lengths, which are compared and index nothing, are at least 1 and at most
what is shortest. There are as many rows as a shape fixes.
"""

from typing import Any, Dict, List, Optional

import numpy as np
import tensorflow.compat.v1 as tf

BATCH = 4  # where a shape is open
SEED = 0

# What hands numbers on as they are.
PASSING = (
    "Cast",
    "ConcatV2",
    "Enter",
    "ExpandDims",
    "Identity",
    "Pack",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "StridedSlice",
    "TensorArrayScatterV3",
    "Transpose",
    "Unpack",
)


COMPARISONS = ("Greater", "GreaterEqual", "Less", "LessEqual")


def placeholders(ops: Any) -> List[Any]:
    """Return the tensors of the placeholders among `ops` that have no default."""
    return [op.outputs[0] for op in ops if op.type == "Placeholder"]


def invented(tensors: List[Any]) -> Dict[str, np.ndarray]:
    """Return a value for every tensor, by its name."""
    random = np.random.RandomState(SEED)
    fixed = [sizes[0] for sizes in map(_sizes, tensors) if sizes and sizes[0] is not None]
    rows = fixed[0] if fixed else BATCH
    shapes = {tensor.name: _shape(tensor, rows) for tensor in tensors}
    longest = min((shape[1] for shape in shapes.values() if len(shape) > 1), default=BATCH)
    return {each.name: _value(each, shapes[each.name], longest, random) for each in tensors}


def _sizes(tensor: Any) -> List[Optional[int]]:
    return [] if tensor.shape.ndims is None else tensor.shape.as_list()


def _shape(tensor: Any, rows: int) -> List[int]:
    sizes = _sizes(tensor)
    return [
        size if size is not None else BATCH if axis else rows for axis, size in enumerate(sizes)
    ]


def _value(tensor: Any, shape: List[int], longest: int, random: Any) -> Any:
    dtype = tensor.dtype.base_dtype
    if dtype.is_bool:
        return np.ones(shape, bool)
    if dtype.is_integer:
        highest = limit(tensor)
        low, high = (0, highest) if highest else (1, longest + 1) if _compared(tensor) else (0, 1)
        return random.randint(low, high, shape).astype(dtype.as_numpy_dtype)
    if dtype.is_floating:
        return (random.uniform(size=shape) if shape else np.array(0.5)).astype(dtype.as_numpy_dtype)
    return np.zeros(shape, dtype.as_numpy_dtype)


def limit(tensor: Any) -> Optional[int]:
    """Return what a whole number must stay below, or None where nothing says so."""
    limits = [
        _limit_of(op, current) for current in _passed_on(tensor) for op in current.consumers()
    ]
    return min((each for each in limits if each is not None), default=None)


def _compared(tensor: Any) -> bool:
    """Tell whether numbers, one a row, are compared: with positions, if they are lengths."""
    readers = (op for current in _passed_on(tensor) for op in current.consumers())
    return len(_sizes(tensor)) == 1 and any(op.type in COMPARISONS for op in readers)


def _passed_on(tensor: Any) -> List[Any]:
    """Return a tensor, and all that only hand its numbers on."""
    waiting, found = [tensor], {}  # type: List[Any], Dict[str, Any]
    while waiting:
        current = waiting.pop()
        if current.name not in found:
            found[current.name] = current
            for op in current.consumers():
                if op.type in PASSING and _limit_of(op, current) is None:
                    waiting.extend(op.outputs)
    return list(found.values())


def _limit_of(op: Any, index: Any) -> Optional[int]:
    """Return the limit that an op sets to what it is given as `index`."""
    place = [each.name for each in op.inputs].index(index.name)
    if op.type in ("Gather", "GatherV2", "ResourceGather") and place == 1:
        return _size(_variable_shape(op.inputs[0]), 0)
    if op.type == "OneHot" and place == 0:
        depth = tf.get_static_value(op.inputs[1])
        return None if depth is None else int(depth)
    if op.type == "SparseSoftmaxCrossEntropyWithLogits" and place == 1:
        return _size(op.inputs[0].shape, -1)
    if op.type.endswith("CandidateSampler"):
        return int(op.get_attr("range_max"))
    return None


def _variable_shape(tensor: Any) -> Any:
    op = tensor.op
    while op.type in ("Enter", "Identity", "RefEnter"):
        op = op.inputs[0].op
    if op.type == "VarHandleOp":
        return tf.TensorShape(op.get_attr("shape"))
    return tensor.shape


def _size(shape: Any, axis: int) -> Optional[int]:
    return None if shape.ndims is None else shape.as_list()[axis]
