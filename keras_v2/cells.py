"""Recurrent cells of TensorFlow 1 that Keras 3 lacks: for `keras.layers.RNN`, as Keras's own are.

Weights are laid out as Keras lays out those of an LSTM: the kernel apart from the recurrent one,
gates in the order i, f, c, o, and the forget bias inside the bias.
"""

from typing import Any

import keras
from keras import ops

NAS_BASE = 8  # branches of the searched cell, each with matrices of its own

_registered = keras.saving.register_keras_serializable(package="keras_v2")


@_registered
class TF1LSTMCell(keras.Layer):  # type: ignore[misc]  # Keras is untyped
    """An LSTM with peepholes, a clipped memory and a projected state: TensorFlow 1's `LSTMCell`.

        i, f, j, o = x K + h R + b
        c' = sigmoid(f + w_f c) c + sigmoid(i + w_i c) tanh(j), clipped at +-cell_clip
        h' = sigmoid(o + w_o c') tanh(c') P, clipped at +-projection_clip

    The output gate looks at the new memory. `keras.layers.LSTMCell` is this cell with all options
    off, and has none of them. A projected state is what the next step reads: no Dense layer behind
    an LSTM does that.

        keras.layers.RNN(TF1LSTMCell(512, use_peepholes=True, projection=128))

    Weights: `kernel` (inputs, 4 x units), `recurrent_kernel` (state, 4 x units), `bias`
    (4 x units), where asked for `peephole_input`, `peephole_forget` and `peephole_output` (units),
    and `projection_kernel` (units, projection).

    Args:
        units: of the memory c.
        use_peepholes: whether the gates see the memory.
        cell_clip: bound of the memory.
        projection: units of the state h, if not those of the memory.
        projection_clip: bound of the projected state.
        **kwargs: what every `keras.Layer` takes.

    Raises:
        ValueError: a bound for a projection that there is not.

    References:
        `LSTMCell.call` in tensorflow/python/ops/rnn_cell_impl.py (TensorFlow 1.15);
        Sak et al., Long Short-Term Memory Recurrent Neural Network Architectures for Large Scale
        Acoustic Modeling.
    """

    def __init__(
        self,
        units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        projection: int | None = None,
        projection_clip: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if projection_clip is not None and projection is None:
            raise ValueError(
                f"projection_clip={projection_clip} bounds a projection, and there is none: "
                "give `projection` too, or bound the memory by `cell_clip`"
            )
        self.units = units
        self.use_peepholes = use_peepholes
        self.cell_clip = cell_clip
        self.projection = projection
        self.projection_clip = projection_clip
        self.output_size = projection or units
        self.state_size = [self.output_size, units]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs (batch, inputs)."""
        columns = 4 * self.units
        self.kernel = self.add_weight((input_shape[-1], columns), name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.output_size, columns), name="recurrent_kernel", initializer="orthogonal"
        )
        self.bias = self.add_weight((columns,), name="bias", initializer=self._forgetful)
        if self.use_peepholes:
            self.peephole_input, self.peephole_forget, self.peephole_output = (
                self.add_weight((self.units,), name=f"peephole_{gate}", initializer="zeros")
                for gate in ("input", "forget", "output")
            )
        if self.projection:
            self.projection_kernel = self.add_weight(
                (self.units, self.projection), name="projection_kernel"
            )
        self.built = True

    def call(self, inputs: Any, states: Any) -> Any:
        """Returns the output, (batch, state), and [h, c]: (batch, state), (batch, units)."""
        h, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, j, o = ops.split(z, 4, axis=-1)  # (batch, units) each
        if self.use_peepholes:
            i += self.peephole_input * c
            f += self.peephole_forget * c
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(j)
        if self.cell_clip is not None:
            c = ops.clip(c, -self.cell_clip, self.cell_clip)
        if self.use_peepholes:
            o += self.peephole_output * c
        h = ops.sigmoid(o) * ops.tanh(c)  # (batch, units)
        if self.projection:
            h = ops.matmul(h, self.projection_kernel)  # (batch, projection)
        if self.projection_clip is not None:
            h = ops.clip(h, -self.projection_clip, self.projection_clip)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """Returns what the cell is made from."""
        return {
            **super().get_config(),
            "units": self.units,
            "use_peepholes": self.use_peepholes,
            "cell_clip": self.cell_clip,
            "projection": self.projection,
            "projection_clip": self.projection_clip,
        }

    def _forgetful(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Returns the first bias: ones for the forget gate, zeros for the others."""
        places = ops.arange(shape[0]) // self.units  # which gate: i, f, j, o
        return ops.cast(places == 1, dtype)


@_registered
class LayerNormLSTMCell(keras.Layer):  # type: ignore[misc]
    """An LSTM that normalises each gate, and the memory: contrib's `LayerNormBasicLSTMCell`.

        i, f, j, o = split(x K + h R), each normalised with a gain and a shift of its own
        c' = norm(sigmoid(f + forget_bias) c + sigmoid(i) tanh(j))
        h' = sigmoid(o) tanh(c')

    The normalised memory is what the next step reads. There is no bias: the shifts are that.
    `keras.layers.LayerNormalization` adds 1e-3 to the variance by default, contrib 1e-12.

        keras.layers.RNN(LayerNormLSTMCell(512))

    Weights: `kernel` (inputs, 4 x units), `recurrent_kernel` (units, 4 x units), and `gamma` and
    `beta` (units) of each of `input`, `forget`, `transform`, `output` and `state`.

    Args:
        units: of the cell.
        forget_bias: is added to the forget gate, after its shift.
        epsilon: is added to the variance.
        **kwargs: what every `keras.Layer` takes.

    References:
        `LayerNormBasicLSTMCell.call` in tensorflow/contrib/rnn/python/ops/rnn_cell.py
        (TensorFlow 1.15); Ba et al., Layer Normalization.
    """

    def __init__(
        self, units: int, forget_bias: float = 1.0, epsilon: float = 1e-12, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.forget_bias, self.epsilon = units, forget_bias, epsilon
        self.output_size, self.state_size = units, [units, units]
        self.norms = [
            keras.layers.LayerNormalization(epsilon=epsilon, name=name)
            for name in ("input", "forget", "transform", "output", "state")
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs (batch, inputs)."""
        columns = 4 * self.units
        self.kernel = self.add_weight((input_shape[-1], columns), name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.units, columns), name="recurrent_kernel", initializer="orthogonal"
        )
        for norm in self.norms:
            norm.build((None, self.units))
        self.built = True

    def call(self, inputs: Any, states: Any) -> Any:
        """Returns the output, (batch, units), and [h, c], of the same sizes."""
        h, c = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel)
        *gates, memory = self.norms
        parts = ops.split(z, 4, axis=-1)  # (batch, units) each
        i, f, j, o = (norm(part) for norm, part in zip(gates, parts, strict=True))
        c = memory(ops.sigmoid(f + self.forget_bias) * c + ops.sigmoid(i) * ops.tanh(j))
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """Returns what the cell is made from."""
        return {
            **super().get_config(),
            "units": self.units,
            "forget_bias": self.forget_bias,
            "epsilon": self.epsilon,
        }


@_registered
class NASCell(keras.Layer):  # type: ignore[misc]
    """The cell that a search over architectures found: contrib's `NASCell`.

    With a = x K and b = h R in eight parts, and s, t, r for sigmoid, tanh and ReLU:

        c' = t(t(s(a0 + b0) r(a1 + b1)) + c) t(s(a2 + b2) + r(a3 b3))
        h' = t(c' t(t(t(a4 + b4) s(a5 + b5)) + s(t(a6 + b6) + s(a7 + b7))))

    The fourth part alone multiplies. Contrib's projection and bias, off by default, are left out.

        keras.layers.RNN(NASCell(512))

    Weights: `kernel` (inputs, 8 x units) and `recurrent_kernel` (units, 8 x units).

    Args:
        units: of the cell.
        **kwargs: what every `keras.Layer` takes.

    References:
        `NASCell.call` in tensorflow/contrib/rnn/python/ops/rnn_cell.py (TensorFlow 1.15);
        Zoph and Le, Neural Architecture Search with Reinforcement Learning, appendix.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = self.output_size = units
        self.state_size = [units, units]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs (batch, inputs)."""
        columns = NAS_BASE * self.units
        self.kernel = self.add_weight((input_shape[-1], columns), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, columns), name="recurrent_kernel")
        self.built = True

    def call(self, inputs: Any, states: Any) -> Any:
        """Returns the output, (batch, units), and [h, c], of the same sizes."""
        h, c = states
        a = ops.split(ops.matmul(inputs, self.kernel), NAS_BASE, axis=-1)  # (batch, units) each
        b = ops.split(ops.matmul(h, self.recurrent_kernel), NAS_BASE, axis=-1)
        first = ops.tanh(ops.sigmoid(a[0] + b[0]) * ops.relu(a[1] + b[1]))
        second = ops.tanh(ops.sigmoid(a[2] + b[2]) + self.meet(a[3], b[3]))
        third = ops.tanh(ops.tanh(a[4] + b[4]) * ops.sigmoid(a[5] + b[5]))
        fourth = ops.sigmoid(ops.tanh(a[6] + b[6]) + ops.sigmoid(a[7] + b[7]))
        c = ops.tanh(first + c) * second
        h = ops.tanh(c * ops.tanh(third + fourth))
        return h, [h, c]

    def meet(self, from_input: Any, from_state: Any) -> Any:
        """Returns the part in which input and state multiply, (batch, units)."""
        return ops.relu(from_input * from_state)

    def get_config(self) -> dict[str, Any]:
        """Returns what the cell is made from."""
        return {**super().get_config(), "units": self.units}


class _Wrapper(keras.Layer):  # type: ignore[misc]
    """A cell around another one, whose state h comes first, with a seed for masks."""

    def __init__(self, cell: Any, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell, self.seed = cell, seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.output_size, self.state_size = cell.output_size, cell.state_size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the cell's weights for inputs (batch, inputs)."""
        if not self.cell.built:  # as it is in a model that is loaded
            self.cell.build(input_shape)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Returns what the cell is made from."""
        cell = keras.saving.serialize_keras_object(self.cell)
        return {**super().get_config(), "cell": cell, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Makes the cell, and the one inside it."""
        return cls(**{**config, "cell": keras.saving.deserialize_keras_object(config["cell"])})


@_registered
class DropoutCell(_Wrapper):
    """A cell that drops anew at every step: TensorFlow 1's `DropoutWrapper`.

    Of what goes in, of the state h that is carried on, and of what comes out, in this order, each
    by a mask of its own. What is kept is scaled up. An LSTM's memory c is never dropped, and what
    comes out does not depend on the mask of the state.

    `dropout` of Keras's own recurrent layers draws one mask for all steps of a sequence. For input
    and output alone, `keras.layers.Dropout` before and behind the layer does the same as this.

        keras.layers.RNN(DropoutCell(keras.layers.LSTMCell(512), output_rate=0.5))

    Args:
        cell: with the state h first.
        input_rate: share of the input that is dropped.
        state_rate: share of the state.
        output_rate: share of the output.
        seed: of the masks.
        **kwargs: what every `keras.Layer` takes.

    References:
        `DropoutWrapperBase` in tensorflow/python/ops/rnn_cell_wrapper_impl.py (TensorFlow 1.15).
    """

    def __init__(
        self,
        cell: Any,
        input_rate: float = 0.0,
        state_rate: float = 0.0,
        output_rate: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, seed, **kwargs)
        self.input_rate, self.state_rate, self.output_rate = input_rate, state_rate, output_rate

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Returns the output, and the new states as a list."""
        inputs = self._dropped(inputs, self.input_rate, training)
        output, (h, *others) = self.cell(inputs, _listed(states), training=training)
        h = self._dropped(h, self.state_rate, training)
        return self._dropped(output, self.output_rate, training), [h, *others]

    def get_config(self) -> dict[str, Any]:
        """Returns what the cell is made from."""
        return {
            **super().get_config(),
            "input_rate": self.input_rate,
            "state_rate": self.state_rate,
            "output_rate": self.output_rate,
        }

    def _dropped(self, values: Any, rate: float, training: bool) -> Any:
        if not (training and rate):
            return values
        return keras.random.dropout(values, rate, seed=self.seed_generator)


@_registered
class VariationalStateCell(_Wrapper):
    """A cell that drops its state h by one mask for all steps, and for all rows of a batch.

    TensorFlow 1's `DropoutWrapper` with `variational_recurrent` and `state_keep_prob`. An LSTM's
    memory c is never dropped. The mask is drawn with the first state, and is the last state of all.

    `recurrent_dropout` of Keras's own cells draws a mask for each row and each gate, and has Keras
    draw masks of the input for each gate, too; a GRU carries on a state that is whole. Masks of
    input and output, which `DropoutWrapper` draws as well, are those of `keras.layers.Dropout` with
    `noise_shape` (1, 1, size), before and behind the recurrent layer.

        keras.layers.RNN(VariationalStateCell(keras.layers.LSTMCell(512), rate=0.5))

    Args:
        cell: with the state h first.
        rate: share of the state that is dropped.
        seed: of the masks.
        **kwargs: what every `keras.Layer` takes.

    References:
        `DropoutWrapperBase` in tensorflow/python/ops/rnn_cell_wrapper_impl.py (TensorFlow 1.15);
        Gal and Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural
        Networks.
    """

    def __init__(self, cell: Any, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(cell, seed, **kwargs)
        self.rate = rate
        sizes = _listed(cell.state_size)
        self.state_size = [*sizes, sizes[0]]

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Returns zeros, and the mask, scaled, for every row: (batch, units) each."""
        *sizes, units = self.state_size
        states = [ops.zeros((batch_size, size), self.compute_dtype) for size in sizes]
        ones = ops.ones((1, units), self.compute_dtype)
        mask = keras.random.dropout(ones, self.rate, seed=self.seed_generator)
        return [*states, ops.broadcast_to(mask, (batch_size, units))]

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """Returns the output, and the new states: the cell's, and the mask."""
        *before, mask = states
        output, (h, *others) = self.cell(inputs, before, training=training)
        return output, [h * mask if training else h, *others, mask]

    def get_config(self) -> dict[str, Any]:
        """Returns what the cell is made from."""
        return {**super().get_config(), "rate": self.rate}


def _listed(states: Any) -> list[Any]:
    """Returns a cell's states, or their sizes, as a list: some cells have one alone."""
    return list(states) if isinstance(states, list | tuple) else [states]
