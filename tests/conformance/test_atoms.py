"""Every atom of the catalogue climbs all rungs, and its slip is found where its row says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from parity import goldens
from parity.cases import DTYPES, make_case
from parity.checks import lead
from parity.errors import AGREE, DIFFERENCE
from parity.executor import Executor
from parity.judging import compare_two
from parity.pair import slipped
from parity.pairs import ATOMS
from tests.conformance.tiny import tiny
from tests.conftest import Judge, desk_for, live

ROOT = Path(__file__).resolve().parents[2]
EACH = pytest.mark.parametrize("name", ATOMS)
FAMILIES = sorted({row.atom.family for row in ATOMS.values() if row.atom})
# One of each family here; `tox -e slow` plants all, and so does `tox -e atoms`.
FIRST = {row.atom.family: row.name for row in reversed([*ATOMS.values()]) if row.atom}
SLIPS = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in FIRST.values() else pytest.mark.slow)
        for name in ATOMS
    ],
)


def atoms_in(file: Path) -> Iterator[str]:
    """Yield the public functions of a file that build something without being told what."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if len(node.args.args) == len(node.args.defaults):
            yield node.name


@EACH
def test_the_sides_of_an_atom_agree_on_every_rung(
    executor: Executor, judge: Judge, name: str
) -> None:
    # In float64; `parity run --atoms` climbs in both dtypes.
    case, graph = judge(name, "float64")
    rungs = case.pair.rungs
    comparison = compare_two(case.pair, graph, live(executor, "keras", case, rungs), rungs)
    assert comparison.exit_code == AGREE, (comparison.failed_rung, comparison.problem)
    assert {d.rung for d in comparison.differences} == set(rungs)


@EACH
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_tensorflow_1_agrees_with_both_sides_of_an_atom(
    executor: Executor, judge: Judge, name: str, dtype: str
) -> None:
    case, graph = judge(name, dtype)
    rungs = case.pair.rungs
    oracle, keras = (live(executor, engine, case, rungs) for engine in ("tf1", "keras"))
    for candidate in (graph, keras):
        comparison = compare_two(case.pair, oracle, candidate, rungs)
        found = (candidate.name, comparison.failed_rung, comparison.problem)
        assert comparison.exit_code == AGREE, found


@SLIPS
def test_the_slip_of_an_atom_is_found_at_its_rung(
    executor: Executor, judge: Judge, name: str
) -> None:
    _, graph = judge(name, "float64")
    pair, dataset = tiny(name)
    assert pair.atom
    wrong = slipped(pair)
    rungs = wrong.rungs[: wrong.rungs.index(pair.atom.slip.rung) + 1]
    case = lead(desk_for(wrong, executor), make_case(wrong, "float32", dataset))
    candidate = live(executor, "keras", case.in_dtype("float64"), rungs)
    comparison = compare_two(wrong, graph, candidate, rungs)
    assert comparison.exit_code == DIFFERENCE, comparison.problem
    assert comparison.failed_rung == pair.atom.slip.rung


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("side", ["legacy_graph", "keras_v2"])
def test_the_table_names_every_atom_of_a_family(side: str, family: str) -> None:
    rows = {name for name, row in ATOMS.items() if row.atom and row.atom.family == family}
    assert set(atoms_in(ROOT / side / "atoms" / f"{family}.py")) == rows


def test_every_family_has_its_file_on_both_sides() -> None:
    for side in ("legacy_graph", "keras_v2"):
        files = {path.stem for path in (ROOT / side / "atoms").glob("*.py")}
        assert files - {"__init__", "fitted"} == set(FAMILIES)


def test_a_slip_is_a_model_or_rules() -> None:
    for name, row in ATOMS.items():
        assert row.atom
        file = ROOT / "tests" / "slips" / f"{row.atom.family}.py"
        built = file.exists() and f"\ndef {name}(" in file.read_text("utf-8")
        assert built != bool(row.atom.slip.rules), name


@EACH
def test_tensorflow_1_15_5_is_recorded_with_every_atom(name: str) -> None:
    found = {path.name for path in goldens.files(ATOMS[name])}
    stems = [f"{name}-synthetic-{dtype}" for dtype in DTYPES]
    assert found == {f"{stem}.{ending}" for stem in stems for ending in ("json", "npz")}
