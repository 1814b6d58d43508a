"""Starts an engine, hands it jobs, survives its death.

An engine is a process, because real TensorFlow 1 needs another interpreter, legacy code flips
process-wide switches, and a crash or a hang must not take the run down.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from parity import wire
from parity.errors import BAD_INPUT, BadInput, EngineFailed
from parity.wire import Arrays, Job

ROOT = Path(__file__).resolve().parent.parent
TF1_PYTHON = "PARITY_TF1_PYTHON"
TF1_MISSING = (
    "the engine 'tf1' needs TensorFlow 1.15.5 on CPython 3.7: run `tox -e oracle`, which fetches "
    f"both, or set {TF1_PYTHON} to an interpreter that has them"
)
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")

# stage, steps done, steps in all (0 if unknown), latest metrics
Progress = Callable[[str, int, int, Mapping[str, float]], None]


@dataclasses.dataclass(frozen=True)
class Engine:
    """One way to run one side.

    Args:
        name: what users call it.
        family: the runner that it starts, ``graph`` or ``keras3``.
        about: one line for people.
        environment: variables set in its process.
    """

    name: str
    family: str
    about: str
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def python(self) -> str | None:
        """Return the interpreter that it runs on, or None where there is none."""
        return tf1_python() if self.name == "tf1" else sys.executable


ENGINES: Mapping[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("tf1", "graph", "TensorFlow 1.15.5 itself, on CPython 3.7"),
        Engine("graph", "graph", "tf.compat.v1 on the installed TensorFlow"),
        Engine("keras", "keras3", "Keras 3 on TensorFlow", {"KERAS_BACKEND": "tensorflow"}),
    )
}


def find(name: str) -> Engine:
    """Return the engine called `name`.

    Raises:
        BadInput: there is none; the known ones are listed.
    """
    try:
        return ENGINES[name]
    except KeyError:
        known = ", ".join(ENGINES)
        raise BadInput(f"there is no engine {name!r}; known engines: {known}") from None


def tf1_python() -> str | None:
    """Return the interpreter that has TensorFlow 1.15.5: the one named, or the one of tox."""
    named = os.environ.get(TF1_PYTHON)
    built = ROOT / ".tox" / "oracle" / "bin" / "python"
    return named or (str(built) if built.exists() else None)


class Process:
    """A running engine. Use `running`, which also ends it.

    Args:
        engine: what to start.
        log: file that gets everything the frameworks print.
        device: ``cpu``, ``gpu``, ``gpu:N``, or empty for the framework's own choice.
        timeout: seconds without a sign of life before the engine counts as hung.
        threads: threads that the framework may compute with; 0 leaves it the choice.
    """

    def __init__(
        self,
        engine: Engine,
        log: Path,
        device: str = "",
        timeout: float = 300,
        threads: int = 0,
    ) -> None:
        python = engine.python()
        if python is None:
            raise EngineFailed(TF1_MISSING)
        self.engine, self.timeout, self.device, self._log = engine, timeout, device, log
        environment = {
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # two engines must fit on one GPU
            "NVIDIA_TF32_OVERRIDE": "0",  # float32 must mean float32 on a GPU, too
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "PYTHONWARNINGS": "ignore",
            **({name: str(threads) for name in THREADS} if threads else {}),
            **visible_devices(device),
            **engine.environment,
        }
        with log.open("ab") as stderr:
            try:
                # A session of its own: Ctrl-C is ours to handle, and its children die with it.
                self._process = subprocess.Popen(
                    [python, "-m", "parity.runners", engine.family],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=environment,
                    cwd=os.getcwd(),
                    encoding="utf-8",
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                raise EngineFailed(
                    f"engine {engine.name!r} cannot be started with {python}: {error}"
                ) from error
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def run(self, job: Job, arrays: Mapping[str, Any], progress: Progress) -> Result:
        """Hand over one job and wait for its result.

        Raises:
            BadInput: the model refused the weights or the job.
            EngineFailed: the engine died, hung, or could not run the model.
        """
        with tempfile.TemporaryDirectory(prefix="parity-") as folder:
            wire.save(folder, "job", job.to_json(), arrays)
            self._send(folder)
            while (event := self._next())["event"] != "done":
                if event["event"] == "progress":
                    progress(event["stage"], event["done"], event["total"], event["metrics"])
                elif event["event"] == "failed":
                    self._refuse(event)
            about, results = wire.load(folder, "result")
        version = about.get("tensorflow", "")
        if self.engine.name == "tf1" and not version.startswith("1.15."):
            raise EngineFailed(
                f"engine 'tf1' runs TensorFlow {version or '(none)'} on {self.engine.python()}; "
                f"expected 1.15: run `tox -e oracle`, or set {TF1_PYTHON} to an interpreter with it"
            )
        if self.device.startswith("gpu") and not about["device"].startswith("GPU"):
            raise EngineFailed(
                f"engine {self.engine.name!r} was asked for {self.device!r} but sees only "
                f"{about['device']}; use --device cpu, or install a TensorFlow with GPU support"
            )
        return Result(results, about)

    def end(self) -> None:
        """End the process and everything it started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # both were opened as pipes

    def _send(self, line: str) -> None:
        stdin: IO[str] | None = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(line + "\n")
            stdin.flush()
        except (OSError, ValueError):  # the pipe is broken, or was closed by another thread
            self._died()

    def _next(self) -> dict[str, Any]:
        try:
            event = self._events.get(timeout=self.timeout)
        except queue.Empty:
            self.end()
            raise EngineFailed(
                f"engine {self.engine.name!r} gave no sign of life for {self.timeout:g} s and was "
                f"ended; give it longer with --timeout, or read {self._log}"
            ) from None
        if event is None:
            self._died()
        return event or {}

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # Whatever else writes to standard output is no event.
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and "event" in event:
                    self._events.put(event)
        self._events.put(None)

    def _died(self) -> None:
        code = self._process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise EngineFailed(
            f"engine {self.engine.name!r} died ({how}); the end of {self._log}:\n" + tail(self._log)
        )

    def _refuse(self, event: Mapping[str, Any]) -> None:
        if event["exit_code"] == BAD_INPUT:
            raise BadInput(event["message"])
        raise EngineFailed(
            f"engine {self.engine.name!r} could not do its job: {event['message']} "
            f"(its log is {self._log})"
        )


@dataclasses.dataclass(frozen=True)
class Result:
    """What an engine answered.

    Args:
        arrays: named in the engine's own names.
        about: versions and device.
    """

    arrays: Arrays
    about: Mapping[str, str]


@contextlib.contextmanager
def running(engine: Engine, log: Path, device: str = "", timeout: float = 300) -> Iterator[Process]:
    """Start `engine` and end it when the block ends, however it ends."""
    process = Process(engine, log, device, timeout)
    try:
        yield process
    finally:
        process.end()


def visible_devices(device: str) -> dict[str, str]:
    """Return the environment that shows an engine just `device`.

    Raises:
        BadInput: `device` is not one of cpu, gpu, gpu:N.
    """
    if not device:
        return {}
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": "-1"}
    kind, _, number = device.partition(":")
    if kind == "gpu" and (number.isdigit() or device == "gpu"):
        return {"CUDA_VISIBLE_DEVICES": number} if number else {}
    raise BadInput(f"there is no device {device!r}; expected cpu, gpu, or gpu:N such as gpu:0")


def tail(path: Path, lines: int = 8) -> str:
    """Return the last lines of a text file, indented."""
    text = path.read_text(errors="replace").rstrip().splitlines()[-lines:]
    return "\n".join("  " + line for line in text)
