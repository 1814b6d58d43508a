"""Attention."""

from __future__ import annotations

from parity.pair import Pair

ROWS: tuple[Pair, ...] = ()
