"""Tells weights of one shape apart by their gradients, where names do not.

All that is tied is given the same values, so that it does not matter yet which is which; then both
sides differentiate their losses on the first batch, in float64. The variable and the weight whose
gradients are the same, and nobody else's, belong together.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from parity import keys
from parity.cases import make_case
from parity.checks import lead
from parity.comparing import Recording, compare
from parity.engines import LEADER, find
from parity.errors import ParityError
from parity.executor import Executor
from parity.pairfile import Proposed
from parity.proposals import SAID, Entry
from parity.results import Outcome
from parity.sides import Desk, Live
from parity.wire import Arrays

TOLD = "by its gradient"


def told_apart(proposed: Proposed, executor: Executor) -> dict[str, str]:
    """Return what gradients tell: variable or scope of a cell -> path of the weight or cell.

    What they do not tell is not in it: weights that do the same, as those of a layer that nothing
    reaches, and whatever the two models do not agree on. Nothing of models that do not train.
    """
    groups = tied(proposed.weights.open)
    if not groups or "gradients" not in proposed.pair.rungs:
        return {}
    try:
        expected, actual = _gradients(proposed, groups, executor)
    except ParityError:
        return {}  # the proof is going to meet it, and has more to say
    found: dict[str, str] = {}
    for group in groups:
        found.update(matches(group, expected, actual))
    return found


def tied(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return entries in groups, each of which might be any of its group."""
    groups: dict[frozenset[str], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[frozenset(entry.among)].append(entry)
    return list(groups.values())


def levelled(weights: Mapping[str, np.ndarray], groups: Sequence[Sequence[Entry]]) -> Arrays:
    """Return weights that are the same all over each group, in shapes of their own."""
    found = dict(weights)
    for first, *others in groups:
        for other in others:
            for name, model in zip(other.tf1, first.tf1, strict=True):
                found[name] = weights[model].reshape(weights[name].shape)
    return found


def matches(group: Sequence[Entry], expected: Recording, actual: Recording) -> dict[str, str]:
    """Return entry's name in the graph -> Keras's path, where gradients leave no other choice.

    Args:
        group: entries, paired by order.
        expected: the graph's gradients.
        actual: the Keras model's, under the names that the order gave them.
    """
    same = np.array([[_same(one, other, expected, actual) for other in group] for one in group])
    alone = same & (same.sum(0) == 1) & (same.sum(1, keepdims=True) == 1)
    return {group[i].name: group[j].path for i, j in np.argwhere(alone)}


def by_gradient(proposed: Proposed, told: Mapping[str, str]) -> Proposed:
    """Return a proposal that gives gradients, not the user, as the reason for what they told."""
    entries = tuple(
        dataclasses.replace(entry, reason=entry.reason.replace(SAID, TOLD))
        if entry.name in told
        else entry
        for entry in proposed.weights.entries
    )
    return dataclasses.replace(
        proposed, weights=dataclasses.replace(proposed.weights, entries=entries)
    )


def _gradients(
    proposed: Proposed, groups: Sequence[Sequence[Entry]], executor: Executor
) -> list[Recording]:
    """Return the gradients of the graph and of the Keras model, in float64, all ties levelled."""
    pair = proposed.pair
    desk = Desk(pair, executor, Outcome(pair.name, pair.data.load().origin))
    case = lead(desk, make_case(pair, "float32", pair.data.load(), steps=1))
    case = dataclasses.replace(case, weights=levelled(case.weights, groups)).in_dtype("float64")
    sides = [Live(desk, engine, case, ("gradients",)) for engine in (find("graph"), LEADER)]
    return [side.recording() for side in sides]


def _same(one: Entry, other: Entry, expected: Recording, actual: Recording) -> bool:
    wanted = {_key(name): expected[_key(name)] for name in one.tf1}
    given = (actual[_key(name)] for name in other.tf1)
    found = {key: g.reshape(w.shape) for (key, w), g in zip(wanted.items(), given, strict=True)}
    return all(difference.passed for difference in compare(wanted, found, "float64"))


def _key(name: str) -> str:
    return str(keys.Key("gradients", "", "", name))
