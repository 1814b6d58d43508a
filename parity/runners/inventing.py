"""Invents inputs for a graph whose script never fed it: what its placeholders can take.

Floats are uniform, bools are True, whole numbers lie below what they index: the rows of a table
that is looked up, the depth of a one-hot, the classes of a sparse cross-entropy, the range of a
sampler. That is followed through the ops that only hand a number on.
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


def invented(ops: Any) -> Dict[str, np.ndarray]:
    """Return a value for every placeholder among `ops` that has no default, by its tensor."""
    random = np.random.RandomState(SEED)
    return {
        op.outputs[0].name: _value(op.outputs[0], random) for op in ops if op.type == "Placeholder"
    }


def _value(tensor: Any, random: Any) -> Any:
    sizes = [] if tensor.shape.ndims is None else tensor.shape.as_list()
    shape = [BATCH if size is None else size for size in sizes]
    dtype = tensor.dtype.base_dtype
    if dtype.is_bool:
        return np.ones(shape, bool)
    if dtype.is_integer:
        return random.randint(0, limit(tensor) or 1, shape).astype(dtype.as_numpy_dtype)
    if dtype.is_floating:
        return random.uniform(size=shape).astype(dtype.as_numpy_dtype)
    return np.zeros(shape, dtype.as_numpy_dtype)


def limit(tensor: Any) -> Optional[int]:
    """Return what a whole number must stay below, or None where nothing says so."""
    waiting, seen = [tensor], set()  # type: List[Any], Any
    limits: List[int] = []
    while waiting:
        current = waiting.pop()
        if current.name in seen:
            continue
        seen.add(current.name)
        for op in current.consumers():
            found = _limit_of(op, current)
            if found is not None:
                limits.append(found)
            elif op.type in PASSING:
                waiting.extend(op.outputs)
    return min(limits) if limits else None


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
