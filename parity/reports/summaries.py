"""A run in Markdown, as the page of a continuous integration job shows it."""

from __future__ import annotations

from parity.errors import ENGINE_FAILED
from parity.keys import RUNGS
from parity.moved import Moved
from parity.reports import moves, tables
from parity.reports.markdown import table as markdown_table
from parity.reports.words import explain_all, figure, sentence
from parity.results import Outcome, Run, gravest, verdict

NOTHING = "-"


def markdown(run: Run, moved: Moved | None = None) -> str:
    """Return a run in Markdown: the verdicts, what moved, what a step costs, every failure."""
    lines = [f"# {sentence(run)}", ""]
    made_by = [f"tf-parity {run.version}", run.commit and f"commit {run.commit}", run.machine]
    lines += [f"{', '.join(filter(None, made_by))}; {run.started}, {run.seconds:.0f} s.", ""]
    lines += [f"**{each}**" for each in _synthetic(run)]
    rows = [row for outcome in run.outcomes for row in _verdicts(outcome)]
    lines += [markdown_table(("pair", "bits", *RUNGS, "of bound", "verdict"), rows)]
    if moved:
        lines += ["", "## What moved", "", moves.markdown(moved).rstrip()]
    costs = [(outcome.pair, *row) for outcome in run.outcomes for row in tables.costs(outcome)]
    if costs:
        lines += ["", "## A training step", "", markdown_table(("pair", *tables.COSTS), costs)]
    failures = [text for outcome in run.outcomes for text in explain_all(outcome)]
    if failures:
        lines += ["", "## Where they part"]
        lines += [f"\n```text\n{text}\n```" for text in failures]
    notes = [*run.notes, *(f"{o.pair}: {note}" for o in run.outcomes for note in o.notes)]
    lines += ["", *(f"- {note}" for note in notes)] if notes else []
    return "\n".join(lines) + "\n"


def _verdicts(outcome: Outcome) -> list[tuple[str, ...]]:
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
        shares = [part for c in found for r in RUNGS if (part := c.share(r)) is not None]
        code = gravest([*(c.exit_code for c in found), *[ENGINE_FAILED] * (not outcome.finished)])
        used = tables.share(shares) or NOTHING
        rows.append((outcome.pair, dtype.removeprefix("float"), *cells, used, verdict(code)))
    return rows


def _synthetic(run: Run) -> list[str]:
    """Return, once a corpus, what says that it was made up."""
    made_up = [outcome.origin for outcome in run.outcomes if outcome.origin.synthetic]
    return list(dict.fromkeys(origin.announcement for origin in made_up))
