from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from parity import train, wire
from parity.engines import find
from parity.errors import BadInput
from parity.executor import Executor
from parity.train import Training, probabilities
from parity.wire import Arrays
from tests.conformance.tiny import TEST, tiny
from tests.conftest import FakeEngines, quiet

PAIR, DATASET = tiny("sms_rnn")
EPOCHS = 3
SIDES = ("graph", "keras")
NAMES = {
    "embedding": (30, 50),
    "rnn/basic_rnn_cell/kernel": (60, 10),
    "rnn/basic_rnn_cell/bias": (10,),
    "softmax/weight": (10, 2),
    "softmax/bias": (2,),
}


@pytest.fixture(scope="module")
def trained(executor: Executor) -> dict[str, Training]:
    return {
        side: train.train(PAIR, DATASET, executor, find(side), EPOCHS, 5, quiet) for side in SIDES
    }


@pytest.fixture
def weights() -> Arrays:
    draw = np.random.RandomState(0)
    return {name: draw.rand(*shape).astype(np.float32) for name, shape in NAMES.items()}


@pytest.mark.parametrize("side", SIDES)
def test_a_training_leaves_weights_and_history(trained: dict[str, Training], side: str) -> None:
    found = trained[side]
    assert {name: value.shape for name, value in found.weights.items()} == NAMES
    parts = {f"{part}_{metric}" for part in ("train", "test") for metric in PAIR.wiring.metrics}
    assert {name: len(values) for name, values in found.history.items()} == dict.fromkeys(
        parts, EPOCHS
    )
    assert "tensorflow" in found.about
    assert np.diff(found.history["test_loss"]).all()  # the weights move


def test_the_sides_draw_weights_of_their_own(trained: dict[str, Training]) -> None:
    left, right = (trained[side].weights["embedding"] for side in SIDES)
    assert not np.allclose(left, right)


@pytest.mark.parametrize("source", SIDES)
def test_each_side_takes_the_weights_of_the_other(
    executor: Executor, trained: dict[str, Training], source: str
) -> None:
    weights, texts = trained[source].weights, ["free prize now", "see you at home", ""]
    metrics, answers = [], []
    for engine in map(find, SIDES):
        metrics.append(train.evaluate(PAIR, DATASET, executor, engine, weights, quiet))
        answers.append(train.predict(PAIR, DATASET, executor, engine, weights, texts, quiet))
    assert metrics[0] == pytest.approx(metrics[1], abs=1e-6)
    # What was said while training is what the saved weights say.
    said = {name: trained[source].history[f"test_{name}"][-1] for name in PAIR.wiring.metrics}
    assert metrics[0] == pytest.approx(said, abs=1e-6)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)
    assert answers[0].shape == (3, 2)
    np.testing.assert_allclose(answers[0].sum(axis=1), 1)


def test_metrics_are_means_over_all_rows(executor: Executor, trained: dict[str, Training]) -> None:
    weights = trained["keras"].weights
    found = train.evaluate(PAIR, DATASET, executor, find("keras"), weights, quiet)
    embedded = weights["embedding"][DATASET.x_test]  # (rows, time, embedding)
    kernel = weights["rnn/basic_rnn_cell/kernel"]
    h = np.zeros((TEST, 10))
    for t in range(embedded.shape[1]):
        h = np.tanh(
            np.concatenate([embedded[:, t], h], 1) @ kernel + weights["rnn/basic_rnn_cell/bias"]
        )
    shares = probabilities(h @ weights["softmax/weight"] + weights["softmax/bias"], "softmax")
    right = shares[np.arange(TEST), DATASET.y_test]
    assert found["loss"] == pytest.approx(-np.log(right).mean(), abs=1e-5)
    assert found["accuracy"] == pytest.approx(np.mean(shares.argmax(1) == DATASET.y_test))


@pytest.mark.parametrize("side", SIDES)
def test_weights_that_do_not_fit_are_listed(executor: Executor, weights: Arrays, side: str) -> None:
    del weights["softmax/bias"]
    weights["global_step"] = np.zeros((), np.float32)
    with pytest.raises(BadInput) as caught:
        train.evaluate(PAIR, DATASET, executor, find(side), weights, quiet)
    message = str(caught.value)
    assert "missing: softmax/bias" in message
    assert "unknown: global_step ()" in message


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("shape", [(61, 10), ()])
def test_a_wrong_shape_is_named_as_the_file_names_it(
    executor: Executor, weights: Arrays, side: str, shape: tuple[int, ...]
) -> None:
    weights["rnn/basic_rnn_cell/kernel"] = np.zeros(shape, np.float32)
    with pytest.raises(BadInput) as caught:
        train.evaluate(PAIR, DATASET, executor, find(side), weights, quiet)
    assert "rnn/basic_rnn_cell/kernel" in str(caught.value)
    assert str(shape) in str(caught.value)


def test_a_softmax_and_a_sigmoid_give_every_label_a_share() -> None:
    np.testing.assert_allclose(
        probabilities(np.array([[0.0, np.log(3)]]), "softmax"), [[0.25, 0.75]]
    )
    np.testing.assert_allclose(probabilities(np.array([[np.log(3)]]), "sigmoid"), [[0.25, 0.75]])
    np.testing.assert_allclose(probabilities(np.array([[1e4, -1e4]]), "softmax"), [[1, 0]])


# Without an engine


def test_a_model_without_classes_predicts_none(weights: Arrays) -> None:
    pair = dataclasses.replace(PAIR, wiring=dataclasses.replace(PAIR.wiring, output=""))
    nobody = FakeEngines(lambda request: {})
    with pytest.raises(BadInput, match="sms_rnn predicts no class"):
        train.predict(pair, DATASET, nobody.as_executor(), find("keras"), weights, ["a"], quiet)
    assert not nobody.requests


@pytest.mark.parametrize("stock", [False, True])
def test_the_stock_optimizer_is_asked_for_by_name(stock: bool) -> None:
    fakes = FakeEngines(lambda request: {"train_loss": np.ones(1), "test_loss": np.ones(1)})
    train.train(PAIR, DATASET, fakes.as_executor(), find("keras"), 1, 7, quiet, stock=stock)
    (request,) = fakes.requests
    job = request.job
    assert (job.kind, job.model.seed, job.model.replay) == ("train", 7, "")
    assert PAIR.stock
    expected = (PAIR.stock.optimizer, PAIR.schedule.learning_rate) if stock else ("", 0.0)
    assert (job.model.optimizer, job.model.learning_rate) == expected


@pytest.mark.parametrize("side", SIDES)
def test_what_the_corpus_decides_is_given_in_the_engines_own_names(side: str) -> None:
    pair, dataset = tiny("imdb_lstm_glove")
    fakes = FakeEngines(lambda request: {})
    train.train(pair, dataset, fakes.as_executor(), find(side), 1, 0, quiet)
    (request,) = fakes.requests
    given = wire.under(request.arrays, "given")
    (name,) = given
    assert name == ("embedding" if side == "graph" else pair.layout.path_of("embedding"))
    np.testing.assert_array_equal(given[name], dataset.weights["embedding"])


def test_trained_weights_are_taken_in_float32(weights: Arrays) -> None:
    fakes = FakeEngines(lambda request: {"loss": np.asarray(0.5)})
    double = {name: value.astype(np.float64) for name, value in weights.items()}
    engine = find("keras")
    assert train.evaluate(PAIR, DATASET, fakes.as_executor(), engine, double, quiet) == {
        "loss": 0.5
    }
    (request,) = fakes.requests
    taken = wire.under(request.arrays, "weights")
    assert {value.dtype for value in taken.values()} == {np.dtype(np.float32)}
    assert len(request.arrays["x"]) == len(request.arrays["y"]) == TEST
