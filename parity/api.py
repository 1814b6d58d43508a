"""The library: what the command, the pytest plugin and a user's own code call.

An option ``--NAME`` of the command is an argument ``NAME`` here; one that can be repeated has a
plural name. ``--weight VARIABLE=PATH`` is ``weights={"VARIABLE": "PATH"}``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from datasets.dataset import Origin
from parity import (
    checked,
    comparing,
    feeds,
    graphfile,
    harvesting,
    pairfile,
    pairtoml,
    runs,
    store,
    ties,
)
from parity.asking import Asked, Said
from parity.cases import DTYPES
from parity.checked import CheckResult, require
from parity.comparing import Difference
from parity.engines import Engine, find, references, visible_devices
from parity.errors import ENGINE_FAILED, BadInput, EngineFailed, ParityError, look_up
from parity.executor import Executor
from parity.feeds import Fed, Inputs
from parity.graphfile import SUFFIX
from parity.harvesting import TIMEOUT, Source, Watch
from parity.options import Options
from parity.pair import STEPS
from parity.pairfile import Proposed
from parity.pairtoml import PairFile
from parity.results import Outcome
from parity.runs import Listener
from parity.store import Store

P = ParamSpec("P")
R = TypeVar("R")

TIMEOUT_OF_ENGINES = 300.0  # seconds of silence

# Rung -> what stands before a tensor's own name in a key of that rung (`parity.keys`).
_PREFIXES = {
    "variables": "variables",
    "forward": "forward/eval",
    "loss": "loss/eval",
    "gradients": "gradients",
    "update": "update/step 1/weights",
    "curve": "curve",
}


class Silent:
    """A `parity.runs.Listener` that says nothing."""

    def expect(self, pairs: int) -> None:
        """Say nothing."""

    def loaded(self, origin: Origin) -> None:
        """Say nothing."""

    def begin(self, pair: str) -> None:
        """Say nothing."""

    def watch(self, pair: str) -> Callable[[str, str, str, int, int], None]:
        """Return a callback that does nothing."""
        return lambda *_: None

    def finish(self, outcome: Outcome) -> None:
        """Say nothing."""


@dataclasses.dataclass
class Engines:
    """Running engines that several checks share; `shared_engines` lends them.

    Args:
        executor: puts questions to them.
        device: that they compute on; empty for the framework's own choice.
        timeout: seconds without a sign of life before one counts as hung.
        keep_logs: True once an error may send a reader to a log.
    """

    executor: Executor
    device: str
    timeout: float
    keep_logs: bool = False


def harvest(
    script: str | os.PathLike[str],
    *arguments: str,
    output: str | os.PathLike[str] | None = None,
    engine: str = "tf1",
    cwd: str | os.PathLike[str] = ".",
    timeout: float = TIMEOUT,
    overwrite: bool = False,
    checkpoint: str = "",
    signature: str = "",
    fetch: Sequence[str] = (),
    inputs: str | os.PathLike[str] | None = None,
    watch: Watch = lambda *_: None,
) -> Path:
    """Run an untouched TensorFlow 1 script to its first training run; return its graph file.

    The script is not changed, and is stopped before it updates a weight. What a script has saved is
    not run but read: a ``.meta`` file with its checkpoint, or a SavedModel.

    Args:
        script: its path, as seen from `cwd`, ``module:function``, a path ending in ``.meta``, or
            the folder of a SavedModel.
        *arguments: of the script.
        output: path of the graph file; ``SCRIPT.graph.npz`` in the current folder if None.
        engine: ``tf1``, or ``graph`` where nothing of ``tf.contrib`` is needed.
        cwd: folder that the script runs in.
        timeout: seconds until a script that has not trained is ended.
        overwrite: replace a graph file that is there.
        checkpoint: of the ``.meta`` file, or the folder of several; of the same name if empty.
        signature: of the SavedModel; its only one, or ``serving_default``, if empty.
        fetch: tensors that what was saved gives, besides those of the signature.
        inputs: ``.npz`` file of arrays by names of placeholders, fed in the place of what the
            script fed, or of what was invented.
        watch: called a few times a second with the seconds so far and the last line printed.

    Raises:
        BadInput: there is no such script, it trains nothing, what was saved cannot be restored, or
            the graph file is there already.
        EngineFailed: the engine is missing, or the script ran too long or took it down.

    Example:
        >>> import parity
        >>> parity.harvest("train.py", engine="graph", output="harvested.graph.npz").name
        'harvested.graph.npz'
    """
    code = os.fspath(script)
    to = Path(graph_name(code) if output is None else output)
    graphfile.check_name(str(to))
    if to.exists() and not overwrite:
        raise BadInput(
            f"{to} exists", mend="add --overwrite to replace it, or choose another --output"
        )
    chosen = find(engine)
    if chosen.family != "graph":
        raise BadInput(f"engine {engine!r} runs no graph", "tf1 or graph")
    source = Source(code, arguments, Path(cwd), checkpoint, signature, tuple(fetch))
    arrays = None if inputs is None else feeds.read(inputs)
    graph = harvesting.harvest(source, to, chosen, timeout, watch)
    if arrays is not None:
        try:
            graphfile.write(str(to), feeds.fed(graph, arrays, os.fspath(inputs or "")))
        except ParityError:
            to.unlink()  # it has another feed than was asked for
            raise
    return to


def graph_name(code: str) -> str:
    """Return the name of the graph file of a script or a saved model; of a graph file its own."""
    name = Path(code.replace(":", ".")).name
    for suffix in (SUFFIX, ".py", ".meta"):
        name = name.removesuffix(suffix)
    return name + SUFFIX


def check(
    graph: str | os.PathLike[str],
    keras: str = "",
    *,
    arguments: Sequence[str] = (),
    weights: Mapping[str, str] | None = None,
    tensors: Mapping[str, str] | None = None,
    fed: Mapping[str, str] | None = None,
    dropout: Mapping[str, str] | None = None,
    train_ops: Mapping[str, str] | None = None,
    carried: Mapping[str, str] | None = None,
    optimizer: str = "",
    evaluation: Mapping[str, float] | None = None,
    inputs: Inputs | None = None,
    engines: Sequence[str] | None = None,
    steps: int | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    device: str = "",
    timeout: float | None = None,
    save_pair: str | os.PathLike[str] | None = None,
    shared: Engines | None = None,
    listener: Listener | None = None,
    watch: Watch = lambda *_: None,
    tell: Callable[[Proposed], None] = lambda _: None,
) -> CheckResult:
    """Prove that a Keras model is the model of a graph file, rung by rung.

    Both start from the script's own weights, and train on the script's own batch, in float32 and
    float64. A difference is a result, no exception; see `assert_parity`.

    Args:
        graph: path of a graph file; or what `harvest` takes, which is harvested first, on ``tf1``
            if that is among the engines; or of a pair file ending in ``.toml``, which says all the
            rest: what is given here beside it goes first.
        keras: ``module:function`` that returns the Keras model. The module is looked for in
            ``PYTHONPATH``, in the current folder and among what is installed. Or the path of a
            ``.keras`` file; ``module:file.keras`` where its classes are of a module.
        arguments: of the script.
        weights: variable of the graph -> path of the Keras weight, or scope of a cell -> its path,
            where they are not to be proposed.
        tensors: tensor of the graph -> the Keras layer that gives it, where that is not to be
            proposed, or is to be compared besides; empty where no layer does.
        fed: what is fed to the graph -> Keras input, or the output that it is the target of; empty
            where the graph alone takes it.
        dropout: scope of a draw -> the Keras layer that drops.
        train_ops: of several optimizers that step in turn, each train op -> the attribute of the
            Keras model, in their order. `train_step` and `test_step` return the losses: `d_loss` is
            that of `d_optimizer`.
        carried: input that is fed what the step before gave -> the tensor that gives it;
            `train_step` returns it under the name of the Keras input.
        optimizer: train op, where the graph has several and one of them is compared.
        evaluation: input of the graph -> what it is fed when the model does not train.
        inputs: what both train on in the place of the script's batch. Path of an ``.npz`` file of
            arrays by names of placeholders, or such arrays: of more rows than the script's batch
            they are cut into batches of its size. Or ``module:function``, or such a function, that
            gives batches one after the other.
        engines: graph engines to ask, with ``graph`` always among them; if None, ``tf1`` as well
            where it is present.
        steps: training steps of the curve; if None, as many as the suite's pairs have.
        seed: of dropout masks; 0 if None.
        output: folder for results and the engines' logs; nothing is written if None.
        device: ``cpu``, ``gpu``, ``gpu:N``, or empty for the framework's own choice.
        timeout: seconds without a sign of life before an engine counts as hung; 300 if None.
        save_pair: pair file to be written if all agrees, with all that was decided.
        shared: engines that run already; some are started for this check if None.
        listener: is told how the proof gets on; nobody if None.
        watch: as that of `harvest`.
        tell: called with what is paired with what, before it is proved.

    Raises:
        BadInput: the graph file or the model cannot be had, or what belongs together cannot be
            told; says how to decide it. Where that is a choice, and there is an `output` or a
            `save_pair`, a pair file is written in which all but the choice is filled in.
        EngineFailed: a named engine is not here, or died over the model.

    Example:
        >>> import parity
        >>> result = parity.check("train.graph.npz", "rewrite:build_model", engines=["graph"])
        >>> result.agrees, result.exit_code
        (True, 0)
        >>> print(result.report)
        1 pair agrees: at every rung Keras computes what TensorFlow 1 computes.
    """
    own = PairFile(
        os.fspath(graph),
        keras,
        tuple(arguments),
        os.fspath(inputs) if isinstance(inputs, (str, os.PathLike)) else "",
        Said(
            tensors or {},
            optimizer,
            evaluation or {},
            weights or {},
            fed or {},
            dropout or {},
            train_ops or {},
            carried or {},
        ),
        tuple(engines or ()),
        steps,
        seed,
        os.fspath(output or ""),
        device,
        timeout,
    )
    asked = pairtoml.resolved(own)
    _check_asked(asked, inputs, save_pair, shared)
    options = Options(
        references(list(asked.engines) or None),
        steps=asked.steps,
        seed=asked.seed or 0,
        stock=False,
        device=shared.device if shared else asked.device,
        timeout=shared.timeout if shared else asked.timeout or TIMEOUT_OF_ENGINES,
    )
    kept = dataclasses.replace(asked, output="")  # a folder of this run
    with contextlib.ExitStack() as stack:
        folder = Path(asked.output or stack.enter_context(tempfile.TemporaryDirectory()))
        runs.writable(folder)
        run = runs.begun()
        path, lines = _graph_of(asked, folder, options.references, watch)
        logs = folder / "logs" if asked.output else None
        lent = shared or stack.enter_context(shared_engines(options.device, options.timeout, logs))
        with _logs_kept(lent):
            try:
                most = asked.steps or STEPS
                given = asked.inputs or None if inputs is None else inputs
                proposed = _propose(path, asked, given, most, lent.executor)
            except Asked as question:
                to = folder if asked.output else None
                raise checked.with_draft(question, kept, save_pair, to) from None
            proposed = dataclasses.replace(proposed, lines=[*lines, *proposed.lines])
            tell(proposed)
            told = listener or Silent()
            runs.prove(run, [proposed.pair], options, folder, told, lent=lent.executor)
        lent.keep_logs |= run.exit_code == ENGINE_FAILED
        to = folder if asked.output else None
        notes = checked.keep(run, proposed, kept, save_pair, to)
    return CheckResult(run, proposed, notes)


def same_arguments(other: Callable[P, Any]) -> Callable[[Callable[..., R]], Callable[P, R]]:
    """Give a function that hands its arguments on the signature of the one that gets them."""

    def give(function: Callable[..., R]) -> Callable[P, R]:
        @functools.wraps(function)
        def handing(*args: P.args, **kwargs: P.kwargs) -> R:
            __tracebackhide__ = True
            return function(*args, **kwargs)

        handing.__wrapped__ = other  # where `inspect` looks
        return handing

    return give


@same_arguments(check)
def assert_parity(*args: Any, **kwargs: Any) -> CheckResult:
    """Prove as `check` does, with its arguments; raise where the models are not the same.

    Raises:
        AssertionError: they differ; the message is `CheckResult.report`.
        BadInput: as `check`.
        EngineFailed: as `check`, or something was not compared: that is never a success.

    Example:
        >>> import parity
        >>> graph, asked = "train.graph.npz", {"engines": ["graph"]}
        >>> found = parity.assert_parity(graph, "rewrite:build_model", **asked)
        >>> len(found.outcome.comparisons)  # float32 and float64
        2
        >>> parity.assert_parity(graph, "rewrite:wrong_activation", **asked)
        Traceback (most recent call last):
        AssertionError: 1 pair differs: train at forward.
        ...
    """
    __tracebackhide__ = True
    return require(check(*args, **kwargs))


@contextlib.contextmanager
def shared_engines(
    device: str = "", timeout: float = 300, logs: str | os.PathLike[str] | None = None
) -> Iterator[Engines]:
    """Lend engines to several checks: starting one takes seconds, because it imports TensorFlow.

    An engine is started when it is first asked, and ended with the context. Answers are kept, as
    the command keeps them: what has not changed is not asked twice.

    Args:
        device: ``cpu``, ``gpu``, ``gpu:N``, or empty for the framework's own choice.
        timeout: seconds without a sign of life before an engine counts as hung.
        logs: folder for the engines' logs, emptied first; if None, one that stays only where an
            error may send a reader there.

    Raises:
        BadInput: there is no such device.

    Example:
        >>> import parity
        >>> with parity.shared_engines(device="cpu") as shared:
        ...     for model in ("build_model", "wrong_activation"):
        ...         found = parity.check(
        ...             "train.graph.npz", f"rewrite:{model}", engines=["graph"], shared=shared
        ...         )
        ...         print(model, found.agrees)
        build_model True
        wrong_activation False
    """
    visible_devices(device)
    folder = Path(tempfile.mkdtemp(prefix="parity-logs-") if logs is None else logs)
    if logs is not None:
        shutil.rmtree(folder, ignore_errors=True)  # an old log would explain a new failure
        folder.mkdir(parents=True)
    executor = Executor(folder, device, timeout, kept=Store(store.default_folder()))
    with executor as running:
        lent = Engines(running, device, timeout)
        try:
            yield lent
        finally:
            if logs is None and not lent.keep_logs:
                shutil.rmtree(folder)


def compare(
    expected: Mapping[str, ArrayLike],
    actual: Mapping[str, ArrayLike],
    *,
    rung: str = "forward",
    dtype: str = "",
) -> list[Difference]:
    """Compare arrays of two implementations under the suite's general bounds; no engine runs.

    A name, a shape or a dtype that only one side has is a difference, and so is a NaN.

    Args:
        expected: name -> the reference's array, any shape, real numbers.
        actual: name -> the candidate's.
        rung: whose bound applies: ``variables``, ``forward``, ``loss``, ``gradients``, ``update``,
            or ``curve`` for lines of one loss a step, (steps,). If empty, names are the suite's own
            keys, as ``gradients/dense/kernel``.
        dtype: ``float32`` or ``float64``, what both were computed in; if empty, the least precise
            of all arrays of floats.

    Returns:
        An account of every tensor, in the reference's order; `Difference.passed` tells whether it
        is within its bound, `Difference.worst` where it is furthest off.

    Raises:
        BadInput: there is nothing to compare, or it cannot be compared.

    Example:
        >>> import numpy as np
        >>> import parity
        >>> logits = np.array([[0.5, -1.0], [2.0, 0.25]], np.float32)
        >>> wrong = logits + np.array([[0, 0], [1e-3, 0]], np.float32)
        >>> (found,) = parity.compare({"logits": logits}, {"logits": wrong})
        >>> found.key, found.passed, found.worst
        ('forward/eval/logits', False, (1, 0))
    """
    prefix = look_up("rung", rung, _PREFIXES) + "/" if rung else ""
    sides = [
        {prefix + name: _numbers(name, value) for name, value in side.items()}
        for side in (expected, actual)
    ]
    if not any(sides):
        raise BadInput("there are no arrays on either side", "at least one")
    dtype = dtype or _coarsest([array for side in sides for array in side.values()])
    look_up("dtype", dtype, dict.fromkeys(DTYPES, True))
    try:
        return comparing.compare(sides[0], sides[1], dtype)
    except ValueError as error:  # of a name that is no key
        raise BadInput(str(error), mend="say rung=... where names are your own") from error


def _check_asked(
    asked: PairFile,
    inputs: Inputs | None,
    save_pair: str | os.PathLike[str] | None,
    shared: Engines | None,
) -> None:
    """Make sure that a check can be made, before anything is started.

    Raises:
        BadInput: it cannot.
    """
    if not asked.keras:
        raise BadInput(
            f"{asked.graph} is to be checked against nothing",
            "a Keras model: module:function, or a file ending in .keras",
            "name it with --keras, or with keras = ... in the pair file",
        )
    if shared and asked.device not in ("", shared.device):
        raise BadInput(
            f"device={asked.device!r} was given with engines that run on "
            + (shared.device or "their own"),
            "one device",
            "give it to shared_engines(device=...)",
        )
    if save_pair is None:
        return
    if os.path.lexists(save_pair):
        raise BadInput(f"{os.fspath(save_pair)} exists", "the name of a new pair file")
    if inputs is not None and not asked.inputs:
        raise BadInput(
            "inputs that are arrays, or a function, cannot be kept in a pair file",
            "a file ending in .npz, or module:function",
        )


def _graph_of(
    asked: PairFile, folder: Path, engines: Sequence[Engine], watch: Watch
) -> tuple[Path, list[tuple[str, str]]]:
    """Return the graph file that is checked, and what to say of it; a script is harvested."""
    if asked.graph.endswith(SUFFIX):
        return Path(asked.graph), []
    names = [engine.name for engine in engines]
    chosen = "tf1" if "tf1" in names else "graph"
    to = folder / graph_name(asked.graph)
    harvest(asked.graph, *asked.arguments, output=to, engine=chosen, overwrite=True, watch=watch)
    return to, [("harvested", f"{asked.graph} on {chosen}: {to}")]


def _propose(
    path: Path, asked: PairFile, inputs: Inputs | None, steps: int, executor: Executor
) -> Proposed:
    """Ask what a Keras model is made of, and propose how it goes with a graph file."""
    graph, name = graphfile.read(str(path)), path.name.removesuffix(SUFFIX)
    fed = Fed(graph) if inputs is None else feeds.supplied(graph, inputs, steps)
    keras = located(asked.keras)
    answer = executor.submit(pairfile.question(name, keras), keep=False).result()
    description = pairfile.described(answer.arrays)

    def propose(said: Said) -> Proposed:
        return pairfile.propose_pair(name, path, fed, keras, description, said)

    proposed = propose(asked.said)
    told = ties.told_apart(proposed, executor)
    return (
        ties.by_gradient(propose(asked.said.over(Said(weights=told))), told) if told else proposed
    )


def located(keras: str) -> str:
    """Return what builds a model, a file by its whole path: an engine works in another folder."""
    if not keras.endswith(".keras"):
        return keras
    module, colon, file = keras.rpartition(":")
    return f"{module}{colon}{Path(file).resolve()}"


@contextlib.contextmanager
def _logs_kept(engines: Engines) -> Iterator[None]:
    """Keep the engines' logs if one of them fails: its error says where they are."""
    try:
        yield
    except EngineFailed:
        engines.keep_logs = True
        raise


def _numbers(name: str, value: ArrayLike) -> np.ndarray:
    """Return an array of real numbers.

    Raises:
        BadInput: it holds something else.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise BadInput(f"{name!r} holds {array.dtype}", "real numbers, integers or booleans")
    return array


def _coarsest(arrays: Sequence[np.ndarray]) -> str:
    """Return the least precise dtype of all arrays of floats; float64 if there are none."""
    floats = [array.dtype for array in arrays if array.dtype.kind == "f"]
    return min(floats, key=lambda dtype: dtype.itemsize, default=np.dtype("float64")).name
