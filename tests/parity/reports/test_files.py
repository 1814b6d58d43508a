from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest

from parity.errors import INTERRUPTED
from parity.reports import files
from parity.results import STEP_LOSS, Outcome, Run, from_json, to_json
from tests.parity.samples import (
    MADE_UP,
    TIMES,
    anchored,
    comparison,
    measured,
    outcome,
    recording,
    run,
)

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "results.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

TROUBLE = dataclasses.replace(comparison(), differences=(), curves={}, problem="it died\x1b")


def green() -> Run:
    float64 = comparison(dtype="float64")
    timed = dataclasses.replace(outcome(anchored(), float64, stock=False), times=TIMES)
    return run(outcome(measured(), float64), timed)


def red() -> Run:
    curve = recording()[STEP_LOSS].copy()
    curve[2:4] = np.nan, -np.inf
    changes = {
        "forward/eval/outputs": np.full((2, 2), np.nan),
        "forward/eval/logits": np.full((2, 2), np.inf),
        "gradients/stranger": np.ones(2),
        STEP_LOSS: curve,
    }
    repeated = dataclasses.replace(comparison(changes), repeats={"forward": (1e-7, np.inf)})
    found = outcome(repeated, anchored(2), TROUBLE)
    assert found.stock is not None
    found.stock = dataclasses.replace(found.stock, gap=np.nan, losses=np.full(6, np.nan))
    return run(found, Outcome("imdb_flatten", MADE_UP), exit_code=INTERRUPTED)


def written(folder: Path, found: Run) -> Any:
    files.write(folder, found)
    text = (folder / "results.json").read_text("utf-8")
    return json.loads(text, parse_constant=refuse)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("found", [green(), red()], ids=["green", "red"])
def test_results_are_as_the_schema_says(tmp_path: Path, found: Run) -> None:
    document = written(tmp_path / "new", found)
    VALIDATOR.validate(document)
    assert to_json(from_json(document)) == document
    assert ElementTree.parse(tmp_path / "new" / "junit.xml").getroot().tag == "testsuites"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "junit.xml",
        "results.json",
        "summary.md",
    ]


def test_numbers_that_are_not_finite_survive(tmp_path: Path) -> None:
    document = written(tmp_path, red())
    found = document["outcomes"][0]
    assert found["stock"]["gap"] == "nan"
    assert found["comparisons"][0]["curves"]["keras"][STEP_LOSS][2:4] == ["nan", "-inf"]
    again = from_json(document).outcomes[0].comparisons[0]
    assert np.isnan(again.curves["keras"][STEP_LOSS][2])
    assert again.failures[0].error == np.inf


def test_what_is_read_back_has_the_same_verdicts(tmp_path: Path) -> None:
    for found in (green(), red()):
        again = from_json(written(tmp_path, found))
        assert again.verdict == found.verdict
        assert [o.exit_code for o in again.outcomes] == [o.exit_code for o in found.outcomes]


def test_a_list_of_numbers_is_a_line_and_so_is_the_account_of_a_tensor(tmp_path: Path) -> None:
    found = green()
    files.write(tmp_path, found)
    lines = (tmp_path / "results.json").read_text("utf-8").splitlines()
    compared = [c for o in found.outcomes for c in o.comparisons]
    tensors = sum(len(c.differences) + sum(len(a.differences) for a in c.anchors) for c in compared)
    assert sum(line.strip().startswith('{"key": ') for line in lines) == tensors
    curve = f'"{STEP_LOSS}": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]'
    assert any(line.strip().rstrip(",") == curve for line in lines)


@pytest.mark.parametrize("value", [{}, [], [[1, 2], [3]], {"a": [{"b": [1, {"c": 2}]}], "d": "ü"}])
def test_any_document_is_the_same_document(value: Any) -> None:
    assert json.loads(files.dumps(value)) == value


def test_a_failed_write_leaves_the_old_results(tmp_path: Path) -> None:
    files.write(tmp_path, green())
    before = (tmp_path / "results.json").read_bytes()
    with pytest.raises(TypeError):
        files.write(tmp_path, dataclasses.replace(green(), version={1, 2}))  # type: ignore[arg-type]
    assert (tmp_path / "results.json").read_bytes() == before


# The schema


def fields(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}/{name}", field
        yield from fields(field, f"{path}/{name}")
    for name, field in schema.get("$defs", {}).items():
        yield from fields(field, f"{path}#{name}")


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def test_the_schema_describes_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    described = dict(fields(SCHEMA))
    assert len(described) > 30
    assert [
        path for path, field in described.items() if len(field.get("description", "")) < 10
    ] == []


def test_the_schema_allows_no_other_field_and_misses_none() -> None:
    found = list(objects(SCHEMA))
    assert len(found) == 11
    for each in found:
        assert each["additionalProperties"] is False
        assert set(each["required"]) == set(each["properties"])
