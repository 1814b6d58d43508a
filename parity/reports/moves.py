"""What moved between two runs: in words, as a table, in Markdown and as a picture."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from rich.markup import escape
from rich.table import Table

from parity.figures import DIFFERENCE, MEMORY, PROCESSOR, TIME, Figure, Summary
from parity.moved import BETTER, SAME, UNKNOWN, WORSE, Move, Moved
from parity.reports.markdown import table as markdown_table
from parity.reports.plots import COLOURS, FLOOR, STYLE, WRONG, save
from parity.reports.words import figure
from parity.results import verdict

MOST = 12  # moves of a verdict that a report shows; the others are counted
HEADS = ("pair", "figure", "before", "now", "factor", "of bound", "verdict")
ORDER = (WORSE, UNKNOWN, BETTER, SAME)
MARKS = {WORSE: "red bold", UNKNOWN: "yellow", BETTER: "green", SAME: "dim"}


def headline(moved: Moved) -> str:
    """Return how many figures moved, in one line."""
    counts = ", ".join(f"{len(moved.named(word))} {word}" for word in ORDER)
    return f"against {label(moved.before)}: {counts}"


def label(summary: Summary) -> str:
    """Return what a run is called, with its day and commit."""
    known = [summary.started.partition("T")[0], summary.commit and f"commit {summary.commit}"]
    also = ", ".join(each for each in known if each)
    return f"{summary.name} ({also})" if also else summary.name


def remarks(moved: Moved) -> list[str]:
    """Return what else is to be known: verdicts first, then what cannot be told, then versions."""
    lines = [
        f"verdict of {pair}: {verdict(before)} before, {verdict(now)} now"
        for pair, (before, now) in moved.verdicts.items()
    ]
    lines += [f"not held against the baseline: {each}" for each in moved.apart]
    if moved.absent:
        lines.append(f"only in {moved.before.name}: {', '.join(moved.absent)}")
    unknown = [move.why for move in moved.named(UNKNOWN)]
    lines += [f"{unknown.count(why)} cannot be told: {why}" for why in dict.fromkeys(unknown)]
    versions = moved.versions
    lines += [
        f"{name}: {before or 'none'} before, {now or 'none'} now"
        for name, (before, now) in versions.items()
    ]
    if not versions:
        lines.append("versions and machine are the same")
    return lines


def table(moved: Moved) -> Table:
    """Return the table of what moved; what stayed is counted in the headline."""
    found = Table(box=None, header_style="bold", pad_edge=False)
    for head in HEADS:
        right = head in ("before", "now", "factor")
        found.add_column(head, justify="right" if right else "left", overflow="fold")
    for move in shown(moved):
        *cells, _ = _row(move)  # what a verdict rests on would not fit
        found.add_row(*map(escape, cells), f"[{MARKS[move.verdict]}]{move.verdict}[/]")
    return found


def markdown(moved: Moved) -> str:
    """Return all of it in Markdown, for the page of a job."""
    lines = [headline(moved).capitalize() + ".", ""]
    lines += [f"- {line}" for line in remarks(moved)]
    if rows := [_row(move) for move in shown(moved)]:
        lines += ["", markdown_table(HEADS, rows)]
    return "\n".join(lines) + "\n"


def shown(moved: Moved) -> list[Move]:
    """Return the moves that a report shows: what is worse, unknown or better, and every cost."""
    found = [move for word in ORDER[:-1] for move in moved.named(word)[:MOST]]
    costs = [m for m in moved.named(SAME) if m.now.kind != DIFFERENCE]
    return found + sorted(costs, key=lambda move: move.now.key)[:MOST]


def value(one: Figure, number: float | None = None) -> str:
    """Return a figure as people quote it, with its unit."""
    size = one.value if number is None else number
    if one.kind in (TIME, PROCESSOR):
        return f"{size * 1e3:.3g} ms"
    return f"{size / 2**20:.0f} MiB" if one.kind == MEMORY else figure(size)


def said(move: Move) -> str:
    """Return a verdict with what it rests on."""
    if move.chance is not None:
        return f"{move.verdict}: by chance 1 in {1 / move.chance:,.0f}"
    return move.verdict if move.verdict == SAME else f"{move.verdict}: {move.why}"


def title(one: Figure) -> str:
    """Return what a figure is of, in words."""
    names = {
        TIME: "a step of {}",
        PROCESSOR: "a step of {}, processor time",
        MEMORY: "peak memory of {}",
        DIFFERENCE: "{}",
    }
    return names[one.kind].format(one.what)


def write(folder: Path, moved: Moved) -> list[Path]:
    """Draw ``moved.png`` if anything moved; return its path."""
    if not shown(moved):
        return []
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        return [save(draw(moved), folder / "moved.png")]


def draw(moved: Moved) -> Picture:
    """Draw every value of what moved, in units of its median before: a row a figure."""
    moves = shown(moved)
    picture, axes = plt.subplots(figsize=(9.5, 1.6 + 0.36 * len(moves)), layout="constrained")
    colours = {WORSE: WRONG, BETTER: "#009e73", UNKNOWN: "#e69f00", SAME: COLOURS["keras"]}
    for row, move in enumerate(moves):
        before, now = _drawn(move, move.before), _drawn(move, move.now)
        axes.plot(before, [row - 0.16] * len(before), "o", ms=4, mew=0, color="0.55", alpha=0.6)
        colour = colours[move.verdict]
        axes.plot(now, [row + 0.16] * len(now), "s", ms=4, mew=0, color=colour, alpha=0.6)
    axes.plot([], [], "o", color="0.55", mew=0, label=f"before: {label(moved.before)}")
    for word in dict.fromkeys(move.verdict for move in moves):
        axes.plot([], [], "s", color=colours[word], mew=0, label=f"now: {word}")
    axes.axvline(1, color="black", lw=1, ls=":")
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    if high < 30 * low:  # powers of ten would leave the axis without a label
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda factor, _: f"{factor:.3g}"))
    axes.set_yticks(range(len(moves)), [f"{m.now.pair}: {title(m.now)}" for m in moves])
    axes.set_ylim(len(moves) - 0.4, -0.6)
    axes.set_xlabel("value / median of the values before (times: by the yardstick)")
    axes.set_title("What moved, with the values that each verdict rests on")
    picture.legend(loc="outside lower center", ncols=2, fontsize=8.5)
    return picture


def _drawn(move: Move, one: Figure) -> np.ndarray:
    """Return a sample in units of the median before; zeros are drawn at a last bit."""
    dtype = "float64" if one.what.startswith("float64") else "float32"
    floor = FLOOR[dtype] if one.kind == DIFFERENCE else 0.0
    unit = max(float(np.median(move.before.sample)), floor)
    found = np.clip(np.array(one.sample), floor, unit * 1e6)  # (values,)
    return np.asarray(found / unit)


def _row(move: Move) -> tuple[str, ...]:
    before, now = move.before, move.now
    factor = f"{move.factor:.3g}" if math.isfinite(move.factor) else "from 0"
    used = ""
    if before.used is not None and now.used is not None:
        used = f"{before.used:.0%} to {now.used:.0%}"
    return now.pair, title(now), value(before), value(now), factor, used, said(move)
