"""How optimizers name their slots in TensorFlow 1 and in Keras, and which follow from steps."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set

import numpy as np

from parity.errors import BadInput

# Keras's own count of training steps, among its slots.
ITERATION = "iteration"


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
