"""The job format: what travels to an engine and what comes back.

A message is a folder with two files: ``NAME.json`` holds everything but arrays, ``NAME.npz``
holds the arrays, without pickles. So a job or a result can be saved, sent to another machine,
and compared later. This file runs inside the TensorFlow 1.15 engine: Python 3.7 and NumPy only.
"""

import dataclasses
import json
import os
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

import numpy as np

from parity.errors import BadInput
from parity.keys import RUNGS

FORMAT = 3

Arrays = Dict[str, np.ndarray]


# How dropout masks are replayed: from the layers' own seeds, or as fed from outside.
SEEDED, FED = "seeded", "fed"
KINDS = (
    "lead",
    "climb",
    "train",
    "evaluate",
    "predict",
    "time",
    "describe",
    "places",
    "tensors",
    "layers",
    "apply",
)


@dataclasses.dataclass(frozen=True)
class Model:
    """What an engine has to build before it can answer, in that engine's own names.

    Args:
        pair: name of the pair, for messages.
        builder: ``module:attribute`` that builds the model, or the path of a graph file or of a
            ``.keras`` file.
        hyperparameters: keyword arguments of the builder.
        dtype: ``float32`` or ``float64``.
        taps: what to read after each layer: attributes of a graph model, layers of a Keras one.
        sites: dropout site -> prefix of the graph's random op; empty for a Keras engine.
        feeds: ``train`` and ``eval`` -> placeholder attribute -> value; empty for a Keras engine.
        metrics: names of the metrics that both sides report, ``loss`` first.
        optimizer: ``module:attribute`` that replaces the builder's own optimizer, or empty.
        learning_rate: learning rate of that other optimizer.
        seed: seed of dropout masks (exact lane) or of everything (``train``).
        replay: how dropout masks are replayed, `SEEDED` or `FED`; empty: new ones are drawn.
        handles: name that the wiring says -> the tensor of a graph file that it stands for.
        trains: of several optimizers, in the order of a training step: what the loss of each is
            called, and who lowers it: the train op of a graph; of a Keras model its attribute that
            holds the optimizer, and the paths of the weights. Empty where there is but one.
        carried: what the next step is fed of this one: input -> what gives it, a tensor of a graph,
            or what a Keras model's `train_step` calls it.
        twin: whether a float64 model is but the twin of a float32 one, as that of a graph file is:
            its learning rate was a float32 number.
    """

    pair: str
    builder: str
    hyperparameters: Mapping[str, Any]
    dtype: str = "float32"
    taps: Tuple[str, ...] = ()
    sites: Mapping[str, str] = dataclasses.field(default_factory=dict)
    feeds: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    metrics: Tuple[str, ...] = ("loss",)
    optimizer: str = ""
    learning_rate: float = 0.0
    seed: int = 0
    replay: str = ""
    handles: Mapping[str, str] = dataclasses.field(default_factory=dict)
    trains: Tuple[Sequence[str], ...] = ()
    carried: Mapping[str, str] = dataclasses.field(default_factory=dict)
    twin: bool = False

    @property
    def losses(self) -> Tuple[str, ...]:
        """What the losses of a training step are called, in its order."""
        return tuple(loss for loss, *_ in self.trains) or ("loss",)


@dataclasses.dataclass(frozen=True)
class Job:
    """What an engine is asked to do.

    Args:
        kind: ``lead`` (report variables and dropout masks), ``climb`` (rungs of the ladder),
            ``train`` (own initial weights and random numbers), ``evaluate``, ``predict``,
            ``time`` (training steps by the clock, and peak memory), ``describe`` (what a Keras
            model is made of), ``places`` (where its weights and slots lie in its files),
            ``tensors`` (all values of a graph), ``layers`` (all values of a
            Keras model), or ``apply`` (single layers to values).
        model: what to build.
        rungs: of a climb.
        start: training steps that were taken before: the number of the first one to take.
        snapshots: numbers of steps after which a curve keeps weights and slots.
        quiet: forward with dropout off alone.
    """

    kind: str
    model: Model
    rungs: Tuple[str, ...] = RUNGS
    start: int = 0
    snapshots: Tuple[int, ...] = ()
    quiet: bool = False

    def to_json(self) -> Dict[str, Any]:
        """Return the job as plain JSON types.

        What stands at its default is left out: a field that is new changes no question that does
        not use it, so what answers to that question is kept.
        """
        return dict(_said(self), model=_said(self.model), format=FORMAT)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Job":
        """Return the job that `document` describes.

        Raises:
            BadInput: the document has another format number, or asks for something unknown.
        """
        fields = dict(document)
        number = fields.pop("format", None)
        if number != FORMAT:
            raise BadInput(
                "this job has format {!r}".format(number),
                "format {}".format(FORMAT),
                "run both sides with the same version of tf-parity",
            )
        if fields["kind"] not in KINDS:
            raise BadInput(
                "there is no job {!r}".format(fields["kind"]), "one of " + ", ".join(KINDS)
            )
        fields["model"] = Model(**_tuples(fields["model"]))
        return cls(**_tuples(fields))


def _said(value: Any) -> Dict[str, Any]:
    """Return the fields of a dataclass that are not at their defaults."""
    said = {}
    for field in dataclasses.fields(value):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        given = getattr(value, field.name)
        if given != default:
            said[field.name] = given
    return said


def _tuples(fields: Mapping[str, Any]) -> Dict[str, Any]:
    """Return fields with tuples in the place of JSON's lists."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}


def save(folder: str, name: str, document: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write ``folder/name.json`` and ``folder/name.npz``, each whole or not at all."""
    os.makedirs(folder, exist_ok=True)
    write_json(os.path.join(folder, name + ".json"), document)
    write_arrays(os.path.join(folder, name + ".npz"), arrays)


def load(folder: str, name: str) -> Tuple[Dict[str, Any], Arrays]:
    """Read back what `save` wrote."""
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
        document = json.load(file)
    return document, read_arrays(os.path.join(folder, name + ".npz"))


def write_json(path: str, document: Mapping[str, Any]) -> None:
    """Write `document` to `path` atomically."""
    write_text(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def write_text(path: "Union[str, os.PathLike[str]]", text: str) -> None:
    """Write `text` to `path` atomically; its lines end alike on every system."""
    part = os.fspath(path) + ".part"
    with open(part, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.replace(part, path)


def write_arrays(path: str, arrays: Mapping[str, Any], compress: bool = False) -> None:
    """Write `arrays` to the .npz file `path` atomically."""
    writer = np.savez_compressed if compress else np.savez
    with open(path + ".part", "wb") as file:
        writer(file, **arrays)
    os.replace(path + ".part", path)


def read_arrays(path: str) -> Arrays:
    """Read every array of an .npz file; a pickle inside is never loaded.

    Raises:
        BadInput: `path` is missing, is not an .npz file, or holds pickled objects.
    """
    try:
        # NumPy leaves a file open that it opened itself and could not read.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # a broken file makes NumPy raise nearly anything
        raise BadInput(
            "{} cannot be read: {}".format(path, error), "an .npz file of plain arrays"
        ) from error


def under(arrays: Mapping[str, np.ndarray], prefix: str) -> Arrays:
    """Return the arrays whose name starts with ``prefix/``, without it."""
    start = prefix + "/"
    return {name[len(start) :]: value for name, value in arrays.items() if name.startswith(start)}


def within(prefix: str, arrays: Mapping[str, Any]) -> Dict[str, Any]:
    """Return `arrays` with ``prefix/`` before every name: the inverse of `under`."""
    return {"{}/{}".format(prefix, name): value for name, value in arrays.items()}


def batches(order: np.ndarray, sizes: np.ndarray) -> List[np.ndarray]:
    """Return the rows of every training step.

    Args:
        order: rows of the training set in the order of training, (rows over all steps,).
        sizes: rows of every step's batch, (steps,).
    """
    return np.split(order, np.cumsum(sizes)[:-1])
