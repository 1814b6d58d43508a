"""A graph that draws one mask for the whole batch is fed one for each row, and computes with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity import engines, wire
from parity.cases import Request
from parity.errors import EngineFailed
from parity.executor import Executor
from parity.wire import FED, Arrays, Job, Model

ROWS = 3
MASKS = {"gru_1": (ROWS, 3), "gru_2": (ROWS, 4), "dropout": (ROWS, 6)}
MODEL = Model(
    pair="imdb_gru_layers",
    builder="legacy_graph.imdb_gru_layers:ImdbGruLayers",
    hyperparameters={
        "vocabulary_size": 9,
        "sequence_length": 5,
        "embedding_size": 3,
        "rnn_size": 4,
        "hidden_size": 6,
    },
    dtype="float64",
    taps=("outputs", "last", "dropped"),
    sites={"gru_1": "input_dropout", "gru_2": "input_dropout_1", "dropout": "dropout"},
    feeds={"train": {"keep_prob": 0.5}, "eval": {"keep_prob": 1.0}},
    replay=FED,
)
JOB = Job("climb", MODEL)

Ask = Callable[[Job, Arrays], Arrays]


@pytest.fixture(params=["graph", pytest.param("tf1", marks=pytest.mark.oracle)])
def ask(request: pytest.FixtureRequest, executor: Executor) -> Ask:
    if request.param == "tf1":
        request.getfixturevalue("tf1")
    engine = engines.find(request.param)

    def put(job: Job, arrays: Arrays) -> Arrays:
        return dict(executor.submit(Request(engine, job, arrays)).result().arrays)

    return put


def question(ask: Ask) -> Arrays:
    """Data, weights and masks for one step on all rows."""
    draw = np.random.RandomState(0)
    data: dict[str, Any] = {
        "x_train": draw.randint(0, 9, size=(ROWS, 5)),
        "y_train": np.arange(ROWS)[:, None] % 2,
        "order": np.arange(ROWS),
        "sizes": np.array([ROWS]),
        "tested": np.array([], int),
    }
    data.update(x_test=data["x_train"], y_test=data["y_train"])
    free = Job("train", dataclasses.replace(MODEL, replay=""))
    trained = wire.under(ask(free, data), "final/weights")
    weights = {name: draw.normal(size=value.shape) for name, value in trained.items()}
    masks = {site: draw.rand(*shape) > 0.5 for site, shape in MASKS.items()}
    return {**data, **wire.within("weights", weights), **wire.within("masks/0", masks)}


def row(arrays: Arrays, index: int) -> Arrays:
    """The same question about one row alone."""
    one = slice(index, index + 1)
    batched = {name for name in arrays if name.startswith(("x_", "y_", "masks/"))}
    alone = {name: value[one] if name in batched else value for name, value in arrays.items()}
    return {**alone, "order": np.array([0]), "sizes": np.array([1])}


def test_every_row_has_its_own_mask(ask: Ask) -> None:
    arrays = question(ask)
    together = ask(JOB, arrays)
    # One row needs no more than one mask: here the graph is fed what it would have drawn.
    alone = [ask(JOB, row(arrays, index)) for index in range(ROWS)]
    for key in (key for key in together if key.startswith(("forward/train/", "gradients/"))):
        rows = [each[key] for each in alone]
        expected = np.concatenate(rows) if key.startswith("forward") else np.mean(rows, axis=0)
        np.testing.assert_allclose(together[key], expected, rtol=0, atol=1e-14, err_msg=key)
    dropped = together["forward/train/dropped"] != 0
    np.testing.assert_array_equal(dropped, arrays["masks/0/dropout"])


def test_masks_for_another_op_are_refused(ask: Ask) -> None:
    arrays = question(ask)
    masks = {"masks/0/gru_1": arrays["masks/0/gru_2"], "masks/0/gru_2": arrays["masks/0/gru_1"]}
    with pytest.raises(EngineFailed, match=r"'gru_1' has masks of shape \(3, 4\).*draws \(1, 3\)"):
        ask(JOB, {**arrays, **masks})
