"""A conditional random field, as tf.contrib.crf has it."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_v2")
class CRF(layers.Layer):  # type: ignore[misc]  # Keras ships no annotations
    r"""A linear-chain conditional random field over scores of tags.

        log p(tags) = sum_t scores[t, tags[t]] + sum_t transitions[tags[t], tags[t + 1]] - log Z

    with Z the sum of the same over all sequences. Steps past a length count for nothing. Called, it
    decodes: Viterbi's best sequence, zero past its length. Keras 3 has no such layer.

    References:
        `crf_log_likelihood` and `crf_decode` in tensorflow/contrib/crf/python/ops/crf.py
        (TensorFlow 1.15). Lafferty et al., Conditional Random Fields, 2001.

    >>> crf, scores = CRF(), ops.array([[[3.0, 1.0], [0.0, 1.0]]])  # (batch, time, tags)
    >>> tags = crf(scores, ops.array([2]))
    >>> tuple(tags.shape), tuple(crf.transitions.shape)
    ((1, 2), (2, 2))
    """

    def build(self, scores_shape: Any, lengths_shape: Any = None) -> None:
        """Makes the transitions, (tags before, tags)."""
        tags = scores_shape[-1]
        self.transitions = self.add_weight(shape=(tags, tags), name="transitions")

    def call(self, scores: Any, lengths: Any) -> Any:
        """Returns the best tags, int32 (batch, time).

        Args:
            scores: (batch, time, tags).
            lengths: steps of each row, (batch,).
        """
        by_step, runs = self._by_step(scores, lengths)
        stay = ops.arange(scores.shape[-1], dtype="int32")

        def step(best: Any, given: Any) -> tuple[Any, Any]:
            now, running = given  # (batch, tags), (batch, 1)
            ways = best[:, :, None] + self.transitions  # (batch, tags before, tags)
            before = ops.cast(ops.argmax(ways, axis=1), "int32")
            best = ops.where(running, now + ops.max(ways, axis=1), best)
            # On TensorFlow, a scan stacks what has the type of its state, and nothing else.
            return best, ops.cast(ops.where(running, before, stay), best.dtype)

        def back(tag: Any, before: Any) -> tuple[Any, Any]:
            previous = ops.take_along_axis(before, tag[:, None], axis=1)[:, 0]
            return previous, previous

        best, before = ops.scan(step, scores[:, 0], (by_step, runs))
        last = ops.cast(ops.argmax(best, axis=1), "int32")  # (batch,)
        before = ops.cast(before, "int32")  # (time - 1, batch, tags)
        _, earlier = ops.scan(back, last, before, reverse=True)  # (time - 1, batch)
        tags = ops.swapaxes(ops.concatenate([earlier, last[None]]), 0, 1)
        return tags * ops.cast(_mask(scores, lengths), "int32")

    def log_likelihood(self, scores: Any, tags: Any, lengths: Any) -> Any:
        """Returns log p of tags, (batch,).

        Args:
            scores: (batch, time, tags).
            tags: integers, (batch, time).
            lengths: steps of each row, (batch,).
        """
        mask = ops.cast(_mask(scores, lengths), scores.dtype)
        chosen = ops.one_hot(tags, scores.shape[-1], dtype=scores.dtype)  # (batch, time, tags)
        unary = ops.sum(scores * chosen, axis=2)
        # (batch, time - 1, tags) times (tags, tags): the row of the tag before.
        rows = ops.matmul(chosen[:, :-1], ops.convert_to_tensor(self.transitions))
        binary = ops.sum(rows * chosen[:, 1:], axis=2)
        score = ops.sum(unary * mask, axis=1) + ops.sum(binary * mask[:, 1:], axis=1)
        return score - self.log_norm(scores, lengths)

    def log_norm(self, scores: Any, lengths: Any) -> Any:
        """Returns log Z, (batch,), of scores (batch, time, tags) and lengths (batch,)."""

        def step(alphas: Any, given: Any) -> tuple[Any, Any]:
            now, running = given  # (batch, tags), (batch, 1)
            ways = alphas[:, :, None] + self.transitions  # (batch, tags before, tags)
            alphas = ops.where(running, now + ops.logsumexp(ways, axis=1), alphas)
            return alphas, alphas

        alphas, _ = ops.scan(step, scores[:, 0], self._by_step(scores, lengths))
        return ops.logsumexp(alphas, axis=1)

    def _by_step(self, scores: Any, lengths: Any) -> tuple[Any, Any]:
        """Returns scores (time - 1, batch, tags) from the second step on, and where they count."""
        runs = ops.swapaxes(_mask(scores, lengths)[:, 1:, None], 0, 1)  # (time - 1, batch, 1)
        return ops.swapaxes(scores[:, 1:], 0, 1), runs

    def compute_output_spec(self, scores: Any, lengths: Any) -> Any:
        """Returns what `call` gives."""
        return keras.KerasTensor(scores.shape[:2], "int32")


def _mask(scores: Any, lengths: Any) -> Any:
    """Returns which steps are within their lengths, (batch, time)."""
    return ops.arange(scores.shape[1], dtype="int32") < ops.cast(lengths, "int32")[:, None]
