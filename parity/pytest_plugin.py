"""A pytest plugin: parity as a test in a team's own repository.

A test that asks for the fixture `assert_parity` carries the marker ``parity``, so that
``-m parity`` runs these tests and ``-m "not parity"`` leaves them out. ``--parity-report FOLDER``
writes what all of them found. Where no test asks for the fixture, only this file is imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from parity.checked import CheckResult
    from parity.results import Run

FIXTURE = "assert_parity"
FOUND = pytest.StashKey[list["Run"]]()
SAID = pytest.StashKey[str]()
SENT = "parity"  # under which a worker of pytest-xdist hands over what it found


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--parity-report``."""
    parser.getgroup("parity", "parity of Keras models with TensorFlow 1").addoption(
        "--parity-report",
        metavar="FOLDER",
        type=Path,
        help="write results.json, junit.xml and report.html of all parity checks into FOLDER; a "
        "session in which nothing was compared fails then",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", f"parity: compares a Keras model with a TensorFlow 1 graph ({FIXTURE})"
    )
    config.stash[FOUND] = []


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that start engines."""
    if FIXTURE in getattr(item, "fixturenames", ()):
        item.add_marker("parity")


@pytest.fixture(scope="session")
def assert_parity(pytestconfig: pytest.Config) -> Iterator[Callable[..., CheckResult]]:
    """`parity.assert_parity`, with engines that all tests of the session share.

    Example:
        def test_the_rewrite_is_the_model(assert_parity):
            assert_parity("train.graph.npz", "rewrite:build_model")
    """
    from parity import api, checked
    from parity.errors import ParityError

    with api.shared_engines(logs=_logs(pytestconfig)) as engines:

        @api.same_arguments(api.assert_parity)
        def ask(*args: Any, **kwargs: Any) -> CheckResult:
            __tracebackhide__ = True
            try:
                result = api.check(*args, **{"shared": engines, **kwargs})
            except ParityError as error:  # or the report would be as green as if it had not been
                pytestconfig.stash[FOUND].append(checked.refused(error))
                raise
            pytestconfig.stash[FOUND].append(result.run)
            return checked.require(result)

        yield ask


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report; a worker hands what it found to the process that writes it."""
    config = session.config
    found = config.stash[FOUND]
    if hasattr(config, "workeroutput"):
        from parity.results import to_json

        config.workeroutput[SENT] = json.dumps([to_json(run) for run in found])
        return
    folder = config.getoption("parity_report")
    if folder is None or config.option.collectonly:
        return
    from parity import checked
    from parity.reports import words

    run = checked.merged(found)
    page = checked.save(run, folder)
    config.stash[SAID] = " ".join([words.sentence(run), *run.notes, f"wrote {page}"])
    if not found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """Take what a worker of pytest-xdist found; one that crashed has handed over nothing."""
    if error:
        from parity import checked
        from parity.errors import EngineFailed

        failed = EngineFailed(f"a worker of pytest ended: {error}")
        node.config.stash[FOUND].append(checked.refused(failed))
    if SENT not in getattr(node, "workeroutput", {}):
        return
    from parity.results import from_json

    for document in json.loads(getattr(node, "workeroutput", {}).get(SENT, "[]")):
        node.config.stash[FOUND].append(from_json(document))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what all checks came to, and where it is written."""
    if SAID in config.stash:
        terminalreporter.section("parity")
        terminalreporter.line(config.stash[SAID])


def _logs(config: pytest.Config) -> Path | None:
    """Return where the engines' logs go: into the report, each worker's beside the others'."""
    folder: Path | None = config.getoption("parity_report")
    worker: str = getattr(config, "workerinput", {}).get("workerid", "")
    return folder / "logs" / worker if folder else None
