"""Counts what was published of a model's weights and its corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from datasets.dataset import Dataset
from parity import train, wire
from parity.cases import to_shared
from parity.engines import Engine
from parity.executor import Executor
from parity.pair import Pair
from parity.plans import make_plan
from parity.published import WEIGHTS, Count

CORPUS = "corpus"  # who counted, where no engine did

OF_CORPUS: Mapping[str, Callable[[Pair, Dataset, str], int]] = {
    "vocabulary": lambda pair, data, of: data.hyperparameters["vocabulary_size"],
    "distinct": lambda pair, data, of: data.distinct_words,
    "index": lambda pair, data, of: int(data.encode([of]).max()),  # the other ids are padding
    "vectors": lambda pair, data, of: int(data.weights["embedding"].any(axis=1).sum()),
    "train": lambda pair, data, of: len(data.x_train),
    "test": lambda pair, data, of: len(data.x_test),
    "rows": lambda pair, data, of: len(data.x_train) + len(data.x_test),
    "steps": lambda pair, data, of: (
        make_plan(len(data.x_train), pair.schedule, seed=0, epochs=1).steps
    ),
}


def count(
    pair: Pair, dataset: Dataset, executor: Executor, engines: Sequence[Engine]
) -> dict[str, dict[str, int]]:
    """Count all that a pair's authors printed a number of.

    Args:
        pair: the pair.
        dataset: its corpus.
        executor: runs the engines.
        engines: who counts weights; nobody is asked where none are to be counted.

    Returns:
        What was counted -> who counted -> how many.
    """
    counts = pair.published.counts
    asked = engines if any(each.kind in WEIGHTS for each in counts) else []
    sizes = {engine.name: _sizes(pair, dataset, executor, engine) for engine in asked}
    return {
        each.what: {name: _weights(each, *found) for name, found in sizes.items()}
        if each.kind in WEIGHTS
        else {CORPUS: OF_CORPUS[each.kind](pair, dataset, each.of)}
        for each in counts
    }


def _sizes(
    pair: Pair, dataset: Dataset, executor: Executor, engine: Engine
) -> tuple[dict[str, int], set[str]]:
    """Have an engine train on one row; return numbers in each weight, and those with slots."""
    row = dataclasses.replace(
        dataset,
        x_train=dataset.x_train[:1],
        y_train=dataset.y_train[:1],
        x_test=dataset.x_test[:1],
        y_test=dataset.y_test[:1],
        validation=None,
    )
    plan = make_plan(1, dataclasses.replace(pair.schedule, drop_remainder=False), seed=0, epochs=1)
    asked = train.question(pair, row, engine, plan, seed=0)
    arrays = executor.submit(asked, keep=False).result().arrays
    found = wire.under(to_shared(pair, engine, wire.within("curve", arrays)), "curve/final")
    sizes = {name: int(np.size(each)) for name, each in wire.under(found, "weights").items()}
    return sizes, {name.rpartition("/")[0] for name in wire.under(found, "slots")} & sizes.keys()


def _weights(count: Count, sizes: Mapping[str, int], trained: set[str]) -> int:
    """Add up the numbers in those weights that a count is of."""
    wanted = {"parameters": sizes, "trainable": trained, "frozen": sizes.keys() - trained}
    return sum(sizes[name] for name in wanted[count.kind] if name.startswith(count.of))
