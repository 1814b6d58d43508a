"""Trains, evaluates and predicts with one implementation of a pair, in its own engine.

Weights travel between engines in one file: NumPy's .npz, TensorFlow 1's names and layout, with a
JSON note on where they came from. Either implementation takes the other's weights.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from parity import wire
from parity.cases import (
    check_finite,
    data_arrays,
    make_job,
    make_order,
    to_shared,
    with_stock_optimizer,
)
from parity.engines import Process, Progress
from parity.errors import BadInput
from parity.pair import Pair
from parity.wire import Arrays

ABOUT = "__about__"


@dataclasses.dataclass(frozen=True)
class Training:
    """What a training run leaves behind.

    Args:
        weights: under TensorFlow 1's names.
        history: ``train_<metric>`` and ``test_<metric>``, a value an epoch.
        about: versions and device of the engine.
    """

    weights: Arrays
    history: Mapping[str, Sequence[float]]
    about: Mapping[str, str]


def train(
    pair: Pair,
    dataset: Dataset,
    process: Process,
    epochs: int,
    seed: int,
    progress: Progress,
    stock: bool = False,
) -> Training:
    """Train from the implementation's own initial weights, with its own random numbers.

    Args:
        pair: the pair.
        dataset: its corpus.
        process: a running engine.
        epochs: passes over the training set.
        seed: seed of initial weights, order and dropout.
        progress: called with every step.
        stock: train with the pair's stock Keras optimizer in place of the model's own.
    """
    engine = process.engine
    job = make_job(pair, engine, "train", dataset.hyperparameters, seed=seed)
    if stock:
        job = with_stock_optimizer(pair, job)
    order = make_order(len(dataset.x_train), epochs, seed)
    arrays = {**data_arrays(dataset, order), **_given(pair, process, dataset)}
    result = process.run(job, arrays, progress)
    arrays = to_shared(pair, engine, result.arrays)
    history = {
        name: [float(value) for value in values]
        for name, values in arrays.items()
        if name.startswith(("train_", "test_"))
    }
    return Training(wire.under(arrays, "final/weights"), history, result.about)


def evaluate(
    pair: Pair, dataset: Dataset, process: Process, weights: Arrays, progress: Progress
) -> dict[str, float]:
    """Return every metric over the test set."""
    job = make_job(pair, process.engine, "evaluate", dataset.hyperparameters)
    arrays = {"x": dataset.x_test, "y": dataset.y_test, **_native(pair, process, weights)}
    with _in_the_files_names(pair, weights):
        found = process.run(job, arrays, progress).arrays
    return {name: float(value) for name, value in found.items()}


def predict(
    pair: Pair,
    dataset: Dataset,
    process: Process,
    weights: Arrays,
    texts: Sequence[str],
    progress: Progress,
) -> np.ndarray:
    """Return the probability of every label for every text, (texts, labels).

    Raises:
        BadInput: the model predicts no class.
    """
    if not pair.output:
        raise BadInput(f"{pair.name} predicts no class: what it learns are numbers, not labels")
    job = make_job(pair, process.engine, "predict", dataset.hyperparameters)
    arrays = {"x": dataset.encode(texts), **_native(pair, process, weights)}
    with _in_the_files_names(pair, weights):
        logits = process.run(job, arrays, progress).arrays["output"].astype(np.float64)
    return probabilities(logits, pair.output)


def probabilities(logits: np.ndarray, output: str) -> np.ndarray:
    """Turn logits (texts, outputs) into the probability of every label, (texts, labels).

    A softmax has an output a label; a sigmoid has one output, for the second of two labels; the
    identity is for a model whose output holds probabilities already.
    """
    if output == "identity":
        return logits
    if output == "sigmoid":
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)  # (texts, 2)
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))  # (texts, labels)
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


def save_weights(path: Path, pair: Pair, dataset: Dataset, weights: Arrays, how: Any) -> None:
    """Write shared weights with a note on where they came from, whole or not at all."""
    note = {"pair": pair.name, **_fingerprint(dataset), "made_by": how}
    wire.write_arrays(str(path), {**weights, ABOUT: np.array(json.dumps(note))})


def load_weights(path: Path, pair: Pair, dataset: Dataset) -> Arrays:
    """Read shared weights for a pair on a corpus.

    A file without a note, say one exported from a checkpoint, is taken if its names fit.

    Raises:
        BadInput: the file is missing, unreadable, of another pair or another vocabulary, or holds
            a value that is not finite.
    """
    if not path.exists():
        raise BadInput(
            f"there are no weights at {path}; train some with `parity train {pair.name}`, or name "
            "a file with --weights"
        )
    arrays = wire.read_arrays(str(path))
    note = _note(path, arrays)
    if note and note["pair"] != pair.name:
        raise BadInput(f"{path} holds weights of {note['pair']!r}; expected {pair.name!r}")
    expected = _fingerprint(dataset)
    if note and any(note[key] != expected[key] for key in expected):
        raise BadInput(
            f"{path} was trained on {note['corpus']} (sha256 {note['corpus_sha256'][:12]}), but "
            f"the corpus here is sha256 {expected['corpus_sha256'][:12]}: its word ids differ; "
            f"train anew with `parity train {pair.name}`, or bring the corpus back"
        )
    check_finite(arrays, str(path))
    return arrays


def _note(path: Path, arrays: Arrays) -> dict[str, str]:
    """Take the note on where weights came from out of `arrays`; an empty one if there is none."""
    text = str(arrays.pop(ABOUT, np.array("{}")))
    try:
        note = json.loads(text)
        if not note:
            return {}
        return {key: str(note[key]) for key in ("pair", "corpus", "corpus_sha256")}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path}: its note {ABOUT} cannot be read ({error!r}): {text[:80]}; expected what "
            f"`parity train` writes, or no array {ABOUT} at all"
        ) from error


@contextlib.contextmanager
def _in_the_files_names(pair: Pair, weights: Arrays) -> Iterator[None]:
    """Add to a refusal, which speaks of the engine's names, what each one is in the file."""
    try:
        yield
    except BadInput as error:
        names = "\n  ".join(
            f"{name} {value.shape} -> {pair.layout.path_of(name)}"
            for name, value in weights.items()
        )
        raise BadInput(f"{error}\nin the file, and in Keras:\n  {names}") from error


def _fingerprint(dataset: Dataset) -> dict[str, Any]:
    return {"corpus": dataset.origin.corpus, "corpus_sha256": dataset.origin.digest}


def _given(pair: Pair, process: Process, dataset: Dataset) -> Arrays:
    """Return the weights that the corpus decides, such as word vectors, in the engine's names."""
    arrays = dict(dataset.weights)
    if process.engine.family != "graph":
        arrays = pair.layout.gradients_to_keras(arrays)
    return wire.within("given", arrays)


def _native(pair: Pair, process: Process, weights: Arrays) -> Arrays:
    if process.engine.family != "graph":
        weights = pair.layout.weights_to_keras(weights)
    return wire.within("weights", {k: v.astype(np.float32) for k, v in weights.items()})
