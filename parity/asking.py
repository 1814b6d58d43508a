"""What a user decides of a pair, and how the rest is asked for."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from parity.errors import BadInput

P = ParamSpec("P")
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Said:
    """What a user has decided; what is empty is proposed.

    Args:
        outputs: tensor of the graph -> the Keras layer that gives it.
        optimizer: train op of the optimizer that is compared.
        evaluation: input of the graph -> its value when the model does not train.
        weights: variable of the graph -> path of a Keras weight.
        fed: input or target of the graph -> Keras input, or the output that is its target; empty
            where the graph alone takes it.
        dropout: scope of a draw -> Keras layer.
        train_ops: of several optimizers that step in turn, each train op -> the attribute of the
            Keras model, in their order.
        carried: input that is fed what the step before gave -> tensor of the graph that gives it.
    """

    outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    optimizer: str = ""
    evaluation: Mapping[str, float] = dataclasses.field(default_factory=dict)
    weights: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    dropout: Mapping[str, str] = dataclasses.field(default_factory=dict)
    train_ops: Mapping[str, str] = dataclasses.field(default_factory=dict)
    carried: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def over(self, other: Said) -> Said:
        """Return what is decided here, and what of the rest was decided there.

        One optimizer and several in turn are answers to one question.
        """
        trains = self if self.optimizer or self.train_ops else other
        return Said(
            {**other.outputs, **self.outputs},
            trains.optimizer,
            {**other.evaluation, **self.evaluation},
            {**other.weights, **self.weights},
            {**other.fed, **self.fed},
            {**other.dropout, **self.dropout},
            trains.train_ops,
            {**other.carried, **self.carried},
        )


# Field of `Said` -> name in the graph -> what it may be.
Choices = Mapping[str, Mapping[str, Sequence[Any]]]


class Asked(BadInput):
    """Something of a pair cannot be told, and a user has to choose.

    Args:
        received: as any error's.
        expected: the same.
        mend: the same.
        known: what is decided already.
        choices: what is to be chosen, and from what.
    """

    def __init__(
        self, received: str, expected: str, mend: str, known: Said, choices: Choices
    ) -> None:
        super().__init__(received, expected, mend)
        self.known, self.choices = known, choices


def together(questions: Sequence[Asked], known: Said) -> Asked:
    """Return several questions as one, with the message of the first."""
    first = questions[0]
    choices: dict[str, dict[str, Sequence[Any]]] = defaultdict(dict)
    for each in questions:
        for field, rows in each.choices.items():
            choices[field].update(rows)
    for each in questions:
        known = known.over(each.known)
    return Asked(first.received, first.expected, first.mend, known, choices)


class Asking:
    """Looks at one thing after the other, and keeps the questions that come up.

    Attributes:
        questions: what could not be told.
    """

    def __init__(self) -> None:
        self.questions: list[Asked] = []

    def __call__(self, find: Callable[P, T], *args: P.args, **options: P.kwargs) -> T | None:
        """Return what `find` finds, or None where it has to ask."""
        try:
            return find(*args, **options)
        except Asked as question:
            self.questions.append(question)
            return None
