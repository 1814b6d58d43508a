"""The pytest plugin, in sessions of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

import parity
from parity import engines
from parity.errors import DIFFERENCE, ENGINE_FAILED

pytest_plugins = ["pytester"]

SCRIPT = Path(__file__).parent / "scripts" / "tiny_cnn.py"
SCHEMA = json.loads((engines.ROOT / "docs" / "results.schema.json").read_text("utf-8"))

# Stands in for a check: the graph's name says what is found.
FAKE = """
import numpy as np
from types import SimpleNamespace
from parity import api
from parity.checked import CheckResult
from tests.parity.samples import comparison, outcome, run

WRONG = {"forward/eval/logits": np.zeros((2, 2))}
SURE = SimpleNamespace(several=False, weights=SimpleNamespace(open=(), unsure=()))

def check(graph, keras, *, shared):
    print("asked engines", id(shared))
    return CheckResult(run(outcome(comparison(WRONG if graph == "other" else None))), SURE)

api.check = check
"""
SAME = "def test_same(assert_parity): assert assert_parity('same', 'm:f').agrees\n"
OTHER = "def test_other(assert_parity): assert_parity('other', 'm:f')\n"
PLAIN = """
import sys
def test_plain():
    assert not {"numpy", "tensorflow", "parity.api", "parity.results"} & set(sys.modules)
"""


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Where a user's tests are; the plugin is loaded by its name, once."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(engines.ROOT))
    monkeypatch.setenv("PARITY_CACHE_DIR", str(pytester.path / "cache"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    pytester.makeini("[pytest]\naddopts = -p parity.pytest_plugin --strict-markers -W error")
    return pytester


def document(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "results.json").read_text("utf-8"))
    jsonschema.validate(found, SCHEMA)
    return found


def pairs(folder: Path) -> list[str]:
    return [each["pair"] for each in document(folder)["outcomes"]]  # type: ignore[attr-defined]


def test_it_costs_nothing_where_it_is_not_used(session: pytest.Pytester) -> None:
    session.makepyfile(PLAIN)
    found = session.runpytest_subprocess()
    found.assert_outcomes(passed=1)
    assert "parity" not in found.stdout.str().partition("\n\n")[2]


def test_a_difference_fails_its_test_and_is_told(session: pytest.Pytester) -> None:
    session.makeconftest(FAKE)
    session.makepyfile(SAME + OTHER)
    found = session.runpytest_subprocess()
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["*AssertionError: 1 pair differs: sms_rnn at forward.*"])
    found.stdout.fnmatch_lines(["*worst element*1 expected, 0 found"])
    assert not (session.path / "results.json").exists()


def test_all_tests_share_engines(session: pytest.Pytester) -> None:
    session.makeconftest(FAKE)
    session.makepyfile(test_a=SAME, test_b=SAME + SAME.replace("same(", "again("))
    found = session.runpytest_subprocess("-s")
    found.assert_outcomes(passed=3)
    asked = [line.split()[-1] for line in found.outlines if "asked engines" in line]
    assert (len(asked), len(set(asked))) == (3, 1)


def test_the_report_holds_all_checks(session: pytest.Pytester) -> None:
    session.makeconftest(FAKE)
    session.makepyfile(SAME + OTHER)
    found = session.runpytest_subprocess("--parity-report=report")
    assert found.ret == pytest.ExitCode.TESTS_FAILED
    found.stdout.fnmatch_lines(["*1 pair differs: sms_rnn_2 at forward; 1 pair agrees*report.html"])
    report = session.path / "report"
    assert document(report)["exit_code"] == DIFFERENCE
    assert pairs(report) == ["sms_rnn", "sms_rnn_2"]
    suites = ElementTree.parse(report / "junit.xml").getroot()
    assert [suite.get("failures") for suite in suites] == ["0", "1"]
    assert "sms_rnn_2" in (report / "report.html").read_text("utf-8")


def test_workers_hand_over_what_they_found(session: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    session.makeconftest(FAKE)
    session.makepyfile(test_a=SAME, test_b=OTHER, test_c=SAME)
    asked = ("-p", "xdist.plugin", "-n", "2", "--parity-report=report")
    found = session.runpytest_subprocess(*asked)
    found.assert_outcomes(passed=2, failed=1)
    assert sorted(pairs(session.path / "report")) == ["sms_rnn", "sms_rnn_2", "sms_rnn_3"]
    assert document(session.path / "report")["exit_code"] == DIFFERENCE


def test_a_report_of_nothing_is_no_success(session: pytest.Pytester) -> None:
    session.makepyfile("def test_plain(): pass")
    assert session.runpytest_subprocess().ret == pytest.ExitCode.OK
    found = session.runpytest_subprocess("--parity-report=report")
    assert found.ret == pytest.ExitCode.TESTS_FAILED
    found.stdout.fnmatch_lines(["*Nothing was compared.*"])
    assert document(session.path / "report")["exit_code"] == ENGINE_FAILED
    assert session.runpytest_subprocess("--parity-report=other", "--collect-only").ret == 0
    assert not (session.path / "other").exists()


def test_the_marker_chooses(session: pytest.Pytester) -> None:
    session.makeconftest(FAKE)
    marked = "import pytest\n@pytest.mark.parity\ndef test_mine(): pass\n"
    session.makepyfile(f"{marked}{SAME}def test_plain(): pass\n")
    session.runpytest_subprocess("-m", "parity").assert_outcomes(passed=2, deselected=1)
    session.runpytest_subprocess("-m", "not parity").assert_outcomes(passed=1, deselected=2)
    shown = session.runpytest_subprocess("--markers")
    shown.stdout.fnmatch_lines(["*parity: compares a Keras model with a TensorFlow 1 graph*"])


def test_real_engines_tell_a_rewrite_from_another_model(session: pytest.Pytester) -> None:
    shutil.copy(SCRIPT, session.path / "train.py")
    parity.harvest(
        "train.py", engine="graph", cwd=session.path, output=session.path / "train.graph.npz"
    )
    session.makepyfile(rewrite="from tests.parity.rewrites import tiny_cnn, wrong_activation")
    asked = "engines=['graph'], steps=3"
    session.makepyfile(
        f"def test_same(assert_parity):\n"
        f"    assert_parity('train.graph.npz', 'rewrite:tiny_cnn', {asked})\n"
        f"def test_other(assert_parity):\n"
        f"    assert_parity('train.graph.npz', 'rewrite:wrong_activation', {asked})\n"
    )
    found = session.runpytest_subprocess("--parity-report=report")
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["*1 pair differs: train at forward.*"])
    assert pairs(session.path / "report") == ["train", "train_2"]
    assert list((session.path / "report" / "logs").glob("keras-*.log"))
