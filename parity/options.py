"""What a run asks of every pair, and of whom."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from parity.cases import DTYPES
from parity.engines import Engine


@dataclasses.dataclass(frozen=True)
class Options:
    """What a run asks of every pair, and of whom.

    Args:
        references: graph engines, each of which is right by definition.
        dtypes: ``float32``, ``float64``, or both.
        steps: training steps of the curve; each row's own number if None, all if 0.
        seed: seed of weights, order and masks.
        stock: also train with the stock Keras optimizer.
        measure: measure own rounding everywhere, not only where a bound needs it.
        device: ``cpu``, ``gpu``, ``gpu:N``, or empty for the framework's own choice.
        timeout: seconds without a sign of life before an engine counts as hung.
        threads: threads that each engine may compute with.
        fresh: ask everything anew.
        repeats: values that every difference is to have; with one, rounding twins are asked only
            where a baseline needs them.
        rounds: how often the steps of every side are timed in fresh processes; never if 0.
    """

    references: Sequence[Engine]
    dtypes: Sequence[str] = DTYPES
    steps: int | None = None
    seed: int = 0
    stock: bool = True
    measure: bool = False
    device: str = ""
    timeout: float = 300
    threads: int = 1
    fresh: bool = False
    repeats: int = 1
    rounds: int = 0

    @property
    def asked(self) -> dict[str, str]:
        """What decides a run's figures, in words: option -> value."""
        return {
            "seed": str(self.seed),
            "references": ", ".join(engine.name for engine in self.references),
            "dtypes": ", ".join(self.dtypes),
            "device": self.device or "the framework's choice",
            "threads": str(self.threads),
        }
