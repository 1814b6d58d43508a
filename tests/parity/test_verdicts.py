"""Kept verdicts: they hold as long as nothing that they rest on has changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasets.dataset import Dataset
from parity import goldens, verdicts
from parity.engines import find
from parity.errors import ENGINE_FAILED
from parity.executor import Executor
from parity.options import Options
from parity.pair import Pair
from parity.results import JobRecord, Outcome, to_plain
from parity.store import Store
from tests.conformance.tiny import tiny
from tests.parity.samples import comparison, outcome

OPTIONS = Options([find("graph")])
NAME = "0" * 64


def other_seed(pair: Pair, dataset: Dataset, options: Options) -> tuple[Pair, Dataset, Options]:
    return pair, dataset, dataclasses.replace(options, seed=1)


def other_steps(pair: Pair, dataset: Dataset, options: Options) -> tuple[Pair, Dataset, Options]:
    return pair, dataset, dataclasses.replace(options, steps=3)


def other_rule(pair: Pair, dataset: Dataset, options: Options) -> tuple[Pair, Dataset, Options]:
    first, *rest = pair.layout.rules
    rules = (dataclasses.replace(first, spread=0.25), *rest)
    layout = dataclasses.replace(pair.layout, rules=rules)
    return dataclasses.replace(pair, layout=layout), dataset, options


def other_data(pair: Pair, dataset: Dataset, options: Options) -> tuple[Pair, Dataset, Options]:
    return pair, dataclasses.replace(dataset, y_train=1 - dataset.y_train), options


def other_model(pair: Pair, dataset: Dataset, options: Options) -> tuple[Pair, Dataset, Options]:
    return dataclasses.replace(pair, keras="keras_v2.imdb_flatten:build_model"), dataset, options


@pytest.mark.parametrize("change", [other_seed, other_steps, other_rule, other_data, other_model])
def test_whatever_a_verdict_rests_on_names_it(tmp_path: Path, change: Callable[..., Any]) -> None:
    pair, dataset = tiny("sms_rnn")
    with Executor(tmp_path, workers=1) as idle:
        first, again = (verdicts.digest(pair, dataset, idle, OPTIONS) for _ in range(2))
        pair, dataset, options = change(pair, dataset, OPTIONS)
        assert first == again != verdicts.digest(pair, dataset, idle, options)


def test_a_renewed_recording_is_another_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, dataset = tiny("sms_rnn")
    with Executor(tmp_path, workers=1) as idle:
        before = verdicts.digest(pair, dataset, idle, OPTIONS)
        monkeypatch.setattr(goldens, "FOLDER", tmp_path)
        assert before != verdicts.digest(pair, dataset, idle, OPTIONS)


def test_a_kept_verdict_is_the_same_with_its_questions_answered_before(tmp_path: Path) -> None:
    kept, found = Store(tmp_path), outcome(comparison())
    found.jobs = [JobRecord("graph", "float32 climb", "2018-01-01T00:00:00+00:00", 1.5, False)]
    verdicts.save(kept, NAME, found)
    again = verdicts.load(kept, NAME)
    assert again is not None
    assert [job.kept for job in again.jobs] == [True]
    again.jobs = found.jobs
    assert to_plain(again) == to_plain(found)


def test_what_an_engine_left_open_is_not_kept(tmp_path: Path) -> None:
    kept, found = Store(tmp_path), Outcome("sms_rnn", outcome().origin)
    assert found.exit_code == ENGINE_FAILED
    verdicts.save(kept, NAME, found)
    assert verdicts.load(kept, NAME) is None
