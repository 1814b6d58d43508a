"""The code of the documentation, run as it stands, and what it says of this repository."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [DOCS / "own-model.md", *sorted((DOCS / "differences").glob("*.md"))]
# Pages whose code another test runs.
ELSEWHERE = {"guide.md", "library.md", "rnn_tour.md", "text-vectorization.md"}

BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
ROUNDING = re.compile(r"(?<![\w.])(?:0|\d(?:\.\d)?e-\d\d|[<>]?\d+%)(?![\w.])")


class Block(NamedTuple):
    """A fenced block: its language, its title, its code, and the prose up to the next one."""

    language: str
    title: str
    code: str
    after: str


def blocks(page: str) -> Iterator[Block]:
    _, *parts = BLOCK.split(page)
    for language, title, code, after in zip(*(parts[i::4] for i in range(4)), strict=True):
        yield Block(language, title or "", code, after)


def steady(text: str) -> str:
    """What of an output does not change with the machine: all but digits of rounding size."""
    return ROUNDING.sub("#", text)


def as_said(said: str, printed: str) -> bool:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    # At the start of an output `...` would be a prompt of Python; here nothing is one.
    return doctest.OutputChecker().check_output(steady(said), steady(printed), flags)


def test_the_guide_does_what_it_says(tmp_path: Path) -> None:
    commands, folder = tmp_path / "bin", tmp_path / "empty"
    commands.mkdir()
    folder.mkdir()
    for name, module in (("parity", "-m parity"), ("python", "")):
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        script.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",  # a file is rewritten within the second
        "PARITY_CACHE_DIR": str(tmp_path / "cache"),
        "COLUMNS": "80",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    ran = 0
    for block in blocks((DOCS / "guide.md").read_text("utf-8")):
        if block.language == "python":
            (folder / block.title).write_text(block.code, "utf-8")
            continue
        assert block.language == "console", block
        first, _, said = block.code.partition("\n")
        assert first.startswith("$ "), block
        assert "\n$ " not in said, "one command a block"
        done = subprocess.run(
            shlex.split(first[2:]),
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        told = re.search(r"exit code is (\d)", block.after)
        assert done.returncode == int(told[1] if told else 0), done.stdout + done.stderr
        assert as_said(said, done.stdout), f"{first}\n{done.stdout}"
        ran += 1
    assert ran >= 4
    assert (folder / "model.keras").exists()


def test_a_wrong_output_would_be_seen() -> None:
    said = "a 3e-07 28% agree\n...\nwrote x\n"
    assert as_said(said, "a   0 <1%  agree\nmore\nand more\nwrote x\n")
    assert not as_said(said, "a 3e-07 28% differ\nmore\nwrote x\n")
    assert not as_said(said, "a 3e-07 28% agree\nmore\nwrote y\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page.read_text("utf-8")):
        if block.language == "python":
            exec(compile(block.code, str(page), "exec"), names)


def test_no_code_is_left_out() -> None:
    with_code = {
        path
        for path in DOCS.rglob("*.md")
        if any(b.language in ("python", "pycon") for b in blocks(path.read_text("utf-8")))
    }
    assert {path.name for path in with_code - set(PAGES)} == ELSEWHERE


def test_the_first_page_and_the_readme_name_the_same_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (block,) = blocks((DOCS / "index.md").read_text("utf-8"))
    for line in block.code.splitlines():
        command = line.removeprefix("$ ")
        assert command in readme, command


def test_the_modules_that_the_architecture_names_are_there() -> None:
    page = (DOCS / "architecture.md").read_text("utf-8")
    named = re.findall(r"`((?:parity|datasets|keras_v2|legacy_graph)/[\w/]*(?:\.py)?)`", page)
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / name).exists()]


def test_links_out_of_the_docs_are_mended_and_dead_ones_are_left_to_fail() -> None:
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    page = "[`a`](../parity/pairs) [b](graph-file.md#x) [c](../no/such) ![d](images/report.png)"
    kept = "[b](graph-file.md#x) [c](../no/such) ![d](images/report.png)"
    assert hooks.mend(page, "own-model.md") == f"`a` {kept}"
    mended = hooks.mend(page, "own-model.md", "https://example.org/tree/main/")
    assert mended == f"[`a`](https://example.org/tree/main/parity/pairs) {kept}"
