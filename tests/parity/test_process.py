"""What an engine is started with, and what becomes of one that dies, hangs, babbles or refuses.

The engines here hold no framework: small scripts that speak the protocol, and the real server with
a runner of a few lines.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity import engines, process, wire
from parity.cases import data_arrays, make_case, make_model
from parity.engines import ENGINES, Engine
from parity.errors import BadInput, EngineFailed
from parity.process import PAYLOAD, STARTS, Process, write_payload
from parity.runners import protocol
from parity.wire import Arrays, Job
from tests.conformance.tiny import tiny
from tests.conftest import quiet
from tests.parity.fakes import JOB, MODEL, PATIENCE, TF1, Fake, is_alive, wait_until, write_engine

Start = Callable[..., Process]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Makes an engine of a few lines, which run for each job."""

    def make(body: str) -> Engine:
        monkeypatch.setenv(engines.TF1_PYTHON, str(write_engine(tmp_path, body)))
        return TF1

    return make


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "engine.log"


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    folder = tmp_path / "payload"
    write_payload(folder)
    return folder


@pytest.fixture
def start(log: Path, payload: Path) -> Iterator[Start]:
    """Starts an engine that is ended after the test."""
    with contextlib.ExitStack() as stack:

        def begin(engine: Engine, **options: Any) -> Process:
            started = Process(engine, log, payload, **{"timeout": PATIENCE, **options})
            stack.callback(started.end)
            return started

        yield begin


def pid_of(process: Process) -> int:
    return process._process.pid


# Scripts


def test_an_engine_answers_and_is_ended(fake: Fake, start: Start) -> None:
    running = start(fake("progress(); answer(folder)"))
    seen: list[str] = []
    result = running.run(JOB, {"x": np.ones(2)}, lambda stage, *_: seen.append(stage))
    assert result.arrays["pid"] == pid_of(running)
    assert result.about == {"device": "CPU:0", "tensorflow": "1.15.5"}
    assert seen == ["curve"]
    running.end()
    assert not is_alive(pid_of(running))
    running.end()  # a second time does no harm


def test_an_engine_is_asked_what_was_said(fake: Fake, start: Start) -> None:
    body = """\
job, arrays = json.load(open(folder + "/job.json")), np.load(folder + "/job.npz")
answer(folder, x=arrays["x"] * 2, kind=job["kind"], builder=job["model"]["builder"])
"""
    found = start(fake(body)).run(JOB, {"x": np.arange(3)}, quiet).arrays
    np.testing.assert_array_equal(found["x"], [0, 2, 4])
    assert (str(found["kind"]), str(found["builder"])) == ("climb", "nowhere:nothing")


def test_an_engine_that_is_killed_is_named(fake: Fake, start: Start) -> None:
    running = start(fake("progress(); time.sleep(9999)"))

    def kill(*_: object) -> None:
        os.kill(pid_of(running), signal.SIGKILL)

    with pytest.raises(EngineFailed, match=r"engine 'tf1' died \(signal SIGKILL\)"):
        running.run(JOB, {}, kill)


def test_an_engine_that_ends_says_its_last_words(fake: Fake, start: Start, log: Path) -> None:
    engine = fake("print('out of memory', file=sys.stderr, flush=True); os._exit(7)")
    with pytest.raises(EngineFailed) as caught:
        start(engine).run(JOB, {}, quiet)
    message = str(caught.value)
    assert "engine 'tf1' died (exit code 7)" in message
    assert "  out of memory" in message
    assert str(log) in message


def test_an_engine_that_hangs_is_ended(fake: Fake, start: Start) -> None:
    running = start(fake("progress(); time.sleep(9999)"))

    def freeze(*_: object) -> None:
        running.timeout = 0.5
        os.kill(pid_of(running), signal.SIGSTOP)

    with pytest.raises(EngineFailed, match=r"engine 'tf1' gave no sign of life for 0\.5 s"):
        running.run(JOB, {}, freeze)
    assert not is_alive(pid_of(running))


def test_an_engine_takes_its_children_along(fake: Fake, start: Start) -> None:
    running = start(fake("answer(folder, child=subprocess.Popen(['sleep', '9999']).pid)"))
    child = int(running.run(JOB, {}, quiet).arrays["child"])
    assert is_alive(child)
    running.end()
    wait_until(lambda: not is_alive(child))


def test_an_interpreter_with_another_tensorflow_is_no_judge(fake: Fake, start: Start) -> None:
    engine = fake("answer(folder)")
    script = Path(str(engine.python()))
    script.write_text(script.read_text().replace("1.15.5", "2.21.0"))
    with pytest.raises(EngineFailed, match=r"'tf1' runs TensorFlow 2\.21\.0 .* expected .* 1\.15"):
        start(engine).run(JOB, {}, quiet)


GARBAGE = (b"no JSON at all", b"3", b"[]", b'{"no": "event"}', b"null", b"\xff\xfe", b"")


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_among_the_events_is_passed_over(fake: Fake, start: Start, garbage: bytes) -> None:
    engine = fake(f"os.write(1, {garbage!r} + b'\\n'); answer(folder)")
    assert "pid" in start(engine).run(JOB, {}, quiet).arrays


@pytest.mark.parametrize(("code", "kind"), [(2, BadInput), (3, EngineFailed)])
def test_refusals_are_told_apart(
    fake: Fake, start: Start, code: int, kind: type[Exception]
) -> None:
    said = {"received": "the reason", "expected": "better", "mend": "mend it", "exit_code": code}
    with pytest.raises(kind, match=r"the reason.*; expected better; mend it"):
        start(fake(f"send('failed', **{said!r})")).run(JOB, {}, quiet)


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"get_device_details": lambda gpu: {"device_name": f"of {gpu}"}}, {"card": "of first"}),
        ({"get_device_details": lambda gpu: {}}, {}),
        ({}, {}),  # TensorFlow 1
    ],
)
def test_an_engine_tells_which_card_it_is_on(details: dict[str, Any], told: dict[str, str]) -> None:
    config = SimpleNamespace(
        experimental=SimpleNamespace(**details),
        list_physical_devices=lambda kind: ["first", "second"],
    )
    assert protocol.card(config) == told


def test_a_gpu_that_is_not_there_is_not_replaced_in_silence(fake: Fake, start: Start) -> None:
    running = start(fake("answer(folder)"), device="gpu")
    with pytest.raises(EngineFailed, match="was asked for 'gpu' but sees only CPU:0"):
        running.run(JOB, {}, quiet)


@pytest.mark.parametrize("threads", [0, 3])
def test_an_engine_computes_with_the_threads_and_the_device_that_it_is_lent(
    fake: Fake, start: Start, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    names = [*process.THREADS, "CUDA_VISIBLE_DEVICES", "A_SETTING"]
    for name in names:
        monkeypatch.delenv(name, raising=False)
    engine = dataclasses.replace(
        fake(f"answer(folder, seen=[os.environ.get(name, '') for name in {names}])"),
        environment={"A_SETTING": "b"},
    )
    found = start(engine, threads=threads, device="cpu").run(JOB, {}, quiet).arrays["seen"]
    number = str(threads) if threads else ""
    assert found.tolist() == [number, number, "-1", "b"]


# Interpreters that are no engine


def test_what_is_no_engine_at_all_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\necho I am no Python\n")
    path.chmod(0o755)
    monkeypatch.setenv(engines.TF1_PYTHON, str(path))
    with pytest.raises(EngineFailed, match=r"engine 'tf1' died \(exit code 0\)"):
        start(TF1).run(JOB, {}, quiet)


def test_an_interpreter_without_tensorflow_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start
) -> None:
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')  # no site packages
    path.chmod(0o755)
    monkeypatch.setenv(engines.TF1_PYTHON, str(path))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(EngineFailed, match="No module named 'numpy'"):
        start(TF1).run(JOB, {}, quiet)


@pytest.mark.parametrize("path", ["/nowhere/python", "/", __file__])
def test_an_engine_that_cannot_be_started_is_named(
    monkeypatch: pytest.MonkeyPatch, start: Start, path: str
) -> None:
    monkeypatch.setenv(engines.TF1_PYTHON, path)
    with pytest.raises(EngineFailed) as caught:
        start(TF1)
    assert f"engine 'tf1' cannot be started with {path}" in str(caught.value)


def test_no_tensorflow_1_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, start: Start
) -> None:
    monkeypatch.delenv(engines.TF1_PYTHON, raising=False)
    monkeypatch.setattr(engines, "ROOT", tmp_path)
    with pytest.raises(EngineFailed, match="tox -e oracle"):
        start(TF1)


# The payload


def test_the_payload_is_what_runs_inside_an_engine_and_no_more(payload: Path) -> None:
    def inside(folder: Path) -> set[str]:
        return {path.name for path in folder.iterdir()}

    assert inside(payload) == {*STARTS, *(name.partition("/")[0] for name in PAYLOAD)}
    assert inside(payload) == {*STARTS, "parity", "legacy_graph", "keras_v2"}
    assert inside(payload / "parity") == {
        "__init__.py",
        "errors.py",
        "graphfile.py",
        "keys.py",
        "wire.py",
        "runners",
    }
    assert not list(payload.rglob("__pycache__"))
    for path in payload.rglob("*.py"):
        if path.parent != payload:
            source = engines.ROOT / path.relative_to(payload)
            assert path.read_bytes() == source.read_bytes()


def test_an_engine_never_sees_this_interpreters_packages(
    fake: Fake, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package lies among them, NumPy too: CPython 3.7 could not import that."""
    installed, elsewhere = tmp_path / "lib" / "site-packages", tmp_path / "elsewhere"
    write_payload(installed)
    (installed / "numpy").mkdir()
    elsewhere.mkdir()
    monkeypatch.setattr(process, "ROOT", installed)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(elsewhere)
    payload = tmp_path / "payload"
    write_payload(payload)
    assert not (payload / "numpy").exists()
    engine = fake("answer(folder, path=os.environ['PYTHONPATH'], argv=sys.argv)")
    running = Process(engine, log, payload, timeout=PATIENCE)
    try:
        found = running.run(JOB, {}, quiet).arrays
    finally:
        running.end()
    assert str(found["path"]).split(os.pathsep) == [str(payload), str(elsewhere)]
    assert found["argv"].tolist()[1:] == [str(payload / "engine.py"), "graph"]


def test_a_users_modules_are_found_after_ours(
    fake: Fake, start: Start, payload: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"/theirs{os.pathsep}/others")
    monkeypatch.chdir(tmp_path)
    running = start(fake("answer(folder, path=os.environ['PYTHONPATH'])"))
    found = str(running.run(JOB, {}, quiet).arrays["path"])
    assert found.split(os.pathsep) == [str(payload), "/theirs", "/others", str(tmp_path)]


@pytest.mark.oracle
@pytest.mark.usefixtures("tf1")
def test_tensorflow_1_runs_outside_the_checkout(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    pair, dataset = tiny("sms_rnn")
    model = make_model(pair, TF1, dataset.hyperparameters)
    plan = make_case(pair, "float32", dataset).plan
    arrays = {**data_arrays(dataset, pair, TF1), **plan.arrays()}
    about = start(TF1).run(Job("climb", model, rungs=()), arrays, quiet).about
    assert about["tensorflow"].startswith("1.15.")
    assert about["numpy"] != np.__version__


# The server that is the same in every engine, with a runner that holds no framework

SERVER = """\
from parity.runners import __main__ as server

server.FAMILIES["graph"] = "runner:FakeRunner"
server.main()
"""
RUNNER = """\
import os

import numpy as np

from parity.errors import BadInput
from parity.runners.protocol import Runner, Stepped

built = 0


class FakeRunner(Runner):
    def __init__(self, spec):
        global built
        super().__init__(spec)
        built += 1
        self.number = built
        if spec.builder == "a:talkative":
            print("Hello, I am a model")
            os.write(1, b'{"event": "done"}\\n')
        if spec.builder == "a:broken":
            raise ZeroDivisionError("no such layer")
        if spec.builder == "a:choosy":
            raise BadInput("not these weights", "others", "rename them")

    def variables(self):
        return {}

    def slots(self):
        return {}

    def set_variables(self, arrays):
        pass

    def evaluate(self, x, y):
        return {"number": float(self.number)}

    def train_step(self, x, y, step, masks):
        return Stepped({"loss": float(self.number)}, {})

    def about(self):
        return {"device": "CPU:0"}
"""
GRAPH = ENGINES["graph"]
ROWS = {"x": np.zeros((2, 3)), "y": np.zeros(2)}


@pytest.fixture
def served(start: Start, payload: Path) -> Process:
    (payload / "engine.py").write_text(SERVER)
    (payload / "runner.py").write_text(RUNNER)
    return start(GRAPH)


def number_of(served: Process, builder: str = "a:model") -> int:
    """Return which of the engine's models answers."""
    job = Job("evaluate", dataclasses.replace(MODEL, builder=builder))
    return int(served.run(job, ROWS, quiet).arrays["number"])


def test_a_model_is_built_once_for_all_questions(served: Process) -> None:
    assert [number_of(served), number_of(served)] == [1, 1]
    assert number_of(served, "another:model") == 2
    assert number_of(served) == 3, "one model at a time is in memory"


def test_a_training_has_a_model_of_its_own(served: Process) -> None:
    rows = np.zeros((2, 3))
    arrays: Arrays = {"x_train": rows, "y_train": rows, "x_test": rows, "y_test": rows}
    arrays |= {"order": np.arange(2), "sizes": np.array([2]), "tested": np.array([], np.int64)}
    train = Job("train", dataclasses.replace(MODEL, builder="a:model"))
    assert number_of(served) == 1
    assert served.run(train, arrays, quiet).arrays["step_loss"].tolist() == [2]
    assert served.run(train, arrays, quiet).arrays["step_loss"].tolist() == [3]


def test_a_model_may_print_what_it_likes(served: Process, log: Path) -> None:
    assert number_of(served, "a:talkative") == 1
    assert "Hello, I am a model" in log.read_text()


def test_a_refusal_keeps_its_anatomy(served: Process) -> None:
    with pytest.raises(BadInput) as caught:
        number_of(served, "a:choosy")
    said = caught.value
    assert (said.received, said.expected, said.mend) == (
        "not these weights",
        "others",
        "rename them",
    )


def test_a_model_that_breaks_is_named_and_the_next_one_is_built(served: Process, log: Path) -> None:
    with pytest.raises(EngineFailed, match="'graph' could not do its job: ZeroDivisionError: no"):
        number_of(served, "a:broken")
    assert "Traceback" in log.read_text()
    assert number_of(served) == 2


def test_an_unknown_job_is_bad_input(served: Process) -> None:
    with pytest.raises(BadInput, match="there is no job 'dance'; expected one of lead, climb, "):
        served.run(Job("dance", MODEL), {}, quiet)
    assert number_of(served) == 1


def test_a_job_of_another_version_is_bad_input(
    served: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "FORMAT", 99)
    with pytest.raises(BadInput, match=r"this job has format 99; expected format \d; run both"):
        served.run(JOB, {}, quiet)


def test_an_unknown_family_lists_the_known_ones(start: Start) -> None:
    stranger = dataclasses.replace(GRAPH, family="dance")
    with pytest.raises(EngineFailed) as caught:
        start(stranger).run(JOB, {}, quiet)
    assert "there is no family of engines 'dance'; expected one of graph, keras3" in str(
        caught.value
    )


def test_a_tensorflow_2_that_was_imported_here_does_not_make_tensorflow_1_eager(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TF2_BEHAVIOR", "1")
    assert "TF2_BEHAVIOR" not in process.environment_of(engines.find("tf1"), tmp_path)
