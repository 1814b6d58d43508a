from __future__ import annotations

import configparser
import os
import platform
import sys
from pathlib import Path

import pytest

from parity import engines, setup_tf1
from parity.engines import TF1_REQUIREMENTS
from parity.errors import EngineFailed

ROOT = Path(__file__).parents[2]

# Makes a folder with an interpreter that only says that all is well, or not.
UV = """#!/bin/sh
if [ "$1" = venv ]; then
    for last; do :; done
    mkdir -p "$last/bin"
    printf '#!/bin/sh\\nexit %s\\n' "${STATUS:-0}" > "$last/bin/python"
    chmod +x "$last/bin/python"
fi
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no interpreter named, and a uv that needs no network."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(engines.TF1_PYTHON, "")
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(engines, "ROOT", tmp_path)
    return tmp_path / "cache"


def test_what_was_built_is_found(cache: Path) -> None:
    assert engines.tf1_python() is None
    built = setup_tf1.setup()
    assert built == cache / "tf1" / "bin" / "python"
    assert engines.tf1_python() == str(built)
    assert setup_tf1.setup() == built, "a second time does no harm"
    assert [path.name for path in cache.iterdir()] == ["tf1"]


def test_what_is_not_whole_is_not_found(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATUS", "1")
    with pytest.raises(EngineFailed, match="ended with exit code 1"):
        setup_tf1.setup()
    assert engines.tf1_python() is None


def test_without_uv_its_installation_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineFailed, match=r"there is no uv.*pip install uv"):
        setup_tf1.setup()


def test_where_there_is_none_to_be_had_that_is_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    with pytest.raises(EngineFailed, match="never built for macOS on Arm"):
        setup_tf1.setup()


def test_tox_builds_the_same() -> None:
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "tox.ini")
    lines = config["testenv:oracle"]["deps"].strip().splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines]
    assert tuple(wanted) == TF1_REQUIREMENTS
