from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity import checked
from parity.asking import Asked, Said
from parity.checked import CheckResult
from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED, EngineFailed
from parity.pairtoml import PairFile
from parity.proposals import Entry
from parity.weights import Rule
from tests.parity.samples import comparison, named, outcome, run

WRONG = {"forward/eval/logits": np.zeros((2, 2))}


def result(*comparisons: Any, **entries: Any) -> CheckResult:
    """Return what a check came to; `entries` are those that shapes alone did not pair."""
    weights: Any = SimpleNamespace(**{"open": (), "unsure": (), **entries})
    proposed: Any = SimpleNamespace(several=False, weights=weights)
    return CheckResult(run(outcome(*comparisons)), proposed)


def entry(name: str) -> Entry:
    return Entry((Rule((name,), ("dense/kernel",)),), "order")


def test_a_result_is_true_if_all_agree() -> None:
    agreeing, differing = result(comparison()), result(comparison(WRONG))
    assert (bool(agreeing), agreeing.agrees, agreeing.exit_code) == (True, True, AGREE)
    assert (bool(differing), differing.agrees, differing.exit_code) == (False, False, DIFFERENCE)
    assert checked.require(agreeing) is agreeing


def test_a_difference_is_an_assertion_that_names_where() -> None:
    with pytest.raises(AssertionError) as caught:
        checked.require(result(comparison(WRONG), unsure=(entry("w"),)))
    said = str(caught.value)
    assert said.startswith("1 pair differs: sms_rnn at forward.")
    assert "first tensor    forward/eval/logits  (2, 2)" in said
    assert "worst element   [0, 0]  1 expected, 0 found" in said
    assert "note: a note" in said
    assert "paired by name or order, not by shape" in said


def test_nothing_compared_is_no_success_and_no_difference() -> None:
    broken = dataclasses.replace(comparison(), differences=(), problem="the engine died")
    for found in (result(), result(broken)):
        assert found.exit_code == ENGINE_FAILED
        assert not found
        with pytest.raises(EngineFailed, match="1 pair not compared: sms_rnn"):
            checked.require(found)
    with pytest.raises(EngineFailed, match="the engine died"):
        checked.require(result(broken))


def test_what_order_paired_the_proof_confirms() -> None:
    assert result(comparison()).remarks == []
    (said,) = result(comparison(), open=(entry("v"), entry("w"))).remarks
    assert said == "these were paired by order alone, and the proof confirms it: v, w"


def test_the_json_is_the_commands() -> None:
    document = result(comparison()).to_json()
    assert (document["exit_code"], document["outcomes"][0]["pair"]) == (AGREE, "sms_rnn")


def test_runs_are_merged_and_no_pair_hides_another() -> None:
    same, other = outcome(comparison()), outcome(comparison(WRONG))
    runs = [run(same), run(other), run(named("sms_rnn_2", same)), run(same)]
    whole = checked.merged(runs)
    names = ["sms_rnn", "sms_rnn_2", "sms_rnn_2_2", "sms_rnn_3"]
    assert [each.pair for each in whole.outcomes] == names
    assert [each.comparisons[0].pair for each in whole.outcomes] == names
    assert (whole.exit_code, whole.seconds) == (DIFFERENCE, 14.0)
    assert whole.started == runs[0].started


def test_no_runs_are_no_agreement() -> None:
    assert checked.merged([]).exit_code == ENGINE_FAILED


def test_a_question_without_a_choice_or_a_place_writes_no_file(tmp_path: Path) -> None:
    asked = PairFile("train.graph.npz", "rewrite:build_model")
    for choices, folder in (({"fed": {}}, tmp_path), ({"fed": {"a:0": ("b", "")}}, None)):
        question = Asked("this", "that", "so", Said(), choices)
        assert checked.with_draft(question, asked, None, folder) is question
    assert not list(tmp_path.iterdir())


def test_a_question_with_a_choice_says_where_to_choose(tmp_path: Path) -> None:
    asked = PairFile("train.graph.npz", "rewrite:build_model")
    known = Said(weights={"W": "dense/kernel"})
    question = Asked("this", "that", "so", known, {"fed": {"a:0": ("b", "")}})
    path = tmp_path / "named.toml"
    found = checked.with_draft(question, asked, path, tmp_path)
    assert found.received == "this"
    assert found.mend.endswith(f"run: parity check {path}")
    assert 'W = "dense/kernel"' in path.read_text("utf-8")
