"""What is done with cells: lengths, both directions, dropout, and loops by hand."""

from typing import Any

import keras
from keras import layers, ops

from keras_v2.atoms.fitted import fitted
from keras_v2.cells import DropoutCell, VariationalStateCell
from keras_v2.masking import Unmasked

TIME, FEATURES, UNITS = 5, 3, 4


def sequences(features: int) -> tuple[Any, Any]:
    """Returns inputs for sequences, (batch, time, features), and for their lengths, (batch,)."""
    x = keras.Input((TIME, features), name="x")
    return x, keras.Input((), dtype="int32", name="lengths")


def within(lengths: Any) -> Any:
    """Returns where a sequence is not yet over, (batch, time)."""
    return ops.less(ops.arange(TIME), ops.expand_dims(lengths, 1))


def dynamic_rnn_lengths() -> keras.Model:
    """A mask, and `zero_output_for_mask`: without it the last output is repeated."""
    x, lengths = sequences(FEATURES)
    rnn = layers.LSTM(
        UNITS, return_sequences=True, return_state=True, zero_output_for_mask=True, name="lstm"
    )
    outputs, h, _ = rnn(x, mask=within(lengths))
    together = ops.concatenate([outputs, ops.expand_dims(h, 1)], 1)
    return fitted({"x": x, "lengths": lengths}, Unmasked(name="unmasked")(together))


def padded_loss() -> keras.Model:
    """The loss of Keras leaves out what is masked, so the mask has to end before it."""
    x, lengths = sequences(FEATURES)
    rnn = layers.SimpleRNN(UNITS, return_sequences=True, zero_output_for_mask=True, name="rnn")
    outputs = rnn(x, mask=within(lengths))
    return fitted({"x": x, "lengths": lengths}, Unmasked(name="unmasked")(outputs))


def static_rnn_lengths() -> keras.Model:
    """`return_sequences=False` gives the last output before the end; this is that of the end."""
    x, lengths = sequences(FEATURES)
    rnn = layers.LSTM(
        UNITS, return_sequences=True, zero_output_for_mask=True, unroll=True, name="lstm"
    )
    outputs = rnn(x, mask=within(lengths))  # (batch, time, units)
    return fitted({"x": x, "lengths": lengths}, layers.Identity(name="last")(outputs[:, -1]))


def bidirectional_dynamic_rnn() -> keras.Model:
    """`Bidirectional` turns what the backward layer gives, and joins the two."""
    x = keras.Input((TIME, FEATURES), name="x")
    lstm = layers.LSTM(UNITS, return_sequences=True, name="lstm")
    return fitted(x, layers.Bidirectional(lstm, name="both")(x))


def bidirectional_lengths() -> keras.Model:
    """A mask holds for both directions; `Bidirectional` sets `zero_output_for_mask` by itself."""
    x, lengths = sequences(FEATURES)
    lstm = layers.LSTM(UNITS, return_sequences=True, name="lstm")
    outputs = layers.Bidirectional(lstm, name="both")(x, mask=within(lengths))
    return fitted({"x": x, "lengths": lengths}, Unmasked(name="unmasked")(outputs))


def dropout_wrapper() -> keras.Model:
    """A cell of our own: `dropout` of an `LSTM` draws once for all steps."""
    x = keras.Input((TIME, FEATURES), name="x")
    cell = DropoutCell(layers.LSTMCell(UNITS, name="lstm_cell"), 0.5, 0.5, 0.5, name="cell")
    rnn = layers.RNN(cell, return_sequences=True, return_state=True, unroll=True, name="rnn")
    outputs, h, _ = rnn(x)
    together = layers.Concatenate(axis=1, name="together")([outputs, ops.expand_dims(h, 1)])
    return fitted(x, together)


def variational_lstm() -> keras.Model:
    """A cell of our own: `recurrent_dropout` of an `LSTM` draws for each row and each gate."""
    return variational(layers.LSTMCell(UNITS, name="inner"))


def variational_gru() -> keras.Model:
    """The same; `recurrent_dropout` of a `GRU` carries on a state that is whole, besides."""
    return variational(layers.GRUCell(UNITS, reset_after=False, name="inner"))


def variational(cell: Any, wrapper: Any = VariationalStateCell) -> keras.Model:
    """Drops a cell's state, and before and behind it input and output, by a mask a batch."""
    x = keras.Input((TIME, FEATURES), name="x")
    dropped = layers.Dropout(0.5, noise_shape=(1, 1, FEATURES), name="input_dropout")(x)
    wrapped = wrapper(cell, 0.5, name="cell")
    outputs = layers.RNN(wrapped, return_sequences=True, name="rnn")(dropped)
    last = layers.Dropout(0.5, noise_shape=(1, 1, UNITS), name="output_dropout")
    return fitted(x, last(outputs))


@keras.saving.register_keras_serializable(package="keras_v2")
class LeakyCell(keras.Layer):  # type: ignore[misc]  # Keras is untyped
    """Moves its state by a quarter of the way: h' = h + (tanh(x K + h R + b) - h) / 4."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weights for inputs (batch, inputs)."""
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.recurrent_kernel = self.add_weight((self.units, self.units), name="recurrent_kernel")
        self.bias = self.add_weight((self.units,), name="bias", initializer="zeros")

    def call(self, inputs: Any, states: Any) -> Any:
        """Returns the output and the new states: the same, (batch, units)."""
        (h,) = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        h = h + 0.25 * (ops.tanh(z) - h)
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """Returns what the cell is made from."""
        return {**super().get_config(), "units": self.units}


def while_loop() -> keras.Model:
    """A mask of the batch: a row goes on past its own end, as long as another does."""
    x, lengths = sequences(FEATURES)
    longest = ops.full_like(lengths, ops.max(lengths))
    last = layers.RNN(LeakyCell(UNITS), name="rnn")(x, mask=within(longest))
    return fitted({"x": x, "lengths": lengths}, last)


@keras.saving.register_keras_serializable(package="keras_v2")
class LearnedMean(keras.Layer):  # type: ignore[misc]
    """The mean of all steps up to each, of which a share is learned: m' = s m + (1 - s) x.

    (batch, time, features) in and out. The first mean is the first step.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the weight for inputs (batch, time, features)."""
        self.share = self.add_weight((input_shape[-1],), name="share", initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Returns the mean at every step."""
        first = inputs[:, 0]
        later = self.means(first, inputs[:, 1:])
        return ops.concatenate([inputs[:, :1], later], axis=1)

    def means(self, start: Any, inputs: Any) -> Any:
        """Returns the means (batch, time, features) from a mean to start with."""
        share = ops.sigmoid(self.share)

        def step(mean: Any, each: Any) -> Any:
            mean = share * mean + (1 - share) * each
            return mean, mean

        _, means = ops.scan(step, start, ops.moveaxis(inputs, 1, 0))  # (time, batch, features)
        return ops.moveaxis(means, 0, 1)


def scan() -> keras.Model:
    """`ops.scan` has to be told where to start: at the first step."""
    x = keras.Input((TIME, FEATURES), name="x")
    return fitted(x, LearnedMean(name="mean")(x))


def raw_rnn() -> keras.Model:
    """A cell, called for every step; a mask, past the end."""
    x, lengths = keras.Input((UNITS,), name="x"), keras.Input((), dtype="int32", name="lengths")
    said = layers.Identity(name="said")(spoken(x) * masked(lengths))
    return fitted({"x": x, "lengths": lengths}, said)


def spoken(state: Any) -> Any:
    """Returns what a cell says that reads its own words, (batch, time, units)."""
    cell = layers.GRUCell(UNITS, reset_after=False, name="gru_cell")
    words = [ops.zeros_like(state)]
    for _ in range(TIME):
        word, state = cell(words[-1], state)
        words.append(word)
    return ops.stack(words[1:], axis=1)


def masked(lengths: Any) -> Any:
    """Returns ones up to each end, zeros behind it, (batch, time, 1)."""
    return ops.expand_dims(ops.cast(within(lengths), keras.config.floatx()), 2)
