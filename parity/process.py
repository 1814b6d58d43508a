"""One running engine: starts it, hands it jobs, survives its death.

An engine is a process, because real TensorFlow 1 needs another interpreter, legacy code flips
process-wide switches, and a crash or a hang must not take the run down.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from parity import wire
from parity.engines import ROOT, TF1_PYTHON, Engine, tf1_missing, visible_devices
from parity.errors import BAD_INPUT, BadInput, EngineFailed
from parity.wire import Arrays, Job

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
# What runs inside an engine, and nothing else: the folder of an installed package would show
# CPython 3.7 the NumPy of this interpreter.
PAYLOAD = (
    "parity/__init__.py",
    "parity/errors.py",
    "parity/graphfile.py",
    "parity/keys.py",
    "parity/wire.py",
    "parity/runners",
    "legacy_graph",
    "keras_v2",
)
# What is started, by the name of its file.
STARTS = {
    "engine.py": "from parity.runners.__main__ import main\n\nmain()\n",
    "harvest.py": "from parity.runners.harvest import main\n\nmain()\n",
}

# stage, steps done, steps in all (0 if unknown), latest metrics
Progress = Callable[[str, int, int, Mapping[str, float]], None]


@dataclasses.dataclass(frozen=True)
class Result:
    """What an engine answered.

    Args:
        arrays: named in the engine's own names.
        about: versions and device.
    """

    arrays: Arrays
    about: Mapping[str, str]


class Process:
    """A running engine; `end` it when it is no longer needed.

    Args:
        engine: what to start.
        log: file that gets everything the frameworks print.
        payload: folder that `write_payload` filled.
        device: ``cpu``, ``gpu``, ``gpu:N``, or empty for the framework's own choice.
        timeout: seconds without a sign of life before the engine counts as hung.
        threads: threads that the framework may compute with; 0 leaves it the choice.
    """

    def __init__(
        self,
        engine: Engine,
        log: Path,
        payload: Path,
        device: str = "",
        timeout: float = 300,
        threads: int = 0,
    ) -> None:
        python = engine.python()
        if python is None:
            raise tf1_missing()
        self.engine, self.timeout, self.device, self._log = engine, timeout, device, log
        environment = environment_of(engine, payload, device, threads)
        with log.open("ab") as stderr:
            try:
                # A session of its own: Ctrl-C is ours to handle, and its children die with it.
                self._process = subprocess.Popen(
                    [python, str(payload / "engine.py"), engine.family],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    env=environment,
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
        self._check(about)
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

    def _check(self, about: Mapping[str, str]) -> None:
        version = about.get("tensorflow", "")
        if self.engine.name == "tf1" and not version.startswith("1.15."):
            raise EngineFailed(
                f"engine 'tf1' runs TensorFlow {version or '(none)'} on {self.engine.python()}",
                "TensorFlow 1.15",
                f"run `tox -e oracle`, or set {TF1_PYTHON} to an interpreter with it",
            )
        if self.device.startswith("gpu") and not about["device"].startswith("GPU"):
            raise EngineFailed(
                f"engine {self.engine.name!r} was asked for {self.device!r} but sees only "
                f"{about['device']}",
                "a GPU",
                "use --device cpu, or install a TensorFlow with GPU support",
            )

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
                "ended",
                mend=f"give it longer with --timeout, or read {self._log}",
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
            raise BadInput(event["received"], event["expected"], event["mend"])
        raise EngineFailed(
            f"engine {self.engine.name!r} could not do its job: {event['received']} "
            f"(its log is {self._log})",
            event["expected"],
            event["mend"],
        )


def environment_of(
    engine: Engine, payload: Path, device: str = "", threads: int = 0
) -> dict[str, str]:
    """Return the environment that an engine's process runs in.

    Args:
        engine: what is started.
        payload: folder that `write_payload` filled.
        device: ``cpu``, ``gpu``, ``gpu:N``, or empty for the framework's own choice.
        threads: threads that the framework may compute with; 0 leaves it the choice.
    """
    # A user's own builders are looked for where the command was called.
    path = [str(payload), os.environ.get("PYTHONPATH", ""), os.getcwd()]
    # TensorFlow 2 tells its children so that they are eager; 1.15 listens to that.
    own = {name: value for name, value in os.environ.items() if name != "TF2_BEHAVIOR"}
    return {
        **own,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # two engines must fit on one GPU
        "NVIDIA_TF32_OVERRIDE": "0",  # float32 must mean float32 on a GPU, too
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "PYTHONWARNINGS": "ignore",
        "PYTHONUNBUFFERED": "1",  # what a model printed before it died is in the log
        **({name: str(threads) for name in THREADS} if threads else {}),
        **visible_devices(device),
        **engine.environment,
    }


def write_payload(folder: Path) -> None:
    """Fill a folder with what runs inside an engine: it is all of ours that an engine sees."""
    for name in PAYLOAD:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    for name, text in STARTS.items():
        (folder / name).write_text(text)


def tail(path: Path, lines: int = 8) -> str:
    """Return the last lines of a text file, indented."""
    text = path.read_text(errors="replace").rstrip().splitlines()[-lines:]
    return "\n".join("  " + line for line in text)
