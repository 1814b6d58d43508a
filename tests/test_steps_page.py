"""docs/optimizers.md has the figures that docs/optimizers/measure.py has measured."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from parity.pairs import PAIRS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "optimizers"
FIGURES = json.loads((FOLDER / "steps.json").read_text("utf-8"))
RENEW = "renew it: tox -e steps"


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measure_steps", FOLDER / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_pair_with_a_stock_optimizer_is_measured() -> None:
    assert [each["pair"] for each in FIGURES] == [n for n, row in PAIRS.items() if row.stock], RENEW


def test_the_page_has_the_table_of_the_figures(measure: ModuleType) -> None:
    page = FOLDER.with_suffix(".md").read_text("utf-8")
    shown = page.partition(measure.BEGIN)[2].partition(measure.END)[0].strip()
    assert shown == measure.table(FIGURES), RENEW
