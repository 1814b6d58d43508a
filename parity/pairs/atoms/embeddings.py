"""Embeddings that are more than one matrix and one lookup."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import integers, normal, uniform
from parity.weights import Rule, same

_SHARDS = tuple(f"embedding/part_{i}" for i in range(3))
_MATRIX = ("embedding/embeddings",)
_SOURCE = "python/ops/embedding_ops.py: "
_atom = functools.partial(atom, family="embeddings", y=normal(4), x=integers(5, high=9))
_combined = functools.partial(
    _atom,
    taps={"outputs": "embedding"},
    rules=(same("embedding", "embedding/embeddings"),),
    source=_SOURCE + "safe_embedding_lookup_sparse",
)
_weighted = functools.partial(
    _combined,
    x={"x": integers(5, low=-1, high=9), "weights": uniform(5, low=-0.25, high=1)},
    y={"y": normal(4)},
    fed={"x": "x", "weights": "weights", "y": "y"},
)


@dataclasses.dataclass(frozen=True)
class Dealt(Rule):
    """Rows of one matrix, dealt to shards as cards are: row i is row i // n of shard i mod n."""

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        matrix = np.empty((sum(map(len, arrays)), *arrays[0].shape[1:]), arrays[0].dtype)
        for i, shard in enumerate(arrays):
            matrix[i :: len(arrays)] = shard
        return [matrix]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [arrays[0][i :: len(self.tf1)] for i in range(len(self.tf1))]


class Stacked(Rule):
    """Rows of one matrix, one shard after the other."""

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.concatenate(arrays)]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return list(np.array_split(arrays[0], len(self.tf1)))


ROWS: tuple[Pair, ...] = (
    _atom(
        "partitioned",
        "embedding_lookup in three shards",
        taps={"vectors": "embedding"},
        rules=(Dealt(_SHARDS, _MATRIX),),
        tf1='id i is row i // 3 of shard i mod 3: partition_strategy "mod", the default',
        keras="Embedding: one matrix",
        source=_SOURCE + "embedding_lookup",
        slip=Slip("the shards are stacked", "forward", (Stacked(_SHARDS, _MATRIX),)),
    ),
    _combined(
        "combined_sum",
        "safe_embedding_lookup_sparse, sum",
        x=integers(5, low=-1, high=9),
        tf1="sum of e_i",
        keras="keras_v2.embeddings.CombinedEmbedding; an id of -1 is none",
        slip=Slip("what fills a row up counts as id 0", "forward"),
    ),
    _weighted(
        "combined_mean",
        "safe_embedding_lookup_sparse, mean by weights",
        tf1="sum of w_i e_i / sum of w_i, over weights above 0",
        keras="keras_v2.embeddings.CombinedEmbedding",
        slip=Slip("it is divided by the number of ids", "forward"),
    ),
    _weighted(
        "combined_sqrtn",
        "safe_embedding_lookup_sparse, sqrtn by weights",
        tf1="sum of w_i e_i / sqrt(sum of w_i^2), over weights above 0",
        keras="keras_v2.embeddings.CombinedEmbedding",
        slip=Slip("it is divided by the root of the number of ids", "forward"),
    ),
)
