"""Attention to an encoder, and a decoder that pays it, as TensorFlow 1's contrib has them."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_v2")
class NormedAdditiveAttention(layers.AdditiveAttention):  # type: ignore[misc]  # Keras is untyped
    """Additive attention whose vector has a direction and, apart from it, a length.

    ``score = sum(g v / |v| tanh(query + key + b))``. Stock `AdditiveAttention` has v alone, its
    `scale`. Made and called as it is, without `use_scale`; g starts at 1 / sqrt(units), b at zero.

    Example:
    >>> query, memory = np.ones((2, 1, 4)), np.ones((2, 6, 4))
    >>> tuple(NormedAdditiveAttention()([query, memory]).shape)
    (2, 1, 4)

    References:
        `_bahdanau_score` with normalize=True in
        tensorflow/contrib/seq2seq/python/ops/attention_wrapper.py (TensorFlow 1.15);
        Salimans and Kingma, https://arxiv.org/abs/1602.07868.
    """

    def build(self, input_shape: list[tuple[Any, ...]]) -> None:
        """Makes the variables for a query, a value and, where there is one, a key."""
        super().build(input_shape)
        units = input_shape[0][-1]
        start = keras.initializers.Constant(units**-0.5)
        self.length = self.add_weight(shape=(), name="length", initializer=start)
        self.bias = self.add_weight(shape=(units,), name="bias", initializer="zeros")

    def _calculate_scores(self, query: Any, key: Any) -> Any:
        """Returns scores (batch, queries, keys), which Keras masks and weights the values by."""
        vector = self.length * self.scale * ops.rsqrt(ops.sum(ops.square(self.scale)))
        both = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        return ops.sum(vector * ops.tanh(both + self.bias), axis=-1)


@keras.saving.register_keras_serializable(package="keras_v2")
class AttentionDecoder(layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """A recurrent cell that attends to a memory at each step, and is fed what it attended to.

    Stock Keras has the attention, but no decoder around it. A step of `AttentionWrapper` is, with
    the keys K = memory W_memory::

        output, state = cell([input, attention], state)
        query         = output W_query
        context       = softmax(score(query, K)) memory
        attention     = [output, context] W_attention

    and `attention`, which starts at zero, is what it returns. No projection has a bias. Which
    attention it is, `attention` says: `AdditiveAttention` is that of Bahdanau, for which the query
    is projected; `Attention` is that of Luong, for which it is not. Both are given the memory as
    values and its projection as keys: left to themselves, they take the values for the keys.

    Args:
        cell: a Keras cell, as `keras.layers.RNN` takes it.
        attention: a layer called as ``attention([query, value, key], mask=[None, mask])``.
        units: of the keys, and of the query where it is projected.
        attention_units: of what is returned.
        project_query: whether the output of the cell is projected before it is compared.
        **kwargs: what every `keras.layers.Layer` takes.

    Example:
    >>> luong = AttentionDecoder(
    ...     layers.GRUCell(4, reset_after=False), layers.Attention(), 4, attention_units=5
    ... )
    >>> words, memory = np.ones((2, 3, 7)), np.ones((2, 6, 8))
    >>> tuple(luong(words, memory, memory_mask=np.ones((2, 6), bool)).shape)
    (2, 3, 5)

    References:
        `AttentionWrapper.call` and `_compute_attention` in
        tensorflow/contrib/seq2seq/python/ops/attention_wrapper.py (TensorFlow 1.15);
        Bahdanau et al., https://arxiv.org/abs/1409.0473;
        Luong et al., https://arxiv.org/abs/1508.04025.
    """

    def __init__(
        self,
        cell: Any,
        attention: Any,
        units: int,
        *,
        attention_units: int,
        project_query: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cell = cell
        self.attention = attention
        self.units = units
        self.attention_units = attention_units
        self.project_query = project_query
        self.memory_layer = layers.Dense(units, use_bias=False, name="memory_layer")
        self.attention_layer = layers.Dense(attention_units, use_bias=False, name="attention_layer")
        self.query_layer = (
            layers.Dense(units, use_bias=False, name="query_layer") if project_query else None
        )

    def build(self, inputs_shape: tuple[Any, ...], memory_shape: tuple[Any, ...]) -> None:
        """Makes the variables for inputs (batch, time, features) and a memory as in `call`."""
        batch, _, features = inputs_shape
        output, depth = self.cell.output_size, memory_shape[-1]
        query, keys = (batch, 1, self.units), (*memory_shape[:-1], self.units)
        parts = [
            (self.cell, (batch, features + self.attention_units)),
            (self.memory_layer, memory_shape),
            (self.attention, [query, memory_shape, keys]),
            (self.attention_layer, (batch, output + depth)),
        ]
        if self.query_layer:
            parts.append((self.query_layer, (batch, output)))
        for part, shape in parts:
            if not part.built:  # those that come from a file are
                part.build(shape)

    def call(self, inputs: Any, memory: Any, memory_mask: Any = None) -> Any:
        """Returns what was attended to at each step.

        Args:
            inputs: (batch, time, features): what the decoder is fed, in training the right words.
                Its time is known: the steps are unrolled.
            memory: (batch, steps, depth).
            memory_mask: (batch, steps) bool, True where a step counts; all of them where None.

        Returns:
            (batch, time, attention_units).
        """
        keys = self.memory_layer(memory)  # (batch, steps, units)
        batch = ops.shape(inputs)[0]
        state = self.cell.get_initial_state(batch_size=batch)
        attention = ops.zeros((batch, self.attention_units), self.compute_dtype)
        attended = []
        for word in ops.unstack(inputs, axis=1):
            output, state = self.cell(ops.concatenate([word, attention], axis=-1), state)
            query = self.query_layer(output) if self.query_layer else output
            context = self.attention(
                [ops.expand_dims(query, 1), memory, keys], mask=[None, memory_mask]
            )  # (batch, 1, depth)
            both = ops.concatenate([output, ops.squeeze(context, 1)], axis=-1)
            attention = self.attention_layer(both)
            attended.append(attention)
        return ops.stack(attended, axis=1)

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], memory_shape: tuple[Any, ...]
    ) -> tuple[int | None, ...]:
        """Returns (batch, time, attention_units)."""
        return (*inputs_shape[:2], self.attention_units)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "units": self.units,
            "attention_units": self.attention_units,
            "project_query": self.project_query,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AttentionDecoder":
        """Makes a layer from what `get_config` returned."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("cell", "attention")
        }
        return cls(**{**config, **parts})
