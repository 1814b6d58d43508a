"""A run of the command: what it writes, however it ends."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from datasets.dataset import DataError, Dataset, Origin
from parity import runs
from parity.engines import TF1_PYTHON, find
from parity.errors import AGREE, BAD_INPUT, DIFFERENCE, ENGINE_FAILED, INTERRUPTED, BadInput
from parity.options import Options
from parity.pair import Data, Pair
from parity.results import Comparison, Outcome, Run
from parity.sides import Watch
from parity.store import Store
from tests.conformance.tiny import tiny
from tests.conftest import quiet
from tests.parity.fakes import PATIENCE, wait_until
from tests.parity.samples import comparison

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))
CORPUS = "tests.conformance.tiny:labelled_words"
PAIR = dataclasses.replace(tiny("sms_rnn")[0], data=Data(CORPUS))
OPTIONS = Options([find("graph")])


def named(name: str, **fields: Any) -> Pair:
    return dataclasses.replace(PAIR, name=name, **fields)


def broken() -> Dataset:
    raise DataError("not the corpus; expected another one: get the file again")


class Listening:
    """Hears how a run gets on."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.finished = threading.Event()

    def expect(self, pairs: int) -> None:
        self.said.append(f"{pairs} pairs")

    def loaded(self, origin: Origin) -> None:
        self.said.append(f"loaded {origin.corpus}")

    def begin(self, pair: str) -> None:
        self.said.append(f"begin {pair}")

    def watch(self, pair: str) -> Watch:
        return quiet

    def finish(self, outcome: Outcome) -> None:
        self.said.append(f"finish {outcome.pair}")
        self.finished.set()


# What stands in for the proof of a pair: it is given the outcome and the other arguments.
Proof = Callable[..., None]


def proof(*comparisons: Comparison) -> Proof:
    """Return a proof that finds these."""

    def prove(outcome: Outcome, pair: Pair, *_: object) -> None:
        time.sleep(0.1)  # so that there are seconds to be counted
        outcome.comparisons += [dataclasses.replace(c, pair=pair.name) for c in comparisons]
        outcome.finished = True

    return prove


class Stage:
    """A run without engines.

    Attributes:
        closed: set when the executor is closed.
        asked: keyword arguments of the executor.
        surveyed: folders that the survey of rounding was written to.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.closed = threading.Event()
        self.asked: dict[str, Any] = {}
        self.surveyed: list[Path] = []
        self.folder, self._patch = folder, monkeypatch
        monkeypatch.setenv("PARITY_CACHE_DIR", str(folder / "cache"))
        monkeypatch.setattr("parity.runs.Executor", self._executor)
        digests = (f"{number:064x}" for number in itertools.count())
        monkeypatch.setattr("parity.verdicts.prepare", lambda *_: None)
        monkeypatch.setattr("parity.verdicts.digest", lambda *_: next(digests))  # all are new
        monkeypatch.setattr(
            "parity.reports.survey.write", lambda folder, _: self.surveyed.append(folder)
        )
        self.proves(proof(comparison()))

    def proves(self, found: Proof) -> None:
        self._patch.setattr("parity.checks.prove", found)

    def run(
        self, *pairs: Pair, listener: Listening | None = None, options: Options = OPTIONS
    ) -> None:
        self.found = runs.begun()
        chosen, told = pairs or (PAIR,), listener or Listening()
        runs.prove(self.found, chosen, options, self.folder, told)

    def document(self) -> dict[str, Any]:
        """Return what the run has written; it follows its schema."""
        document: dict[str, Any] = json.loads((self.folder / "results.json").read_text())
        jsonschema.validate(document, SCHEMA)
        assert document["exit_code"] == self.found.exit_code
        assert (self.folder / "junit.xml").exists()
        return document

    @contextlib.contextmanager
    def _executor(self, logs: Path, device: str, timeout: float, **options: Any) -> Iterator[None]:
        assert logs.is_dir()
        self.asked = {"device": device, "timeout": timeout, **options}
        try:
            yield
        finally:
            self.closed.set()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    return Stage(monkeypatch, tmp_path)


# A run that comes to its end


def test_a_run_writes_what_it_has_found(stage: Stage) -> None:
    listener = Listening()
    stage.run(named("first"), named("second"), listener=listener)
    document = stage.document()
    assert document["exit_code"] == AGREE
    assert [each["pair"] for each in document["outcomes"]] == ["first", "second"]
    assert all(each["finished"] for each in document["outcomes"])
    assert listener.said[0] == "2 pairs"
    assert {"loaded tiny", "begin first", "finish first", "finish second"} <= set(listener.said)


def test_a_run_says_when_it_was_and_how_long_it_took(stage: Stage) -> None:
    stage.run()
    document = stage.document()
    (outcome,) = document["outcomes"]
    assert document["seconds"] >= outcome["seconds"] >= 0.1
    begun, began = (datetime.fromisoformat(each["started"]) for each in (document, outcome))
    assert begun <= began
    assert begun.tzinfo is not None


@pytest.mark.parametrize(
    ("comparisons", "code"),
    [
        ([comparison()], AGREE),
        ([comparison({"loss/eval/loss": np.asarray(9.0)})], DIFFERENCE),
        ([Comparison("", "float32", "graph", "keras", problem="it died")], ENGINE_FAILED),
        ([], ENGINE_FAILED),
    ],
)
def test_a_run_ends_with_its_gravest_verdict(
    stage: Stage, comparisons: list[Comparison], code: int
) -> None:
    stage.proves(proof(*comparisons))
    stage.run()
    assert stage.document()["exit_code"] == code


def test_what_is_asked_reaches_the_proof_and_the_engines(stage: Stage) -> None:
    seen: list[tuple[object, ...]] = []
    stage.proves(lambda outcome, pair, dataset, executor, *rest: seen.append(rest))
    options = Options(
        [find("graph")],
        dtypes=("float64",),
        steps=3,
        seed=4,
        stock=False,
        measure=True,
        device="cpu",
        timeout=5,
        threads=6,
        fresh=True,
    )
    stage.run(options=options)
    assert stage.surveyed == [stage.folder]
    assert seen == [([find("graph")], ("float64",), 3, 4, False, True, quiet)]
    kept = stage.asked.pop("kept")
    assert stage.asked == {"device": "cpu", "timeout": 5, "threads": 6, "fresh": True}
    assert isinstance(kept, Store)
    assert kept.folder == stage.folder / "cache" / "answers"


def test_what_is_wrong_with_the_kept_answers_is_noted(stage: Stage) -> None:
    def prove(outcome: Outcome, *_: object) -> None:
        stage.asked["kept"].notes.append("an entry is damaged")

    stage.proves(prove)
    stage.run()
    assert stage.document()["notes"] == ["an entry is damaged"]


def test_logs_of_an_earlier_run_are_removed(stage: Stage) -> None:
    (stage.folder / "logs").mkdir()
    (stage.folder / "logs" / "graph-1.log").write_text("an old failure")
    stage.run()
    assert not list((stage.folder / "logs").iterdir())


# A run that does not


def test_a_folder_that_cannot_be_written_is_told_first(stage: Stage, tmp_path: Path) -> None:
    stage.folder = tmp_path / "file" / "results"
    (tmp_path / "file").write_text("")
    listener = Listening()
    with pytest.raises(BadInput, match=r"cannot write to .*: Not a directory; choose another"):
        stage.run(listener=listener)
    assert (listener.said, stage.asked) == ([], {})


def test_a_pair_without_its_corpus_does_not_stop_the_others(stage: Stage) -> None:
    other = named("second", data=Data(f"{__name__}:broken"))
    with pytest.raises(DataError, match="second: not the corpus"):
        stage.run(other, named("first"))
    document = stage.document()
    assert document["exit_code"] == BAD_INPUT
    assert [(each["pair"], each["finished"]) for each in document["outcomes"]] == [("first", True)]


def test_a_bug_of_ours_is_no_verdict(stage: Stage) -> None:
    def prove(*_: object) -> None:
        raise ZeroDivisionError

    stage.proves(prove)
    with pytest.raises(ZeroDivisionError):
        stage.run()
    document = stage.document()
    assert document["exit_code"] == ENGINE_FAILED
    assert not document["outcomes"][0]["finished"]


def test_an_interrupted_run_keeps_what_was_finished(stage: Stage) -> None:
    class Interrupting(Listening):
        def loaded(self, origin: Origin) -> None:
            super().loaded(origin)
            if self.said.count("loaded tiny") == 2:
                assert self.finished.wait(PATIENCE)
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage.run(named("first"), named("second"), listener=Interrupting())
    document = stage.document()
    assert document["exit_code"] == INTERRUPTED
    assert [(each["pair"], each["finished"]) for each in document["outcomes"]] == [("first", True)]
    assert document["seconds"] >= 0.1


def test_a_pair_that_is_interrupted_is_not_finished(stage: Stage) -> None:
    def prove(outcome: Outcome, *_: object) -> None:
        outcome.comparisons.append(comparison())
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        assert stage.closed.wait(PATIENCE), "an interrupt closes the executor"
        raise RuntimeError("its engine was ended")

    stage.proves(prove)
    listener = Listening()
    with pytest.raises(KeyboardInterrupt):
        stage.run(listener=listener)
    document = stage.document()
    assert document["exit_code"] == INTERRUPTED
    (outcome,) = document["outcomes"]
    assert not outcome["finished"]
    assert stage.found.outcomes[0].exit_code == ENGINE_FAILED, "not called agreement"
    assert "finish sms_rnn" not in listener.said


# With engines

SCRIPT = f"""
import dataclasses
from parity import cli, executor, pairs
from parity.pair import Data
from tests.conformance.tiny import tiny

executor.cores = lambda: 2  # one hangs in the second pair, the other proves the first
pair, _ = tiny("sms_rnn")
pairs._TABLE.clear()
first = dataclasses.replace(pair, name="first", data=Data("{CORPUS}"))
pairs._TABLE["first"] = first
pairs._TABLE["second"] = dataclasses.replace(first, name="second", keras="stuck:build_model")
cli.main()
"""
STUCK = """
import pathlib, time

def build_model(**hyperparameters):
    pathlib.Path("at work on the second").touch()
    time.sleep(99999)
"""


def test_ctrl_c_keeps_what_was_finished(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(STUCK)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PARITY_CACHE_DIR": str(tmp_path / "cache"),
        "PARITY_MARK": str(tmp_path),
        TF1_PYTHON: "",
    }
    options = ["--engine", "graph", "--dtype", "float32", "--no-stock", "--timeout", "99999"]
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "run", *options],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "first: largest difference" in line:
                break
        wait_until((tmp_path / "at work on the second").exists)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == INTERRUPTED, "".join(said) + out + err
    assert "interrupted" in err
    assert "Traceback" not in err
    document = json.loads((tmp_path / "results/parity/results.json").read_text())
    jsonschema.validate(document, SCHEMA)
    first, second = document["outcomes"]
    assert document["exit_code"] == INTERRUPTED
    assert (first["pair"], first["finished"]) == ("first", True)
    assert (second["pair"], second["finished"]) == ("second", False)
    assert first["comparisons"]
    assert not second["comparisons"]
    wait_until(lambda: not marked(f"PARITY_MARK={tmp_path}"))


def marked(mark: str) -> list[int]:
    """Return every process that has inherited `mark` and is not a zombie."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


# What a run is of


def test_a_run_says_what_it_is_of() -> None:
    found = runs.begun()
    assert (found.outcomes, found.exit_code) == ([], ENGINE_FAILED)
    assert found.version == metadata.version("tf-parity")
    assert found.python == platform.python_version()
    assert found.machine
    assert datetime.fromisoformat(found.started).tzinfo is not None


def test_a_limit_to_the_instruction_set_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    machine = runs.begun().machine
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    assert runs.begun().machine == f"{machine}, ONEDNN_MAX_CPU_ISA=SSE41"


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_a_run_names_its_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *who, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    monkeypatch.setattr("parity.runs.ROOT", tmp_path)
    assert runs.begun().commit == "", "it was installed"
    git("init", "--quiet")
    assert runs.begun().commit == "", "nothing was committed"
    file = tmp_path / "file"
    file.write_text("one")
    git("add", "file")
    git("commit", "--quiet", "--message", "one")
    head = git("rev-parse", "--short", "HEAD")
    assert runs.begun().commit == head
    (tmp_path / "results").write_text("of a run")
    assert runs.begun().commit == head
    file.write_text("two")
    assert runs.begun().commit == head + "+"


def test_no_git_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr("parity.runs.ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert runs.begun().commit == ""


# Recordings, and logs


def test_every_dtype_of_every_pair_is_recorded_by_tensorflow_1(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TF1_PYTHON, "/somewhere/python")
    monkeypatch.setattr("parity.checks.record", lambda pair, dtype, *_: f"{pair.name}-{dtype}.npz")
    listener = Listening()
    found = runs.record([named("first"), named("second")], 5, listener)
    assert sorted(found) == [
        f"{name}-{dtype}.npz" for name in ("first", "second") for dtype in ("float32", "float64")
    ]
    assert listener.said == ["loaded tiny", "loaded tiny"]
    assert (stage.asked["device"], stage.asked["timeout"]) == ("cpu", 5)


def test_logs_stay_only_where_an_error_may_name_them() -> None:
    with runs.scratch() as folder:
        (folder / "keras-1.log").write_text("")
    assert not folder.exists()
    with pytest.raises(ZeroDivisionError), runs.scratch() as folder:
        raise ZeroDivisionError
    assert folder.exists()
    shutil.rmtree(folder)


def test_a_run_of_nothing_is_no_agreement() -> None:
    assert Run([]).verdict == ENGINE_FAILED
