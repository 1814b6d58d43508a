"""Runs held against each other: what is planted is caught, what is unchanged raises no alarm."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from parity import pairs
from parity.history import History
from parity.moved import SAME, WORSE, compare
from tests.parity.commands import PAIR, Command

pytestmark = pytest.mark.usefixtures("small", "lent")
QUICK = ("run", "sms_rnn", "--no-stock")
HISTORY = Path("results/history.sqlite")


def plant(monkeypatch: pytest.MonkeyPatch, builder: str) -> None:
    """Give the pair a Keras side that is not as it was."""
    planted = dataclasses.replace(PAIR, keras=f"tests.parity.broken_twins:{builder}")
    monkeypatch.setitem(pairs._TABLE, "sms_rnn", planted)


# What is planted, and what is not


def test_a_difference_that_grows_within_its_bound_is_caught(
    parity: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parity(*QUICK, "--repeats", "12").code == 0
    plant(monkeypatch, "coarse_logits")
    ended = parity(*QUICK, "--against", "last")
    assert ended.code == 1
    before, now = History(HISTORY).runs()
    assert now.pairs["sms_rnn"].code == 0, "every difference is within its bound"
    worse = {move.now.what: move.factor for move in compare(before, now).named(WORSE)}
    factor = worse["float32 graph -> keras forward"]
    assert 2 < factor < 5
    assert "float32 graph -> keras forward" in ended.out
    assert "| sms_rnn | float32 graph -> keras forward |" in Path(
        "results/parity/summary.md"
    ).read_text("utf-8")


def test_an_unchanged_run_asks_for_no_repeats_and_raises_no_alarm(parity: Command) -> None:
    assert parity(*QUICK, "--repeats", "12").code == 0
    ended = parity(*QUICK, "--fresh", "--against", "last")
    assert ended.code == 0
    before, now = History(HISTORY).runs()
    assert {len(figure.sample) for figure in before.figures} == {12}
    assert {len(figure.sample) for figure in now.figures} == {1}
    assert {move.verdict for move in compare(before, now).moves} == {SAME}
    assert "0 worse" in ended.out
