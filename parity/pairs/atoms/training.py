"""What is done with gradients and weights: clipping, averages, several optimizers."""

from __future__ import annotations

from parity.pair import Pair

ROWS: tuple[Pair, ...] = ()
