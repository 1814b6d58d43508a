"""All variables and optimizer slots of a model on both sides, by its rules.

Shared weights are kept under TensorFlow 1's names and in its layout. Every way has its way back,
and both refuse a name that they do not know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from parity.errors import BadInput, did_you_mean
from parity.slots import ITERATION, Slots, power
from parity.weights import Rule
from parity.wire import Arrays


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
