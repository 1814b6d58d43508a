"""Proposes how a graph's variables answer to the weights of a Keras model, and says why.

From names, shapes and structure. Where shapes tie, names decide; where they tie too, order
proposes, and a proof has to confirm it: `Proposal.open` says which entries rest on order alone.
Nothing is proposed that leaves a variable over on either side.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import optimize

from parity.errors import BadInput, did_you_mean
from parity.graphfile import Optimizer, Variable
from parity.layout import Layout
from parity.slots import Slots
from parity.weights import Rule, basic_rnn, gru, lstm, reshaped, same

ONLY, NAMED, ORDERED = "the only one of its shape", "by name", "by order"
SAID = "as you say"

# Words that mean the same in names of variables.
ALIKE = (
    {"w", "weight", "weights", "kernel", "filter", "filters"},
    {"b", "bias", "biases"},
    {"embedding", "embeddings", "embed", "emb", "lookup", "table", "wte"},
    {"dense", "fc", "fully", "linear", "projection", "proj", "full"},
    {"out", "output", "outputs", "logits", "softmax", "score", "scores", "classes"},
    {"fw", "forward"},
    {"bw", "backward"},
    {"conv", "conv1d", "conv2d", "convolution"},
)
STEMS = {word: min(words) for words in ALIKE for word in words}


@dataclasses.dataclass(frozen=True)
class Entry:
    """Some variables of the graph, and the Keras weights that they are.

    Args:
        rules: how they are laid out.
        reason: why they are paired: `ONLY`, `NAMED` or `ORDERED`, and what else was seen.
        among: what `path` might as well be, itself first, where order alone decided.
    """

    rules: tuple[Rule, ...]
    reason: str
    among: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a user calls it in the graph: a variable, or the scope of a cell."""
        return _scope(self.tf1)

    @property
    def path(self) -> str:
        """What a user calls it in the Keras model: a weight, or the path of a cell."""
        return _scope(self.keras)

    @property
    def tf1(self) -> tuple[str, ...]:
        """Names in the graph."""
        return tuple(name for rule in self.rules for name in rule.tf1)

    @property
    def keras(self) -> tuple[str, ...]:
        """Paths in the Keras model."""
        return tuple(path for rule in self.rules for path in rule.keras)


@dataclasses.dataclass(frozen=True)
class Proposal:
    """A complete mapping of weights.

    Args:
        entries: in the order of the Keras model.
    """

    entries: tuple[Entry, ...]

    @property
    def open(self) -> tuple[Entry, ...]:
        """Entries that rest on order alone, so that a proof has to confirm them."""
        return tuple(entry for entry in self.entries if ORDERED in entry.reason)

    @property
    def unsure(self) -> tuple[Entry, ...]:
        """Entries that may be wrong where a proof fails: their shapes did not decide."""
        named = tuple(entry for entry in self.entries if NAMED in entry.reason)
        return named + self.open

    def layout(self, slots: Slots) -> Layout:
        """Return the mapping as layout rules."""
        return Layout(tuple(rule for entry in self.entries for rule in entry.rules), slots)


@dataclasses.dataclass(frozen=True)
class Weight:
    """A weight of a Keras model: its path, and its sizes."""

    path: str
    shape: tuple[int, ...]


def propose(
    variables: Sequence[Variable],
    layers: Sequence[Mapping[str, Any]],
    said: Mapping[str, str] | None = None,
) -> Proposal:
    """Propose a mapping of all weights.

    Args:
        variables: of the graph, without slots, in the order of their making.
        layers: of the Keras model, as `parity.runners.describing` tells them.
        said: variable -> path, or scope of a cell -> its path, where a user has decided.

    Raises:
        BadInput: no complete mapping is seen: lists what is left over on both sides.
    """
    left = {v.name: v for v in variables}
    entries, singles, wrong = _cells(layers, left, said or {})
    cells = {entry.name for entry in entries if SAID in entry.reason}
    for name, path in (said or {}).items():
        if name in cells:
            continue
        entries.append(_said(name, path, left, singles))
        del left[name]
        singles = [weight for weight in singles if weight.path != path]
    groups: dict[tuple[int, ...], tuple[list[Variable], list[Weight]]] = defaultdict(
        lambda: ([], [])
    )
    for variable in left.values():
        groups[squeezed(variable.shape)][0].append(variable)
    for weight in singles:
        groups[squeezed(weight.shape)][1].append(weight)
    for shape, (named, wanted) in groups.items():
        names, paths = [v.name for v in named], [w.path for w in wanted]
        if len(names) != len(paths):
            wrong.append(_unpaired(f"shape {shape}", names, paths))
            continue
        for i, j, reason in pairing(names, paths):
            rule = _rule(named[i], wanted[j])
            entries.append(Entry((rule,), reason, _among(paths, j, reason)))
    if wrong:
        raise BadInput(
            "\n  ".join(["the weights of graph and Keras model do not pair off:", *wrong]),
            "as many of each shape on both sides (an RNN cell's parts are stacked in the graph)",
            _mend(layers),
        )
    order = [w["path"] for layer in layers for w in layer["weights"]]
    return Proposal(tuple(sorted(entries, key=lambda entry: order.index(entry.keras[0]))))


def _mend(layers: Sequence[Mapping[str, Any]]) -> str:
    """Return what to do about weights that do not pair off."""
    resetting = [
        each["weights"][0]["path"].rpartition("/")[0]
        for each in layers
        if each["class"].removesuffix("Cell") == "GRU" and each["config"].get("reset_after")
    ]
    if resetting:
        return (
            f"TensorFlow 1 has no GRU that resets after its product: make {', '.join(resetting)} "
            "with GRU(reset_after=False)"
        )
    return "mend the Keras model, or say with --weight VARIABLE=PATH what belongs together"


def slots_of(
    optimizer: Optimizer, variables: Sequence[Variable], description: Mapping[str, Any]
) -> Slots:
    """Return how the slots of a graph's optimizer answer to those of a Keras one.

    Args:
        optimizer: as it was seen.
        variables: of the graph, slots too.
        description: of the Keras model's optimizer.

    Raises:
        BadInput: there is no rule for slots of this kind.
    """
    kind = optimizer.kind
    if kind not in SLOTS:
        raise BadInput(
            f"the graph trains with {kind}, whose slots have no rule yet",
            f"one of {', '.join(SLOTS)}",
        )
    own = set(optimizer.slots) - set(optimizer.averages)
    names, suffixes = set(own), []
    for variable in optimizer.variables:
        for slot in own:
            if slot.startswith(f"{variable}/") and "/" not in slot[len(variable) + 1 :]:
                names.discard(slot)
                if slot[len(variable) + 1 :] not in suffixes:
                    suffixes.append(slot[len(variable) + 1 :])
    per_weight = dict(zip(sorted(suffixes), _named(kind, suffixes), strict=True))
    averages = _averages(optimizer, description)
    powers = sorted(name for name in names if re.search(r"beta[12]_power", name))
    counters = {v.name: v.dtype for v in variables if v.name in names - set(powers)}
    if all(keras in description["slots"] for keras in ("beta1_power", "beta2_power")):
        shared = dict(zip(powers, ("beta1_power", "beta2_power"), strict=True))
        return Slots(per_weight, shared, counters, averages=averages)
    by_steps = dict(zip(powers, description["betas"], strict=False))
    return Slots(per_weight, {}, counters, by_steps, averages)


def _averages(optimizer: Optimizer, description: Mapping[str, Any]) -> dict[str, str]:
    """Return what an average is called on both sides, where the graph keeps some.

    Raises:
        BadInput: the Keras optimizer keeps none.
    """
    if optimizer.averages and not any(slot.endswith("_average") for slot in description["slots"]):
        raise BadInput(
            f"the graph keeps moving averages, such as {optimizer.averages[0]}, and the Keras "
            "optimizer none",
            "averages on both sides",
            "make an optimizer of keras_v2.optimizers with use_ema=True",
        )
    return {name.rpartition("/")[2]: "average" for name in optimizer.averages}


def _named(kind: str, suffixes: Sequence[str]) -> tuple[str, ...]:
    """Return what Keras calls the slots of a variable.

    Raises:
        BadInput: an optimizer of this kind has others.
    """
    options = [SLOTS[kind], CENTERED] if kind == "RMSPropOptimizer" else [SLOTS[kind]]
    for names in options:
        if len(names) == len(suffixes):
            return names
    raise BadInput(
        f"{kind} keeps {', '.join(suffixes) or 'no slots'} of a variable",
        f"as many as there are in {' or '.join(map(str, options))}",
    )


CENTERED = ("velocity", "average_gradient", "momentum")  # the slots of a centered RMSProp
# Kind of TensorFlow 1 optimizer -> Keras's names of its slots, in the order of TensorFlow 1's.
SLOTS: Mapping[str, tuple[str, ...]] = {
    "AdadeltaOptimizer": ("accumulated_grad", "accumulated_delta_var"),
    "AdagradOptimizer": ("accumulator",),
    "AdamOptimizer": ("momentum", "velocity"),
    "AdamWeightDecayOptimizer": ("momentum", "velocity"),
    "FtrlOptimizer": ("accumulator", "linear"),
    "MomentumOptimizer": ("momentum",),
    "RMSPropOptimizer": ("velocity", "momentum"),
    "GradientDescentOptimizer": (),
}


def squeezed(shape: Iterable[int]) -> tuple[int, ...]:
    """Return sizes without ones: a Conv1D's kernel is a conv2d's with one row."""
    return tuple(size for size in shape if size != 1)


def likeness(name: str, path: str) -> float:
    """Return how much two names have in common, 0 to 1: the share of their words, numbers too."""
    one, other = words(name), words(path)
    return len(one & other) / len(one | other) if one | other else 0.0


def words(name: str) -> set[str]:
    """Return the words of a name, of synonyms always the same one."""
    parts = re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    return {STEMS.get(part, part) for part in parts}


def pairing(names: Sequence[str], paths: Sequence[str]) -> list[tuple[int, int, str]]:
    """Pair as many names as paths, all of one shape; return their places, and why.

    The reason is `ONLY`, `NAMED`, or begins with `ORDERED`.
    """
    if len(names) < 2:
        return [(0, 0, ONLY)] if names else []
    score = np.array([[likeness(name, path) for path in paths] for name in names])
    rows, columns = optimize.linear_sum_assignment(-score)
    best, next_best = score[rows, columns].sum(), _next_best(score, rows, columns)
    if best > next_best and not np.isclose(best, next_best):
        return [(int(i), int(j), NAMED) for i, j in zip(rows, columns, strict=True)]
    return [(i, i, f"{ORDERED}: {len(names)} have this shape") for i in range(len(names))]


def _among(paths: Sequence[str], chosen: int, reason: str) -> tuple[str, ...]:
    """Return what might have been chosen as well, what was chosen first; nothing if it is sure."""
    if not reason.startswith(ORDERED):
        return ()
    return (paths[chosen], *paths[:chosen], *paths[chosen + 1 :])


def _scope(names: Sequence[str]) -> str:
    """Return what names have in common, up to a slash."""
    return names[0] if len(names) == 1 else posixpath.commonpath(names)


def _unpaired(what: str, names: Sequence[str], paths: Sequence[str]) -> str:
    ours, theirs = ", ".join(names) or "none", ", ".join(paths) or "none"
    return f"{what}: in the graph {ours}; in Keras {theirs}"


def _next_best(score: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> float:
    """Return the total of the best pairing that is not the best one."""
    totals = []
    for row, column in zip(rows, columns, strict=True):
        other = score.copy()
        other[row, column] = -len(score)
        found = optimize.linear_sum_assignment(-other)
        totals.append(float(other[found].sum()))
    return max(totals)


def _rule(variable: Variable, weight: Weight) -> Rule:
    if variable.shape == weight.shape:
        return same(variable.name, weight.path)
    return reshaped(variable.name, weight.path, variable.shape, weight.shape)


def _said(name: str, path: str, left: Mapping[str, Variable], singles: Sequence[Weight]) -> Entry:
    paths = [each.path for each in singles]
    for what, given, known in (("variable", name, [*left]), ("weight", path, paths)):
        if given not in known:
            raise BadInput(
                f"{name}={path}: no such {what}",
                f"one of {', '.join(known)}",
                did_you_mean(given, known),
            )
    weight = singles[paths.index(path)]
    if squeezed(left[name].shape) != squeezed(weight.shape):
        raise BadInput(f"{name} {left[name].shape} cannot be {path} {weight.shape}", "one shape")
    return Entry((_rule(left[name], weight),), SAID)


def _cells(
    layers: Sequence[Mapping[str, Any]], left: dict[str, Variable], said: Mapping[str, str]
) -> tuple[list[Entry], list[Weight], list[str]]:
    """Pair RNN cells, whose parts lie in one scope of the graph; take their variables from `left`.

    Returns:
        What was paired; the weights of all other layers; and cells that do not pair off.
    """
    cells: dict[tuple[str, int, int], list[str]] = defaultdict(list)
    singles: list[Weight] = []
    for layer in layers:
        weights = [Weight(w["path"], tuple(w["shape"])) for w in layer["weights"]]
        kind = layer["class"].removesuffix("Cell")
        if kind in CELLS and not layer["config"].get("reset_after"):  # TensorFlow 1 has no such GRU
            inputs, units = weights[0].shape[0], weights[1].shape[0]
            cells[kind, inputs, units].append(weights[0].path.rpartition("/")[0])
        else:
            singles += weights
    entries, wrong = [], []
    for (kind, inputs, units), paths in cells.items():
        parts, _ = CELLS[kind]
        scopes = _scopes({part: size(inputs, units) for part, size in parts.items()}, left)
        for scope, path in said.items():
            if scope in scopes:
                if path not in paths:
                    received = f"{scope}={path}: no such {kind} cell"
                    raise BadInput(
                        received, f"one of {', '.join(paths)}", did_you_mean(path, paths)
                    )
                entries.append(Entry(_cell(kind, scope, path, left), f"an RNN cell, {SAID}"))
                scopes.remove(scope)
                paths.remove(path)
        if len(scopes) != len(paths):
            what = f"{kind} cells of {inputs} inputs and {units} units"
            wrong.append(_unpaired(what, scopes, paths))
            continue
        for i, j, reason in pairing(scopes, paths):
            parts_of = _cell(kind, scopes[i], paths[j], left)
            among = _among(paths, j, reason)
            entries.append(Entry(parts_of, f"an RNN cell, {reason}", among))
        for name in [name for entry in entries for name in entry.tf1]:
            left.pop(name, None)
    return entries, singles, wrong


def _cell(kind: str, scope: str, path: str, left: Mapping[str, Variable]) -> tuple[Rule, ...]:
    """Return the rules of a cell; an LSTM's has the forget bias that was seen in the graph."""
    if kind == "LSTM":
        added = left[f"{scope}/bias"].forget_bias
        return lstm(scope, path) if added is None else lstm(scope, path, added)
    return CELLS[kind][1](scope, path)


def _scopes(parts: Mapping[str, tuple[int, ...]], left: Mapping[str, Variable]) -> list[str]:
    """Return every scope of the graph that holds variables of these names and sizes."""
    first = next(iter(parts))
    scopes = [name[: -len(first) - 1] for name in left if name.endswith("/" + first)]
    return [
        scope
        for scope in scopes
        if all(
            f"{scope}/{part}" in left and left[f"{scope}/{part}"].shape == size
            for part, size in parts.items()
        )
    ]


# Kind of Keras cell -> the parts of TensorFlow 1's with their sizes, and the rules.
Sizes = Callable[[int, int], tuple[int, ...]]
CELLS: Mapping[str, tuple[Mapping[str, Sizes], Callable[[str, str], tuple[Rule, ...]]]] = {
    "LSTM": (
        {"kernel": lambda i, u: (i + u, 4 * u), "bias": lambda i, u: (4 * u,)},
        lstm,
    ),
    "SimpleRNN": (
        {"kernel": lambda i, u: (i + u, u), "bias": lambda i, u: (u,)},
        basic_rnn,
    ),
    "GRU": (
        {
            "gates/kernel": lambda i, u: (i + u, 2 * u),
            "gates/bias": lambda i, u: (2 * u,),
            "candidate/kernel": lambda i, u: (i + u, u),
            "candidate/bias": lambda i, u: (u,),
        },
        gru,
    ),
}
