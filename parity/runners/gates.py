"""Finds what an LSTM cell of a graph adds to its forget gate."""

from typing import Any, Iterator, Optional

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import tensor_util

# What hands a variable's value on as it is, into a loop, too.
PASSING = ("Identity", "ReadVariableOp", "Enter", "RefEnter", "Switch")
FORGET, GATES = 2, 4  # i, j, f, o (rnn_cell_impl.py)


def forget_bias(variable: Any) -> Optional[float]:
    """Return the constant that is added to the forget gate beside a variable.

    None where the variable is no bias of an LSTM cell: what it is added to is not split into four,
    or the third part has no constant added to it.

    Args:
        variable: the op that holds it.
    """
    for gates in _added_to(variable):
        for split in gates.consumers():
            if split.type != "Split" or len(split.outputs) != GATES:
                continue
            forget = split.outputs[FORGET]
            for add in forget.consumers():
                if add.type in ("Add", "AddV2"):
                    (other,) = [each for each in add.inputs if each is not forget]
                    value = tensor_util.constant_value(other)
                    if value is not None and np.ndim(value) == 0:
                        return float(value)
    return None


def _added_to(op: tf.Operation) -> Iterator[Any]:
    """Yield the sums that a variable is the bias of."""
    for tensor in op.outputs:
        for each in tensor.consumers():
            if each.type in PASSING:
                for found in _added_to(each):
                    yield found
            elif each.type == "BiasAdd":
                yield each.outputs[0]
