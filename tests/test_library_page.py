"""docs/library.md does what it says: its code runs, and its test is collected and passes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from parity import engines

PAGE = (engines.ROOT / "docs" / "library.md").read_text("utf-8")
SCRIPT = engines.ROOT / "tests" / "parity" / "scripts" / "tiny_cnn.py"
REWRITE = "from tests.parity.rewrites import tiny_cnn as build_model, unnamed\n"
TEST = "# test_parity.py\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(SCRIPT, tmp_path / "train.py")
    (tmp_path / "rewrite.py").write_text(REWRITE)
    monkeypatch.setenv("PYTHONPATH", str(engines.ROOT))
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the plugin would be loaded twice
    python = blocks("python")
    (test,) = (block for block in python if block.startswith(TEST))
    script = "\n".join(block for block in python if block is not test)
    for name in ("harvest", "check", "assert_parity", "shared_engines", "compare"):
        assert f"parity.{name}(" in script
    subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=tmp_path, check=True)
    assert (tmp_path / "results" / "report.html").exists()

    (tmp_path / "test_parity.py").write_text(test)
    (console,) = blocks("console")
    command = [sys.executable, "-m", *shlex.split(console), "-p", "parity.pytest_plugin"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "results" / "parity" / "results.json").exists()
