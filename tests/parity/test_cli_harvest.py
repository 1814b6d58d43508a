from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.commands import Command, error

SCRIPT = str(Path(__file__).parent / "scripts" / "two_towers.py")

pytestmark = pytest.mark.usefixtures("small")


def test_what_was_found_is_shown_and_the_file_is_not_overwritten(parity: Command) -> None:
    ended = parity("harvest", SCRIPT, "--engine", "graph", "--", "7")
    assert ended.code == 0, ended
    shown = " ".join(ended.out.split())
    assert "words:0 Placeholder int32 (?, 5) (6, 5) 0 to 10" in shown
    assert "AdamOptimizer loss:0" in shown
    assert "MomentumOptimizer penalty:0 1 1 no" in shown
    assert "table float32 (11, 4) yes" in shown
    assert "wrote two_towers.graph.npz" in shown
    again = parity("harvest", SCRIPT, "--engine", "graph")
    assert (again.code, "two_towers.graph.npz exists" in error(again)) == (2, True)


def test_a_misspelled_option_is_not_handed_to_the_script(parity: Command) -> None:
    ended = parity("harvest", SCRIPT, "--timeot", "5")
    assert (ended.code, "No such option: --timeot" in error(ended)) == (2, True)


def test_an_engine_that_runs_no_graph_is_refused(parity: Command) -> None:
    ended = parity("harvest", SCRIPT, "--engine", "keras")
    assert (ended.code, "engine 'keras' runs no graph" in error(ended)) == (2, True)


def test_a_missing_tensorflow_1_is_told(parity: Command) -> None:
    ended = parity("harvest", SCRIPT)
    assert (ended.code, "the engine 'tf1' is not here" in error(ended)) == (3, True)
