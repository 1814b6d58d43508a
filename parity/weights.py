"""Named, invertible layout rules: TensorFlow 1 variables <-> Keras variables <-> optimizer slots.

Shared weights are kept under TensorFlow 1's names and in its layout. A rule says where one group
of variables lives on each side and how the arrays are rearranged; the same rule carries gradients
and optimizer slots, which are laid out as their variable is. Every way has its way back, and both
refuse a name that they do not know.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

import numpy as np

from parity.errors import BadInput, did_you_mean
from parity.wire import Arrays


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


@dataclasses.dataclass(frozen=True)
class Slots:
    """How an optimizer names its slots: a suffix behind the variable's name, on both sides.

    Args:
        tf1_to_keras: ``Saver`` suffix -> Keras suffix, as in ``embedding/RMSProp`` and
            ``embedding_embeddings_velocity``.
        shared: slots that belong to no variable: ``Saver`` name -> Keras name.
        counters: ``Saver`` name of a step counter, for which Keras has its iteration -> its dtype.
        powers: ``Saver`` name of a slot -> its base: TensorFlow 1 keeps base ** (steps + 1), Keras
            takes the power of its iteration.
        averages: ``Saver`` suffix -> Keras suffix of moving averages, which hold what weights hold.
        times: counter -> how often a training step counts it, where that is more than once.
        owners: ``Saver`` suffix -> the variables that have such a slot, where not all do.
    """

    tf1_to_keras: Mapping[str, str]
    shared: Mapping[str, str] = dataclasses.field(default_factory=dict)
    counters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    powers: Mapping[str, float] = dataclasses.field(default_factory=dict)
    averages: Mapping[str, str] = dataclasses.field(default_factory=dict)
    times: Mapping[str, int] = dataclasses.field(default_factory=dict)
    owners: Mapping[str, Set[str]] = dataclasses.field(default_factory=dict)

    @property
    def suffixes(self) -> Mapping[str, str]:
        """``Saver`` suffix -> Keras suffix of all that belongs to a variable."""
        return {**self.tf1_to_keras, **self.averages}


def slots_together(parts: Mapping[str, Slots], trained: Mapping[str, Iterable[str]]) -> Slots:
    """Return the slots of several optimizers, each with weights of its own, and each run once.

    Args:
        parts: attribute of the Keras model -> how its optimizer's are named. What belongs to no
            weight has the attribute before its name, in Keras.
        trained: attribute -> variables that its optimizer trains.

    Raises:
        BadInput: two name a slot of a variable alike that are not the same.
    """
    merged: dict[str, dict[str, str]] = {"tf1_to_keras": {}, "averages": {}}
    for field, names in merged.items():
        for part in parts.values():
            for tf1, keras in getattr(part, field).items():
                if names.setdefault(tf1, keras) != keras:
                    raise BadInput(
                        f"the slot {tf1} is {names[tf1]} of one optimizer and {keras} of another",
                        "optimizers of one kind, or of kinds that name no slot alike",
                    )
    shared = {
        tf1: f"{attribute}/{keras}"
        for attribute, part in parts.items()
        for tf1, keras in part.shared.items()
    }
    counters = {name: dtype for part in parts.values() for name, dtype in part.counters.items()}
    powers = {name: base for part in parts.values() for name, base in part.powers.items()}
    times = Counter(name for part in parts.values() for name in part.counters)
    owners: dict[str, set[str]] = defaultdict(set)
    for attribute, part in parts.items():
        for suffix in part.tf1_to_keras:
            owners[suffix].update(trained[attribute])
    suffixes, averages = merged["tf1_to_keras"], merged["averages"]
    return Slots(suffixes, shared, counters, powers, averages, times, owners)


GRADIENT_DESCENT = Slots({})
RMSPROP = Slots({"RMSProp": "velocity", "RMSProp_1": "momentum"})
# Centered, the mean gradient is made before the increment.
CENTERED_RMSPROP = Slots(
    {"RMSProp": "velocity", "RMSProp_1": "average_gradient", "RMSProp_2": "momentum"}
)
MOMENTUM = Slots({"Momentum": "momentum"})
ADAGRAD = Slots({"Adagrad": "accumulator"})
ADADELTA = Slots({"Adadelta": "accumulated_grad", "Adadelta_1": "accumulated_delta_var"})
FTRL = Slots({"Ftrl": "accumulator", "Ftrl_1": "linear"})
ADAM_WEIGHT_DECAY = Slots({"adam_m": "momentum", "adam_v": "velocity"})
ADAM = Slots(
    {"Adam": "momentum", "Adam_1": "velocity"},
    shared={"beta1_power": "beta1_power", "beta2_power": "beta2_power"},
)


# Keras's own count of training steps, among its slots.
ITERATION = "iteration"


@dataclasses.dataclass(frozen=True)
class Layout:
    """Every variable and slot of a model, on both sides.

    What is mapped one way and back is the same bit for bit, but for a weight that holds a constant
    on Keras's side (`Rule.held`): there, it is so where adding the constant is exact.

    Args:
        rules: one a group of variables; together they cover the model.
        slots: the optimizer's.

    Raises:
        BadInput: two variables have one name.
    """

    rules: tuple[Rule, ...]
    slots: Slots

    def __post_init__(self) -> None:
        tf1 = [name for rule in self.rules for name in rule.tf1]
        # As Keras writes paths into names of slots: there, a/b_c and a_b/c are one.
        flat = [path.replace("/", "_") for rule in self.rules for path in rule.keras]
        twice = sorted({name for names in (tf1, flat) for name in names if names.count(name) > 1})
        if twice:
            raise BadInput(
                f"the layout rules name {', '.join(twice)} more than once",
                "one rule for each variable",
                "drop or rename one",
            )

    def weights_to_keras(self, arrays: Arrays) -> Arrays:
        """Map shared weights to Keras: all of them.

        Raises:
            BadInput: lists every name that is missing or unknown, or arrays of a wrong shape.
        """
        return moved("weights", arrays, self.weight_moves("keras"), complete=True)

    def weights_to_tf1(self, arrays: Arrays) -> Arrays:
        """Map Keras weights to TensorFlow 1's names and layout: the inverse.

        Raises:
            BadInput: as `weights_to_keras`.
        """
        return moved("weights", arrays, self.weight_moves("tf1"), complete=True)

    def gradients_to_keras(self, arrays: Arrays) -> Arrays:
        """Map what is laid out as the weights are, without a constant in it.

        A rule may be missing as a whole, as that of a frozen weight is among gradients.

        Raises:
            BadInput: lists every name that is unknown, or that is missing beside others of its
                rule, or arrays of a wrong shape.
        """
        moves = [Move(rule.tf1, rule.keras, rule.to_keras) for rule in self.rules]
        return moved("arrays", arrays, moves)

    def gradients_to_tf1(self, arrays: Arrays) -> Arrays:
        """Map what is laid out as Keras's weights are, without a constant in it: the inverse.

        Raises:
            BadInput: as `gradients_to_keras`.
        """
        moves = [Move(rule.keras, rule.tf1, rule.to_tf1) for rule in self.rules]
        return moved("arrays", arrays, moves)

    def slots_to_keras(self, arrays: Arrays, step: int) -> Arrays:
        """Map slots as ``Saver`` names them to Keras's names and layout.

        Args:
            arrays: slots; those of a rule may be missing, as a frozen weight has none.
            step: training steps that were taken; Keras counts them in its slots, an int64.

        Raises:
            BadInput: as `gradients_to_keras`.
        """
        counted = {*self.slots.counters, *self.slots.powers}
        slots = {name: value for name, value in arrays.items() if name not in counted}
        found = moved("slots", slots, self.slot_moves("keras"))
        return {**found, ITERATION: np.array(step, np.int64)}

    def slots_to_tf1(self, arrays: Arrays) -> Arrays:
        """Map Keras slots to TensorFlow 1's names and layout: the inverse.

        Args:
            arrays: slots; of Keras's own count of steps come counters and powers.

        Raises:
            BadInput: as `gradients_to_keras`.
        """
        slots = {name: value for name, value in arrays.items() if name != ITERATION}
        found = moved("slots", slots, self.slot_moves("tf1"))
        if ITERATION in arrays:
            found.update(self.counted(int(arrays[ITERATION])))
        return found

    def counted(self, steps: int) -> Arrays:
        """Return the slots of TensorFlow 1 that follow from the number of steps taken."""
        counters = {
            name: np.asarray(steps * self.slots.times.get(name, 1), dtype)
            for name, dtype in self.slots.counters.items()
        }
        powers = {name: power(base, steps) for name, base in self.slots.powers.items()}
        return {**counters, **powers}

    def weight_moves(self, to: str) -> list[Move]:
        """Return the way of every weight, to ``keras`` or to ``tf1``."""
        if to == "keras":
            return [Move(rule.tf1, rule.keras, rule.weights_to_keras) for rule in self.rules]
        return [Move(rule.keras, rule.tf1, rule.weights_to_tf1) for rule in self.rules]

    def slot_moves(self, to: str) -> list[Move]:
        """Return the way of every slot but counters and powers, to ``keras`` or to ``tf1``."""
        shared = [Rule((tf1,), (keras,)) for tf1, keras in self.slots.shared.items()]
        rules = shared + self._suffixed(self.slots.tf1_to_keras)
        averages = self._suffixed(self.slots.averages)
        if to == "keras":
            moves = [Move(rule.tf1, rule.keras, rule.to_keras) for rule in rules]
            return moves + [Move(rule.tf1, rule.keras, rule.weights_to_keras) for rule in averages]
        moves = [Move(rule.keras, rule.tf1, rule.to_tf1) for rule in rules]
        return moves + [Move(rule.keras, rule.tf1, rule.weights_to_tf1) for rule in averages]

    def _suffixed(self, suffixes: Mapping[str, str]) -> list[Rule]:
        """Return a rule for each group of slots, which are laid out as their variables are."""
        owners = self.slots.owners
        return [
            dataclasses.replace(
                rule,
                tf1=tuple(f"{name}/{tf1}" for name in rule.tf1),
                keras=tuple(f"{path.replace('/', '_')}_{keras}" for path in rule.keras),
            )
            for tf1, keras in suffixes.items()
            for rule in self.rules
            if tf1 not in owners or not owners[tf1].isdisjoint(rule.tf1)
        ]

    def initial(self, keras_weights: Arrays, seed: int, dtype: str) -> Arrays:
        """Draw shared initial weights for a model whose Keras weights look like `keras_weights`.

        NumPy draws them, from a stream that never changes, because freshly initialised weights
        of two frameworks cannot be compared.
        """
        random = np.random.RandomState(seed)
        drawn: Arrays = {}
        shapes = self.weights_to_tf1(keras_weights)
        for rule in self.rules:
            for name in rule.tf1:
                shape = shapes[name].shape
                spread = rule.spread or (np.sqrt(6 / sum(shape[-2:])) if len(shape) > 1 else 0.1)
                values = rule.centre + random.uniform(-spread, spread, shape)
                if len(shape) == 1:
                    # Whole 4096ths: a forget bias of one is then added and taken away exactly.
                    values = np.round(values * 4096) / 4096
                drawn[name] = values.astype(dtype)
        return drawn

    def path_of(self, tf1: str) -> str:
        """Return the Keras paths that hold the TensorFlow 1 variable `tf1`."""
        return " + ".join(path for rule in self.rules if tf1 in rule.tf1 for path in rule.keras)

    def held(self, tf1: str) -> float:
        """Return `Rule.held` of the TensorFlow 1 variable `tf1`; 0.0 for an unknown name."""
        rules = [*self.rules, *self._suffixed(self.slots.averages)]
        return max((rule.held for rule in rules if tf1 in rule.tf1), default=0.0)


@dataclasses.dataclass(frozen=True)
class Move:
    """The way of one rule's arrays from names to names."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    rearrange: Callable[[Sequence[np.ndarray]], list[np.ndarray]]

    def take(self, given: Sequence[np.ndarray]) -> Arrays:
        """Return the arrays by `targets`, of those by `sources`.

        Raises:
            BadInput: they are of a wrong shape.
        """
        try:
            return dict(zip(self.targets, self.rearrange(given), strict=True))
        except (IndexError, ValueError) as error:
            shapes = zip(self.sources, given, strict=True)
            said = ", ".join(f"{name} {value.shape}" for name, value in shapes)
            raise BadInput(
                f"{said} cannot be laid out as {', '.join(self.targets)} ({error})",
                "the shapes of the model that the layout rules are for",
            ) from error


def fitting(
    what: str,
    shapes: Mapping[str, tuple[int, ...]],
    moves: Sequence[Move],
    complete: bool = False,
) -> list[Move]:
    """Return every move whose arrays are there; with `complete`, all of them.

    Raises:
        BadInput: lists every name that is unknown or missing.
    """
    known = [name for move in moves for name in move.sources]
    taken = [move for move in moves if complete or any(name in shapes for name in move.sources)]
    wrong = [f"missing: {n}" for move in taken for n in move.sources if n not in shapes]
    for name, shape in shapes.items():
        if name not in known:
            hint = did_you_mean(name, known)
            wrong.append(f"unknown: {name} {shape}" + (f" ({hint})" if hint else ""))
    if wrong:
        raise BadInput(
            "\n  ".join([f"these {what} do not fit the layout rules:", *wrong]),
            ("all of " if complete else "some of ") + (", ".join(known) or "no name at all"),
            "rename the arrays, or mend the rules",
        )
    return taken


def moved(what: str, arrays: Arrays, moves: Sequence[Move], complete: bool = False) -> Arrays:
    """Take every move whose arrays are there; with `complete`, all of them.

    Raises:
        BadInput: lists every name that is unknown or missing, or arrays of a wrong shape.
    """
    found: Arrays = {}
    shapes = {name: value.shape for name, value in arrays.items()}
    for move in fitting(what, shapes, moves, complete):
        found.update(move.take([arrays[name] for name in move.sources]))
    return found


# The least number of float32 that TensorFlow computes with on a CPU: it takes less for zero.
_LEAST = np.finfo(np.float32).tiny


def power(base: float, steps: int) -> np.ndarray:
    """Return base ** (steps + 1) as TensorFlow 1's Adam has it after so many steps, a scalar.

    It multiplies once a step, in float32 (`_finish` of tensorflow/python/training/adam.py).
    """
    factor = found = np.float32(base)
    for _ in range(steps):
        found = found * factor
        if found < _LEAST:
            return np.asarray(0, np.float32)
    return np.asarray(found, np.float32)


def steps_of(value: np.ndarray, base: float) -> int | None:
    """Return after how many steps `power` has a value; None if after none, or too many to tell."""
    if not 0 < value < 1:
        return None
    near = round(float(np.log(np.float64(value)) / np.log(np.float64(np.float32(base))))) - 1
    # A float32 product drifts from the power by a rounding a step, and never by a whole step here.
    found = [steps for steps in range(max(near - 2, 0), near + 3) if power(base, steps) == value]
    return found[0] if found else None
