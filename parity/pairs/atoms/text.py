"""Text steps."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import normal, words
from parity.weights import Rule, same

_KNOWN = ("free", "call", "now", "you", "home")
_UNKNOWN = ("later", "prize", "ok", "2nite")
_atom = functools.partial(atom, family="text", y=normal(3))


@dataclasses.dataclass(frozen=True)
class RolledRows(Rule):
    """Rows of a matrix, of which TensorFlow 1 has some at the end that Keras has at the front.

    Args:
        rows: how many.
    """

    rows: int = 0

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.roll(arrays[0], self.rows, axis=0)]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.roll(arrays[0], -self.rows, axis=0)]


@dataclasses.dataclass(frozen=True)
class SwappedRows(Rule):
    """Rows of a matrix, of which TensorFlow 1 has the last where Keras has its second."""

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        (rows,) = arrays
        return [np.concatenate([rows[:1], rows[-1:], rows[1:-1]])]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        (rows,) = arrays
        return [np.concatenate([rows[:1], rows[2:], rows[1:2]])]


_EMBEDDING = (("embedding",), ("embedding/embeddings",))
_TAPS = {"ids": "ids", "vectors": "embedding"}
_PLAIN = (same("embedding", "embedding/embeddings"),)

ROWS: tuple[Pair, ...] = (
    _atom(
        "vocabulary_table",
        "StaticVocabularyTable with two buckets for unknown words",
        x=words(4, of=(*_KNOWN, *_UNKNOWN)),
        taps={"vectors": "embedding"},
        rules=(RolledRows(*_EMBEDDING, rows=2),),
        tf1="a known word is its place; an unknown one is 5 + FarmHash64 mod 2",
        keras="StringLookup: an unknown word is FarmHash64 mod 2; a known one is 2 + its place",
        source="python/ops/lookup_ops.py: StaticVocabularyTable",
        slip=Slip("the rows of the embedding are copied as they are", "forward", _PLAIN),
    ),
    _atom(
        "hash_bucket",
        "string_to_hash_bucket_fast",
        x=words(4, of=(*_KNOWN, *_UNKNOWN)),
        taps=_TAPS,
        rules=_PLAIN,
        tf1="FarmHash64 mod 7",
        keras="Hashing(7), without a salt and without a mask value",
        source="core/kernels/string_to_hash_bucket_fast_op.cc",
        slip=Slip("a mask value takes bucket 0, and all words share the others", "forward"),
    ),
    _atom(
        "string_split",
        "string_split, a vocabulary with one bucket, filled up with 0",
        x=words(of=("free call now", "you  home", "prize now", "ok", "call you later home")),
        taps={"vectors": "embedding"},
        rules=(SwappedRows(*_EMBEDDING),),
        tf1="words between blanks; 0 where the sentence ends, 1 + place, 6 for what is unknown",
        keras="TextVectorization(standardize=None): 0 where it ends, 1 for what is unknown, "
        "2 + place",
        source="python/ops/ragged/ragged_string_ops.py: string_split",
        slip=Slip("the rows of the embedding are copied as they are", "forward", _PLAIN),
    ),
)
