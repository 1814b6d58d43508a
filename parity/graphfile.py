"""The graph file: a TensorFlow 1 training step as data.

One ``.npz`` file without pickles holds all that a step needs, whoever wrote the code behind it:

    graph              GraphDef, serialized, as bytes; cut down to what the handles need
    document           JSON, as bytes: `Graph.document`
    variables/NAME     value of every variable and slot, as it was before the step
    feed/TENSOR        what the script fed, or what its iterators and queues gave

Anything else in it is refused, as is a graph that reaches outside of itself (`OUTSIDE`): opening a
file runs nothing. This file runs inside the TensorFlow 1.15 engine: Python 3.7 and NumPy only.
"""

import dataclasses
import json
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from parity import wire
from parity.errors import BadInput
from parity.wire import Arrays

FORMAT = 1
SUFFIX = ".graph.npz"

# Ops that run Python, read or write files, or speak to another machine. A reader refuses any other
# op, too, that has effects it does not know (`parity.runners.graphdefs.reaches_outside`).
OUTSIDE = (
    "PyFunc",
    "PyFuncStateless",
    "EagerPyFunc",
    "GeneratorDataset",
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "Save",
    "SaveV2",
    "SaveSlices",
    "Restore",
    "RestoreV2",
    "RestoreSlice",
    "MergeV2Checkpoints",
    "ReaderReadV2",
    "TextLineDataset",
    "TFRecordDataset",
    "FixedLengthRecordDataset",
    "FixedLengthRecordDatasetV2",
    "InitializeTableFromTextFileV2",
    "RemoteCall",
    "DebugIdentity",
    "DebugIdentityV2",
    "DebugIdentityV3",
    "DebugNanCount",
    "DebugNumericSummary",
    "DebugNumericSummaryV2",
)


@dataclasses.dataclass(frozen=True)
class Input:
    """A tensor that a step is fed.

    Args:
        name: of the tensor, ``input_x:0``.
        op: type of the op that it came from: ``Placeholder``, ``IteratorGetNext``, ...
        dtype: NumPy's name of its dtype.
        shape: sizes, None where one is open; None where the rank is.
        alias: its name in a SavedModel's signature.
    """

    name: str
    op: str
    dtype: str
    shape: Optional[Tuple[Optional[int], ...]]
    alias: str = ""


@dataclasses.dataclass(frozen=True)
class Output:
    """A tensor that a model gives: fetched by the script, or what its cross-entropy is taken of.

    Args:
        name: of the tensor.
        op: type of its op: ``Softmax`` gives probabilities, ``BiasAdd`` most likely logits.
        shape: sizes, None where one is open; None where the rank is.
        inputs: names of the inputs that it depends on.
        alias: its name in a SavedModel's signature.
    """

    name: str
    op: str
    shape: Optional[Tuple[Optional[int], ...]]
    inputs: Tuple[str, ...]
    alias: str = ""


@dataclasses.dataclass(frozen=True)
class Variable:
    """A variable or an optimizer's slot.

    Args:
        name: of its op, as ``Saver`` writes it.
        dtype: NumPy's name of its dtype.
        shape: sizes.
        trainable: whether it stood in ``tf.trainable_variables()``.
        resource: whether it is a resource, and not a reference.
        setting: whether it is but a setting of the training step, as a learning rate that the
            script assigns between steps: the step does not change it, and neither the losses nor
            the outputs depend on it.
        forget_bias: of the bias of an LSTM cell, what the cell adds to its forget gate besides.
    """

    name: str
    dtype: str
    shape: Tuple[int, ...]
    trainable: bool
    resource: bool
    setting: bool = False
    forget_bias: Optional[float] = None


@dataclasses.dataclass(frozen=True)
class Gradient:
    """What an optimizer was handed for one variable.

    Args:
        values: name of the tensor; of the rows that are touched where it is sparse.
        indices: name of the tensor of those rows' numbers, or empty.
    """

    values: str
    indices: str = ""


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """One `apply_gradients`, as it was seen.

    Args:
        kind: name of the optimizer's class.
        train_op: name of the op that it returned, or of the one that moves averages after it.
        loss: name of the tensor that it differentiates; empty where that was not seen.
        gradients: variable -> its gradient; a variable the loss does not depend on is left out.
        variables: names of the variables that it was handed, in order.
        slots: names of the variables that appeared while it was applied, of its step counter, and
            of moving averages that follow it.
        ran: whether the first training run ran it.
        averages: which of the slots are moving averages: they start at what the variable is.
    """

    kind: str
    train_op: str
    loss: str
    gradients: Mapping[str, Gradient]
    variables: Tuple[str, ...]
    slots: Tuple[str, ...]
    ran: bool
    averages: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Draw:
    """A random op that a step depends on.

    Args:
        name: of the op.
        op: its type.
        in_loop: whether it stands in a while loop, where it cannot be fed.
    """

    name: str
    op: str
    in_loop: bool


@dataclasses.dataclass(frozen=True)
class Graph:
    """A training step with its handles.

    Args:
        graph_def: the GraphDef, serialized.
        made_by: what was harvested, and by which versions.
        inputs: what a step is fed.
        outputs: what the model gives.
        optimizers: in the order of their making.
        variables: all of them, slots too.
        draws: random ops.
        updates: ops of ``UPDATE_OPS``.
        missing: what could not be had, a sentence each.
        invented: whether the feed was made up, as the script never trained.
        values: variable -> its value before the step.
        feed: input -> what it was fed.
    """

    graph_def: bytes
    made_by: Mapping[str, str]
    inputs: Tuple[Input, ...]
    outputs: Tuple[Output, ...]
    optimizers: Tuple[Optimizer, ...]
    variables: Tuple[Variable, ...]
    draws: Tuple[Draw, ...]
    updates: Tuple[str, ...]
    missing: Tuple[str, ...]
    invented: bool
    values: Arrays
    feed: Arrays

    @property
    def document(self) -> Dict[str, Any]:
        """All but bytes and arrays, as plain JSON types."""
        plain = dataclasses.asdict(dataclasses.replace(self, values={}, feed={}))
        for name in ("graph_def", "values", "feed"):
            del plain[name]
        return dict(plain, format=FORMAT)


def write(path: str, graph: Graph) -> None:
    """Write a graph file whole or not at all."""
    document = json.dumps(graph.document, allow_nan=False).encode()
    arrays = {
        "graph": np.frombuffer(graph.graph_def, np.uint8),
        "document": np.frombuffer(document, np.uint8),
    }
    arrays.update(wire.within("variables", graph.values))
    arrays.update(wire.within("feed", graph.feed))
    wire.write_arrays(path, arrays, compress=True)


def is_saved(source: str) -> bool:
    """Tell what TensorFlow saved, a .meta file or a SavedModel's folder, from code by its name."""
    return source.endswith(".meta") or not (source.endswith(".py") or ":" in source)


def check_name(path: str) -> None:
    """Make sure that a path is told from a builder by its ending.

    Raises:
        BadInput: it ends otherwise.
    """
    if not path.endswith(SUFFIX):
        raise BadInput("{} is no name of a graph file".format(path), "one ending in " + SUFFIX)


def read(path: str) -> Graph:
    """Read a graph file; nothing of it is run.

    Raises:
        BadInput: it is missing, damaged, of another format, or names what it does not hold.
    """
    check_name(path)
    arrays = wire.read_arrays(path)
    try:
        document = json.loads(arrays.pop("document").tobytes().decode())
        graph_def = arrays.pop("graph").tobytes()
        if document["format"] != FORMAT:
            raise BadInput(
                "{} has format {!r}".format(path, document["format"]),
                "format {}".format(FORMAT),
                "harvest it anew with this version of tf-parity",
            )
        graph = Graph(
            graph_def=graph_def,
            made_by=dict(document["made_by"]),
            inputs=tuple(_input(each) for each in document["inputs"]),
            outputs=tuple(_output(each) for each in document["outputs"]),
            optimizers=tuple(_optimizer(each) for each in document["optimizers"]),
            variables=tuple(_variable(each) for each in document["variables"]),
            draws=tuple(Draw(**each) for each in document["draws"]),
            updates=tuple(document["updates"]),
            missing=tuple(document["missing"]),
            invented=bool(document["invented"]),
            values=wire.under(arrays, "variables"),
            feed=wire.under(arrays, "feed"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            "{} is no graph file: {!r}".format(path, error), "a file that `parity harvest` wrote"
        ) from error
    _check(path, graph, arrays)
    return graph


def _check(path: str, graph: Graph, arrays: Mapping[str, np.ndarray]) -> None:
    """Make sure that a file holds what it names, and nothing else."""
    known = set(wire.within("variables", graph.values)) | set(wire.within("feed", graph.feed))
    wrong = ["{} belongs nowhere".format(name) for name in arrays if name not in known]
    wrong += [
        "variable {} has no value".format(v.name)
        for v in graph.variables
        if v.name not in graph.values
    ]
    for what, named, found in (
        ("variable", {v.name: v.shape for v in graph.variables}, graph.values),
        ("input", {i.name: i.shape for i in graph.inputs}, graph.feed),
    ):  # type: Tuple[str, Mapping[str, Any], Arrays]
        wrong += ["{} {} is not named".format(what, n) for n in found if n not in named]
        for name, value in found.items():
            if name in named and not _fits(named[name], value.shape):
                wrong.append(
                    "{} {} has shape {}, and {} is named".format(
                        what, name, value.shape, named[name]
                    )
                )
    if wrong:
        raise BadInput("{} does not agree with itself:\n  {}".format(path, "\n  ".join(wrong)))


def _fits(expected: Any, shape: Tuple[int, ...]) -> bool:
    return expected is None or (
        len(expected) == len(shape)
        and all(size in (None, given) for size, given in zip(expected, shape))
    )


def _input(plain: Mapping[str, Any]) -> Input:
    return Input(**dict(plain, shape=_shape(plain["shape"])))


def _output(plain: Mapping[str, Any]) -> Output:
    return Output(**dict(plain, shape=_shape(plain["shape"]), inputs=tuple(plain["inputs"])))


def _shape(plain: Any) -> Any:
    return None if plain is None else tuple(plain)


def _variable(plain: Mapping[str, Any]) -> Variable:
    return Variable(**dict(plain, shape=tuple(plain["shape"])))


def _optimizer(plain: Mapping[str, Any]) -> Optimizer:
    gradients = {name: Gradient(**each) for name, each in plain["gradients"].items()}
    listed = ("variables", "slots", "averages")
    names: Dict[str, List[str]] = {k: plain.get(k, []) for k in listed}
    return Optimizer(**dict(plain, gradients=gradients, **{k: tuple(v) for k, v in names.items()}))
