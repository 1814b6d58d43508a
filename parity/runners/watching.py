"""Watches code that builds and trains a TensorFlow 1 graph, and knows nothing of it.

Hooks on `tf.train.Optimizer`, `ExponentialMovingAverage` and `tf.gradients` see what is
differentiated, applied and averaged;
a hook on `Session.run` sees every run before it happens. Nothing is guessed by name.
"""

import contextlib
import functools
from typing import Any, Callable, Dict, Iterator, List, Set, Tuple

import tensorflow
import tensorflow.compat.v1 as tf
from tensorflow.python.client import session as sessions

Run = Callable[..., Any]


class Applied:
    """One `apply_gradients`, as it was seen.

    Attributes:
        graph: the graph that it was done in.
        kind: name of the optimizer's class.
        pairs: (gradient or None, variable), as they were handed over.
        slots: names of the variables that appeared meanwhile, and of the step counter that it was
            handed.
        averages: names of the moving averages that follow it.
        train_op: the op that it returned, or the one that moves the averages after it.
        loss: what is differentiated, or None where that was not seen.
    """

    def __init__(self, kind: str, pairs: List[Tuple[Any, Any]], loss: Any) -> None:
        self.graph = tf.get_default_graph()
        self.kind, self.pairs, self.loss = kind, pairs, loss
        self.slots: Set[str] = set()
        self.averages: Set[str] = set()
        self.train_op: Any = None


class Watched:
    """What was seen so far.

    Attributes:
        applied: every `apply_gradients`, in order.
    """

    def __init__(self) -> None:
        self.applied: List[Applied] = []
        self._losses: List[Tuple[Any, Set[Any]]] = []  # a loss, and the ops of its gradients
        self._depth = 0  # one optimizer may wrap another: the outermost is the one that counts

    def differentiated(self, loss: Any, gradients: Any) -> None:
        """A loss was differentiated."""
        parts = [part for gradient in gradients for part in components(gradient)]
        self._losses.append((loss, {part.op for part in parts}))

    def averaged(self, averages: Any, variables: Any, update: Any) -> None:
        """Moving averages were made; those that a training step is followed by are part of it."""
        behind = ancestors([update])
        given = tf.trainable_variables() if variables is None else variables
        averaged = {v.op: averages.average(v).op.name for v in given if v.op.type in VARIABLES}
        for seen in self.applied:
            mine = {averaged[v.op] for _, v in seen.pairs if v.op in averaged}
            if mine and seen.train_op in behind:
                seen.averages |= mine
                seen.train_op = update

    def apply(self, optimizer: Any, original: Run, pairs: Any, *args: Any, **options: Any) -> Any:
        """Let an optimizer apply gradients, and note what it did."""
        pairs = list(pairs)
        if self._depth:
            return original(pairs, *args, **options)
        seen = Applied(type(optimizer).__name__, pairs, self._loss_of(pairs))
        before = variable_names(seen.graph)
        self._depth += 1
        try:
            applied = original(pairs, *args, **options)
        finally:
            self._depth -= 1
        step = options.get("global_step", args[0] if args else None)
        seen.slots = variable_names(seen.graph) - before
        if step is not None:
            seen.slots.add(step.op.name)
        seen.train_op = getattr(applied, "op", applied)
        self.applied.append(seen)
        return applied

    def _loss_of(self, pairs: List[Tuple[Any, Any]]) -> Any:
        """Return the last loss whose gradients are those applied, or what they are made of."""
        applied = [part.op for gradient, _ in pairs for part in components(gradient)]
        for loss, found in reversed(self._losses):
            if found & set(applied):
                return loss
        behind = set(ancestors(applied))
        for loss, found in reversed(self._losses):
            if found & behind:
                return loss
        return None


@contextlib.contextmanager
def watched() -> Iterator[Watched]:
    """Watch every optimizer that is made inside the block."""
    seen = Watched()
    optimizer = tf.train.Optimizer
    initialize, gradients = optimizer.__init__, tf.gradients
    average = tf.train.ExponentialMovingAverage.apply
    modules = (tensorflow, tf)  # a script may have imported either
    others = [module.gradients for module in modules]

    def watching(self: Any, *args: Any, **options: Any) -> None:
        initialize(self, *args, **options)
        # Of the instance: what a subclass overrides is seen too.
        compute, apply = self.compute_gradients, self.apply_gradients

        @functools.wraps(compute)
        def compute_gradients(loss: Any, *args: Any, **options: Any) -> Any:
            pairs = compute(loss, *args, **options)
            seen.differentiated(loss, [gradient for gradient, _ in pairs])
            return pairs

        self.compute_gradients = compute_gradients
        self.apply_gradients = functools.partial(seen.apply, self, apply)

    @functools.wraps(gradients)
    def differentiate(ys: Any, *args: Any, **options: Any) -> Any:
        found = gradients(ys, *args, **options)
        losses = ys if isinstance(ys, (list, tuple)) else [ys]
        if len(losses) == 1:
            seen.differentiated(losses[0], found)
        return found

    @functools.wraps(average)
    def averaging(self: Any, var_list: Any = None) -> Any:
        update = average(self, var_list)
        seen.averaged(self, var_list, update)
        return update

    optimizer.__init__ = watching
    tf.train.ExponentialMovingAverage.apply = averaging
    for module in modules:
        module.gradients = differentiate
    try:
        yield seen
    finally:
        optimizer.__init__ = initialize
        tf.train.ExponentialMovingAverage.apply = average
        for module, other in zip(modules, others):
            module.gradients = other


@contextlib.contextmanager
def intercepted(before: Callable[[Any, Any, Any, Run], None]) -> Iterator[None]:
    """Call `before(session, fetches, feeds, run)` ahead of every run of a session in the block.

    Its last argument is the run itself, without the hook.
    """
    original = sessions.BaseSession.run

    def run(self: Any, fetches: Any, feed_dict: Any = None, *args: Any, **options: Any) -> Any:
        before(self, fetches, feed_dict, functools.partial(original, self))
        return original(self, fetches, feed_dict, *args, **options)

    sessions.BaseSession.run = run
    try:
        yield
    finally:
        sessions.BaseSession.run = original


def components(value: Any) -> List[Any]:
    """Return the tensors that a gradient or a fed value is made of; none of None."""
    if value is None:
        return []
    if isinstance(value, tf.Tensor):
        return [value]
    if hasattr(value, "indices"):
        shape = [value.dense_shape] if value.dense_shape is not None else []
        return [value.values, value.indices, *shape]
    return [tf.convert_to_tensor(value)]


def variable_names(graph: Any) -> Set[str]:
    """Return the names of the ops that hold state in a graph, in a collection or not."""
    return {op.name for op in graph.get_operations() if op.type in VARIABLES}


VARIABLES = ("Variable", "VariableV2", "VarHandleOp")


def ancestors(roots: List[Any], stop: Any = ()) -> Dict[Any, None]:
    """Return every op that `roots` depend on, they too, in the order of their creation.

    Args:
        roots: ops.
        stop: ops whose own inputs are not looked at.
    """
    stack, found = list(roots), set()
    while stack:
        op = stack.pop()
        if op in found:
            continue
        found.add(op)
        if op not in stop:
            stack.extend(tensor.op for tensor in op.inputs)
            stack.extend(op.control_inputs)
    return dict.fromkeys(sorted(found, key=lambda each: each._id))


def flat_ops(collection: List[Any]) -> List[Any]:
    """Return the ops of a collection, whatever they were added as."""
    found: Set[Any] = {getattr(each, "op", each) for each in collection}
    return sorted((op for op in found if isinstance(op, tf.Operation)), key=lambda op: op._id)
