"""The registry of engines: which there are, which of them are here, and what they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from parity import engines
from parity.engines import ENGINES, LEADER, find, references, tf1_python, visible_devices
from parity.errors import BadInput, EngineFailed


@pytest.fixture
def no_tf1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TensorFlow 1.15.5 is neither named nor built."""
    monkeypatch.delenv(engines.TF1_PYTHON, raising=False)
    monkeypatch.setattr(engines, "ROOT", tmp_path)


def test_every_engine_is_found_by_its_name() -> None:
    for name, engine in ENGINES.items():
        assert find(name) is engine
        assert engine.name == name


def test_one_engine_leads() -> None:
    assert [engine for engine in ENGINES.values() if engine.leads] == [LEADER]
    assert LEADER.family != "graph", "a graph cannot say which masks it draws"


def test_an_unknown_engine_lists_the_known_ones() -> None:
    with pytest.raises(
        BadInput,
        match="there is no engine 'kera'; expected one of tf1, graph, keras; did you mean 'keras'",
    ):
        find("kera")


def test_tensorflow_1_is_the_interpreter_that_is_named_or_that_of_tox(
    no_tf1: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert tf1_python() is None
    built = tmp_path / ".tox" / "oracle" / "bin" / "python"
    built.parent.mkdir(parents=True)
    built.touch()
    assert tf1_python() == find("tf1").python() == str(built)
    monkeypatch.setenv(engines.TF1_PYTHON, "/somewhere/else")
    assert tf1_python() == "/somewhere/else"


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (None, ["graph"]),
        (["graph"], ["graph"]),
        (["graph", "graph"], ["graph"]),
        (["keras"], ["graph"]),
    ],
)
def test_graph_is_always_a_reference(
    no_tf1: None, chosen: list[str] | None, found: list[str]
) -> None:
    assert [engine.name for engine in references(chosen)] == found


@pytest.mark.parametrize("chosen", [None, ["tf1"], ["tf1", "graph"]])
def test_tensorflow_1_comes_first_where_it_is(
    monkeypatch: pytest.MonkeyPatch, chosen: list[str] | None
) -> None:
    monkeypatch.setenv(engines.TF1_PYTHON, "/somewhere/python")
    assert [engine.name for engine in references(chosen)] == ["tf1", "graph"]


def test_tensorflow_1_where_it_is_not_says_how_to_get_it(no_tf1: None) -> None:
    with pytest.raises(EngineFailed, match="tox -e oracle"):
        references(["tf1"])


@pytest.mark.parametrize(
    ("device", "seen"),
    [
        ("", {}),
        ("cpu", {"CUDA_VISIBLE_DEVICES": "-1"}),
        ("gpu", {}),
        ("gpu:1", {"CUDA_VISIBLE_DEVICES": "1"}),
    ],
)
def test_a_device_is_what_the_engine_is_shown(device: str, seen: Mapping[str, str]) -> None:
    assert visible_devices(device) == seen


@pytest.mark.parametrize("device", ["tpu", "gpu:", "gpu:x", "gpu:-1", "cpu:0", "GPU", "gpu0"])
def test_an_unknown_device_lists_the_known_ones(device: str) -> None:
    with pytest.raises(BadInput, match="expected cpu, gpu, or gpu:N"):
        visible_devices(device)
