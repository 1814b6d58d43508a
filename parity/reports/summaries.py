"""A run in Markdown, as the page of a continuous integration job shows it."""

from __future__ import annotations

from parity.errors import AGREE, ENGINE_FAILED
from parity.figures import MEMORY, TIME, figures
from parity.keys import RUNGS
from parity.moved import Moved
from parity.reports import moves
from parity.reports.words import explain_all, figure
from parity.results import Outcome, Run, gravest, verdict

NOTHING = "-"


def markdown(run: Run, moved: Moved | None = None) -> str:
    """Return a run in Markdown: the verdicts, what moved, what a step costs, every failure."""
    agreed = sum(outcome.exit_code == AGREE for outcome in run.outcomes)
    lines = [f"# parity: {agreed} of {len(run.outcomes)} pairs agree", ""]
    made_by = [f"tf-parity {run.version}", run.commit and f"commit {run.commit}", run.machine]
    lines += [f"{', '.join(filter(None, made_by))}; {run.started}, {run.seconds:.0f} s.", ""]
    lines += [f"**{each}**" for each in _synthetic(run)]
    head = ("pair", "bits", *RUNGS, "of bound", "verdict")
    lines += [_row(*head), _row(*["---"] * len(head))]
    lines += [line for outcome in run.outcomes for line in _verdicts(outcome)]
    if moved:
        lines += ["", "## What moved", "", moves.markdown(moved).rstrip()]
    costs = [line for outcome in run.outcomes for line in _costs(outcome)]
    if costs:
        lines += ["", "## A training step", "", _row("pair", "engine", "ms", "MiB", "rounds")]
        lines += [_row(*["---"] * 5), *costs]
    failures = [text for outcome in run.outcomes for text in explain_all(outcome)]
    if failures:
        lines += ["", "## Where they part"]
        lines += [f"\n```text\n{text}\n```" for text in failures]
    notes = [*run.notes, *(f"{o.pair}: {note}" for o in run.outcomes for note in o.notes)]
    lines += ["", *(f"- {note}" for note in notes)] if notes else []
    return "\n".join(lines) + "\n"


def _verdicts(outcome: Outcome) -> list[str]:
    """Return a row a dtype: the largest difference of any two engines at every rung."""
    rows = []
    for dtype in dict.fromkeys(c.dtype for c in outcome.comparisons):
        found = [c for c in outcome.comparisons if c.dtype == dtype]
        cells = []
        for rung in RUNGS:
            judged = [c.largest(rung) for c in found if c.status(rung) != "not judged"]
            sizes = [difference.error for difference in judged if difference]
            failed = any(c.status(rung) == "failed" for c in found)
            cells.append(("✗ " * failed + figure(max(sizes))) if sizes else NOTHING)
        shares = [f.used for c in found for r in RUNGS if (f := c.nearest(r))]
        code = gravest([*(c.exit_code for c in found), *[ENGINE_FAILED] * (not outcome.finished)])
        used = f"{max(shares):.0%}" if shares else NOTHING
        rows.append(_row(outcome.pair, dtype.removeprefix("float"), *cells, used, verdict(code)))
    return rows


def _costs(outcome: Outcome) -> list[str]:
    found = list(figures(outcome))
    memory = {f.what: f"{f.value / 2**20:.0f}" for f in found if f.kind == MEMORY}
    return [
        _row(
            f.pair, f.what, f"{f.value * 1e3:.3g}", memory.get(f.what, NOTHING), str(len(f.sample))
        )
        for f in found
        if f.kind == TIME
    ]


def _synthetic(run: Run) -> list[str]:
    """Return, once a corpus, what says that it was made up."""
    made_up = [outcome.origin for outcome in run.outcomes if outcome.origin.synthetic]
    return list(dict.fromkeys(origin.announcement for origin in made_up))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
