"""The catalogue of atoms: one row a cell, layer, optimizer, loss, schedule or text step."""

from __future__ import annotations

from parity.pair import Pair
from parity.pairs.atoms import (
    attention,
    cells,
    convolutions,
    decoding,
    embeddings,
    layers,
    losses,
    norms,
    optimizers,
    recurrent,
    schedules,
    structured,
    text,
    training,
)

ROWS: tuple[Pair, ...] = (
    *cells.ROWS,
    *recurrent.ROWS,
    *layers.ROWS,
    *embeddings.ROWS,
    *convolutions.ROWS,
    *norms.ROWS,
    *attention.ROWS,
    *losses.ROWS,
    *structured.ROWS,
    *optimizers.ROWS,
    *schedules.ROWS,
    *training.ROWS,
    *text.ROWS,
    *decoding.ROWS,
)
