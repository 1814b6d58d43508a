"""What tests of the command share."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from parity import engines, pairs
from parity.executor import Executor
from parity.reports import page
from tests.parity.commands import PAIR

ROOT = Path(__file__).parents[2]
ILLUSTRATED = page.illustrated


@pytest.fixture
def loud() -> Iterator[None]:
    """The command silences the loaders' warnings: other tests look for them."""
    yield
    logging.getLogger("datasets").setLevel(logging.NOTSET)


@pytest.fixture
def small(loud: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The pairs are on tiny corpora, the command runs in an empty folder, there is no tf1."""
    monkeypatch.setitem(pairs._TABLE, "sms_rnn", PAIR)
    monkeypatch.setenv(engines.TF1_PYTHON, "")
    monkeypatch.setattr(engines, "ROOT", tmp_path)
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # an engine that is started here serves other tests
    # A page takes a second to draw; `reports/` has tests of pictures.
    monkeypatch.setattr(page, "illustrated", lambda _: [])
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def drawn(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has its pictures."""
    monkeypatch.setattr(page, "illustrated", ILLUSTRATED)


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch, executor: Executor) -> None:
    """The command works with engines that run already."""
    for module in ("runs", "cli.common", "api"):
        monkeypatch.setattr(
            f"parity.{module}.Executor", lambda *_, **__: contextlib.nullcontext(executor)
        )
