"""Trainings over many seeds: each is asked once, kept at once, and not asked again."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.dataset import Dataset
from parity import counting, findings, records, studies
from parity.cases import Request
from parity.engines import Engine, find
from parity.errors import BadInput, EngineFailed
from parity.executor import Answer, Executor
from parity.pair import Pair
from parity.pairs import PAIRS
from parity.process import Progress
from parity.published import OF_CORPUS, Count, Figure, Margin, Prediction, Published
from parity.studies import Clock, Task
from parity.wire import Arrays
from tests.conformance.tiny import tiny
from tests.conftest import FakeEngines, quiet
from tests.parity.fakes import PATIENCE

MADE_BY = {"machine": "a processor", "commit": "0123456"}
MARGIN = Margin(0.5, "a reason")


def studied(name: str = "sms_rnn", **published: Any) -> tuple[Pair, Dataset]:
    """Return a pair on its tiny corpus, with figures that its two epochs can have."""
    pair, dataset = tiny(name)
    figures = (Figure("loss", 0.5, MARGIN, epoch=2),)
    return dataclasses.replace(
        pair, published=Published(**{"figures": figures, **published})
    ), dataset


class Fakes(FakeEngines):
    """Answers at once; knows no source of a model."""

    sources = "as they were"

    def circumstances(self, engine: Engine, *builders: str) -> dict[str, Any]:
        """Return what stands for a model's sources."""
        return {"sources": [self.sources]}


def finals(request: Request) -> Arrays:
    """Return a history whose last loss tells engine, optimizer and seed apart."""
    model = request.job.model
    last = model.seed + (10 if model.optimizer else 0) + (20 if model.feeds else 0)
    names = [f"{part}_{name}" for part in ("train", "test") for name in ("loss", "accuracy")]
    return {name: np.array([99.0, last]) for name in names}


def watch(task: Task) -> Progress:
    return quiet


def run(missing: list[Task], folder: Path, fakes: Fakes) -> list[records.Record]:
    return list(studies.run(missing, folder, fakes.as_executor(), MADE_BY, watch))


def ask(pair: Pair, dataset: Dataset, folder: Path, fakes: Fakes, seeds: int = 2) -> list[Task]:
    """Return what is missing of a pair."""
    wanted = studies.tasks({pair.name: (pair, dataset)}, seeds)
    return studies.unknown(wanted, folder, fakes.as_executor())


def test_every_side_is_trained_with_every_seed_and_kept(tmp_path: Path) -> None:
    """The stock optimizer is Keras's, on the Keras engine; nothing is replayed."""
    fakes, (pair, dataset) = Fakes(finals), studied()
    found = run(ask(pair, dataset, tmp_path, fakes), tmp_path, fakes)
    assert sorted(found, key=str) == sorted(records.load(tmp_path), key=str)
    last = {(r.side, r.seed): r.curves["test_loss"][-1] for r in found}
    assert last == {
        ("graph", 0): 20,
        ("graph", 1): 21,
        ("keras", 0): 0,
        ("keras", 1): 1,
        ("stock", 0): 10,
        ("stock", 1): 11,
    }
    assert {request.job.kind for request in fakes.requests} == {"train"}
    assert {request.job.model.replay for request in fakes.requests} == {""}
    assert all(len(request.arrays["tested"]) == 2 for request in fakes.requests)
    assert all(r.made_by["machine"] == "a processor" and r.made_by["tensorflow"] for r in found)


def test_what_is_kept_is_not_trained_again(tmp_path: Path) -> None:
    fakes, (pair, dataset) = Fakes(finals), studied()
    run(ask(pair, dataset, tmp_path, fakes)[:3], tmp_path, fakes)
    missing = ask(pair, dataset, tmp_path, fakes)
    assert len(missing) == 3
    run(missing, tmp_path, fakes)
    assert len(fakes.requests) == 6
    assert ask(pair, dataset, tmp_path, fakes) == []


def test_a_run_that_fails_keeps_what_was_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: Request) -> Arrays:
        if request.job.model.seed:
            kept.wait(PATIENCE)
            raise EngineFailed("it died")
        return finals(request)

    def save(*arguments: Any) -> None:
        real_save(*arguments)
        kept.set()

    kept, real_save = threading.Event(), records.save
    monkeypatch.setattr(records, "save", save)

    fakes, (pair, dataset) = Fakes(answer), studied()
    with pytest.raises(EngineFailed, match="it died"):
        run(ask(pair, dataset, tmp_path, fakes, seeds=5), tmp_path, fakes)
    assert {(r.side, r.seed) for r in records.load(tmp_path)} <= {
        (side, 0) for side in ("graph", "keras", "stock")
    }
    assert records.load(tmp_path)


def changed_rows(pair: Pair, dataset: Dataset) -> tuple[Pair, Dataset]:
    return pair, dataclasses.replace(dataset, x_test=dataset.x_test[::-1])


def changed_rate(pair: Pair, dataset: Dataset) -> tuple[Pair, Dataset]:
    schedule = dataclasses.replace(pair.schedule, batch_size=12)
    return dataclasses.replace(pair, schedule=schedule), dataset


@pytest.mark.parametrize(("change", "part"), [(changed_rows, "data"), (changed_rate, "job")])
def test_another_question_is_not_answered_by_what_is_kept(
    tmp_path: Path, change: Callable[[Pair, Dataset], tuple[Pair, Dataset]], part: str
) -> None:
    fakes, (pair, dataset) = Fakes(finals), studied()
    run(ask(pair, dataset, tmp_path, fakes), tmp_path, fakes)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    other = change(pair, dataset)
    with pytest.raises(BadInput, match=f"answers another question: its {part} changed"):
        ask(*other, tmp_path, fakes)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before
    wanted = studies.tasks({pair.name: other}, 2)
    assert studies.unknown(wanted, tmp_path, fakes.as_executor(), renew=True) == wanted


def test_a_changed_model_and_changed_versions_are_other_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes, (pair, dataset) = Fakes(finals), studied()
    run(ask(pair, dataset, tmp_path, fakes), tmp_path, fakes)
    fakes.sources = "changed"
    monkeypatch.setattr("parity.provenance.versions", lambda python: {"tensorflow": "0"})
    with pytest.raises(BadInput, match="its model and versions changed"):
        ask(pair, dataset, tmp_path, fakes)


def test_a_figure_of_the_first_step_takes_one_step(tmp_path: Path) -> None:
    figure = Figure("loss", 0.2, MARGIN, epoch=0, split="train")
    pair, dataset = studied("newsgroups_lstm", figures=(figure,))
    (task, *_) = studies.tasks({pair.name: (pair, dataset)}, 1)
    arrays = task.question().arrays
    assert (len(arrays["sizes"]), arrays["tested"].tolist()) == (1, [0])
    assert len(arrays["x_train"]) == 24
    assert pair.stock
    with_margins = dataclasses.replace(
        pair, stock=dataclasses.replace(pair.stock, margins={"loss": MARGIN})
    )
    task = dataclasses.replace(task, pair=with_margins)
    assert len(task.question().arrays["tested"]) == 2


def test_sides_and_seeds_follow_from_the_row() -> None:
    names = {name: studies.sides(pair) for name, pair in PAIRS.items()}
    assert names["sms_rnn"] == ("graph", "keras", "stock")
    assert names["imdb_bilstm"] == ("graph", "keras")
    assert names["deep_lstm"] == names["imdb_gru_cells_v1"] == ()
    assert studies.studied(PAIRS["deep_lstm"])
    assert not studies.studied(PAIRS["imdb_gru_cells_v1"])
    pair, dataset = tiny("sms_rnn")
    assert len(studies.tasks({"sms_rnn": (pair, dataset)}, None)) == 60
    slow = {"imdb_bilstm": tiny("imdb_bilstm")}
    assert len(studies.tasks(slow, None)) == 6


def test_made_up_data_reproduces_nothing() -> None:
    pair, dataset = studied()
    with pytest.raises(BadInput, match="synthetic data cannot reproduce"):
        studies.check_real(pair, dataset)
    studies.check_real(PAIRS["deep_lstm"], tiny("deep_lstm")[1])  # its weights are its own


def test_a_corpus_is_named_without_its_place() -> None:
    _, dataset = studied()
    origin = dataclasses.replace(dataset.origin, detail="/home/somebody/corpus")
    assert studies.corpus(origin) == (
        "SYNTHETIC DATA in place of tiny from synthetic (sha256 000000000000)"
    )


# Time


class Slow(Fakes):
    """An engine that needs 20 ms a step and 60 ms to start."""

    def submit(
        self, request: Request, progress: Progress = quiet, keep: bool = True
    ) -> Future[Answer]:
        progress("model", 0, 0, {})
        time.sleep(0.06)
        for step in range(len(request.arrays["sizes"])):
            time.sleep(0.02)
            progress("curve", step + 1, len(request.arrays["sizes"]), {})
        return super().submit(request, progress, keep)


def test_the_cost_of_a_training_is_measured_by_a_few_steps() -> None:
    fakes, (pair, dataset) = Slow(finals), studied()
    task = Task(pair, dataset, "graph", 0)
    cost = studies.measure(task, fakes.as_executor(), quiet)
    (request,) = fakes.requests
    assert len(request.arrays["sizes"]) == studies.PROBED
    assert cost.step >= 0.02
    assert cost.start >= 0.06
    question = task.question()
    assert cost.seconds(question) >= 0.06 + 6 * 0.02
    assert cost.seconds(question) == pytest.approx(
        cost.start + 6 * cost.step + 2 * len(dataset.x_test) * cost.row
    )


def test_what_was_trained_on_this_machine_is_not_measured(tmp_path: Path) -> None:
    fakes, (pair, dataset) = Fakes(finals), studied()
    run(ask(pair, dataset, tmp_path, fakes, seeds=1), tmp_path, fakes)
    kept = [dataclasses.replace(record, seconds=7.0) for record in records.load(tmp_path)]
    missing, before = ask(pair, dataset, tmp_path, fakes, seeds=3), len(fakes.requests)
    found = studies.costs(missing, kept, "a processor", fakes.as_executor(), watch)
    assert found == {task.key: 7.0 for task in missing}
    assert len(fakes.requests) == before
    slow = Slow(finals)
    studies.costs(missing, kept, "another processor", slow.as_executor(), watch)
    assert len(slow.requests) == 3  # once a side


def test_the_time_left_falls_with_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("parity.studies.time.monotonic", lambda: now)
    monkeypatch.setattr(studies, "cores", lambda: 2)
    first, second = ("sms_rnn", "graph", 0), ("sms_rnn", "graph", 1)
    clock = Clock({first: 30.0, second: 30.0})
    assert clock.left == 30
    clock.advance(first, 0.5)
    now += 20  # 15 of 60 seconds of work took 20
    assert clock.left == pytest.approx(60)
    clock.advance(first, 1)
    clock.advance(second, 1)
    assert clock.left == 0


# Counts


def test_weights_and_corpora_are_counted() -> None:
    pair, dataset = tiny("newsgroups_lstm")
    counts = (
        Count("all", 0, "parameters"),
        Count("of the LSTM", 0, "parameters", "lstm"),
        Count("trained", 0, "trainable"),
        Count("frozen", 0, "frozen"),
        Count("vectors", 0, "vectors"),
        Count("index", 0, "index", "A"),
        Count("rows", 0, "rows"),
        Count("steps", 0, "steps"),
        Count("vocabulary", 0, "vocabulary"),
    )
    pair = dataclasses.replace(pair, published=Published(counts=counts))

    def answer(request: Request) -> Arrays:
        return {
            "final/weights/embedding": np.ones((30, 6)),
            "final/weights/lstm/lstm_cell/kernel": np.ones((5, 4)),
            "final/weights/lstm/lstm_cell/bias": np.ones(4),
            "final/slots/embedding/Adam": np.ones((30, 6)),
            "final/slots/embedding/Adam_1": np.ones((30, 6)),
            "final/slots/beta1_power": np.ones(()),
        }

    fakes = FakeEngines(answer)
    found = counting.count(pair, dataset, fakes.as_executor(), [find("graph")])
    assert found == {
        "all": {"graph": 204},
        "of the LSTM": {"graph": 24},
        "trained": {"graph": 180},
        "frozen": {"graph": 24},
        "vectors": {"corpus": 29},
        "index": {"corpus": ord("A") % 30},
        "rows": {"corpus": 68},
        "steps": {"corpus": 3},
        "vocabulary": {"corpus": 30},
    }
    assert len(fakes.requests) == 1


def test_every_kind_of_count_is_known() -> None:
    assert set(counting.OF_CORPUS) == set(OF_CORPUS)


def test_nobody_is_asked_for_what_the_corpus_tells() -> None:
    fakes, (pair, dataset) = FakeEngines(finals), studied(counts=(Count("rows", 68, "rows"),))
    assert counting.count(pair, dataset, fakes.as_executor(), [find("graph")]) == {
        "rows": {"corpus": 68}
    }
    assert not fakes.requests


# With engines


@pytest.mark.parametrize("name", ["newsgroups_lstm", "imdb_lstm_glove"])
def test_engines_count_the_same_weights(executor: Executor, name: str) -> None:
    pair, dataset = tiny(name)
    counts = tuple(Count(kind, 0, kind) for kind in ("parameters", "trainable", "frozen"))
    pair = dataclasses.replace(pair, published=Published(counts=counts))
    found = counting.count(pair, dataset, executor, [find("graph"), find("keras")])
    assert all(len(set(each.values())) == 1 for each in found.values()), found
    total = {kind: each["graph"] for kind, each in found.items()}
    assert total["parameters"] == total["trainable"] + total["frozen"]
    assert total["frozen"] > 0


def test_engines_train_and_what_they_read_is_judged(executor: Executor, tmp_path: Path) -> None:
    """With validation rows, a sentence and the stock optimizer, on the tiny corpus."""
    figures = (
        Figure("loss", 0.7, MARGIN, epoch=2),
        Figure("accuracy", 0.5, Margin(0.6, "anything"), epoch=1, split="validation"),
        Prediction("abc", "even", 0.5, Margin(0.5, "any class"), epoch=2),
    )
    pair, dataset = studied(figures=figures)
    dataset = dataclasses.replace(dataset, validation=(dataset.x_test[:5], dataset.y_test[:5]))
    wanted = studies.tasks({pair.name: (pair, dataset)}, 2)
    missing = studies.unknown(wanted, tmp_path, executor)
    found = list(studies.run(missing, tmp_path, executor, MADE_BY, watch))
    assert len(found) == 6
    assert {len(record.curves["validation_loss"]) for record in found} == {2}
    losses = {record.curves["test_loss"] for record in found}
    assert len(losses) == 6  # nobody repeats another's training
    study = findings.study(
        pair.name, pair.published, pair.margins, "RMSprop", "", records.load(tmp_path), None
    )
    assert [figure.verdict for figure in study.figures] == ["within"] * 3
    assert {(e.side, e.metric) for e in study.equivalences} == {
        (side, metric) for side in ("keras", "stock") for metric in ("loss", "accuracy")
    }
    assert studies.unknown(wanted, tmp_path, executor) == []
