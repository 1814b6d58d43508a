"""The page of a run: one HTML file that holds its pictures, and asks nobody for anything."""

from __future__ import annotations

import base64
import dataclasses
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2
from rich.text import Text

from parity import wire
from parity.errors import AGREE, DIFFERENCE
from parity.keys import RUNGS
from parity.reports import pictures, tables, words
from parity.reports.pictures import PICTURES
from parity.reports.plots import Numbers
from parity.results import RECORDED, Comparison, Outcome, Run, verdict

NAME = "report.html"
DTYPES = ("float32", "float64")
# Upper ends of the shares of a bound that one tint of the heat map stands for.
TINTS = (0.0, 0.01, 0.1, 0.25, 0.5, 1.0)
# Pairs that are all illustrated; of more, those that do not agree: the others are looked
# at by name, as atoms are.
MOST_ILLUSTRATED = 24
NOTHING = "-"
CLASSES = {AGREE: "agree", DIFFERENCE: "differ"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One rung of a pair in one dtype, on the heat map.

    Args:
        text: share of the bound that is used, as people read it.
        style: class of its tint.
        marks: ``◆`` where the bound was measured, ``▲`` where anchors decide.
        title: what a pointer that rests on it is told.
    """

    text: str = NOTHING
    style: str = "open"
    marks: str = ""
    title: str = "not judged"


@dataclasses.dataclass(frozen=True)
class Plate:
    """A picture on the page.

    Args:
        name: of its file, without ``.png``.
        caption: says what to look for.
        path: of its file, relative to the page.
        data: the file as a ``data:`` address.
        width, height: in pixels.
        numbers: the table behind it, or None.
    """

    name: str
    caption: str
    path: str
    data: str
    width: int
    height: int
    numbers: Numbers | None


def write(
    folder: Path, run: Run, watch: Callable[[int, int], None] = lambda *_: None
) -> tuple[Path, list[Path]]:
    """Draw what is missing of a run's pictures, and write ``report.html``; return their paths.

    Args:
        folder: of the run's results.
        run: what was found.
        watch: called with the number of pairs whose pictures are drawn, and of all.
    """
    drawn = pictures.write(folder, illustrated(run.outcomes), watch)
    wire.write_text(folder / NAME, render(folder, run))
    return folder / NAME, drawn


def illustrated(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the pairs of a run whose pictures are on its page."""
    return [o for o in outcomes if len(outcomes) <= MOST_ILLUSTRATED or o.exit_code != AGREE]


def render(folder: Path, run: Run) -> str:
    """Return the page; the pictures that it holds lie in `folder`."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("parity.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = {outcome.pair for outcome in illustrated(run.outcomes)}
    return environment.get_template("report.html").render(
        run=run,
        said=words.sentence(run),
        state=_state(run.verdict),
        facts=_facts(run),
        engines=_engines(run),
        data=list(dict.fromkeys(_data(o) for o in run.outcomes)),
        synthetic=[o.pair for o in run.outcomes if o.origin.synthetic],
        notes=[_plain(line) for line in tables.conclusion(run)],
        failures=[(o.pair, text) for o in run.outcomes for text in words.explain_all(o)],
        rungs=RUNGS,
        rows=[_row(outcome) for outcome in run.outcomes],
        pairs=[_section(folder, outcome, outcome.pair in shown) for outcome in run.outcomes],
        tints=_legend(),
    )


def _row(outcome: Outcome) -> dict[str, Any]:
    """Return a row of the heat map."""
    return {
        "pair": outcome.pair,
        "word": verdict(outcome.exit_code),
        "state": _state(outcome.exit_code),
        "cells": [
            (rung, [(dtype, _cell(outcome, dtype, rung)) for dtype in DTYPES]) for rung in RUNGS
        ],
    }


def _cell(outcome: Outcome, dtype: str, rung: str) -> Cell:
    """Return what any two engines use of their bound at most."""
    found = [c for c in outcome.comparisons if c.dtype == dtype]
    judged = [c for c in found if c.share(rung) is not None]
    if not judged:
        return Cell()
    worst = max(judged, key=lambda c: (c.status(rung) == "failed", c.share(rung)))
    share = worst.share(rung) or 0.0
    failed = worst.status(rung) == "failed"
    measured = any(d.runs for c in judged for d in c.deciding(rung))
    anchored = rung == "curve" and any(c.anchors for c in judged)
    how = "its bound was measured" if measured else "general bound"
    how += "; anchors decide" if anchored else ""
    return Cell(
        "✗" if failed else tables.share([share]),
        "failed" if failed else f"tint{_tint(share)}",
        "◆" * measured + "▲" * anchored,
        f"{words.engines(worst)} {dtype}, {rung}: {tables.share([share])} of the bound; {how}",
    )


def _section(folder: Path, outcome: Outcome, shown: bool) -> dict[str, Any]:
    """Return all that is said of one pair."""
    return {
        "pair": outcome.pair,
        "word": verdict(outcome.exit_code),
        "state": _state(outcome.exit_code),
        "origin": outcome.origin.announcement,
        "synthetic": outcome.origin.synthetic,
        "seconds": outcome.seconds,
        "remarks": [_plain(line) for line in tables.remarks(outcome)],
        "failures": words.explain_all(outcome),
        "comparisons": _comparisons(outcome),
        "worst": _worst(outcome),
        "illustrated": shown,
        "plates": _plates(folder, outcome) if shown else [],
        "questions": _questions(outcome),
        "costs": Numbers(tables.COSTS, tables.costs(outcome)),
    }


def _comparisons(outcome: Outcome) -> Numbers:
    """Return a row a comparison: the largest difference of every rung."""
    rows = [
        (words.engines(c), c.dtype, *(_largest(c, rung) for rung in RUNGS), verdict(c.exit_code))
        for c in outcome.comparisons
    ]
    return Numbers(("engines", "dtype", *RUNGS, "verdict"), rows)


def _largest(comparison: Comparison, rung: str) -> str:
    largest, state = comparison.largest(rung), comparison.status(rung)
    if largest is None or state == "not judged":
        return NOTHING
    return ("✗ " if state == "failed" else "") + words.figure(largest.error)


def _worst(outcome: Outcome) -> list[tuple[str, Sequence[str]]]:
    """Return, for every rung and dtype, the tensor that uses most of its bound."""
    rows: list[tuple[str, Sequence[str]]] = []
    for rung in RUNGS:
        for dtype in DTYPES:
            judged = [
                (d, c)
                for c in outcome.comparisons
                if c.dtype == dtype and c.share(rung) is not None
                for d in c.deciding(rung)
            ]
            if not judged:
                continue
            worst, comparison = max(judged, key=lambda each: (not each[0].passed, each[0].used))
            row = (
                rung,
                dtype,
                worst.key,
                words.keras_path(worst.key, outcome),
                words.engines(comparison),
                words.figure(worst.error),
                words.figure(worst.bound),
                tables.share([worst.used]),
                words.bounded(worst),
            )
            rows.append((rung, row))
    return rows


def _plates(folder: Path, outcome: Outcome) -> list[Plate]:
    plates = []
    for picture in PICTURES:
        path = folder / outcome.pair / f"{picture.name}.png"
        if not path.is_file():
            continue
        data = path.read_bytes()
        width, height = struct.unpack(">II", data[16:24])  # PNG: the first chunk is the header
        plates.append(
            Plate(
                picture.name,
                picture.caption,
                path.relative_to(folder).as_posix(),
                "data:image/png;base64," + base64.b64encode(data).decode(),
                width,
                height,
                picture.numbers(outcome),
            )
        )
    return plates


def _questions(outcome: Outcome) -> Numbers:
    """Return what every engine was asked, and how long it worked."""
    rows = []
    for engine in dict.fromkeys(job.engine for job in outcome.jobs):
        jobs = [job for job in outcome.jobs if job.engine == engine]
        kept = sum(job.kept for job in jobs)
        seconds = sum(job.seconds for job in jobs)
        rows.append((engine, str(len(jobs)), str(kept), f"{seconds:.1f}"))
    return Numbers(("engine", "questions", "kept from an earlier run", "seconds of work"), rows)


def _engines(run: Run) -> list[tuple[str, str]]:
    """Return every engine with its versions; an engine that changed them has several lines."""
    found = [
        (name, ", ".join(f"{key} {value}" for key, value in about.items()))
        for outcome in run.outcomes
        for name, about in outcome.engines.items()
    ]
    return list(dict.fromkeys(found))


def _facts(run: Run) -> list[tuple[str, str]]:
    """Return what else a reader asks first."""
    commit = f", commit {run.commit}" if run.commit else ""
    minutes = f"{run.seconds:.0f} s" if run.seconds < 120 else f"{run.seconds / 60:.1f} min"
    return [
        ("judge", _judges(run)),
        ("machine", run.machine),
        ("tf-parity", f"{run.version}{commit}, Python {run.python}"),
        ("when", f"{run.started}, {minutes}"),
    ]


def _data(outcome: Outcome) -> str:
    """Return which corpus a pair runs on, and where it came from; its section says it in full."""
    origin = outcome.origin
    return f"{origin.corpus}: {'made up' if origin.synthetic else origin.source}"


def _judges(run: Run) -> str:
    """Return how TensorFlow 1.15.5 sat at the table."""
    said = {RECORDED: "TensorFlow 1.15.5, recorded", "tf1": "TensorFlow 1.15.5, live"}
    met = {c.reference for o in run.outcomes for c in o.comparisons if not c.problem}
    return " and ".join(said[name] for name in said if name in met) or "none of TensorFlow 1.15.5"


def _legend() -> list[tuple[str, str]]:
    """Return the class and the meaning of every tint."""
    ends = ("0", *(f"{end:.0%}" for end in TINTS[1:]))
    return [(f"tint{i}", f"up to {end}" if i else end) for i, end in enumerate(ends)]


def _tint(share: float) -> int:
    return next((i for i, end in enumerate(TINTS) if share <= end), len(TINTS) - 1)


def _state(code: int) -> str:
    return CLASSES.get(code, "open")


def _plain(markup: str) -> str:
    return Text.from_markup(markup).plain
