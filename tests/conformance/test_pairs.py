"""Every pair of the table climbs all rungs. A new pair is tested by adding its row."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import numpy as np
import pytest

from parity import goldens, train, wire
from parity.cases import DTYPES, digest, make_case
from parity.checks import lead
from parity.engines import find
from parity.errors import AGREE, BadInput
from parity.executor import Executor
from parity.judging import compare_two
from parity.keys import RUNGS
from parity.pairs import ATOMS, PAIRS
from parity.plans import make_plan
from parity.rounding import MOST_TWINS
from tests.conformance.tiny import TINY, tiny
from tests.conftest import Judge, desk_for, live, quiet

EACH = pytest.mark.parametrize("name", PAIRS)
BOTH = pytest.mark.parametrize("dtype", DTYPES)
# Recordings are of the real corpora. The authors of deep_lstm published no data; and one pair has a
# recording of synthetic data, too, for a machine that can reach none.
MADE_UP = {name for name, pair in PAIRS.items() if pair.data.loader == "datasets.sequences:load"}
CORPORA = [
    *((name, "real") for name in PAIRS if name not in MADE_UP),
    *((name, "synthetic") for name in sorted({"sms_rnn", *MADE_UP})),
]
RECORDED = pytest.mark.parametrize(
    ("name", "corpus"),
    [
        pytest.param(*each, marks=[pytest.mark.real_data] if each[1] == "real" else [])
        for each in CORPORA
    ],
)


def test_every_pair_has_a_tiny_corpus() -> None:
    assert set(TINY) == set(PAIRS), "tests/conformance/tiny.py and parity/pairs/ disagree"


@EACH
@BOTH
def test_graph_and_keras_agree_on_every_rung(
    executor: Executor, judge: Judge, name: str, dtype: str
) -> None:
    case, graph = judge(name, dtype)
    comparison = compare_two(case.pair, graph, live(executor, "keras", case))
    assert comparison.exit_code == AGREE, (comparison.failed_rung, comparison.problem)
    assert {d.rung for d in comparison.differences} == set(RUNGS)


@EACH
@BOTH
@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_tensorflow_1_agrees_with_both(
    executor: Executor, judge: Judge, name: str, dtype: str
) -> None:
    case, graph = judge(name, dtype)
    oracle, keras = (live(executor, engine, case) for engine in ("tf1", "keras"))
    for candidate in (graph, keras):
        comparison = compare_two(case.pair, oracle, candidate)
        found = (candidate.name, comparison.failed_rung, comparison.problem)
        assert comparison.exit_code == AGREE, found


@EACH
def test_every_tap_and_dropout_site_is_recorded(judge: Judge, name: str) -> None:
    case, graph = judge(name, "float32")
    wiring, recording = case.pair.wiring, dict(graph.recording())
    for mode in ("forward/eval", "forward/train"):
        assert tuple(wire.under(recording, mode)) == tuple(wiring.taps)
    steps = len(recording["curve/step_loss"])
    assert steps == case.plan.steps
    assert set(case.masks) == {
        f"{step}/{site}" for step in range(steps) for site in wiring.dropout.values()
    }
    assert all(0 < mask.mean() < 1 for mask in case.masks.values())


def provenance_of(name: str, corpus: str, dtype: str) -> dict[str, Any]:
    path = goldens.FOLDER / f"{name}-{corpus}-{dtype}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@RECORDED
@BOTH
def test_recording_says_where_it_came_from(name: str, dtype: str, corpus: str) -> None:
    provenance = provenance_of(name, corpus, dtype)
    assert provenance["format"] == goldens.FORMAT
    assert provenance["pair"] == name
    assert provenance["dtype"] == dtype
    assert provenance["engine"]["tensorflow"] == "1.15.5"
    assert provenance["synthetic"] is (corpus == "synthetic")
    assert provenance["made_by"] == f"parity record {name}"
    assert all(len(provenance[f"{what}_sha256"]) == 64 for what in ("corpus", "weights"))
    for what in ("batches", "masks"):
        digests = provenance[f"{what}_sha256"]
        assert len(digests) == provenance["steps"]
        assert {len(each) for each in digests} == {16}
    assert len(set(provenance["batches_sha256"])) == provenance["steps"]


@RECORDED
@BOTH
def test_recording_holds_every_rung_and_how_far_it_rounds(
    name: str, dtype: str, corpus: str
) -> None:
    provenance = provenance_of(name, corpus, dtype)
    arrays = wire.read_arrays(str(goldens.FOLDER / f"{name}-{corpus}-{dtype}.npz"))
    lines = wire.under(arrays, goldens.OWN)
    tensors = {key for key in arrays if key.partition("/")[0] != goldens.OWN}
    assert {key.partition("/")[0] for key in tensors} == set(RUNGS)
    assert set(provenance["shapes"]) == set(provenance["largest"]) == tensors
    assert len(arrays["curve/step_loss"]) == provenance["steps"]
    own = {**provenance["own"], **lines}
    if dtype == "float64":
        assert (own, provenance["runs"]) == ({}, 0)
        return
    assert provenance["runs"] == 1 + MOST_TWINS  # its truth and its twins
    assert set(own) == {key for key in tensors if not key.startswith("variables/")}
    for key, line in lines.items():
        assert line.shape == arrays[key].shape
        assert (np.diff(line) >= 0).all()


def test_no_recording_is_left_of_a_pair_that_is_gone() -> None:
    known = {f"{name}-{corpus}-{dtype}" for name, corpus in CORPORA for dtype in DTYPES}
    assert {path.stem for path in goldens.FOLDER.glob("*.*")} == known
    atoms = {f"{name}-synthetic-{dtype}" for name in ATOMS for dtype in DTYPES}
    assert {path.stem for path in (goldens.FOLDER / "atoms").iterdir()} == atoms


@RECORDED
@BOTH
def test_recording_is_of_the_default_case(
    executor: Executor, monkeypatch: pytest.MonkeyPatch, name: str, dtype: str, corpus: str
) -> None:
    if corpus == "synthetic":
        monkeypatch.delenv("PARITY_DATA_DIR", raising=False)
        monkeypatch.setenv("PARITY_CACHE_DIR", "/nowhere")
    elif not os.environ.get("PARITY_DATA_DIR"):
        pytest.skip("PARITY_DATA_DIR is not set: no real corpus to ask about")
    monkeypatch.setenv("PARITY_OFFLINE", "1")
    pair = PAIRS[name]
    dataset = pair.data.load()
    assert dataset.origin.synthetic is (corpus == "synthetic")
    case = make_case(pair, "float32", dataset)
    # The weights of one step are those of all of them, and masks need not be drawn for all.
    first = lead(desk_for(pair, executor), make_case(pair, "float32", dataset, steps=1))
    provenance = provenance_of(name, corpus, dtype)
    renew = f"renew it: {goldens.RENEW.format(pair=name)}"
    assert provenance["weights_sha256"] == digest(first.in_dtype(dtype).weights), renew
    assert provenance["batches_sha256"] == case.fingerprints()[0], renew
    assert provenance["masks_sha256"][:1] == first.fingerprints()[1], renew


@EACH
def test_each_engine_trains_and_the_other_one_takes_its_weights(
    executor: Executor, name: str
) -> None:
    pair, dataset = tiny(name)
    graph, keras = find("graph"), find("keras")
    for owner, other in ((graph, keras), (keras, graph)):
        trained = train.train(pair, dataset, executor, owner, 1, 0, quiet)
        weights = trained.weights
        assert all(len(values) == 1 for values in trained.history.values())
        found = train.evaluate(pair, dataset, executor, other, weights, quiet)
        for metric, value in found.items():
            assert value == pytest.approx(trained.history[f"test_{metric}"][0], abs=2e-6)
        if not pair.wiring.output:
            with pytest.raises(BadInput, match=f"{name} predicts no class"):
                train.predict(pair, dataset, executor, other, weights, ["a text"], quiet)
            continue
        answers = train.predict(pair, dataset, executor, other, weights, ["a", "text"], quiet)
        assert answers.shape == (2, len(dataset.labels))
        np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)


@EACH
def test_another_seed_is_another_question(judge: Judge, name: str) -> None:
    case, _ = judge(name, "float32")
    plan = make_plan(len(case.dataset.x_train), case.pair.schedule, seed=1)
    other = dataclasses.replace(case, plan=plan)
    assert plan.steps == case.plan.steps
    assert not set(other.fingerprints()[0]) & set(case.fingerprints()[0])
