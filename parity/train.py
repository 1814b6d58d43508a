"""Trains, evaluates and predicts with one implementation of a pair, in its own engine."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from datasets.dataset import Dataset
from parity import wire
from parity.cases import (
    Request,
    data_arrays,
    make_model,
    to_shared,
    with_stock_optimizer,
)
from parity.engines import Engine
from parity.errors import BadInput
from parity.executor import Executor
from parity.pair import Pair
from parity.plans import Plan, make_plan
from parity.process import Progress
from parity.published import SPLITS
from parity.wire import Arrays, Job


@dataclasses.dataclass(frozen=True)
class Training:
    """What a training run leaves behind.

    Args:
        weights: under TensorFlow 1's names.
        history: ``train_<metric>``, ``test_<metric>`` and, where rows were held out for it,
            ``validation_<metric>``, a value an epoch.
        losses: of every step's batch, before its update, (steps,).
        about: versions and device of the engine.
    """

    weights: Arrays
    history: Mapping[str, Sequence[float]]
    losses: np.ndarray
    about: Mapping[str, str]


def train(
    pair: Pair,
    dataset: Dataset,
    executor: Executor,
    engine: Engine,
    epochs: int,
    seed: int,
    progress: Progress,
    stock: bool = False,
) -> Training:
    """Train from the implementation's own initial weights, with its own random numbers.

    Args:
        pair: the pair.
        dataset: its corpus.
        executor: runs the engine.
        engine: which implementation, on which framework.
        epochs: passes over the training set.
        seed: seed of initial weights, order and dropout.
        progress: called with every step.
        stock: train with the pair's stock Keras optimizer in place of the model's own.
    """
    plan = make_plan(len(dataset.x_train), pair.schedule, seed, epochs)
    request = question(pair, dataset, engine, plan, seed, stock)
    return answer(pair, request, executor, progress)


def question(
    pair: Pair, dataset: Dataset, engine: Engine, plan: Plan, seed: int, stock: bool = False
) -> Request:
    """Return what `train` asks of an engine, for a plan of any length."""
    model = make_model(pair, engine, dataset.hyperparameters, seed=seed)
    if stock:
        model = with_stock_optimizer(pair, model)
    given = dict(dataset.weights)  # decided by the corpus, such as word vectors
    if engine.family != "graph":
        given = pair.layout.gradients_to_keras(given)
    arrays = {**data_arrays(dataset, pair, engine), **plan.arrays(), **wire.within("given", given)}
    if dataset.validation:
        arrays["x_validation"], arrays["y_validation"] = dataset.validation
    return Request(engine, Job("train", model), arrays)


def answer(pair: Pair, request: Request, executor: Executor, progress: Progress) -> Training:
    """Have an engine train as `question` says."""
    told = executor.submit(request, progress, keep=False).result()
    found = wire.under(to_shared(pair, request.engine, wire.within("curve", told.arrays)), "curve")
    history = {
        name: [float(value) for value in values]
        for name, values in found.items()
        if name.partition("_")[0] in SPLITS
    }
    losses = np.asarray(found.get("step_loss", ()))
    return Training(wire.under(found, "final/weights"), history, losses, told.about)


def evaluate(
    pair: Pair,
    dataset: Dataset,
    executor: Executor,
    engine: Engine,
    weights: Arrays,
    progress: Progress,
) -> dict[str, float]:
    """Return every metric over the test set."""
    arrays = {"x": dataset.x_test, "y": dataset.y_test}
    found = _ask("evaluate", pair, dataset, executor, engine, weights, arrays, progress)
    return {name: float(value) for name, value in found.items()}


def predict(
    pair: Pair,
    dataset: Dataset,
    executor: Executor,
    engine: Engine,
    weights: Arrays,
    texts: Sequence[str],
    progress: Progress,
) -> np.ndarray:
    """Return the probability of every label for every text, (texts, labels).

    Raises:
        BadInput: the model predicts no class.
    """
    if not pair.wiring.output:
        raise BadInput(f"{pair.name} predicts no class", "a pair whose texts have labels")
    arrays = {"x": dataset.encode(texts)}
    found = _ask("predict", pair, dataset, executor, engine, weights, arrays, progress)
    return probabilities(found["output"].astype(np.float64), pair.wiring.output)


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


def _ask(
    kind: str,
    pair: Pair,
    dataset: Dataset,
    executor: Executor,
    engine: Engine,
    weights: Arrays,
    arrays: Arrays,
    progress: Progress,
) -> Mapping[str, np.ndarray]:
    """Put a question about trained weights; weights do not depend on what is trained on."""
    with _in_the_files_names(pair, weights):
        native = weights if engine.family == "graph" else pair.layout.weights_to_keras(weights)
        native = {name: value.astype(np.float32) for name, value in native.items()}
        model = make_model(pair, engine, dataset.hyperparameters)
        request = Request(engine, Job(kind, model), {**arrays, **wire.within("weights", native)})
        return executor.submit(request, progress, keep=False).result().arrays


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
        received = f"{error.received}\nin the file, and in Keras:\n  {names}\n"
        raise BadInput(received, error.expected, error.mend) from error
