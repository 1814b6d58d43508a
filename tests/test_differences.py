"""docs/differences says what docs/differences/measure.py measures, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.engines import tf1_python

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "differences"
FIGURES: dict[str, dict[str, Any]] = json.loads((FOLDER / "measured.json").read_text())["figures"]
RENEW = "renew it: tox -e measure"

# Draws of random numbers may change with TensorFlow: their figures are compared to a tenth.
DRAWN = {"first-weights", "keep-prob"}


def run(*arguments: str) -> None:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "TF_USE_LEGACY_KERAS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("measured")
    run(sys.executable, str(FOLDER / "measure.py"), "--output", str(folder))
    found: dict[str, dict[str, Any]] = json.loads((folder / "measured.json").read_text())["figures"]
    return found


@pytest.mark.parametrize("name", FIGURES)
def test_measured_again_the_figures_are_the_same(
    name: str, measured: dict[str, dict[str, Any]]
) -> None:
    kept, found = FIGURES[name], measured[name]
    assert list(found) == list(kept), RENEW
    for what, value in kept.items():
        if isinstance(value, float):
            near = pytest.approx(value, rel=0.1 if name in DRAWN else 1e-2, abs=1e-9)
            assert found[what] == near, f"{what}; {RENEW}"
        else:
            assert found[what] == value, f"{what}; {RENEW}"


def test_every_difference_is_measured(measured: dict[str, dict[str, Any]]) -> None:
    pages = {path.stem for path in FOLDER.glob("*.md")} - {"index"}
    assert pages == set(FIGURES) == set(measured)
    assert {path.stem for path in (FOLDER / "images").iterdir()} == pages
    index = (FOLDER / "index.md").read_text("utf-8")
    assert set(re.findall(r"\]\(([\w-]+)\.md\)", index)) == pages


@pytest.mark.parametrize("name", FIGURES)
def test_a_page_shows_its_figures_and_its_plot(name: str) -> None:
    page = (FOLDER / f"{name}.md").read_text("utf-8")
    shown = page.partition("<!-- measured -->")[2].partition("<!-- end of measured -->")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", shown, re.MULTILINE)[2:]
    expected = [
        (what, f"{value:.3g}" if isinstance(value, float) else str(value))
        for what, value in FIGURES[name].items()
    ]
    assert rows == expected, RENEW
    assert f"](images/{name}.png)" in page
    for heading in ("## Measured", "## The mend"):
        assert heading in page


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_tensorflow_1_measures_the_same(tmp_path: Path) -> None:
    python = tf1_python()
    assert python is not None
    found = []
    for name, interpreter in (("graph", sys.executable), ("tf1", python)):
        path = tmp_path / f"{name}.npz"
        run(interpreter, "-W", "ignore", str(FOLDER / "graph_side.py"), str(path))
        with np.load(path) as arrays:
            found.append(dict(arrays))
    graph, tf1 = found
    assert tf1["version"] == "1.15.5"
    assert set(graph) == set(tf1)
    random = {"version", "first_kernel", "dropped", "masks_plain", "masks_variational"}
    for name in set(graph) - random:
        np.testing.assert_allclose(graph[name], tf1[name], rtol=0, atol=1e-14, err_msg=name)
    for name in ("masks_plain", "masks_variational"):  # as many different ones
        masks = [(a[name] > 0).reshape(-1, a[name].shape[-1]) for a in (graph, tf1)]
        assert len({len(np.unique(m, axis=0)) for m in masks}) == 1
