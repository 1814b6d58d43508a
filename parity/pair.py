"""What a row of the table says about a pair."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import Any

from datasets.dataset import Dataset
from parity.weights import Layout


@dataclasses.dataclass(frozen=True)
class Gap:
    """What the stock Keras optimizer does differently, by design.

    Args:
        largest: largest per-step loss difference that the known causes explain.
        cause: those causes.
    """

    largest: float
    cause: str


@dataclasses.dataclass(frozen=True)
class Pair:
    """One model in two implementations.

    Args:
        name: also the name of the model's file on both sides.
        title: one line for people.
        graph: ``module:attribute`` that builds the graph model.
        keras: ``module:attribute`` that builds the compiled Keras model.
        dataset: ``module:attribute`` that loads the corpus as a `datasets.dataset.Dataset`.
        arguments: of that loader; its defaults where empty.
        taps: what is read after each layer: attribute of the graph model -> Keras layer.
        dropout: where masks are replayed: prefix of the graph's random op -> Keras layer.
        training_feeds: placeholder -> value while training.
        evaluation_feeds: placeholder -> value otherwise.
        metrics: attributes of the graph model and log names of the Keras one; ``loss`` first.
        layout: the weight rules.
        epochs: epochs of the published schedule.
        batch_size: rows of a batch.
        learning_rate: published step size.
        stock: the optimizer of Keras that a rewrite would pick.
        gap: what that optimizer does differently.
        published: the figures that the original authors printed, in words; may be empty.
        bands: metric -> lowest and highest mean over the seeds that counts as reproduced.
        hyperparameters: arguments of both builders, beyond those that the corpus decides.
        drop_remainder: leave out a short last batch.
        steps: dtype -> training steps of the curve, where the published schedule is too long to
            run each time; the whole schedule if empty.
        output: what turns the last tap into probabilities: ``softmax``, ``sigmoid``, ``identity``
            where it holds them already, or empty where the model predicts no class.
    """

    name: str
    title: str
    graph: str
    keras: str
    dataset: str
    taps: Mapping[str, str]
    dropout: Mapping[str, str]
    training_feeds: Mapping[str, float]
    evaluation_feeds: Mapping[str, float]
    metrics: tuple[str, ...]
    layout: Layout
    epochs: int
    batch_size: int
    learning_rate: float
    stock: str
    gap: Gap
    published: str = ""
    bands: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    hyperparameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    drop_remainder: bool = False
    steps: Mapping[str, int] = dataclasses.field(default_factory=dict)
    output: str = "softmax"

    def load(self) -> Dataset:
        """Load the corpus.

        Raises:
            datasets.dataset.DataError: a corpus is there, but not in order.
        """
        module, _, attribute = self.dataset.partition(":")
        dataset: Dataset = getattr(importlib.import_module(module), attribute)(**self.arguments)
        return dataset
