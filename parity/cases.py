"""One question, put to every engine: the same weights, batches, order and dropout masks.

A case translates between the shared names (TensorFlow 1's) and those of each engine, so that the
runners see nothing but their own framework and the comparison sees nothing but shared names.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from parity import wire
from parity.engines import Engine, Process, Progress
from parity.errors import BadInput
from parity.pair import Pair
from parity.wire import Arrays, Job


@dataclasses.dataclass(frozen=True)
class Case:
    """A pair in one dtype, with all that its engines are given.

    Args:
        pair: the pair.
        dtype: ``float32`` or ``float64``.
        dataset: the corpus.
        order: rows of the training set in the order of training, (epochs, rows).
        seed: seed of weights, order and masks.
        weights: initial weights under TensorFlow 1's names; empty before `lead`.
        masks: ``<step>/<site>`` -> bool, True where a value is kept; empty before `lead`.
    """

    pair: Pair
    dtype: str
    dataset: Dataset
    order: np.ndarray
    seed: int = 0
    weights: Arrays = dataclasses.field(default_factory=dict)
    masks: Arrays = dataclasses.field(default_factory=dict)

    def lead(self, keras: Process, progress: Progress) -> Case:
        """Let a Keras engine draw the dropout masks; return the case with masks and weights."""
        job = self.job(keras.engine, "lead", replay=True)
        answer = keras.run(job, self._data(), progress).arrays
        weights = self.pair.layout.initial(wire.under(answer, "variables"), self.seed, self.dtype)
        given = {name: value.astype(self.dtype) for name, value in self.dataset.weights.items()}
        masks = wire.under(answer, "masks")
        return dataclasses.replace(self, weights={**weights, **given}, masks=masks)

    def climb(self, process: Process, progress: Progress) -> tuple[Arrays, Mapping[str, str]]:
        """Let an engine climb all rungs; return its recording in shared names, and its versions."""
        job = self.job(process.engine, "climb", replay=True)
        result = process.run(job, self._questions(process.engine), progress)
        return to_shared(self.pair, process.engine, result.arrays), result.about

    def stock(self, keras: Process, progress: Progress) -> Arrays:
        """Train once more with the stock Keras optimizer, all else equal; return its curves."""
        job = with_stock_optimizer(self.pair, self.job(keras.engine, "train", replay=True))
        weights = self.pair.layout.weights_to_keras(self.weights)
        questions = {**self._data(), **wire.within("given", weights)}
        arrays = keras.run(job, questions, progress).arrays
        return wire.within("curve", {k: v for k, v in arrays.items() if "/" not in k})

    def job(self, engine: Engine, kind: str, replay: bool) -> Job:
        """Return the job that asks `engine` for `kind`."""
        return make_job(
            self.pair, engine, kind, self.dataset.hyperparameters, self.dtype, self.seed, replay
        )

    def inputs_digest(self) -> str:
        """Return the sha256 of data, order and weights: two equal cases ask one question."""
        return digest({**self._data(), **wire.within("weights", self.weights)})

    def masks_digest(self) -> str:
        """Return the sha256 of the dropout masks."""
        return digest(self.masks)

    def _data(self) -> dict[str, Any]:
        return data_arrays(self.dataset, self.order)

    def _questions(self, engine: Engine) -> dict[str, Any]:
        if engine.family == "graph":
            # Keras replays a mask from its seed; a graph has to be fed.
            return {
                **self._data(),
                **wire.within("weights", self.weights),
                **wire.within("masks", self.masks),
            }
        weights = self.pair.layout.weights_to_keras(self.weights)
        return {**self._data(), **wire.within("weights", weights)}


def make_job(
    pair: Pair,
    engine: Engine,
    kind: str,
    hyperparameters: Mapping[str, Any],
    dtype: str = "float32",
    seed: int = 0,
    replay: bool = False,
) -> Job:
    """Return the job that asks `engine` for `kind`, in that engine's own names."""
    graph = engine.family == "graph"
    return Job(
        kind=kind,
        pair=pair.name,
        builder=pair.graph if graph else pair.keras,
        hyperparameters={**pair.hyperparameters, **hyperparameters},
        dtype=dtype,
        taps=tuple(pair.taps) if graph else tuple(pair.taps.values()),
        sites={site: prefix for prefix, site in pair.dropout.items()} if graph else {},
        feeds={"train": pair.training_feeds, "eval": pair.evaluation_feeds} if graph else {},
        metrics=pair.metrics,
        batch_size=pair.batch_size,
        drop_remainder=pair.drop_remainder,
        seed=seed,
        replay=replay,
    )


def with_stock_optimizer(pair: Pair, job: Job) -> Job:
    """Return the same job for a Keras engine, with the optimizer that a rewrite would pick."""
    return dataclasses.replace(job, optimizer=pair.stock, learning_rate=pair.learning_rate)


def to_shared(pair: Pair, engine: Engine, arrays: Arrays) -> Arrays:
    """Return an engine's answer under shared names, in TensorFlow 1's layout."""
    if engine.family == "graph":
        return arrays
    layout, taps = pair.layout, {k: g for g, k in pair.taps.items()}
    found: Arrays = {}
    groups: dict[str, Arrays] = {}
    for key, value in arrays.items():
        group = _group(key)
        if group:
            groups.setdefault(group, {})[key[len(group) + 1 :]] = value
        else:
            found[key] = value
    for group, members in groups.items():
        if group.startswith("forward"):
            named = {taps[name]: value for name, value in members.items()}
        elif group == "gradients":
            named = layout.gradients_to_tf1(members)
        elif group.endswith("slots"):
            named = layout.slots_to_tf1(members)
        else:
            named = layout.weights_to_tf1(members)
        found.update(wire.within(group, named))
    return found


def data_arrays(dataset: Dataset, order: np.ndarray) -> dict[str, Any]:
    """Return what an engine trains and is tested on."""
    return {
        "x_train": dataset.x_train,
        "y_train": dataset.y_train,
        "x_test": dataset.x_test,
        "y_test": dataset.y_test,
        "order": order,
    }


def make_order(rows: int, epochs: int, seed: int) -> np.ndarray:
    """Return a fresh permutation of the rows for each epoch, (epochs, rows)."""
    random = np.random.RandomState(seed)
    return np.stack([random.permutation(rows) for _ in range(epochs)])


def check_finite(arrays: Mapping[str, np.ndarray], where: str) -> None:
    """Make sure that no input is NaN or infinite: every comparison would fail for that reason.

    Raises:
        BadInput: names the first array, the element and the number of such values.
    """
    for name, value in arrays.items():
        if not np.issubdtype(value.dtype, np.number):
            raise BadInput(f"{where}: {name} holds {value.dtype}, expected numbers")
        if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
            bad = np.argwhere(~np.isfinite(value))
            index = tuple(int(i) for i in bad[0])
            raise BadInput(
                f"{where}: {name}{list(index)} is {value[index]}, one of {len(bad)} values that "
                "are not finite; expected finite numbers; mend the file or write it anew"
            )


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the sha256 over names, shapes, dtypes and bytes of all arrays."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {value.shape} {value.dtype.str}".encode())
        total.update(value.tobytes())
    return total.hexdigest()


def _group(key: str) -> str:
    """Return the part of a result's name before a framework's own name; empty if it has none."""
    for prefix in ("forward/eval", "forward/train", "gradients", "variables"):
        if key.startswith(prefix + "/"):
            return prefix
    for kind in ("weights", "slots"):
        head, found, _ = key.partition(f"/{kind}/")
        if found:
            return f"{head}/{kind}"
    return ""
