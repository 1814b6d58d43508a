"""Who answers a request: an engine that is idle, a new one, or an earlier run."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity import engines
from parity.cases import Request
from parity.engines import Engine
from parity.errors import EngineFailed
from parity.executor import Answer, ClosedError, Executor
from parity.store import Store
from parity.wire import Job
from tests.parity.fakes import JOB, MODEL, PATIENCE, TF1, Fake, is_alive, write_engine

Open = Callable[..., Executor]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Makes an engine of a few lines, which run for each job; the command runs beside it."""
    monkeypatch.chdir(tmp_path)

    def make(body: str) -> Engine:
        monkeypatch.setenv(engines.TF1_PYTHON, str(write_engine(tmp_path, body)))
        return TF1

    return make


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Makes an executor with a folder of logs of its own."""
    numbers = iter(range(99))

    def make(**options: Any) -> Executor:
        logs = tmp_path / f"logs-{next(numbers)}"
        logs.mkdir()
        return Executor(logs, **{"timeout": PATIENCE, "workers": 1, **options})

    return make


def ask(executor: Executor, engine: Engine, job: Job = JOB, **arrays: Any) -> Answer:
    return executor.submit(Request(engine, job, arrays)).result()


def pid(answer: Answer) -> int:
    return int(answer.arrays["pid"])


def of_model(builder: str) -> Job:
    return Job("climb", dataclasses.replace(MODEL, builder=builder))


def test_an_engine_is_kept_for_all_its_jobs(fake: Fake, opened: Open) -> None:
    engine = fake("answer(folder)")
    with opened() as executor:
        first, second = ask(executor, engine), ask(executor, engine)
    assert pid(first) == pid(second)
    assert [int(answer.arrays["jobs"]) for answer in (first, second)] == [1, 2]


def test_an_answer_says_who_gave_it_and_when(fake: Fake, opened: Open) -> None:
    with opened() as executor:
        answer = ask(executor, fake("answer(folder)"))
    assert answer.about == {"device": "CPU:0", "tensorflow": "1.15.5"}
    assert datetime.fromisoformat(answer.started).tzinfo is not None
    assert answer.seconds > 0
    assert not answer.kept


def test_progress_is_passed_on(fake: Fake, opened: Open) -> None:
    seen: list[tuple[object, ...]] = []
    with opened() as executor:
        request = Request(fake("progress(); answer(folder)"), JOB, {})
        executor.submit(request, lambda *event: seen.append(event)).result()
    assert seen == [("curve", 1, 2, {})]


def test_each_engine_has_a_log_of_its_own(fake: Fake, opened: Open, tmp_path: Path) -> None:
    with opened() as executor:
        engine = fake("print('hello', file=sys.stderr); os._exit(7)")
        for _ in range(2):
            with pytest.raises(EngineFailed):
                ask(executor, engine)
    logs = tmp_path / "logs-0"
    assert {path.name: path.read_text() for path in logs.iterdir()} == {
        "tf1-1.log": "hello\n",
        "tf1-2.log": "hello\n",
    }


def test_an_engine_that_died_is_started_anew(fake: Fake, opened: Open) -> None:
    engine = fake("os._exit(7) if not os.path.exists('well') else answer(folder)")
    with opened() as executor:
        with pytest.raises(EngineFailed, match="died"):
            ask(executor, engine)
        Path("well").touch()
        assert int(ask(executor, engine).arrays["jobs"]) == 1


def test_an_engine_that_died_between_two_jobs_is_told(fake: Fake, opened: Open) -> None:
    engine = fake("answer(folder)")
    with opened() as executor:
        first = pid(ask(executor, engine))
        os.kill(first, signal.SIGKILL)
        with pytest.raises(EngineFailed, match="engine 'tf1' died"):
            ask(executor, engine)
        assert pid(ask(executor, engine)) != first


def test_an_engine_that_refused_is_not_asked_again(fake: Fake, opened: Open) -> None:
    """What state a refusal leaves it in is unknown."""
    body = """\
if os.path.exists("well"):
    answer(folder)
else:
    send("failed", exit_code=3, received=str(os.getpid()), expected="", mend="")
"""
    engine = fake(body)
    with opened() as executor:
        with pytest.raises(EngineFailed) as caught:
            ask(executor, engine)
        Path("well").touch()
        assert str(pid(ask(executor, engine))) not in str(caught.value)


def both_at_work(executor: Executor, engine: Engine, *builders: str) -> list[Answer]:
    """Return answers that were given at the same time, each by an engine of its own."""
    started = threading.Barrier(len(builders) + 1)

    def begin(*_: object) -> None:
        started.wait(PATIENCE)

    futures = [
        executor.submit(Request(engine, of_model(builder), {}), begin) for builder in builders
    ]
    started.wait(PATIENCE)
    Path("go").touch()
    return [future.result() for future in futures]


@pytest.mark.parametrize("order", ["ab", "ba", "aabb", "abba"])
def test_the_engine_that_has_built_the_model_is_preferred(
    fake: Fake, opened: Open, order: str
) -> None:
    engine = fake("progress() if not os.path.exists('go') else 0; wait_for('go'); answer(folder)")
    with opened(workers=2) as executor:
        a, b = map(pid, both_at_work(executor, engine, "model:a", "model:b"))
        assert a != b
        found = [pid(ask(executor, engine, of_model(f"model:{each}"))) for each in order]
    assert found == [{"a": a, "b": b}[each] for each in order]


def test_any_idle_engine_is_better_than_a_new_one(fake: Fake, opened: Open) -> None:
    engine = fake("answer(folder)")
    with opened() as executor:
        found = {pid(ask(executor, engine, of_model(f"model:{each}"))) for each in "abc"}
    assert len(found) == 1


def test_an_engine_of_other_settings_is_another_one(fake: Fake, opened: Open) -> None:
    engine = fake("answer(folder)")
    other = dataclasses.replace(engine, environment={"A": "b"})
    with opened() as executor:
        assert pid(ask(executor, engine)) != pid(ask(executor, other))


def test_as_many_engines_work_at_a_time_as_there_are_workers(fake: Fake, opened: Open) -> None:
    engine = fake("progress(); wait_for('go'); answer(folder)")
    lock, most, working = threading.Lock(), 0, 0
    two = threading.Event()

    def begin(*_: object) -> None:
        nonlocal most, working
        with lock:
            working += 1
            most = max(most, working)
        if working == 2:
            two.set()

    def end(_: object) -> None:
        nonlocal working
        with lock:
            working -= 1

    with opened(workers=2) as executor:
        futures = [executor.submit(Request(engine, JOB, {}), begin) for _ in range(5)]
        for future in futures:
            future.add_done_callback(end)
        assert two.wait(PATIENCE)
        Path("go").touch()
        pids = {pid(future.result()) for future in futures}
    assert most == 2
    assert len(pids) == 2, "a process serves one job after the other"


# Closing


def test_an_executor_leaves_no_process_behind(fake: Fake, opened: Open) -> None:
    engine = fake("answer(folder)")
    with opened() as executor:
        pids = [pid(ask(executor, engine))]
        pids.append(pid(ask(executor, dataclasses.replace(engine, environment={"A": "b"}))))
        assert [each for each in pids if is_alive(each)] == pids
    assert [each for each in pids if is_alive(each)] == []


def test_closing_ends_what_is_at_work_and_drops_what_waits(fake: Fake, opened: Open) -> None:
    """It says nothing of their jobs: the run was interrupted."""
    engine = fake("open('pid', 'w').write(str(os.getpid())); progress(); time.sleep(9999)")
    started = threading.Event()
    with opened() as executor:
        working = executor.submit(Request(engine, JOB, {}), lambda *_: started.set())
        waiting = executor.submit(Request(engine, JOB, {}))
        assert started.wait(PATIENCE)
    with pytest.raises(ClosedError):
        working.result()
    assert waiting.cancelled()
    assert not is_alive(int(Path("pid").read_text()))


def test_a_closed_executor_starts_nothing(fake: Fake, opened: Open, tmp_path: Path) -> None:
    """As a thread may ask that has not heard of an interrupt yet."""
    engine = fake("answer(folder)")
    with opened() as executor:
        pass
    with pytest.raises(RuntimeError, match="after shutdown"):
        ask(executor, engine)
    assert not list((tmp_path / "logs-0").iterdir())


# Kept answers


def same(left: Answer, right: Answer) -> bool:
    """Tell whether two answers are one: each job of each process gives another."""
    found = [
        {name: value.tolist() for name, value in answer.arrays.items()} for answer in (left, right)
    ]
    return found[0] == found[1] and dict(left.about) == dict(right.about)


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store(tmp_path / "answers")


def test_the_same_question_is_put_once(fake: Fake, opened: Open, kept: Store) -> None:
    engine = fake("answer(folder)")
    with opened(kept=kept) as executor:
        first, second = (ask(executor, engine, x=np.arange(3)) for _ in range(2))
    assert (first.kept, second.kept) == (False, True)
    assert same(first, second)
    assert (second.started, second.seconds) == (first.started, first.seconds)


def test_a_later_run_starts_no_engine_for_what_was_answered(
    fake: Fake, opened: Open, kept: Store, tmp_path: Path
) -> None:
    engine = fake("answer(folder)")
    with opened(kept=kept) as executor:
        first = ask(executor, engine)
    with opened(kept=Store(kept.folder)) as executor:
        later = ask(executor, engine)
    assert later.kept
    assert same(first, later)
    assert not list((tmp_path / "logs-1").iterdir())


OTHER_QUESTIONS: dict[str, tuple[Job, dict[str, Any]]] = {
    "other numbers": (JOB, {"x": np.array([0, 1, 3])}),
    "other dtype": (JOB, {"x": np.arange(3.0)}),
    "other kind": (dataclasses.replace(JOB, kind="lead"), {"x": np.arange(3)}),
    "other rungs": (dataclasses.replace(JOB, rungs=("curve",)), {"x": np.arange(3)}),
    "other seed": (Job("climb", dataclasses.replace(MODEL, seed=1)), {"x": np.arange(3)}),
}


@pytest.mark.parametrize("what", OTHER_QUESTIONS)
def test_another_question_is_put(fake: Fake, opened: Open, kept: Store, what: str) -> None:
    engine = fake("answer(folder)")
    job, arrays = OTHER_QUESTIONS[what]
    with opened(kept=kept) as executor:
        ask(executor, engine, x=np.arange(3))
        assert not ask(executor, engine, job, **arrays).kept
        assert ask(executor, engine, x=np.arange(3)).kept


@pytest.mark.parametrize("options", [{"threads": 2}, {"device": "cpu"}])
def test_an_answer_is_of_its_threads_and_its_device(
    fake: Fake, opened: Open, kept: Store, options: dict[str, Any]
) -> None:
    engine = fake("answer(folder)")
    with opened(kept=kept) as executor:
        ask(executor, engine)
    with opened(kept=kept, **options) as executor:
        assert not ask(executor, engine).kept
    with opened(kept=kept) as executor:
        assert ask(executor, engine).kept


def test_an_answer_is_of_its_engine(fake: Fake, opened: Open, kept: Store) -> None:
    engine = fake("answer(folder)")
    with opened(kept=kept) as executor:
        ask(executor, engine)
        assert not ask(executor, dataclasses.replace(engine, environment={"A": "b"})).kept


def test_a_changed_line_of_a_model_is_another_question(
    fake: Fake, opened: Open, kept: Store
) -> None:
    engine, job = fake("answer(folder)"), of_model("model:build")
    Path("model.py").write_text("import layers\n\ndef build(): return 1\n")
    Path("layers.py").write_text("UNITS = 1\n")
    with opened(kept=kept) as executor:
        found = [ask(executor, engine, job).kept for _ in range(2)]
        Path("model.py").write_text("import layers\n\ndef build(): return 2\n")
        found += [ask(executor, engine, job).kept for _ in range(2)]
        Path("layers.py").write_text("UNITS = 2\n")
        found += [ask(executor, engine, job).kept for _ in range(2)]
        Path("unrelated.py").write_text("UNITS = 3\n")
        found.append(ask(executor, engine, job).kept)
    assert found == [False, True, False, True, False, True, True]


@pytest.mark.parametrize("how", ["named", "installed"])
def test_a_models_source_counts_wherever_an_engine_finds_it(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """In a folder on PYTHONPATH, or of a package that is installed as a link to its source."""
    package = tmp_path / "src" / f"mine_{how}"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model.py").write_text("def build(): return 1\n")
    if how == "named":
        monkeypatch.setenv("PYTHONPATH", str(package.parent))
    else:
        monkeypatch.syspath_prepend(package.parent)
    with opened() as executor:
        builder = f"{package.name}.model:build"
        before = executor.circumstances(engines.LEADER, builder)["sources"]
        (package / "model.py").write_text("def build(): return 2\n")
        after = executor.circumstances(engines.LEADER, builder)["sources"]
    assert list(before[0]) == [package.name, f"{package.name}.model"]
    assert before != after
    assert package.name not in sys.modules


def test_a_framework_is_told_by_its_version_not_by_its_source(opened: Open) -> None:
    with opened() as executor:
        asked = executor.circumstances(engines.LEADER, "keras.optimizers:RMSprop", "")
    assert asked["sources"] == [{}, {}]


def test_a_changed_line_of_an_optimizer_is_another_question(
    fake: Fake, opened: Open, kept: Store
) -> None:
    engine = fake("answer(folder)")
    job = Job("climb", dataclasses.replace(MODEL, optimizer="steps:Adam"))
    Path("steps.py").write_text("RATE = 1\n")
    with opened(kept=kept) as executor:
        found = [ask(executor, engine, job).kept for _ in range(2)]
        Path("steps.py").write_text("RATE = 2\n")
        found.append(ask(executor, engine, job).kept)
    assert found == [False, True, False]


def test_fresh_asks_anew_and_keeps_that(fake: Fake, opened: Open, kept: Store) -> None:
    engine = fake("answer(folder)")
    with opened(kept=kept) as executor:
        old = ask(executor, engine)
    with opened(kept=kept, fresh=True) as executor:
        new = ask(executor, engine)
    assert not new.kept
    assert not same(old, new)
    with opened(kept=kept) as executor:
        found = ask(executor, engine)
    assert found.kept
    assert same(found, new)


def test_what_is_not_to_be_kept_is_neither_looked_for_nor_kept(
    fake: Fake, opened: Open, kept: Store
) -> None:
    request = Request(fake("answer(folder)"), JOB, {})
    with opened(kept=kept) as executor:
        for _ in range(2):
            assert not executor.submit(request, keep=False).result().kept
        assert not kept.folder.exists()
        assert not executor.submit(request).result().kept
        assert not executor.submit(request, keep=False).result().kept


def test_errors_are_not_kept(fake: Fake, opened: Open, kept: Store) -> None:
    body = """\
if os.path.exists("well"):
    answer(folder)
else:
    send("failed", exit_code=2, received="not today", expected="", mend="")
"""
    engine = fake(body)
    with opened(kept=kept) as executor:
        with pytest.raises(Exception, match="not today"):
            ask(executor, engine)
        assert not kept.folder.exists()
        Path("well").touch()
        assert not ask(executor, engine).kept
        assert ask(executor, engine).kept
