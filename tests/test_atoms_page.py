"""docs/atoms says what docs/atoms/measure.py measured of the rows as they are."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from parity.errors import AGREE
from parity.pairs import ATOMS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "atoms"
DOCUMENT: dict[str, Any] = json.loads((FOLDER / "measured.json").read_text("utf-8"))
FIGURES: dict[str, dict[str, Any]] = DOCUMENT["figures"]
RENEW = "renew it: tox -e atoms"


def measuring() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measure", FOLDER / "measure.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_atom_is_measured_and_none_besides() -> None:
    assert list(FIGURES) == list(ATOMS), RENEW


@pytest.mark.parametrize("name", FIGURES)
def test_an_atom_agreed_with_tensorflow_1_15_5_and_its_slip_was_found(name: str) -> None:
    found, row = FIGURES[name], ATOMS[name]
    assert found["exit_code"] == AGREE
    assert found["engines"] == ["graph", "keras", "tf1"], "measure where TensorFlow 1.15.5 is"
    assert set(found["float64"]) == set(row.rungs)
    assert max(found["float64"].values()) < 1e-12
    assert row.atom
    assert found["slip"]["rung"] == row.atom.slip.rung


def test_the_pages_are_made_of_the_rows_and_the_figures() -> None:
    for name, text in measuring().pages(DOCUMENT).items():
        assert (FOLDER / name).read_text("utf-8") == text, f"{name}; {RENEW}"


def test_every_page_is_in_the_site() -> None:
    site = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert all(f"atoms/{path.name}" in site for path in FOLDER.glob("*.md"))
