"""Beam search, as TensorFlow 1's contrib has it."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_v2")
class BeamSearchDecoder(layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """Finds likely sequences of words, several at once; stock Keras has no such search.

    Each step continues each beam by each word, and keeps the best, whatever beam they continue.
    They are compared by their score::

        score = log p(words) / ((5 + length) / 6) ** length_penalty_weight

    A beam whose word is `end` is finished: it goes on with `end` at no cost, and its length stays.
    Of equal scores the one of the earlier beam wins, then that of the smaller word. Other searches
    divide by the length itself, or set finished beams aside: their results differ.

    Args:
        embedding: a layer that makes vectors of words.
        cell: a Keras cell with one state, as `keras.layers.GRUCell`.
        projection: a layer that makes logits of the cell's output: its units are the words.
        beams: how many are kept; no more than there are words.
        steps: words of a sequence.
        start: the word that is fed first.
        end: the word that ends a sequence.
        length_penalty_weight: 0 compares log probabilities alone.
        **kwargs: what every `keras.layers.Layer` takes.

    Example:
    >>> decoder = BeamSearchDecoder(
    ...     layers.Embedding(7, 3), layers.GRUCell(4), layers.Dense(7),
    ...     beams=2, steps=5, start=0, end=1,
    ... )
    >>> words, scores = decoder(np.ones((8, 4)))
    >>> tuple(words.shape), tuple(scores.shape)
    ((8, 5, 2), (8, 2))

    References:
        `_beam_search_step` in tensorflow/contrib/seq2seq/python/ops/beam_search_decoder.py
        (TensorFlow 1.15); Wu et al., https://arxiv.org/abs/1609.08144, section 7.
    """

    def __init__(
        self,
        embedding: Any,
        cell: Any,
        projection: Any,
        *,
        beams: int,
        steps: int,
        start: int,
        end: int,
        length_penalty_weight: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embedding, self.cell, self.projection = embedding, cell, projection
        self.beams, self.steps = beams, steps
        self.start, self.end = start, end
        self.length_penalty_weight = length_penalty_weight

    def build(self, state_shape: tuple[int | None, ...]) -> None:
        """Makes the variables for states (batch, units)."""
        batch, units = state_shape
        for part, shape in (
            (self.embedding, (batch,)),
            (self.cell, (batch, self.embedding.output_dim)),
            (self.projection, (batch, units)),
        ):
            if not part.built:  # those that come from a file are
                part.build(shape)

    def call(self, state: Any) -> tuple[Any, Any]:
        """Decodes from the states that an encoder ends in.

        Args:
            state: (batch, units).

        Returns:
            Words (batch, steps, beams) int32, `end` from the first one on; scores (batch, beams),
            best first.
        """
        units = state.shape[-1]
        state = ops.repeat(ops.expand_dims(state, 1), self.beams, axis=1)  # (batch, beams, units)
        alike = ops.zeros_like(state[:, :, 0])  # (batch, beams)
        lengths, finished = ops.cast(alike, "int32"), ops.cast(alike, "bool")
        words = lengths + self.start
        # They are all alike: the first one stands for the others.
        log_probs = ops.where(ops.equal(ops.arange(self.beams), 0), alike, alike - float("inf"))
        history = []
        for _ in range(self.steps):
            inputs = self.embedding(ops.reshape(words, (-1,)))
            output, _ = self.cell(inputs, [ops.reshape(state, (-1, units))])
            logits = ops.reshape(self.projection(output), (-1, self.beams, self._vocabulary))
            log_probs, lengths, finished, words, parents, scores = self._step(
                log_probs, lengths, finished, ops.log_softmax(logits)
            )
            state = _chosen(ops.reshape(output, (-1, self.beams, units)), parents)
            history.append((words, parents))
        return self._traced(history), scores

    def length_penalty(self, lengths: Any) -> Any:
        """Returns what log probabilities of beams of such lengths are divided by."""
        lengths = ops.cast(lengths, self.compute_dtype)
        return ((5.0 + lengths) / 6.0) ** self.length_penalty_weight

    def compute_output_shape(self, state_shape: tuple[int | None, ...]) -> tuple[Any, Any]:
        """Returns the shapes of the words and the scores."""
        batch = state_shape[0]
        return (batch, self.steps, self.beams), (batch, self.beams)

    def compute_output_spec(self, state: Any) -> tuple[Any, Any]:
        """Returns shapes and types of the words and the scores, as `keras.KerasTensor`s."""
        words, scores = self.compute_output_shape(state.shape)
        return keras.KerasTensor(words, "int32"), keras.KerasTensor(scores, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer."""
        config: dict[str, Any] = super().get_config()
        for name in "embedding", "cell", "projection":
            config[name] = keras.saving.serialize_keras_object(getattr(self, name))
        for name in "beams", "steps", "start", "end", "length_penalty_weight":
            config[name] = getattr(self, name)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "BeamSearchDecoder":
        """Makes a layer from what `get_config` returned."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("embedding", "cell", "projection")
        }
        return cls(**{**config, **parts})

    @property
    def _vocabulary(self) -> int:
        return int(self.projection.units)

    def _step(self, log_probs: Any, lengths: Any, finished: Any, step_log_probs: Any) -> Any:
        """Continues each beam by each word, (batch, beams, words), and keeps the best beams."""
        ending = ops.equal(ops.arange(self._vocabulary), self.end)  # (words,)
        free = ops.where(ending, 0.0, -float("inf"))
        stays = ops.expand_dims(finished, 2)
        step_log_probs = ops.where(stays, ops.cast(free, step_log_probs.dtype), step_log_probs)
        total = ops.expand_dims(log_probs, 2) + step_log_probs
        longer = ops.logical_not(ops.logical_or(stays, ending))
        grown = ops.expand_dims(lengths, 2) + ops.cast(longer, "int32")
        flat = (-1, self.beams * self._vocabulary)
        scores, places = ops.top_k(
            ops.reshape(total / self.length_penalty(grown), flat), self.beams
        )
        parents, words = places // self._vocabulary, places % self._vocabulary
        log_probs = ops.take_along_axis(ops.reshape(total, flat), places, axis=1)
        finished = ops.take_along_axis(finished, parents, axis=1)
        lengths = ops.take_along_axis(lengths, parents, axis=1)
        lengths = lengths + ops.cast(ops.logical_not(finished), "int32")
        finished = ops.logical_or(finished, ops.equal(words, self.end))
        return log_probs, lengths, finished, words, parents, scores

    def _traced(self, history: list[tuple[Any, Any]]) -> Any:
        """Follows the words of each beam back from its last one."""
        beam = ops.zeros_like(history[-1][1]) + ops.arange(self.beams, dtype="int32")
        found = []
        for words, parents in reversed(history):
            found.append(ops.take_along_axis(words, beam, axis=1))
            beam = ops.take_along_axis(parents, beam, axis=1)
        return ops.stack(found[::-1], axis=1)


def _chosen(states: Any, parents: Any) -> Any:
    """Returns the states (batch, beams, units) of the beams that are continued."""
    return ops.take_along_axis(states, ops.expand_dims(parents, 2), axis=1)
