"""Embeddings that Keras 3 has not."""

from typing import Any

import keras
from keras import ops

COMBINERS = ("sum", "mean", "sqrtn")


@keras.saving.register_keras_serializable(package="keras_v2")
class CombinedEmbedding(keras.layers.Embedding):  # type: ignore[misc]  # Keras ships no annotations
    r"""One vector for a set of ids, as `tf.nn.safe_embedding_lookup_sparse` combines them.

    With the vectors e_i of a row's ids and their weights w_i, one each where none are given:

        sum     sum w_i e_i
        mean    sum w_i e_i / sum w_i
        sqrtn   sum w_i e_i / sqrt(sum w_i^2)

    An id below zero stands for no id. So does one whose weight is not positive, unless the combiner
    is the sum. A row without ids is zero.

    Keras has no such layer: a mean over an `Embedding` divides by the length of the row, and what
    fills it up counts.

    Args:
        input_dim: number of ids.
        output_dim: units of a vector.
        combiner: ``sum``, ``mean`` or ``sqrtn``.
        **kwargs: what `keras.layers.Embedding` takes.

    Call arguments:
        inputs: ids, (batch, ids), integers.
        weights: (batch, ids), or None.

    Returns:
        (batch, output_dim).

    Raises:
        ValueError: the combiner is unknown.

    References:
        `embedding_lookup_sparse`, `safe_embedding_lookup_sparse` in
        tensorflow/python/ops/embedding_ops.py (TensorFlow 1.15).

    >>> layer = CombinedEmbedding(9, 4, combiner="mean")
    >>> layer(np.array([[1, 3, -1], [-1, -1, -1]])).shape
    TensorShape([2, 4])
    """

    def __init__(
        self, input_dim: int, output_dim: int, combiner: str = "mean", **kwargs: Any
    ) -> None:
        if combiner not in COMBINERS:
            raise ValueError(f"combiner is {combiner!r}; expected one of {', '.join(COMBINERS)}")
        super().__init__(input_dim, output_dim, **kwargs)
        self.combiner = combiner

    def call(self, inputs: Any, weights: Any = None) -> Any:
        """Looks the ids up and combines their vectors."""
        there = inputs >= 0  # (batch, ids)
        if weights is None:
            weights = ops.ones_like(inputs, dtype=self.compute_dtype)
        elif self.combiner != "sum":
            there = ops.logical_and(there, weights > 0)
        weights = ops.where(there, weights, 0)  # (batch, ids)
        vectors = super().call(ops.maximum(inputs, 0))  # (batch, ids, units)
        total = ops.sum(vectors * weights[..., None], axis=-2)  # (batch, units)
        if self.combiner == "sum":
            return total
        if self.combiner == "mean":
            size = ops.sum(weights, axis=-1, keepdims=True)  # (batch, 1)
        else:
            size = ops.sqrt(ops.sum(ops.square(weights), axis=-1, keepdims=True))
        return total / ops.where(size > 0, size, 1)

    def compute_output_spec(self, inputs: Any, weights: Any = None) -> keras.KerasTensor:
        """Returns what a call returns: (batch, units)."""
        shape = (*inputs.shape[:-1], self.output_dim)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer."""
        config: dict[str, Any] = super().get_config()
        return config | {"combiner": self.combiner}
