"""Writes results as continuous integration servers read them: one test case a rung."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from parity.reports.words import engines, explain, figure
from parity.results import Comparison, Outcome, Run

NO_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def junit(run: Run) -> ElementTree.Element:
    """Return a run as JUnit's XML: a suite a pair, a case a comparison and rung."""
    root = ElementTree.Element("testsuites", name="parity")
    for outcome in run.outcomes:
        suite = ElementTree.SubElement(root, "testsuite", name=outcome.pair)
        for comparison in outcome.comparisons:
            for rung in comparison.rungs:
                _test_case(suite, comparison, rung, outcome)
        if not outcome.finished:
            case = ElementTree.SubElement(
                suite, "testcase", classname=outcome.pair, name="finished"
            )
            ElementTree.SubElement(case, "error", message="the run ended before this pair was done")
        cases = list(suite)
        suite.set("tests", str(len(cases)))
        for kind, attribute in (
            ("failure", "failures"),
            ("error", "errors"),
            ("skipped", "skipped"),
        ):
            suite.set(attribute, str(sum(case.find(kind) is not None for case in cases)))
    return root


def _test_case(
    suite: ElementTree.Element, comparison: Comparison, rung: str, outcome: Outcome
) -> None:
    name = f"{engines(comparison)} {comparison.dtype} {rung}"
    case = ElementTree.SubElement(suite, "testcase", classname=comparison.pair, name=name)
    state = comparison.status(rung)
    if state == "failed":
        first = comparison.failures[0]
        message = f"{first.key}: {figure(first.error)}"
        text = explain(comparison, outcome)
        ElementTree.SubElement(case, "failure", message=message).text = NO_XML.sub("?", text)
    elif comparison.problem or not (comparison.failed_rung or comparison.rung(rung)):
        message = comparison.problem or "nothing was compared"
        # What a dying engine said may hold anything, but XML may not.
        ElementTree.SubElement(case, "error", message=NO_XML.sub("?", message))
    elif state == "not judged":
        ElementTree.SubElement(case, "skipped", message=f"stands on {comparison.failed_rung}")
