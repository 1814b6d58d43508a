"""docs/convert.md says what docs/resume/measure.py measures, and that is within its bounds."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "resume"
FIGURES: list[dict[str, Any]] = json.loads((FOLDER / "resume.json").read_text())
RENEW = "renew it: tox -e resume"


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("resume_measure", FOLDER / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def sound(figures: list[dict[str, Any]]) -> None:
    for each in figures:
        assert each["used"] <= 1, each
        if each["dtype"] == "float64":
            assert each["losses"] <= 1e-12, each
        if each["without_state"] is not None:  # the proof sees what is lost without the slots
            assert each["without_state"] > 1000 * each["losses"], each


def test_the_figures_are_within_their_bounds() -> None:
    sound(FIGURES)


def test_the_page_has_the_table_of_the_figures(measure: ModuleType) -> None:
    page = (ROOT / "docs" / "convert.md").read_text("utf-8")
    shown = page.partition(measure.BEGIN)[2].partition(measure.END)[0].strip()
    assert shown == measure.table(FIGURES), RENEW


def test_every_row_is_measured_both_ways_in_both_dtypes(measure: ModuleType) -> None:
    rows = [(row.pair, row.optimizer) for row in measure.ROWS for _ in range(4)]
    assert [(each["pair"], each["optimizer"]) for each in FIGURES] == rows, RENEW
    assert {row.optimizer for row in measure.ROWS} == {
        "RMSProp",
        "Adam",
        "Momentum",
        "Adagrad",
        "BERT's",
    }


@pytest.mark.slow
@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_measured_again_training_goes_on_as_if_nothing_had_been(
    tmp_path: Path, measure: ModuleType
) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "measure.py"), "--output", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "resume.json").read_text())
    same = ("pair", "optimizer", "way", "dtype")
    assert [[each[k] for k in same] for each in found] == [[e[k] for k in same] for e in FIGURES]
    sound(found)
