"""Where a graph comes from: a model that is built, or a graph file. After that both are the same.

A source is a graph with handles: its variables, what its optimizers were handed, and a tensor for
every name that a pair's wiring says.
"""

from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from parity import graphfile
from parity.errors import BadInput, did_you_mean
from parity.runners import graphdefs
from parity.runners.protocol import build
from parity.runners.watching import Applied, components, watched
from parity.wire import Arrays, Model

if hasattr(tf, "disable_v2_behavior"):
    tf.disable_v2_behavior()

# A gradient's values, and the numbers of the rows they belong to where it is sparse.
Gradient = Tuple[Any, Optional[Any]]


class Step:
    """What one optimizer does in a training step.

    Attributes:
        train_op: the op that updates.
        gradients: variable -> what the optimizer was handed; None if the loss does not depend on
            the variable.
        slots: names of the variables that are the optimizer's, moving averages too.
        averages: names of the moving averages.
    """

    def __init__(
        self,
        train_op: Any,
        gradients: Mapping[str, Optional[Gradient]],
        slots: Iterable[str],
        averages: Iterable[str],
    ) -> None:
        self.train_op, self.gradients = train_op, gradients
        self.slots, self.averages = {*slots, *averages}, set(averages)


class Source:
    """A graph with handles.

    Attributes:
        graph: the graph.
        variables: name -> the op that holds it, in the order of their making.
        steps: what its optimizers do.
        trains: whether there is anything to train it with.
    """

    trains = True

    def __init__(self, graph: Any, variables: Dict[str, Any], steps: List[Step]) -> None:
        self.graph, self.variables, self.steps = graph, variables, steps
        self._reads = {name: reading(op) for name, op in variables.items()}
        self._writes = {name: writing(op) for name, op in variables.items()}

    def read(self, session: Any, names: Iterable[str]) -> Arrays:
        """Return the values of some variables."""
        return dict(session.run({name: self._reads[name] for name in names}))

    def write(self, session: Any, arrays: Mapping[str, np.ndarray]) -> None:
        """Set some variables."""
        writes = [self._writes[name] for name in arrays]
        feed = {value: array for (value, _), array in zip(writes, arrays.values())}
        session.run([assign for _, assign in writes], feed)

    def tensor(self, name: str) -> Any:
        """Return the tensor, or the op, that a name of the wiring stands for."""
        raise NotImplementedError

    def initialise(self, session: Any) -> None:
        """Give every variable its first value."""
        raise NotImplementedError


class Built(Source):
    """A model's own graph: an object whose attributes are its tensors. It knows nothing of this.

    Args:
        spec: what to build.
    """

    def __init__(self, spec: Model) -> None:
        graph = tf.Graph()
        with graph.as_default():
            tf.set_random_seed(spec.seed)
            with watched() as seen:
                self.model = build(spec, dtype=spec.dtype)
            variables = {v.op.name: v.op for v in tf.global_variables()}
            self._initializer = tf.group(tf.global_variables_initializer(), tf.tables_initializer())
        super().__init__(graph, variables, [_step(each) for each in seen.applied])

    def tensor(self, name: str) -> Any:
        return getattr(self.model, name)

    def initialise(self, session: Any) -> None:
        session.run(self._initializer)


class Imported(Source):
    """A graph file, drawing from seeds by name; in float64 its rewritten twin.

    Args:
        spec: its builder is the path of the file, its handles say what the wiring's names stand
            for.

    Raises:
        BadInput: the file is no graph file, or its graph reaches outside of itself.
        EngineFailed: it has no float64 twin.
    """

    def __init__(self, spec: Model) -> None:
        file = graphfile.read(spec.builder)
        definition = tf.GraphDef()
        try:
            definition.ParseFromString(file.graph_def)
        except Exception as error:  # protobuf's own, which differs by version
            raise BadInput("{} holds no GraphDef: {}".format(spec.builder, error)) from error
        graphdefs.refuse_outside(definition, spec.builder)
        definition = graphdefs.seeded(definition, spec.seed)
        wide = spec.dtype == "float64"
        powers = shared_floats(file) if wide else []
        definition = graphdefs.widened(definition, powers) if wide else definition
        graph = tf.Graph()
        try:
            with graph.as_default():
                tf.import_graph_def(definition, name="")
            held = {v.name: graph.get_operation_by_name(v.name) for v in file.variables}
            steps = [_known_step(graph, each) for each in file.optimizers]
        except (KeyError, ValueError) as error:
            raise BadInput("{} cannot be imported: {}".format(spec.builder, error)) from error
        # What is but a setting of the step is as the file has it; nobody reads or writes it.
        settings = {v.name for v in file.variables if v.setting}
        variables = {name: op for name, op in held.items() if name not in settings}
        super().__init__(graph, variables, steps)
        self._settings = {name: writing(held[name]) for name in settings}
        self._handles = spec.handles
        self.trains = bool(spec.trains) or "train_op" in spec.handles
        self._values = {
            name: value if name in powers else _as(spec.dtype, value)
            for name, value in file.values.items()
        }

    def tensor(self, name: str) -> Any:
        handle = self._handles.get(name, name)
        try:
            return self.graph.as_graph_element(handle)
        except (KeyError, ValueError) as error:
            known = [tensor.name for op in self.graph.get_operations() for tensor in op.outputs]
            raise BadInput(
                "the graph has no tensor {!r}".format(handle),
                "one of its {:,} tensors".format(len(known)),
                did_you_mean(handle, known),
            ) from error

    def initialise(self, session: Any) -> None:
        self.write(session, {name: self._values[name] for name in self.variables})
        for name, (value, assign) in self._settings.items():
            session.run(assign, {value: self._values[name]})


def source_of(spec: Model) -> Source:
    """Return the graph that a spec's builder stands for."""
    return Imported(spec) if spec.builder.endswith(graphfile.SUFFIX) else Built(spec)


def reading(op: Any) -> Any:
    """Return a tensor that reads the variable which an op holds."""
    if op.type != "VarHandleOp":
        return op.outputs[0]
    with op.graph.as_default(), tf.control_dependencies(None):
        return tf.raw_ops.ReadVariableOp(resource=op.outputs[0], dtype=dtype_of(op))


def writing(op: Any) -> Tuple[Any, Any]:
    """Return a placeholder, and the op that assigns it to the variable which `op` holds."""
    with op.graph.as_default(), tf.control_dependencies(None):
        value = tf.placeholder(dtype_of(op))
        if op.type == "VarHandleOp":
            return value, tf.raw_ops.AssignVariableOp(resource=op.outputs[0], value=value)
        return value, tf.raw_ops.Assign(ref=op.outputs[0], value=value).op


def dtype_of(op: Any) -> Any:
    """Return the dtype of the variable which an op holds."""
    return tf.as_dtype(op.get_attr("dtype")).base_dtype


def _step(seen: Applied) -> Step:
    gradients = {
        variable.op.name: None if gradient is None else _parts(gradient)
        for gradient, variable in seen.pairs
    }
    return Step(seen.train_op, gradients, seen.slots, seen.averages)


def _known_step(graph: Any, known: graphfile.Optimizer) -> Step:
    gradients: Dict[str, Optional[Gradient]] = dict.fromkeys(known.variables)
    for name, each in known.gradients.items():
        indices = graph.as_graph_element(each.indices) if each.indices else None
        gradients[name] = graph.as_graph_element(each.values), indices
    train_op = graph.get_operation_by_name(known.train_op)
    return Step(train_op, gradients, known.slots, known.averages)


def shared_floats(file: graphfile.Graph) -> List[str]:
    """Return slots of float32 that belong to no variable: Adam's powers of beta."""
    found = []
    for optimizer in file.optimizers:
        for slot in optimizer.slots:
            owned = any(slot.startswith(name + "/") for name in optimizer.variables)
            if not owned and file.values[slot].dtype == np.float32 and not file.values[slot].ndim:
                found.append(slot)
    return found


def _parts(gradient: Any) -> Gradient:
    parts = components(gradient)
    return parts[0], parts[1] if len(parts) > 1 else None


def _as(dtype: str, value: np.ndarray) -> np.ndarray:
    """Return a variable of a float32 file in the dtype of the computation."""
    return value.astype(dtype) if value.dtype == np.float32 else value
