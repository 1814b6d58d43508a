"""What becomes of an engine that dies, hangs, babbles or cannot be started.

The engines here are small scripts that speak the protocol: they start at once, and misbehave.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from parity import engines
from parity.checks import ClosedError, Fleet
from parity.engines import ENGINES, Engine, Process, find, running, visible_devices
from parity.errors import BadInput, EngineFailed
from parity.wire import Job
from tests.conftest import quiet

JOB = Job("climb", "sms_rnn", "nowhere:nothing", {})
TF1 = ENGINES["tf1"]

SCRIPT = """\
#!{python}
import json, os, subprocess, sys, time
import numpy as np

def send(event, **fields):
    print(json.dumps(dict(fields, event=event)), flush=True)

def progress():
    send("progress", stage="curve", done=1, total=2, metrics={{}})

def answer(folder):
    np.savez(folder + "/result.npz", pid=os.getpid())
    with open(folder + "/result.json", "w") as file:
        json.dump({{"device": "CPU:0", "tensorflow": "1.15.5"}}, file)
    send("done")

send("ready")
for line in sys.stdin:
    folder = line.strip()
{body}
"""

Fake = Callable[[str], Engine]


@pytest.fixture(autouse=True)
def nothing_waits_for_ever() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError("this test took longer than 40 s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(40)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Makes an engine of a few lines, which run for each job."""

    def make(body: str) -> Engine:
        path = tmp_path / "engine"
        path.write_text(SCRIPT.format(python=sys.executable, body=textwrap.indent(body, "    ")))
        path.chmod(0o755)
        monkeypatch.setenv(engines.TF1_PYTHON, str(path))
        return TF1

    return make


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "tf1.log"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_of(process: Process) -> int:
    return process._process.pid


def test_an_engine_answers_and_is_ended(fake: Fake, log: Path) -> None:
    with running(fake("progress(); answer(folder)"), log) as process:
        seen: list[str] = []
        result = process.run(JOB, {"x": np.ones(2)}, lambda stage, *_: seen.append(stage))
        assert result.arrays["pid"] == pid_of(process)
        assert result.about == {"device": "CPU:0", "tensorflow": "1.15.5"}
        assert seen == ["curve"]
    assert not is_alive(pid_of(process))


def test_an_engine_that_is_killed_is_named(fake: Fake, log: Path) -> None:
    with running(fake("progress(); time.sleep(99)"), log) as process:

        def kill(*_: object) -> None:
            os.kill(pid_of(process), signal.SIGKILL)

        with pytest.raises(EngineFailed, match=r"engine 'tf1' died \(signal SIGKILL\)"):
            process.run(JOB, {}, kill)


def test_an_engine_that_ends_says_its_last_words(fake: Fake, log: Path) -> None:
    engine = fake("print('out of memory', file=sys.stderr, flush=True); os._exit(7)")
    with running(engine, log) as process, pytest.raises(EngineFailed) as caught:
        process.run(JOB, {}, quiet)
    message = str(caught.value)
    assert "engine 'tf1' died (exit code 7)" in message
    assert "  out of memory" in message
    assert str(log) in message


def test_an_engine_that_hangs_is_ended(fake: Fake, log: Path) -> None:
    with running(fake("progress(); time.sleep(99)"), log) as process:

        def freeze(*_: object) -> None:
            process.timeout = 0.5
            os.kill(pid_of(process), signal.SIGSTOP)

        with pytest.raises(EngineFailed, match=r"engine 'tf1' gave no sign of life for 0\.5 s"):
            process.run(JOB, {}, freeze)
        assert not is_alive(pid_of(process))


def test_an_engine_takes_its_children_along(fake: Fake, log: Path) -> None:
    body = (
        "child = subprocess.Popen(['sleep', '99']).pid\nos.getpid = lambda: child\nanswer(folder)"
    )
    with running(fake(body), log) as process:
        child = int(process.run(JOB, {}, quiet).arrays["pid"])
        assert is_alive(child)
    until = time.monotonic() + 5
    while is_alive(child) and not is_zombie(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_alive(child) or is_zombie(child)


def is_zombie(pid: int) -> bool:
    """Tell whether a process is dead but nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_an_interpreter_with_another_tensorflow_is_no_judge(fake: Fake, log: Path) -> None:
    engine = fake("answer(folder)")
    script = Path(str(engine.python()))
    script.write_text(script.read_text().replace("1.15.5", "2.21.0"))
    with (
        running(engine, log) as process,
        pytest.raises(EngineFailed, match=r"'tf1' runs TensorFlow 2\.21\.0 .* expected 1\.15"),
    ):
        process.run(JOB, {}, quiet)


GARBAGE = (b"no JSON at all", b"3", b"[]", b'{"no": "event"}', b"null", b"\xff\xfe", b"")


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_among_the_events_is_passed_over(fake: Fake, log: Path, garbage: bytes) -> None:
    engine = fake(f"os.write(1, {garbage!r} + b'\\n'); answer(folder)")
    with running(engine, log, timeout=10) as process:
        assert "pid" in process.run(JOB, {}, quiet).arrays


def test_what_is_no_engine_at_all_fails_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Path
) -> None:
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\necho I am no Python\n")
    path.chmod(0o755)
    monkeypatch.setenv(engines.TF1_PYTHON, str(path))
    start = time.monotonic()
    with (
        pytest.raises(EngineFailed, match=r"engine 'tf1' died \(exit code 0\)"),
        running(TF1, log, timeout=20) as process,
    ):
        process.run(JOB, {}, quiet)
    assert time.monotonic() - start < 10


def test_an_interpreter_without_tensorflow_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Path
) -> None:
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')  # no site packages
    path.chmod(0o755)
    monkeypatch.setenv(engines.TF1_PYTHON, str(path))
    with running(TF1, log, timeout=20) as process, pytest.raises(EngineFailed) as caught:
        process.run(JOB, {}, quiet)
    assert "No module named" in str(caught.value)


@pytest.mark.parametrize("path", ["/nowhere/python", "/", __file__])
def test_an_engine_that_cannot_be_started_is_named(
    monkeypatch: pytest.MonkeyPatch, log: Path, path: str
) -> None:
    monkeypatch.setenv(engines.TF1_PYTHON, path)
    with pytest.raises(EngineFailed) as caught:
        Process(TF1, log)
    assert f"engine 'tf1' cannot be started with {path}" in str(caught.value)


def test_no_tensorflow_1_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, log: Path
) -> None:
    monkeypatch.delenv(engines.TF1_PYTHON, raising=False)
    monkeypatch.setattr(engines, "ROOT", tmp_path)
    with pytest.raises(EngineFailed, match="tox -e oracle"):
        Process(TF1, log)


def test_refusals_are_told_apart(fake: Fake, log: Path) -> None:
    for code, kind in ((2, BadInput), (3, EngineFailed)):
        engine = fake(f"send('failed', message='the reason', exit_code={code})")
        with running(engine, log) as process, pytest.raises(kind, match="the reason"):
            process.run(JOB, {}, quiet)


def test_a_gpu_that_is_not_there_is_not_replaced_in_silence(fake: Fake, log: Path) -> None:
    with (
        running(fake("answer(folder)"), log, device="gpu") as process,
        pytest.raises(EngineFailed, match="was asked for 'gpu' but sees only CPU:0"),
    ):
        process.run(JOB, {}, quiet)


@pytest.mark.parametrize(
    ("device", "seen"),
    [
        ("", {}),
        ("cpu", {"CUDA_VISIBLE_DEVICES": "-1"}),
        ("gpu", {}),
        ("gpu:1", {"CUDA_VISIBLE_DEVICES": "1"}),
    ],
)
def test_a_device_is_what_the_engine_is_shown(device: str, seen: Mapping[str, str]) -> None:
    assert visible_devices(device) == seen


@pytest.mark.parametrize("device", ["tpu", "gpu:", "gpu:x", "gpu:-1", "cpu:0", "GPU", "gpu0"])
def test_an_unknown_device_lists_the_known_ones(device: str) -> None:
    with pytest.raises(BadInput, match="expected cpu, gpu, or gpu:N"):
        visible_devices(device)


def test_an_unknown_engine_lists_the_known_ones() -> None:
    with pytest.raises(
        BadInput, match="there is no engine 'jax'; known engines: tf1, graph, keras"
    ):
        find("jax")


# The fleet


@pytest.fixture
def pool(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, timeout=10)


def served(pool: Fleet, engine: Engine) -> int:
    with pool.borrow(engine) as process:
        return int(process.run(JOB, {}, quiet).arrays["pid"])


def test_an_engine_is_kept_for_all_its_jobs(fake: Fake, pool: Fleet) -> None:
    engine = fake("answer(folder)")
    with pool:
        assert served(pool, engine) == served(pool, engine)


def test_an_engine_that_died_is_started_anew(fake: Fake, pool: Fleet) -> None:
    with pool:
        engine = fake("os._exit(7)")
        with pytest.raises(EngineFailed), pool.borrow(engine) as process:
            process.run(JOB, {}, quiet)
        assert served(pool, fake("answer(folder)")) != pid_of(process)


def test_an_engine_that_died_between_two_jobs_is_told(fake: Fake, pool: Fleet) -> None:
    engine = fake("answer(folder)")
    with pool:
        first = served(pool, engine)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(EngineFailed, match="engine 'tf1' died"):
            served(pool, engine)
        assert served(pool, engine) != first


def test_a_fleet_leaves_no_process_behind(fake: Fake, pool: Fleet) -> None:
    engine = fake("answer(folder)")
    with pool:
        pids = [served(pool, engine)]
        pids.append(served(pool, dataclasses.replace(engine, environment={"A": "b"})))
    assert [pid for pid in pids if is_alive(pid)] == []


def test_a_closed_fleet_starts_nothing(fake: Fake, pool: Fleet) -> None:
    """As a thread may ask that has not heard of an interrupt yet."""
    engine = fake("answer(folder)")
    with pool:
        pass
    with pytest.raises(ClosedError), pool.borrow(engine) as process:
        process.end()


def test_as_many_engines_work_at_a_time_as_there_are_workers(fake: Fake, tmp_path: Path) -> None:
    engine = fake("time.sleep(0.3); answer(folder)")
    seen, working = [], []

    def serve(pool: Fleet) -> int:
        with pool.borrow(engine) as process:
            working.append(process)
            seen.append(len(working))
            pid = int(process.run(JOB, {}, quiet).arrays["pid"])
            working.remove(process)
        return pid

    with Fleet(tmp_path, timeout=10, workers=2) as pool, ThreadPoolExecutor(5) as threads:
        pids = {each.result() for each in [threads.submit(serve, pool) for _ in range(5)]}
    assert max(seen) == 2
    assert len(pids) == 2, "a process serves one job after the other"


def test_an_engine_of_a_fleet_that_ends_says_nothing_of_its_job(fake: Fake, pool: Fleet) -> None:
    engine = fake("time.sleep(30)")

    def serve() -> None:
        with pool.borrow(engine) as process:
            started.set()
            process.run(JOB, {}, quiet)

    started = threading.Event()
    with ThreadPoolExecutor(1) as threads, pool:
        future = threads.submit(serve)
        assert started.wait(10)
        pool.__exit__()
        with pytest.raises(ClosedError):
            future.result()
