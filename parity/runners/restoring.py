"""Makes a graph and its variables out of what TensorFlow 1 saved: a .meta file, a SavedModel.

Nothing of such a graph is run but what reads and sets variables, and that is looked at before.
"""

import os
from typing import Any, Dict, List, Set, Tuple

import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from parity.errors import BadInput, did_you_mean, look_up
from parity.runners import graphdefs
from parity.runners.watching import VARIABLES, ancestors

SAVED_MODEL = "saved_model.pb"
SERVED = "serve"  # tag of the graph that a SavedModel is there for
# What a Saver reads files with.
RESTORES = ("Restore", "RestoreSlice", "RestoreV2")


class Restored:
    """A graph with its variables, in a session of its own.

    Attributes:
        graph: the graph.
        session: in which its variables have their values.
        inputs: tensor -> its name in a signature.
        outputs: the same of what the signature gives.
        missing: what could not be had, a sentence each.
    """

    def __init__(self, session: Any, missing: List[str]) -> None:
        self.graph, self.session, self.missing = session.graph, session, missing
        self.inputs: Dict[str, str] = {}
        self.outputs: Dict[str, str] = {}


def restored(path: str, checkpoint: str, signature: str) -> Restored:
    """Return what a .meta file, or the folder of a SavedModel, holds.

    Args:
        path: of either.
        checkpoint: of the .meta file, as `Saver.save` names it, or the folder of several; of the
            same name if empty.
        signature: of the SavedModel; its only one, or ``serving_default``, if empty.

    Raises:
        BadInput: it cannot be read; the checkpoint is of another graph; there is no such signature;
            to restore it more would be run than what reads and sets variables.
    """
    if path.endswith(".meta"):
        meta = _parsed(tf.MetaGraphDef(), path, "a .meta file, as Saver.save writes it")
        return _with_values(meta, path, _checkpoint(path, checkpoint))
    meta = _saved_model(path)
    if meta.HasField("object_graph_def"):
        raise BadInput(
            "{} is a SavedModel of TensorFlow 2".format(path),
            "one that TensorFlow 1 saved: a graph, not functions",
        )
    chosen = _signature(meta, path, signature)
    found = _with_values(meta, path, os.path.join(path, "variables", "variables"))
    for names, known in ((found.inputs, chosen.inputs), (found.outputs, chosen.outputs)):
        names.update({info.name: key for key, info in known.items() if info.name})
    return found


def _parsed(message: Any, path: str, expected: str) -> Any:
    try:
        with open(path, "rb") as file:
            message.ParseFromString(file.read())
    except Exception as error:  # protobuf's own, which differs by version
        raise BadInput("{} cannot be read: {}".format(path, error), expected) from error
    return message


def _saved_model(folder: str) -> Any:
    """Return the MetaGraphDef of a SavedModel that is there to be served."""
    path = os.path.join(folder, SAVED_MODEL)
    saved = _parsed(SavedModel(), path, "a SavedModel of TensorFlow 1")
    graphs = {", ".join(sorted(each.meta_info_def.tags)): each for each in saved.meta_graphs}
    if len(graphs) == 1:
        return next(iter(graphs.values()))
    return look_up("graph of the SavedModel with the tags", SERVED, graphs)


def _signature(meta: Any, path: str, name: str) -> Any:
    known = {key: each for key, each in meta.signature_def.items() if key[:2] != "__"}
    if not known:
        raise BadInput("{} has no signature".format(path), "one that names inputs and outputs")
    chosen = name or (next(iter(known)) if len(known) == 1 else "serving_default")
    return look_up("signature", chosen, known)


def _checkpoint(path: str, given: str) -> str:
    prefix = given or path[: -len(".meta")]
    if os.path.isdir(prefix):
        prefix = tf.train.latest_checkpoint(prefix) or prefix
    if not tf.train.checkpoint_exists(prefix):
        raise BadInput(
            "there is no checkpoint {}".format(prefix),
            "the files NAME.index and NAME.data-... that were saved with {}".format(path),
            "name it with --checkpoint NAME, or the folder that it is in",
        )
    return prefix


def _with_values(meta: Any, path: str, prefix: str) -> Restored:
    """Return a graph whose variables are those of a checkpoint; what that lacks is initialised."""
    if not meta.graph_def.node:
        raise BadInput("{} holds no graph".format(path), "a file that was written whole")
    graph = tf.Graph()
    with graph.as_default():
        try:
            saver = tf.train.import_meta_graph(meta, clear_devices=True)
        except Exception as error:  # an op that is not there is a ValueError or a NotFoundError
            raise BadInput(
                "{} cannot be imported into TensorFlow {}: {}".format(
                    path, tf.__version__, str(error).splitlines()[0]
                ),
                "a graph of ops that this TensorFlow has",
                "harvest it with --engine {}".format(
                    "graph" if tf.__version__.startswith("1.") else "tf1"
                ),
            ) from error
    session = tf.Session(graph=graph)
    missing: List[str] = []
    if not any(op.type in VARIABLES for op in graph.get_operations()):
        return Restored(session, missing)
    if saver is None or not meta.saver_def.restore_op_name:
        raise BadInput(
            "{} does not say how its variables are restored".format(path),
            "a file with a saver_def, as Saver.save writes it",
        )
    restoring = graph.get_operation_by_name(meta.saver_def.restore_op_name)
    _refuse_outside([restoring], RESTORES, path)
    _check_fit(restoring, path, prefix)
    try:
        saver.restore(session, prefix)
    except Exception as error:
        raise BadInput(
            "{} cannot be restored: {}".format(prefix, str(error).splitlines()[0]),
            "a checkpoint that was saved with {}".format(path),
        ) from error
    read = {op for op in ancestors([restoring]) if op.type in VARIABLES}
    rest = {op.name for op in graph.get_operations() if op.type in VARIABLES and op not in read}
    for name in initialise(session, rest, path):
        missing.append("{}: not in the checkpoint; as it is initialised".format(name))
    return Restored(session, missing)


def _refuse_outside(ops: List[Any], allowed: Tuple[str, ...], path: str) -> None:
    """Make sure that what is run reaches outside of the graph by `allowed` ops alone."""
    strange = [
        op for op in ancestors(ops) if graphdefs.reaches_outside(op.type) and op.type not in allowed
    ]
    if strange:
        raise BadInput(
            "to restore {} it would have to run {}".format(
                path, ", ".join("{} ({})".format(op.name, op.type) for op in strange[:5])
            ),
            "a graph whose variables are read from a checkpoint, and do nothing else",
        )


def _check_fit(restoring: Any, path: str, prefix: str) -> None:
    """Make sure that a checkpoint holds what a graph restores, in its shapes."""
    try:
        there = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    except Exception as error:
        raise BadInput(
            "{} cannot be read: {}".format(prefix, str(error).splitlines()[0]), "a checkpoint"
        ) from error
    wrong = []
    for name, shape in _wanted(restoring).items():
        if name not in there:
            near = did_you_mean(name, there)
            wrong.append("{} is not in it".format(name) + ("; " + near if near else ""))
        elif shape is not None and list(there[name]) != shape:
            wrong.append("{} is {} in it, and {} in the graph".format(name, there[name], shape))
    if wrong:
        raise BadInput(
            "{} is of another graph than {}:\n  {}".format(prefix, path, "\n  ".join(wrong[:8])),
            "the checkpoint that was saved with it",
            "name it with --checkpoint NAME",
        )


def _wanted(restoring: Any) -> Dict[str, Any]:
    """Return what is read from a checkpoint: name -> shape, None where only a slice is wanted."""
    found: Dict[str, Any] = {}
    for op in ancestors([restoring]):
        if op.type != "RestoreV2":
            continue
        names, slices = (tf.get_static_value(each) for each in op.inputs[1:3])
        for name, part, output in zip(names, slices, op.outputs):
            assigns = [
                each for each in _readers(output) if each.type in ("Assign", "AssignVariableOp")
            ]
            whole = assigns and not part
            sizes = assigns[0].inputs[0].op.get_attr("shape").dim if whole else ()
            found[name.decode()] = [each.size for each in sizes] if whole else None
    return found


def _readers(tensor: Any) -> List[Any]:
    """Return what consumes a tensor, and what consumes its copies."""
    found = []
    for op in tensor.consumers():
        found += _readers(op.outputs[0]) if op.type == "Identity" else [op]
    return found


def initialise(session: Any, names: Set[str], path: str) -> List[str]:
    """Give variables the values that they start with; return the names of those that have some.

    Args:
        session: of their graph.
        names: of their ops.
        path: what the graph came from.

    Raises:
        BadInput: that would run more than what computes, or an initial value cannot be computed.
    """
    with session.graph.as_default():
        known = {v.op.name: v for v in [*tf.global_variables(), *tf.local_variables()]}
    found = sorted(names & set(known))
    ops = [known[name].initializer for name in found]
    _refuse_outside(ops, (), path)
    try:
        session.run(ops)
    except tf.errors.OpError as error:
        raise BadInput(
            "variables of {} cannot be initialised: {}".format(path, error.message.splitlines()[0])
        ) from error
    return found
