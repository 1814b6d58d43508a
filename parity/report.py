"""Turns results into what people and programs read: text, JSON and JUnit XML.

Never imports TensorFlow. The JSON is described by ``docs/results.schema.json``.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from parity import wire
from parity.checks import Comparison, Outcome
from parity.compare import Difference
from parity.errors import AGREE, DIFFERENCE
from parity.pair import Pair
from parity.tolerances import RUNGS, tolerance

SCHEMA = 1
VERDICTS = {AGREE: "agree", DIFFERENCE: "differ"}


def verdict(code: int) -> str:
    """Return the word for an exit code; what was not compared is never called agreement."""
    return VERDICTS.get(code, "not compared")


def document(outcomes: Sequence[Outcome], exit_code: int) -> dict[str, Any]:
    """Return the whole run as plain JSON types."""
    return {
        "schema": SCHEMA,
        "version": metadata.version("tf-parity"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "exit_code": exit_code,
        "pairs": [_pair(outcome) for outcome in outcomes],
    }


def explain(comparison: Comparison, pair: Pair, twin: Comparison | None) -> str:
    """Tell where two engines part: the failing report.

    Args:
        comparison: one that did not agree.
        pair: its pair.
        twin: the same engines in the other dtype, if it was run.
    """
    head = f"{comparison.pair}  {comparison.reference} -> {comparison.candidate}  "
    if comparison.problem:
        return f"{head}{comparison.dtype}  could not be compared\n  {comparison.problem}"
    if not comparison.failed_rung:
        missing = [rung for rung in RUNGS if not comparison.rung(rung)]
        return f"{head}{comparison.dtype}  nothing was compared at: {', '.join(missing)}"
    rung = comparison.failed_rung
    failed = [d for d in comparison.rung(rung) if not d.passed]
    first = failed[0]
    place = f"rung {RUNGS.index(rung) + 1} of {len(RUNGS)}: {rung}"
    lines = [
        f"{head}{comparison.dtype}  differs at {place}",
        "",
        f"  first tensor    {first.key}  {first.shape}",
        *_paths(first, comparison, pair),
        *_account(first, comparison),
        f"  float64 twin    {_twin(first, comparison, twin)}",
    ]
    if len(failed) > 1:
        others = ", ".join(f"{d.key} {figure(d.error)}" for d in failed[1:3])
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        lines.append(f"  also            {others}{more}")
    above = RUNGS[RUNGS.index(rung) + 1 :]
    if above:
        lines.append(f"  not judged      {', '.join(above)}, above this rung")
    return "\n".join(lines)


def explain_all(outcome: Outcome) -> list[str]:
    """Return a report of every failure of a pair; what fails alike is told once."""
    alike: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in outcome.comparisons:
        if comparison.exit_code != AGREE:
            first = next((d.key for d in comparison.differences if not d.passed), "")
            key = ("", comparison.problem) if comparison.problem else (comparison.candidate, first)
            alike.setdefault(key, []).append(comparison)
    texts = []
    for comparison, *others in alike.values():
        text = explain(comparison, outcome.pair, twin_of(comparison, outcome.comparisons))
        same = ", ".join(f"{c.reference} -> {c.candidate} {c.dtype}" for c in others)
        texts.append(text + (f"\n  the same in     {same}" if same else ""))
    return texts


def write(folder: Path, outcomes: Sequence[Outcome], exit_code: int) -> None:
    """Write ``results.json`` and ``junit.xml``, each whole or not at all."""
    wire.write_json(str(folder / "results.json"), document(outcomes, exit_code))
    part = folder / "junit.xml.part"
    ElementTree.ElementTree(junit(outcomes)).write(part, encoding="utf-8", xml_declaration=True)
    part.replace(folder / "junit.xml")


def junit(outcomes: Sequence[Outcome]) -> ElementTree.Element:
    """Return one test case a rung, as continuous integration servers read it."""
    root = ElementTree.Element("testsuites", name="parity")
    for outcome in outcomes:
        suite = ElementTree.SubElement(root, "testsuite", name=outcome.pair.name)
        for comparison in outcome.comparisons:
            for rung in RUNGS:
                _test_case(suite, comparison, rung, outcome)
        if not outcome.finished:
            case = ElementTree.SubElement(
                suite, "testcase", classname=outcome.pair.name, name="finished"
            )
            ElementTree.SubElement(case, "error", message="the run ended before this pair was done")
        cases = list(suite)
        suite.set("tests", str(len(cases)))
        for kind in ("failure", "error", "skipped"):
            count = sum(case.find(kind) is not None for case in cases)
            suite.set(kind + ("s" if kind != "skipped" else ""), str(count))
    return root


def figure(value: float) -> str:
    """Return an error as people quote it: two digits and the exponent."""
    if not math.isfinite(value):
        return "not finite"
    return f"{value:.1e}" if value else "0"


def twin_of(comparison: Comparison, comparisons: Sequence[Comparison]) -> Comparison | None:
    """Return the comparison of the same engines in the other dtype."""
    for other in comparisons:
        same = (other.reference, other.candidate) == (comparison.reference, comparison.candidate)
        if same and other.dtype != comparison.dtype:
            return other
    return None


def gap(outcome: Outcome) -> float | None:
    """Return the largest per-step loss difference of the stock optimizer, or None if not run."""
    for comparison in outcome.comparisons:
        exact = comparison.curves.get("keras")
        if exact and outcome.stock and comparison.dtype == outcome.stock_dtype:
            stock = outcome.stock["curve/step_loss"]
            return float(np.max(np.abs(stock - exact["curve/step_loss"][: len(stock)])))
    return None


def status(comparison: Comparison, rung: str) -> str:
    """Return ``passed``, ``failed`` or ``not judged`` for one rung of a comparison."""
    failed = comparison.failed_rung
    if comparison.problem or not comparison.rung(rung):
        return "not judged"
    if failed and RUNGS.index(rung) > RUNGS.index(failed):
        return "not judged"
    return "failed" if rung == failed else "passed"


def _paths(first: Difference, comparison: Comparison, pair: Pair) -> list[str]:
    """Name the tensor as each side's own code does."""
    name = first.key.rpartition("weights/")[2] if "weights/" in first.key else first.key
    name = name.removeprefix("gradients/").removeprefix("variables/")
    tap = first.key.rpartition("/")[2]
    keras = pair.taps.get(tap) if first.rung == "forward" else pair.layout.path_of(name)
    if "slots/" in first.key:
        variable, _, slot = first.key.rpartition("slots/")[2].rpartition("/")
        keras = f"{pair.layout.path_of(variable)}: {pair.layout.slots.tf1_to_keras.get(slot)}"
    return [f"                  in Keras: {keras}"] if keras else []


def _account(first: Difference, comparison: Comparison) -> list[str]:
    if first.note and not first.compared:
        return [f"                  {first.note}"]
    limit = tolerance(first.key, comparison.dtype, comparison.pair)
    index = list(first.worst)
    lines = [
        f"  worst element   {index}  {first.expected:.9g} expected, {first.actual:.9g} found",
        f"  beyond bound    {round(first.share * first.compared):,} of {first.compared:,} elements",
        f"  would pass at   {figure(first.error)}; the bound is {figure(limit.bound)} "
        f"(unit: {limit.relative_to})",
    ]
    step = first_step(first, comparison)
    return [f"  first step      {step}", *lines] if step else lines


def first_step(first: Difference, comparison: Comparison) -> str:
    """Return the training step at which a difference first shows, counted from one."""
    if first.rung == "update":
        return first.key.split("/")[1].removeprefix("step ")
    if first.key != "curve/step_loss" or not first.compared:
        return ""
    left, right = (
        comparison.curves[name][first.key] for name in (comparison.reference, comparison.candidate)
    )
    beyond = np.flatnonzero(~(np.abs(left - right) <= first.bound))
    return f"{beyond[0] + 1} of {len(left)}"


def _twin(first: Difference, comparison: Comparison, twin: Comparison | None) -> str:
    if twin is None:
        return "was not run"
    other = next((d for d in twin.differences if d.key == first.key), None)
    if other is None:
        return f"could not be compared: {twin.problem or 'the tensor is missing'}"
    if comparison.dtype == "float64":
        return f"is this one; in float32 it is {figure(other.error)}"
    if other.passed:
        return f"{figure(other.error)}: it passes, so what is left here is rounding"
    return f"{figure(other.error)}: it fails too, so this is not rounding"


def _pair(outcome: Outcome) -> dict[str, Any]:
    origin = outcome.dataset.origin
    found = gap(outcome)
    return {
        "pair": outcome.pair.name,
        "verdict": verdict(outcome.exit_code),
        "finished": outcome.finished,
        "corpus": {
            "name": origin.corpus,
            "source": origin.source,
            "synthetic": origin.synthetic,
            "detail": origin.detail,
            "sha256": origin.digest,
        },
        "engines": {name: dict(about) for name, about in outcome.engines.items()},
        "stock": None
        if found is None
        else {
            "gap": _plain(found),
            "expected": outcome.pair.gap.largest,
            "cause": outcome.pair.gap.cause,
        },
        "notes": list(outcome.notes),
        "comparisons": [_comparison(c, outcome) for c in outcome.comparisons],
    }


def _comparison(comparison: Comparison, outcome: Outcome) -> dict[str, Any]:
    return {
        "reference": comparison.reference,
        "candidate": comparison.candidate,
        "dtype": comparison.dtype,
        "verdict": verdict(comparison.exit_code),
        "problem": comparison.problem,
        "report": ""
        if comparison.exit_code == AGREE
        else explain(comparison, outcome.pair, twin_of(comparison, outcome.comparisons)),
        "rungs": [
            {
                "rung": rung,
                "status": status(comparison, rung),
                "tensors": [_tensor(d) for d in comparison.rung(rung)],
            }
            for rung in RUNGS
        ],
    }


def _tensor(difference: Difference) -> dict[str, Any]:
    return {
        "tensor": difference.key,
        "shape": list(difference.shape),
        "passed": difference.passed,
        "error": _plain(difference.error),
        "bound": difference.bound,
        "share_beyond": difference.share,
        "compared": difference.compared,
        "worst": list(difference.worst),
        "expected": _plain(difference.expected),
        "actual": _plain(difference.actual),
        "note": difference.note,
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None  # JSON has no NaN


def _test_case(
    suite: ElementTree.Element, comparison: Comparison, rung: str, outcome: Outcome
) -> None:
    name = f"{comparison.reference} -> {comparison.candidate} {comparison.dtype} {rung}"
    case = ElementTree.SubElement(suite, "testcase", classname=comparison.pair, name=name)
    state = status(comparison, rung)
    if state == "failed":
        text = explain(comparison, outcome.pair, twin_of(comparison, outcome.comparisons))
        worst = comparison.worst(rung)
        message = f"{worst.key}: {figure(worst.error)}" if worst else rung
        ElementTree.SubElement(case, "failure", message=message).text = text
    elif comparison.problem or not (comparison.failed_rung or comparison.rung(rung)):
        message = comparison.problem or "nothing was compared"
        ElementTree.SubElement(case, "error", message=message)
    elif state == "not judged":
        ElementTree.SubElement(case, "skipped", message=f"stands on {comparison.failed_rung}")
