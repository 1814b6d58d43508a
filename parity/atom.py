"""What the catalogue says of an atom: one cell, layer, optimizer, loss, schedule or text step."""

from __future__ import annotations

import dataclasses

from parity.weights import Rule


@dataclasses.dataclass(frozen=True)
class Slip:
    """What a migration gets wrong that overlooks the atom's difference.

    It is planted, to measure how large the error is and to see that it is found.

    Args:
        what: is done instead, a clause without its full stop.
        rung: where it shows first.
        rules: weight rules of a migration that overlooks it. Where empty, a Keras model of its own
            does: the function of the atom's name in ``tests/slips``.
    """

    what: str
    rung: str
    rules: tuple[Rule, ...] = ()


@dataclasses.dataclass(frozen=True)
class Atom:
    """What the catalogue says of an atom.

    Args:
        family: name of the file that has it, on both sides.
        tf1: what TensorFlow 1.15 computes.
        keras: what answers to it in Keras 3.
        source: where TensorFlow 1.15 has it, files below ``tensorflow/``.
        slip: what a migration gets wrong that overlooks the difference.
    """

    family: str
    tf1: str
    keras: str
    source: str
    slip: Slip
