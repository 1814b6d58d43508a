"""What studies have found, as tables for a terminal and as a page of Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from parity import wire
from parity.findings import ENGINES, STOCK, Counted, Equivalence, Reproduced, Study
from parity.records import Record
from parity.reports import markdown

COLOURS = {"within": "green", "equivalent": "green", "outside": "red bold", "different": "yellow"}
PICTURE = "curves.png"
INTRODUCTION = """\
# What was published, and what comes of it here

Made by `parity reproduce`, or by its `--report`, from the trainings kept in [{folder}]({folder}).

Every number that the models' authors printed, beside what the graph (`tf.compat.v1`) and the
Keras 3 rewrite come to, each trained on the real corpus by the published schedule with its own
initial weights and random numbers. A figure is within its margin if the means over the seeds of
both engines are. Margins and their reasons stand in the rows of `parity/pairs`, and did so before
anything was trained against them. What the authors left open, and how it was decided, is in
`docs/models.md`.
"""
STOCK_LANE = """\
## The stock lane

Keras with the optimizer that a rewrite would pick, and its own random numbers, against the graph
with TensorFlow 1's; and beside it the rewrite of this repository, whose optimizer has TensorFlow
1's arithmetic. Final test metrics are equivalent if two one-sided tests (Welch's, 5 % each) say
that the means lie within the margin; the interval is the 90 % one that belongs to them.
"""


def figures_table(studies: Sequence[Study]) -> Table:
    """Return a row a published figure: what the engines came to, mean over the seeds."""
    table = Table("", "published", "margin", *ENGINES, "verdict")
    table.box, table.header_style = None, "bold"
    for study in studies:
        for number, row in enumerate(study.figures):
            if not number:
                table.add_row(f"[bold]{study.pair}[/]")
            values = [_mean(row, engine) for engine in ENGINES]
            table.add_row(
                f"  {escape(_short(row.figure.what))}",
                f"{row.figure.value:g}",
                f"{row.figure.margin.size:g}",
                *values,
                _coloured(row.verdict),
            )
    return table


def counts_table(studies: Sequence[Study]) -> Table:
    """Return a row a published count that is not what was counted here."""
    table = Table("", "published", "here", "why", box=None, header_style="bold")
    for study in studies:
        for row in study.counts:
            if row.verdict != "within":
                here = ", ".join(sorted({f"{n:,}" for n in row.found.values()})) or row.verdict
                what = f"{study.pair}: {row.count.what}"
                table.add_row(escape(what), f"{row.count.value:,}", here, escape(row.count.reason))
    return table


def equivalences_table(studies: Sequence[Study]) -> Table:
    """Return a row a side and metric: the difference of final means, and its verdict."""
    table = Table("", "margin", "difference, 90 %", "p", "verdict")
    table.box, table.header_style = None, "bold"
    for study in studies:
        for number, row in enumerate(study.equivalences):
            if not number:
                table.add_row(f"[bold]{study.pair}[/]")
            table.add_row(
                f"  {_side(study, row)}, test {row.metric}",
                f"{row.margin.size:g}",
                _interval(row),
                _p(row.p),
                _coloured(row.verdict),
            )
    return table


def tally(studies: Iterable[Study]) -> tuple[int, int, int]:
    """Return how many published numbers are within their margins, outside, and open."""
    rows: list[Reproduced | Counted] = []
    for study in studies:
        rows += [*study.figures, *study.counts]
    within, outside = (
        sum(row.verdict == verdict for row in rows) for verdict in ("within", "outside")
    )
    return within, outside, len(rows) - within - outside


def conclusion(studies: Sequence[Study]) -> str:
    """Return in one sentence how many published numbers are reproduced."""
    within, outside, left = tally(studies)
    said = f"{within} of {within + outside + left} published numbers are within their margins"
    said += f", {outside} outside" if outside else ""
    return said + (f", {left} not trained or counted yet" if left else "")


def sentences(study: Study) -> list[str]:
    """Say where and by how much a side trains otherwise than the graph, a sentence a metric."""
    found = []
    for row in study.equivalences:
        widest, size = row.difference[row.widest - 1], row.margin.size
        if abs(widest) > size:
            course = (
                f"{abs(widest):.4f} {'higher' if widest > 0 else 'lower'} after epoch {row.widest}"
            )
            course += (
                f", surely within {size:g} from epoch {row.settled} on"
                if row.settled
                else f", and not surely within {size:g} at the end"
            )
        else:
            course = f"never more than {abs(widest):.4f} from the graph's"
        verdict = {
            "equivalent": "equivalent",
            "different": "not equivalent: the difference is surely larger than the margin",
            "not shown": "equivalence not shown",
        }[row.verdict]
        found.append(
            f"{_side(study, row)}, test {row.metric}: {course}. In the end {_interval(row)}, "
            f"{verdict} ({_p(row.p, 'p ')})."
        )
    return found


def page(studies: Sequence[Study], pictures: str) -> str:
    """Return the page.

    Args:
        studies: what was found, a pair each.
        pictures: the folder of pictures, from where the page is.
    """
    trained = [record for study in studies for record in study.records]
    parts = [
        INTRODUCTION.format(folder=pictures),
        f"**{conclusion(studies)}.** {_rests_on(trained)}\n",
        _figures(studies),
        _counts(studies),
        _times(studies),
        _margins(studies),
    ]
    if any(study.equivalences for study in studies):
        parts.append(_stock(studies))
    drawn = [study.pair for study in studies if pictured(study)]
    if drawn:
        parts.append("## Curves\n\nMeans over the seeds, and the band that holds 90 % of them.\n")
        parts += [
            f"![{pair}: curves of every side]({pictures}/{pair}/{PICTURE})\n" for pair in drawn
        ]
    return "\n".join(parts)


def write(folder: Path, studies: Sequence[Study]) -> Path:
    """Write the page beside the folder of trainings; return its path."""
    path = folder.with_suffix(".md")
    wire.write_text(path, page(studies, folder.name))
    return path


def pictured(study: Study) -> bool:
    """Tell whether there are curves to draw: trainings of more than an epoch."""
    return any(len(record.curves["test_loss"]) > 1 for record in study.records)


def _figures(studies: Sequence[Study]) -> str:
    head = ("pair", "what", "published", "margin", "graph", "keras", "keras - graph", "verdict")
    rows = []
    for study in studies:
        for row in study.figures:
            both = all(engine in row.found for engine in ENGINES)
            cells = (
                f"`{study.pair}`",
                row.figure.what,
                f"{row.figure.value:g}",
                f"{row.figure.margin.size:g}",
                *(_sample(row, engine) for engine in ENGINES),
                f"{row.mean('keras') - row.mean('graph'):+.4f}" if both else "",
                row.verdict,
            )
            rows.append(cells)
    table = markdown.table(head, rows, right=("published", "margin", "keras - graph"))
    said = "Mean over the seeds, standard deviation, number of seeds."
    return f"## Figures of training\n\n{said}\n\n{table}\n"


def _counts(studies: Sequence[Study]) -> str:
    rows = []
    for study in studies:
        for row in study.counts:
            here = ", ".join(f"{who} {number:,}" for who, number in row.found.items())
            if row.verdict == "outside" and row.count.reason:
                here += f": {row.count.reason}"
            rows.append(
                (f"`{study.pair}`", row.count.what, f"{row.count.value:,}", here, row.verdict)
            )
    head = ("pair", "what", "published", "here", "verdict")
    table = markdown.table(head, rows, right=("published",))
    also = (
        "What was printed of cells and layers alone is computed by the examples of "
        "`docs/rnn_tour.md`, which the tests run."
    )
    return f"## Counts\n\n{table}\n\n{also}\n"


def _times(studies: Sequence[Study]) -> str:
    rows = []
    for study in studies:
        here = [_minutes([r.seconds for r in study.records if r.side == side]) for side in ENGINES]
        if study.published.times or any(here):
            shown = ", ".join(filter(None, here))
            rows.append((f"`{study.pair}`", study.published.times or "-", shown or "-"))
    table = markdown.table(("pair", "published", "a whole training here, graph and keras"), rows)
    said = "Published times are of the authors' hardware, and held against nothing."
    return f"## Times\n\n{said}\n\n{table}\n"


def _margins(studies: Sequence[Study]) -> str:
    lines = ["## Why these margins", ""]
    for study in studies:
        lines += [
            f"- `{study.pair}`, {row.figure.what}: {row.figure.margin.size:g}, "
            f"{row.figure.margin.reason}."
            for row in study.figures
        ]
    return "\n".join(lines) + "\n"


def _stock(studies: Sequence[Study]) -> str:
    rows = [
        (
            f"`{study.pair}`",
            _side(study, row),
            str(min(row.seeds)),
            row.metric,
            f"{row.margin.size:g}",
            _interval(row),
            _p(row.p),
            row.verdict,
        )
        for study in studies
        for row in study.equivalences
    ]
    head = ("pair", "side", "seeds", "test metric", "margin", "difference of means, 90 %", "p")
    table = markdown.table((*head, "verdict"), rows, right=("seeds", "margin", "p"))
    lines = [STOCK_LANE, table]
    for study in studies:
        if study.equivalences:
            lines += ["", f"`{study.pair}`: by design, {study.optimizer} differs: {study.cause}."]
            said = [f"{metric} {m.size:g}, {m.reason}" for metric, m in study.margins.items()]
            lines += [f"Margins: {'; '.join(said)}.", ""]
            lines += [f"- {sentence}" for sentence in sentences(study)]
    return "\n".join(lines) + "\n"


def _rests_on(records: Sequence[Record]) -> str:
    """Say when, with what and on what machines the trainings were made."""
    if not records:
        return "Nothing is trained yet."
    days = sorted({record.started[:10] for record in records})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    said = [f"{len(records)} trainings, {when}"]
    for name in ("tensorflow", "keras", "numpy", "machine"):
        known = sorted({r.made_by[name] for r in records if name in r.made_by})
        if known:
            said.append(f"{'' if name == 'machine' else name + ' '}{' and '.join(known)}")
    corpora = sorted({record.corpus for record in records})
    return f"{'; '.join(said)}, one thread each. Corpora: {'; '.join(corpora)}."


def _short(what: str) -> str:
    """Leave a text out of what is said about it: a terminal's line is short."""
    start, quote, rest = what.partition("“")
    return f"{start}a sentence{rest.partition('”')[2]}" if quote else what


def _side(study: Study, row: Equivalence) -> str:
    return f"stock {study.optimizer}" if row.side == STOCK else row.side


def _mean(row: Reproduced, engine: str) -> str:
    return f"{row.mean(engine):.4f}" if engine in row.found else "-"


def _sample(row: Reproduced, engine: str) -> str:
    if engine not in row.found:
        return "-"
    spread = row.deviation(engine)
    shown = "" if math.isnan(spread) else f" ± {spread:.4f}"
    return f"{row.mean(engine):.4f}{shown} ({len(row.found[engine])})"


def _interval(row: Equivalence) -> str:
    return f"{row.difference[-1]:+.4f} ± {(row.high[-1] - row.low[-1]) / 2:.4f}"


def _p(value: float, name: str = "") -> str:
    if math.isnan(value):
        return f"no {name}".strip() if name else "-"
    sign = "= " if name else ""
    return f"{name}< 0.0001" if value < 0.0001 else f"{name}{sign}{value:.2g}"


def _minutes(seconds: Sequence[float]) -> str:
    if not seconds:
        return ""
    mean = sum(seconds) / len(seconds)
    return f"{mean:.0f} s" if mean < 100 else f"{mean / 60:.0f} min"


def _coloured(verdict: str) -> str:
    colour = COLOURS.get(verdict, "yellow")
    return f"[{colour}]{verdict}[/]"
