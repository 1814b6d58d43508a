"""Losses over structures and samples: CRF, CTC, sampled softmax."""

from __future__ import annotations

from parity.pair import Pair

ROWS: tuple[Pair, ...] = ()
