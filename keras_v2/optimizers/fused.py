"""TensorFlow's own training kernels: the arithmetic of TensorFlow 1 itself, and one op a variable.

Only on the TensorFlow backend. XLA has no kernels for sparse gradients and rounds otherwise, a GPU
has none for some of them: there, and on other backends, optimizers compute by their formula.
"""

from typing import Any

import keras

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
if ON_TENSORFLOW:
    import tensorflow as tf


def possible(variable: Any, gradient: Any) -> bool:
    """Tells whether a kernel can apply a gradient to a variable, here and now.

    Args:
        variable: of Keras, or of TensorFlow.
        gradient: a tensor, or `tf.IndexedSlices`.
    """
    if not ON_TENSORFLOW or handle(variable) is None or compiled_by_xla():
        return False
    return not is_sparse(gradient) or not tf.config.list_logical_devices("GPU")


def handle(variable: Any) -> Any:
    """Returns the resource that a variable is; None of one that is spread over devices."""
    held = variable.value if isinstance(variable, keras.Variable) else variable
    return getattr(held, "handle", None)


def compiled_by_xla() -> bool:
    """Tells whether what is traced is for XLA: `jit_compile=True`."""
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        context = graph._get_control_flow_context()
        while context is not None:
            if context.IsXLAContext():
                return True
            context = context.outer_context
        graph = getattr(graph, "outer_graph", None)
    return False


def is_sparse(gradient: Any) -> bool:
    """Tells whether a gradient is slices; only they know the shape that they stand for."""
    return hasattr(gradient, "dense_shape")


def summed_slices(gradient: Any) -> tuple[Any, Any]:
    """Sums the slices of each row, as TF1's `_deduplicate_indexed_slices` does.

    Args:
        gradient: slices (n, ...) with the indices (n,) of their rows.

    Returns:
        One slice for each row that is named, (rows, ...), and the rows' indices, (rows,).
    """
    rows, places = tf.unique(gradient.indices)
    return tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows)), rows


def apply(kernel: str, variable: Any, slots: dict[str, Any], gradient: Any, **numbers: Any) -> None:
    """Has a kernel apply a gradient: `ResourceApply...`, of slices `ResourceSparseApply...`.

    Args:
        kernel: its name behind ``Apply``.
        variable: of Keras, or of TensorFlow.
        slots: the kernel's name of each -> variable.
        gradient: a tensor, or `tf.IndexedSlices`.
        **numbers: scalars in the variable's dtype, and switches.
    """
    handles = {name: handle(slot) for name, slot in {"var": variable, **slots}.items()}
    if is_sparse(gradient):
        values, rows = summed_slices(gradient)
        op = getattr(tf.raw_ops, f"ResourceSparseApply{kernel}")
        op(**handles, grad=values, indices=rows, **numbers)
    else:
        getattr(tf.raw_ops, f"ResourceApply{kernel}")(**handles, grad=gradient, **numbers)


def scatter_add(variable: Any, rows: Any, values: Any) -> None:
    """Adds values (rows, ...) to rows of a variable."""
    tf.raw_ops.ResourceScatterAdd(resource=handle(variable), indices=rows, updates=values)
