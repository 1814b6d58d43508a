"""Dense layers, embeddings, activations, dropout, tied weights."""

from __future__ import annotations

from parity.pair import Pair

ROWS: tuple[Pair, ...] = ()
