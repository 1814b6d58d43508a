"""Harvests an untouched TensorFlow 1 script, or what it saved: in a process, as a graph file.

The script does what it likes: it prints, exits, asks, hangs. It has a process of its own, a
terminal that answers nothing, and a time limit; when this is over nothing of it is left running.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from parity import graphfile, wire
from parity.engines import Engine, tf1_missing
from parity.errors import BAD_INPUT, BadInput, EngineFailed
from parity.graphfile import Graph
from parity.process import environment_of, write_payload

TIMEOUT = 600.0
POLL = 0.2  # seconds between two looks at a script
KEPT_LINES = 12  # of what a script printed last
EXPECTED = (
    "a script's path ending in .py, module:function, a checkpoint's .meta file, or the folder of a "
    "SavedModel"
)
LINE = 4096  # characters of one of its lines

# seconds so far, and what the script printed last
Watch = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class Source:
    """What is to be harvested.

    Args:
        code: a script's path, ``module:function``, the path of a .meta file, or the folder of a
            SavedModel.
        arguments: as the script would get them from a shell.
        folder: working directory of the script.
        checkpoint: of the .meta file, or the folder of several; of the same name if empty.
        signature: of the SavedModel; its only one, or ``serving_default``, if empty.
        fetch: tensors that what was saved gives, besides those of the signature.
    """

    code: str
    arguments: tuple[str, ...] = ()
    folder: Path = Path()
    checkpoint: str = ""
    signature: str = ""
    fetch: tuple[str, ...] = ()

    def check(self) -> None:
        """Make sure that there is something to run.

        Raises:
            BadInput: there is no such script or folder, or it is neither of the forms.
        """
        if not self.folder.is_dir():
            raise BadInput(f"there is no folder {self.folder}", "the script's working directory")
        module, colon, function = self.code.partition(":")
        if graphfile.is_saved(self.code):
            self._check_saved()
            return
        for option, value in (
            ("--checkpoint", self.checkpoint),
            ("--signature", self.signature),
            ("--fetch", self.fetch),
        ):
            if value:
                raise BadInput(
                    f"{option} with {self.code}", "a .meta file or a SavedModel's folder"
                )
        if self.code.endswith(".py"):
            if not self.path.is_file():
                raise BadInput(
                    f"there is no script {self.path}",
                    "a file of Python, its path as seen from --cwd",
                    "correct the path, or --cwd",
                )
        elif not (colon and function.isidentifier() and module.replace(".", "_").isidentifier()):
            raise BadInput(
                f"{self.code!r} cannot be harvested",
                EXPECTED,
            )

    def _check_saved(self) -> None:
        if not self.path.exists() or self.code.endswith(".meta") != self.path.is_file():
            raise BadInput(f"{self.code!r} cannot be harvested", EXPECTED)
        if self.path.is_dir() and not (self.path / "saved_model.pb").is_file():
            raise BadInput(
                f"the folder {self.path} holds no saved_model.pb",
                "a SavedModel",
                "of a checkpoint, name its .meta file",
            )
        if self.arguments:
            raise BadInput(f"arguments for {self.code}, which is not run", "none")

    @property
    def path(self) -> Path:
        """The script's path as this process sees it."""
        return self.folder / self.code


def harvest(
    source: Source,
    to: Path,
    engine: Engine,
    timeout: float = TIMEOUT,
    watch: Watch = lambda *_: None,
) -> Graph:
    """Run code up to its first training run; return its graph file, which is at `to` then.

    Args:
        source: what is to be run.
        to: path of the graph file.
        engine: a graph engine.
        timeout: seconds until a script that has not trained is ended.
        watch: called a few times a second.

    Raises:
        BadInput: the code cannot be run, or nothing in it trains.
        EngineFailed: the engine is missing, or the script ran too long or took it down.
    """
    source.check()
    python = engine.python()
    if python is None:
        raise tf1_missing()
    with tempfile.TemporaryDirectory(prefix="parity-") as scratch:
        payload = Path(scratch) / "payload"
        write_payload(payload)
        question = Path(scratch) / "question.json"
        asked = {"source": source.code, "to": str(to.resolve()), "fetch": source.fetch}
        asked.update(checkpoint=source.checkpoint, signature=source.signature)
        wire.write_json(str(question), asked)
        command = [python, str(payload / "harvest.py"), str(question), *source.arguments]
        event = _run(command, environment_of(engine, payload), source, timeout, watch)
    if event["event"] == "failed":
        kind = BadInput if event["exit_code"] == BAD_INPUT else EngineFailed
        raise kind(event["received"], event["expected"], event["mend"])
    return graphfile.read(str(to))


def _run(
    command: list[str], environment: Mapping[str, str], source: Source, timeout: float, watch: Watch
) -> dict[str, Any]:
    """Run a harvest to its end; return its last event."""
    with _started(command, environment, source.folder) as process:
        # Nobody but us writes to standard output: see the harvest's `main`.
        said, events = Tail(process.stderr, LINE), Tail(process.stdout)
        began = time.monotonic()
        while process.poll() is None:
            passed = time.monotonic() - began
            if passed > timeout:
                raise EngineFailed(
                    f"{source.code} ran for {timeout:g} s, did not train, and was ended"
                    + (f"; it last printed {said.last!r}" if said.last else ""),
                    "a training run",
                    "give it longer with --timeout, or arguments after -- with which it starts "
                    "to train sooner",
                )
            watch(passed, said.last)
            time.sleep(POLL)
        for tail in (said, events):
            tail.join()
    found = [json.loads(line) for line in events.lines]
    if not found or found[-1]["event"] not in ("done", "failed"):
        raise EngineFailed(
            f"{source.code} took its process down (exit code {process.returncode})" + said.quoted()
        )
    return dict(found[-1])


@contextlib.contextmanager
def _started(
    command: list[str], environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """Lend a running process; at the end nothing that it started is left."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,  # what asks for input gets none
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            pipe.close()  # type: ignore[union-attr]  # both were opened as pipes


class Tail:
    """Reads a pipe to its end, and keeps its last lines: a script may print without end.

    Args:
        pipe: what is read.
        longest: characters of a line; what is longer counts as several. -1 for any number.
    """

    def __init__(self, pipe: IO[str] | None, longest: int = -1) -> None:
        assert pipe is not None
        self._pipe, self._longest = pipe, longest
        self._lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[str]:
        """The last lines."""
        return list(self._lines)

    @property
    def last(self) -> str:
        """The last line, or nothing."""
        return self._lines[-1] if self._lines else ""

    def quoted(self) -> str:
        """Return the last lines, to stand under a message; nothing if there are none."""
        return "".join(f"\n  | {line}" for line in self.lines)

    def join(self) -> None:
        """Wait until the pipe is at its end."""
        self._thread.join()

    def _read(self) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed by the one that has ended it
            while line := self._pipe.readline(self._longest):
                if line.strip():
                    self._lines.append(line.rstrip("\n"))
