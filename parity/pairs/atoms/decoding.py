"""Decoding."""

from __future__ import annotations

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import normal
from parity.weights import gru, same

ROWS: tuple[Pair, ...] = (
    atom(
        "beam_search",
        "BeamSearchDecoder",
        family="decoding",
        x=normal(4),
        y=normal(3),
        taps={"words": "words", "outputs": "scores"},
        rules=(
            same("embedding", "decoder/embedding/embeddings", 1.0),
            *gru("decoder/gru_cell", "decoder/gru_cell"),
            same("decoder/dense/kernel", "decoder/dense/kernel", 2.0),
        ),
        tf1="the best of beams x words by log p / ((5 + length) / 6)^weight; a finished beam goes "
        "on with the end word at no cost; of equal scores the earlier one",
        keras="BeamSearchDecoder",
        source="contrib/seq2seq/python/ops/beam_search_decoder.py: _beam_search_step",
        slip=Slip("log p is divided by length^weight", "forward"),
        rungs=("variables", "forward"),
    ),
)
