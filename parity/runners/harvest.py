"""Runs an untouched TensorFlow 1 script to its first training run, and writes its graph file.

    python harvest.py QUESTION.json [ARGUMENT ...]

The script runs as ``__main__`` with the arguments that follow. It is stopped inside of the run that
would first have an optimizer's op among its ancestors: the hook never returns, so that no `except`,
`finally` or `with` of the script gets in the way. If the script ends or fails before, the last
graph that has an optimizer in it is taken, with variables as they are initialised.

A ``.meta`` file or the folder of a SavedModel is not run, but restored; its optimizers are found in
the graph, and what it is fed is invented.

The question is ``{"source": ..., "to": ..., "checkpoint": ..., "signature": ..., "fetch": [...]}``,
the last three for what is restored; the answer, events in JSON lines, goes where an engine's do.
"""

import dataclasses
import importlib
import json
import os
import runpy
import sys
import traceback
from typing import Any, Dict, List, Mapping, Tuple

# Before TensorFlow is imported: its RNN cells and layers refuse to work with Keras 3.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.client import session as sessions

from parity import graphfile
from parity.errors import BadInput, EngineFailed, ParityError, did_you_mean
from parity.runners.collecting import collect, flat_feed
from parity.runners.inventing import invented, placeholders
from parity.runners.protocol import Send, refuse
from parity.runners.recovering import recovered
from parity.runners.restoring import initialise, restored
from parity.runners.watching import Run, Watched, ancestors, intercepted, watched

OLD = tf.__version__.startswith("1.")
if not OLD:
    tf.disable_v2_behavior()


class Harvest:
    """One script, from its start to its graph file.

    Args:
        watched: sees its optimizers.
        made_by: what is harvested, and by which versions.
        to: path of the graph file.
        send: tells the process that waits.
    """

    def __init__(self, watched: Watched, made_by: Mapping[str, str], to: str, send: Send) -> None:
        self._watched, self._made_by, self._to, self._send = watched, made_by, to, send
        self._trains: Dict[Any, bool] = {}  # fetched op -> whether an optimizer stands behind it
        self._seen = 0  # optimizers, when these answers were found
        self._inside = False

    def before(self, session: Any, fetches: Any, feeds: Any, run: Run) -> None:
        """Stop the script here if this is its first training run."""
        if self._inside or not self._watched.applied:
            return
        handler = sessions._FetchHandler(session.graph, fetches, {})
        targets = [t.op for t in handler.fetches()] + list(handler.targets())
        if not self._is_training(targets):
            return
        self._finish(session.graph, targets, handler.fetches(), flat_feed(session, feeds), run)

    def at_end(self, how: str, mend: str) -> None:
        """Take the last graph with an optimizer, as the script never trained.

        Args:
            how: it ended.
            mend: what to do about that.

        Raises:
            BadInput: there is no such graph.
        """
        if not self._watched.applied:
            raise BadInput(
                "no optimizer was seen before the end: {}".format(how),
                "code that calls `minimize` or `apply_gradients` of a tf.train.Optimizer",
                mend,
            )
        note = "the script did not train: {}; variables are as they are initialised".format(how)
        graph = self._watched.applied[-1].graph
        with graph.as_default():
            session = tf.Session(graph=graph)
            for initializer in (tf.global_variables_initializer, tf.local_variables_initializer):
                session.run(initializer())
        targets = [each.train_op for each in self._watched.applied if each.graph is graph]
        feed = invented(placeholders(ancestors(targets)))
        self._finish(graph, targets, [], feed, session.run, note)

    def _is_training(self, targets: List[Any]) -> bool:
        if len(self._watched.applied) != self._seen:
            self._seen = len(self._watched.applied)
            self._trains.clear()
        train_ops = {each.train_op for each in self._watched.applied}
        for op in targets:
            if op not in self._trains:
                self._trains[op] = not train_ops.isdisjoint(ancestors([op]))
        return any(self._trains[op] for op in targets)

    def _finish(
        self,
        graph: Any,
        targets: List[Any],
        fetched: List[Any],
        feed: Dict[str, Any],
        run: Run,
        note: str = "",
    ) -> None:
        """Write the graph file, and end the process: nothing of the script runs again."""
        self._inside = True
        graph._unsafe_unfinalize()  # a MonitoredSession's: what reads a variable is added to it
        try:
            found = collect(
                [each for each in self._watched.applied if each.graph is graph],
                graph,
                targets,
                fetched,
                feed,
                lambda tensors: list(run(tensors, dict(feed))),
                run,
                self._made_by,
                aliases={},
            )
            if note:
                missing = (note, *found.missing)
                found = dataclasses.replace(found, missing=missing, invented=True)
            graphfile.write(self._to, found)
            self._send("done", about=dict(self._made_by))
        except ParityError as error:
            refuse(self._send, error)
        except Exception as error:
            traceback.print_exc()
            refuse(self._send, EngineFailed("{}: {}".format(type(error).__name__, error)))
        leave()


def saved(question: Mapping[str, Any], made_by: Mapping[str, str]) -> graphfile.Graph:
    """Return the graph file of what was saved.

    Raises:
        BadInput: it cannot be restored, a tensor that is to be fetched is not in it, or there is
            nothing in it to compare.
    """
    source = question["source"]
    found = restored(source, question["checkpoint"], question["signature"])
    applied, missing = recovered(found.graph)
    slots = {name for each in applied for name in each.slots}
    if initialise(found.session, slots, source):
        missing.append("the state of the optimizers: they start anew, as a Keras optimizer does")
    fetched = [_tensor(found.graph, name) for name in [*found.outputs, *question["fetch"]]]
    targets = [each.train_op for each in applied]
    needed = ancestors([*targets, *(tensor.op for tensor in fetched)])
    graph = collect(
        applied,
        found.graph,
        targets,
        fetched,
        invented(placeholders(needed)),
        lambda tensors: list(invented(tensors).values()),
        found.session.run,
        made_by,
        {**found.inputs, **found.outputs},
    )
    if not graph.optimizers and not graph.outputs:
        raise BadInput(
            "{} has no optimizer, and no output that is known for one".format(source),
            "a training step, a signature, or a loss by cross-entropy",
            "name what the model gives with --fetch TENSOR",
        )
    if not graph.optimizers:
        missing.append("it has no optimizer: nothing of training can be compared")
    notes = (*found.missing, *missing, *graph.missing)
    return dataclasses.replace(graph, missing=notes, invented=True)


def _tensor(graph: Any, name: str) -> Any:
    known = [tensor.name for op in graph.get_operations() for tensor in op.outputs]
    if name in known:
        return graph.get_tensor_by_name(name)
    raise BadInput(
        "the graph has no tensor {!r}".format(name),
        "one of its {:,} tensors, such as scores:0".format(len(known)),
        did_you_mean(name, known),
    )


def run(code: str, arguments: List[str]) -> None:
    """Run a script as Python itself would, or call ``module:function``.

    Raises:
        BadInput: the script is no Python 3, or there is no such function.
    """
    sys.argv = [code, *arguments]
    if not code.endswith(".py"):
        sys.path.insert(0, os.getcwd())
        module, _, name = code.partition(":")
        try:
            function = getattr(importlib.import_module(module), name)
        except AttributeError as error:
            raise BadInput("{}: {}".format(code, error), "module:function") from error
        function()
        return
    with open(code, "rb") as file:
        source = file.read()
    try:
        compile(source, code, "exec")
    except SyntaxError as error:
        raise BadInput(
            "{} is no Python 3: line {}: {}".format(code, error.lineno, error.msg),
            "code that CPython {} runs".format(sys.version.split()[0]),
            "harvest a copy of it that 2to3 has rewritten",
        ) from error
    sys.path.insert(0, os.path.dirname(os.path.abspath(code)))
    runpy.run_path(code, run_name="__main__")


def why(error: BaseException) -> Tuple[str, str]:
    """Return how a script ended before it trained, and what its user may do about it."""
    said = "{}: {}".format(type(error).__name__, error)
    if isinstance(error, SystemExit):
        return "it exited with {!r}".format(error.code), "give it its arguments after --"
    if isinstance(error, EOFError):
        return "it asked for input", "give it its answers as arguments, or harvest a function of it"
    if isinstance(error, ImportError) and not OLD and "'tensorflow." in str(error):
        return said, "TensorFlow 2 has nothing of it: harvest with --engine tf1"
    if isinstance(error, AttributeError) and not OLD and "'tensorflow" in str(error):
        return said, "TensorFlow 2 has nothing of it: harvest with --engine tf1"
    if isinstance(error, ImportError):
        return said, "install what it needs beside {}".format(sys.executable)
    if isinstance(error, (OSError, tf.errors.NotFoundError)):
        return said, "give it its files: --cwd is where it runs, its arguments stand after --"
    return said, "run the script alone, and mend what stops it"


def leave() -> None:
    """End the process, whatever threads and handlers the script has left."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def main() -> None:
    """Harvest what the first argument's file asks for."""
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def send(event: str, **fields: Any) -> None:
        events.write(json.dumps(dict(fields, event=event)) + "\n")

    with open(sys.argv[1], encoding="utf-8") as file:
        question = json.load(file)
    code, arguments = question["source"], sys.argv[2:]
    made_by = {
        "source": code,
        "arguments": " ".join(arguments),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": sys.version.split()[0],
    }
    if not OLD:
        # `import tensorflow` means TensorFlow 1 to the script.
        sys.modules["tensorflow"] = tf
    send("ready")
    if graphfile.is_saved(code):
        try:
            graphfile.write(question["to"], saved(question, made_by))
            send("done", about=made_by)
        except ParityError as error:
            refuse(send, error)
        except Exception as error:
            traceback.print_exc()
            refuse(send, EngineFailed("{}: {}".format(type(error).__name__, error)))
        leave()
    with watched() as seen:
        harvest = Harvest(seen, made_by, question["to"], send)
        ended = (
            "it ended",
            "harvest the code that trains; what only predicts has no training step",
        )
        with intercepted(harvest.before):
            try:
                run(code, arguments)
            except ParityError as error:
                refuse(send, error)
                leave()
            except BaseException as error:
                traceback.print_exc()
                ended = why(error)
        try:
            harvest.at_end(*ended)
        except ParityError as error:
            refuse(send, error)
    leave()


if __name__ == "__main__":
    main()
