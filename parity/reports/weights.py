"""The picture of every weight in training: gradient, update and slots beside their bounds."""

from __future__ import annotations

import dataclasses
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from parity import keys
from parity.comparing import Difference
from parity.reports.plots import COLOURS, DTYPES, WRONG, Numbers, announce, draw_points
from parity.reports.words import figure as quoted
from parity.results import Outcome

MOST = 24  # weights in the picture: those that use most of their bounds; the table has all
LOWEST, BEYOND = 1e-6, 3.0  # where no difference is drawn, and one beyond its bound
# What is shown of a weight -> mark.
MARKS = {"gradient": "o", "weight after an update": "^", "slot after an update": "s"}
_WHAT = {"weights": "weight after an update", "slots": "slot after an update"}


@dataclasses.dataclass
class Weight:
    """What was found of one weight.

    Args:
        name: of the reference.
        found: (what, dtype) -> the account that uses most of its bound.
    """

    name: str
    found: dict[tuple[str, str], Difference] = dataclasses.field(default_factory=dict)

    @property
    def used(self) -> float:
        """The largest share of a bound."""
        return max(d.used for d in self.found.values())


def weights(outcome: Outcome) -> list[Weight]:
    """Return every weight that has a gradient, the one nearest its bound first."""
    compared = [(c.dtype, d) for c in outcome.comparisons for d in c.differences]
    names = {keys.parse(d.key).name for _, d in compared if d.rung == "gradients"}
    known = {name: Weight(name) for name in sorted(names)}
    for dtype, difference in compared:
        key = keys.parse(difference.key)
        what = "gradient" if key.rung == "gradients" else _WHAT.get(key.kind, "")
        # A slot is named WEIGHT/SLOT.
        name = key.name.rpartition("/")[0] if key.kind == "slots" else key.name
        if what and name in known and key.rung != "curve":
            found = known[name].found
            if (what, dtype) not in found or found[what, dtype].used < difference.used:
                found[what, dtype] = difference
    return sorted(known.values(), key=lambda weight: -weight.used)


def numbers(outcome: Outcome) -> Numbers | None:
    """Return a row a weight and dtype: difference and share of the bound of each of its tensors."""
    rows = []
    for weight in weights(outcome):
        for dtype in DTYPES:
            found = [weight.found.get((what, dtype)) for what in MARKS]
            if any(found):
                rows.append((weight.name, dtype, *map(_cell, found)))
    return Numbers(("weight", "dtype", *MARKS), rows) if rows else None


def draw(outcome: Outcome) -> Figure | None:
    """Draw a row a weight: the share of its bound that gradient, update and slots use."""
    rows = weights(outcome)
    if not rows:
        return None
    drawn = rows[:MOST]
    figure, axes = plt.subplots(figsize=(9.5, 1.7 + 0.27 * len(drawn)), layout="constrained")
    for what, mark in MARKS.items():
        for dtype, (engine, _, offset) in DTYPES.items():
            shown = [
                (_place(weight.found[what, dtype]), row + offset)
                for row, weight in enumerate(drawn)
                if (what, dtype) in weight.found
            ]
            style: Any = {"ms": 5, "mew": 0, "alpha": 0.8, "color": COLOURS[engine]}
            draw_points(axes, shown, marker=mark, **style)
    wrong = [
        (_place(difference), row + DTYPES[dtype][2])
        for row, weight in enumerate(drawn)
        for (_, dtype), difference in weight.found.items()
        if not difference.passed
    ]
    draw_points(axes, wrong, marker="x", color=WRONG, ms=9, mew=2)
    for what, mark in MARKS.items():
        axes.plot([], [], mark, color="0.4", ms=5, mew=0, label=what)
    for dtype, (engine, _, _) in DTYPES.items():
        axes.plot([], [], "_", color=COLOURS[engine], ms=12, mew=3, label=dtype)
    axes.axvline(1, color="black", lw=1, ls=":")
    axes.set(xscale="log", xlim=(LOWEST / 1.6, BEYOND * 2), xlabel="share of the bound")
    ticks = [LOWEST, 1e-4, 1e-2, 0.1, 1]
    axes.set_xticks(ticks, ["0", "0.01 %", "1 %", "10 %", "the bound"])
    axes.set_yticks(range(len(drawn)), [weight.name for weight in drawn], fontsize=8)
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    more = f", the {MOST} nearest their bounds of {len(rows)}" if len(rows) > MOST else ""
    axes.set_title(f"{outcome.pair}: gradients, updates and slots of every weight{more}")
    figure.legend(loc="outside lower center", ncols=5, fontsize=8.5)
    announce(figure, outcome)
    return figure


def _place(difference: Difference) -> float:
    """Return where a share of a bound is drawn on an axis that has neither zero nor infinity."""
    return min(max(difference.used, LOWEST), BEYOND)


def _cell(difference: Difference | None) -> str:
    return f"{quoted(difference.error)} ({difference.used:.1%})" if difference else ""
