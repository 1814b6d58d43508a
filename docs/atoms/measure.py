"""Proves every atom, plants every slip, and writes the catalogue: figures, and a page a family.

    tox -e atoms                      all of them; with TensorFlow 1.15.5 where it is here
    tox -e atoms -- --pages           the pages alone, from the kept figures

The figures are kept in measured.json, the pages are made of them and of the rows in
parity/pairs/atoms. A test holds all three together.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from parity import checks, engines, store
from parity.atom import Atom
from parity.cases import make_case
from parity.executor import Executor
from parity.judging import compare_two
from parity.pair import Pair, slipped
from parity.pairs import ATOMS
from parity.results import Comparison, Outcome
from parity.sides import Desk, Live
from parity.store import Store

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEPT = HERE / "measured.json"
BEGIN, END = "<!-- begin: the catalogue -->", "<!-- end: the catalogue -->"
# The processes that engines run in find the slips there.
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


def families() -> dict[str, list[Pair]]:
    """Return family -> its rows, in the order of the table."""
    found: dict[str, list[Pair]] = {}
    for row in ATOMS.values():
        found.setdefault(said(row).family, []).append(row)
    return found


def said(row: Pair) -> Atom:
    """Return what the catalogue says of a row of it."""
    assert row.atom
    return row.atom


def measure(row: Pair, executor: Executor) -> dict[str, Any]:
    """Prove an atom, plant its slip; return what came of both."""
    dataset = row.data.load()
    proved = Outcome(row.name, dataset.origin)
    checks.prove(proved, row, dataset, executor, engines.references(None))
    wrong = plant(row, executor)
    return {
        "exit_code": proved.exit_code,
        "engines": sorted(proved.engines),
        **{dtype: largest(proved.comparisons, dtype) for dtype in ("float32", "float64")},
        "slip": {"rung": wrong.failed_rung, "size": size(wrong, wrong.failed_rung)},
    }


def plant(row: Pair, executor: Executor) -> Comparison:
    """Return how the graph of an atom compares, in float64, with a migration that overlooks it."""

    def seat(pair: Pair, engine: str) -> Live:
        dataset = pair.data.load()
        desk = Desk(pair, executor, Outcome(pair.name, dataset.origin))
        case = checks.lead(desk, make_case(pair, "float32", dataset))
        return Live(desk, engines.find(engine), case.in_dtype("float64"), pair.rungs)

    wrong = slipped(row)
    return compare_two(wrong, seat(row, "graph"), seat(wrong, "keras"), wrong.rungs)


def largest(comparisons: Sequence[Comparison], dtype: str) -> dict[str, float]:
    """Return rung -> the largest difference of any two engines."""
    mine = [each for each in comparisons if each.dtype == dtype and not each.problem]
    return {rung: max(size(each, rung) for each in mine) for rung in mine[0].rungs}


def size(comparison: Comparison, rung: str) -> float:
    """Return the largest difference at a rung, of what both sides have."""
    errors = [each.error for each in comparison.rung(rung) if math.isfinite(each.error)]
    return float(f"{max(errors, default=math.inf):.1e}")


def title(family: str) -> str:
    """Return the first line of what a family's file says of itself."""
    module = import_module(f"parity.pairs.atoms.{family}")
    return str(module.__doc__).partition("\n")[0].rstrip(".")


def page(family: str, rows: Sequence[Pair], figures: Mapping[str, Any]) -> str:
    """Return the page of a family."""
    lines = [f"# {title(family)}", ""]
    lines += [
        "Both sides: "
        f"[`legacy_graph/atoms/{family}.py`](../../legacy_graph/atoms/{family}.py), "
        f"[`keras_v2/atoms/{family}.py`](../../keras_v2/atoms/{family}.py); "
        f"made by `tox -e atoms`.",
        "",
    ]
    for row in rows:
        lines += [f"## {row.name}", "", *_section(row, figures[row.name])]
    return "\n".join(lines).rstrip() + "\n"


def _section(row: Pair, found: Mapping[str, Any]) -> Iterator[str]:
    atom, slip = said(row), found["slip"]
    yield from (row.title + ".", "", "| | |", "| --- | --- |")
    yield f"| TensorFlow 1 | {_cell(atom.tf1)} |"
    yield f"| Keras 3 | {_cell(atom.keras)} |"
    yield f"| source | `{atom.source}` |"
    for rule in row.layout.rules:
        names = (" + ".join(f"`{name}`" for name in side) for side in (rule.tf1, rule.keras))
        yield f"| weights | {' → '.join(names)} |"
    for dtype in ("float32", "float64"):
        apart = ", ".join(f"{rung} {_number(value)}" for rung, value in found[dtype].items())
        yield f"| apart, {dtype} | {apart} |"
    yield f"| if forgotten | {_cell(atom.slip.what)}: {_number(slip['size'])} at {slip['rung']} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def index(figures: Mapping[str, Any]) -> str:
    """Return the tables of all atoms, one a family."""
    lines = [
        f"{len(ATOMS)} atoms. *Apart*: the largest difference of any two engines, at any rung."
    ]
    for family, rows in families().items():
        lines += [
            "",
            f"## [{title(family)}]({family}.md)",
            "",
            "| atom | what it is | apart, float32 | float64 | if its difference is forgotten |",
            "| --- | --- | ---: | ---: | --- |",
        ]
        for row in rows:
            found = figures[row.name]
            apart = " | ".join(
                _number(max(found[dtype].values())) for dtype in ("float32", "float64")
            )
            slip = f"{_number(found['slip']['size'])} at {found['slip']['rung']}"
            link = f"[`{row.name}`]({family}.md#{row.name})"
            lines.append(f"| {link} | {_cell(row.title)} | {apart} | {slip} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return "0" if value == 0 else f"{value:.0e}"


def pages(document: Mapping[str, Any]) -> dict[str, str]:
    """Return every page by the name of its file: the families', and the index with its table."""
    figures = document["figures"]
    found = {f"{family}.md": page(family, rows, figures) for family, rows in families().items()}
    before, _, rest = (HERE / "index.md").read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    found["index.md"] = f"{before}{BEGIN}\n{index(figures)}\n{END}{after}"
    return found


def main() -> None:
    """Measure, and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", action="store_true", help="write the pages alone")
    if not parser.parse_args().pages:
        os.environ.update(ENVIRONMENT)
        logs, kept = Path(tempfile.mkdtemp(prefix="parity-atoms-")), Store(store.default_folder())
        with Executor(logs, "cpu", 600, kept=kept) as executor, ThreadPoolExecutor(3) as pool:
            measured = pool.map(lambda row: measure(row, executor), ATOMS.values())
            figures = dict(zip(ATOMS, measured, strict=True))
        wrong = [name for name, each in figures.items() if each["exit_code"]]
        if wrong:
            raise SystemExit(f"these atoms do not agree: {', '.join(wrong)}; see `parity run`")
        KEPT.write_text(json.dumps({"figures": figures}, indent=1) + "\n", "utf-8")
    for name, text in pages(json.loads(KEPT.read_text("utf-8"))).items():
        (HERE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
