"""What is done with cells: lengths, both directions, wrappers, loops."""

from __future__ import annotations

from parity.pair import Pair

ROWS: tuple[Pair, ...] = ()
