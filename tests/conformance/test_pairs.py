"""Every pair of the table climbs all rungs. A new pair is tested by adding its row."""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np
import pytest

from parity import cases, goldens, train, wire
from parity.checks import DTYPES, Fleet, compare_two, make_case
from parity.engines import find
from parity.errors import AGREE, BadInput
from parity.pairs import PAIRS
from parity.tolerances import RUNGS
from tests.conformance.tiny import TINY, tiny
from tests.conftest import Judge, answer, quiet

EACH = pytest.mark.parametrize("name", PAIRS)
BOTH = pytest.mark.parametrize("dtype", DTYPES)
# Recordings are of the real corpora. The authors of deep_lstm published no data; and one pair has a
# recording of synthetic data, too, for a machine that can reach none.
MADE_UP = {name for name, pair in PAIRS.items() if pair.dataset == "datasets.sequences:load"}
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
    assert set(TINY) == set(PAIRS), "tests/conformance/tiny.py and parity/pairs.py disagree"


@EACH
@BOTH
def test_graph_and_keras_agree_on_every_rung(
    fleet: Fleet, judge: Judge, name: str, dtype: str
) -> None:
    case, expected = judge(name, dtype)
    found = answer(fleet, "keras", case)
    comparison = compare_two(case.pair, dtype, ("graph", expected), ("keras", found))
    assert comparison.exit_code == AGREE, comparison.failed_rung
    assert {d.rung for d in comparison.differences} == set(RUNGS)


@EACH
@BOTH
@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_tensorflow_1_agrees_with_both(fleet: Fleet, judge: Judge, name: str, dtype: str) -> None:
    case, graph = judge(name, dtype)
    oracle = answer(fleet, "tf1", case)
    assert oracle.about["tensorflow"].startswith("1.15.")
    for engine, found in (("graph", graph), ("keras", answer(fleet, "keras", case))):
        comparison = compare_two(case.pair, dtype, ("tf1", oracle), (engine, found))
        assert comparison.exit_code == AGREE, (engine, comparison.failed_rung)


@EACH
def test_every_tap_and_dropout_site_is_recorded(judge: Judge, name: str) -> None:
    case, recorded = judge(name, "float32")
    pair = case.pair
    for mode in ("forward/eval", "forward/train"):
        assert tuple(wire.under(recorded.recording, mode)) == tuple(pair.taps)
    steps = len(recorded.recording["curve/step_loss"])
    sites = {f"{step}/{site}" for step in range(steps) for site in pair.dropout.values()}
    assert set(case.masks) == sites
    assert all(0 < mask.mean() < 1 for mask in case.masks.values())


@RECORDED
@BOTH
def test_recording_says_where_it_came_from(name: str, dtype: str, corpus: str) -> None:
    path = goldens.FOLDER / f"{name}-{corpus}-{dtype}.json"
    provenance = json.loads(path.read_text("utf-8"))
    assert provenance["pair"] == name
    assert provenance["dtype"] == dtype
    assert provenance["engine"]["tensorflow"] == "1.15.5"
    assert provenance["synthetic"] is (corpus == "synthetic")
    assert provenance["made_by"] == f"parity record {name}"
    assert all(len(provenance[f"{what}_sha256"]) == 64 for what in ("corpus", "inputs", "masks"))
    arrays = wire.read_arrays(str(path.with_suffix(".npz")))
    assert {key.partition("/")[0] for key in arrays} == set(RUNGS)
    assert len(arrays["curve/step_loss"]) == provenance["steps"]


def test_no_recording_is_left_of_a_pair_that_is_gone() -> None:
    known = {f"{name}-{corpus}-{dtype}" for name, corpus in CORPORA for dtype in DTYPES}
    assert {path.stem for path in goldens.FOLDER.iterdir()} == known


@RECORDED
@BOTH
def test_recording_is_of_the_default_case(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, name: str, dtype: str, corpus: str
) -> None:
    if corpus == "synthetic":
        monkeypatch.delenv("PARITY_DATA_DIR", raising=False)
        monkeypatch.setenv("PARITY_CACHE_DIR", "/nowhere")
    elif not os.environ.get("PARITY_DATA_DIR"):
        pytest.skip("PARITY_DATA_DIR is not set: no real corpus to ask about")
    monkeypatch.setenv("PARITY_OFFLINE", "1")
    dataset = PAIRS[name].load()
    assert dataset.origin.synthetic is (corpus == "synthetic")
    case = make_case(PAIRS[name], dtype, dataset)
    # The weights of one step are those of all of them, and masks need not be drawn for all.
    first = dataclasses.replace(case, order=case.order[:1, :1])
    with fleet.borrow(find("keras")) as keras:
        case = dataclasses.replace(case, weights=first.lead(keras, quiet).weights)
    path = goldens.FOLDER / f"{name}-{corpus}-{dtype}.json"
    recorded = json.loads(path.read_text("utf-8"))["inputs_sha256"]
    assert case.inputs_digest() == recorded, f"renew it: {goldens.RENEW.format(pair=name)}"


@EACH
def test_each_engine_trains_and_the_other_one_takes_its_weights(fleet: Fleet, name: str) -> None:
    pair, dataset = tiny(name)
    graph, keras = find("graph"), find("keras")
    for owner, other in ((graph, keras), (keras, graph)):
        with fleet.borrow(owner) as process:
            trained = train.train(pair, dataset, process, 1, 0, quiet)
        assert all(len(values) == 1 for values in trained.history.values())
        with fleet.borrow(other) as process:
            found = train.evaluate(pair, dataset, process, trained.weights, quiet)
            for metric, value in found.items():
                assert value == pytest.approx(trained.history[f"test_{metric}"][0], abs=2e-6)
            if not pair.output:
                with pytest.raises(BadInput, match=f"{name} predicts no class"):
                    train.predict(pair, dataset, process, trained.weights, ["a text"], quiet)
                continue
            answers = train.predict(pair, dataset, process, trained.weights, ["a", "text"], quiet)
            assert answers.shape == (2, len(dataset.labels))
            np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)


@EACH
def test_another_seed_is_another_question(judge: Judge, name: str) -> None:
    case, _ = judge(name, "float32")
    order = cases.make_order(len(case.dataset.x_train), case.pair.epochs, 1)
    other = dataclasses.replace(case, order=order)
    assert other.inputs_digest() != case.inputs_digest()
