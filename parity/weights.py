"""Named, invertible rules: where a group of variables lives in TensorFlow 1 and in Keras.

A rule says how the arrays of one group are rearranged, and back; the same rule carries gradients
and optimizer slots, which are laid out as their variable is. A `Layout` holds the rules of a model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Rule:
    """One group of variables. This base class maps one variable to one, unchanged.

    Args:
        tf1: names on the TensorFlow 1 side.
        keras: paths on the Keras side.
        spread: half the width of the uniform draw of initial shared weights; None draws a matrix
            Glorot uniform and a vector within 0.1. No weight starts at a constant: a bias of zeros
            would hide a lost or swapped bias.
        centre: the middle of that draw: a variance must be positive.
    """

    tf1: tuple[str, ...]
    keras: tuple[str, ...]
    spread: float | None = None
    centre: float = 0.0

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Rearrange arrays named by `tf1` into arrays named by `keras`."""
        return list(arrays)

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Rearrange arrays named by `keras` into arrays named by `tf1`: the inverse."""
        return list(arrays)

    def constant(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return what Keras holds inside a weight that TensorFlow 1 adds at run time.

        Part of weights only: a gradient or a slot does not change by a constant.

        Args:
            arrays: arrays named by `keras`.
        """
        return [np.zeros_like(array) for array in arrays]

    @property
    def held(self) -> float:
        """Largest magnitude of `constant`: a weight that holds it rounds as a number of its size.

        So what is small beside it comes back from Keras only to a unit in its last place.
        """
        return 0.0

    def weights_to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Rearrange weights named by `tf1`, and put in what Keras holds inside them."""
        if not self.held:
            return self.to_keras(arrays)  # a gigabyte of word vectors is not copied
        moved = self.to_keras(arrays)
        return [plus(value, held) for value, held in zip(moved, self.constant(moved), strict=True)]

    def weights_to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Take out of weights named by `keras` what Keras holds inside them, and rearrange."""
        if not self.held:
            return self.to_tf1(arrays)
        held = self.constant(arrays)
        return self.to_tf1([plus(value, -each) for value, each in zip(arrays, held, strict=True)])


@dataclasses.dataclass(frozen=True)
class CellKernel(Rule):
    """Kernel of an RNN cell, (inputs + units, gates x units): input rows first, then recurrent.

    Keras keeps the two parts apart: kernel (inputs, ...), recurrent kernel (units, ...).

    Args:
        gates: place of each of Keras's gates among TensorFlow 1's: one gate for BasicRNNCell;
            LSTMCell has i, j, f, o where Keras has i, f, c, o (rnn_cell_impl.py).
        state: units of the state, where it is projected to others than the cell's: the number of
            recurrent rows.
    """

    gates: tuple[int, ...] = (0,)
    state: int | None = None

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        (stacked,) = arrays
        recurrent = self.state or stacked.shape[1] // len(self.gates)
        stacked = reorder(stacked, self.gates)
        return [stacked[:-recurrent], stacked[-recurrent:]]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [reorder(np.concatenate(arrays, axis=0), inverse(self.gates))]


@dataclasses.dataclass(frozen=True)
class LstmBias(Rule):
    """Bias of LSTMCell, (4 x units): `forget_bias` is added at run time, Keras holds it inside."""

    forget_bias: float = 1.0

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [reorder(arrays[0], LSTM_GATES)]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [reorder(arrays[0], inverse(LSTM_GATES))]

    def constant(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        (bias,) = arrays
        added = np.zeros_like(bias)  # (4 x units), gates i, f, c, o
        units = bias.shape[0] // 4
        added[units : 2 * units] = self.forget_bias
        return [added]

    @property
    def held(self) -> float:
        return abs(self.forget_bias)


class GruCell(Rule):
    """GRUCell: gates r, u and the candidate apart; Keras has z, r, h in one (u is z).

    Holds for `reset_after=False`. TensorFlow 1: gate kernel (inputs + units, 2 x units), gate bias,
    candidate kernel (inputs + units, units), candidate bias. Keras: kernel (inputs, 3 x units),
    recurrent kernel (units, 3 x units), bias (3 x units).
    """

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        gate_kernel, gate_bias, candidate_kernel, candidate_bias = arrays
        units = candidate_bias.shape[0]
        kernel = np.concatenate([reorder(gate_kernel, (1, 0)), candidate_kernel], axis=1)
        bias = np.concatenate([reorder(gate_bias, (1, 0)), candidate_bias])
        return [kernel[:-units], kernel[-units:], bias]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        *kernels, bias = arrays
        kernel = np.concatenate(kernels, axis=0)  # (inputs + units, 3 x units)
        gates = 2 * bias.shape[0] // 3
        return [
            reorder(kernel[:, :gates], (1, 0)),
            reorder(bias[:gates], (1, 0)),
            kernel[:, gates:],
            bias[gates:],
        ]


@dataclasses.dataclass(frozen=True)
class Reshaped(Rule):
    """One variable in the same order of elements, with other sizes.

    Args:
        before: sizes in TensorFlow 1.
        after: sizes in Keras.
    """

    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()

    def to_keras(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [arrays[0].reshape(self.after)]

    def to_tf1(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [arrays[0].reshape(self.before)]


LSTM_GATES = (0, 2, 1, 3)


def reorder(array: np.ndarray, places: Sequence[int]) -> np.ndarray:
    """Put equal blocks of the last axis in another order: block i comes from `places[i]`."""
    blocks = np.split(array, len(places), axis=-1)
    return np.concatenate([blocks[place] for place in places], axis=-1)


def inverse(places: Sequence[int]) -> list[int]:
    """Return the order that undoes `places`."""
    return [places.index(i) for i in range(len(places))]


def plus(value: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Add a constant where there is one: adding zero would turn -0.0 into 0.0."""
    return np.where(constant == 0, value, value + constant)


def same(tf1: str, keras: str, spread: float | None = None, centre: float = 0.0) -> Rule:
    """One variable that has the same layout on both sides."""
    return Rule((tf1,), (keras,), spread, centre)


def reshaped(tf1: str, keras: str, before: Sequence[int], after: Sequence[int]) -> Rule:
    """One variable whose sizes are the same but for ones: (3, 8, 1, 16) as (3, 8, 16)."""
    return Reshaped((tf1,), (keras,), before=tuple(before), after=tuple(after))


def basic_rnn(tf1: str, keras: str) -> tuple[Rule, ...]:
    """A BasicRNNCell in scope `tf1`, and the SimpleRNN cell at the path `keras`."""
    kernels = (f"{keras}/kernel", f"{keras}/recurrent_kernel")
    return CellKernel((f"{tf1}/kernel",), kernels), same(f"{tf1}/bias", f"{keras}/bias")


def lstm(
    tf1: str, keras: str, forget_bias: float = 1.0, state: int | None = None
) -> tuple[Rule, ...]:
    """A BasicLSTMCell or LSTMCell in scope `tf1`, and the LSTM cell at the path `keras`.

    `state` is the size of a state that is projected.
    """
    kernels = (f"{keras}/kernel", f"{keras}/recurrent_kernel")
    return (
        CellKernel((f"{tf1}/kernel",), kernels, gates=LSTM_GATES, state=state),
        LstmBias((f"{tf1}/bias",), (f"{keras}/bias",), forget_bias=forget_bias),
    )


def gru(tf1: str, keras: str) -> tuple[Rule, ...]:
    """A GRUCell in scope `tf1`, and the GRU cell with `reset_after=False` at `keras`."""
    parts = ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")
    paths = ("kernel", "recurrent_kernel", "bias")
    return (
        GruCell(tuple(f"{tf1}/{part}" for part in parts), tuple(f"{keras}/{p}" for p in paths)),
    )
