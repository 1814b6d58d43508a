"""Engines that start at once, because they hold no framework; tests make them misbehave."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from parity.engines import ENGINES, Engine
from parity.wire import Job, Model

MODEL = Model("sms_rnn", "nowhere:nothing", {})
JOB = Job("climb", MODEL)
TF1 = ENGINES["tf1"]
PATIENCE = 600  # seconds; only a test that fails waits so long

# Speaks the protocol by itself; `body` runs for each job.
_SCRIPT = """\
#!{python}
import json, os, signal, subprocess, sys, time
import numpy as np

def send(event, **fields):
    print(json.dumps(dict(fields, event=event)), flush=True)

def progress():
    send("progress", stage="curve", done=1, total=2, metrics={{}})

def answer(folder, **arrays):
    global jobs
    jobs += 1
    np.savez(folder + "/result.npz", pid=os.getpid(), jobs=jobs, **arrays)
    with open(folder + "/result.json", "w") as file:
        json.dump({{"device": "CPU:0", "tensorflow": "1.15.5"}}, file)
    send("done")

def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)

jobs = 0
send("ready")
for line in sys.stdin:
    folder = line.strip()
{body}
"""


def write_engine(folder: Path, body: str) -> Path:
    """Write an interpreter that is an engine of a few lines, which run for each job.

    The lines may call ``answer(folder)``, ``progress()``, ``send(event, ...)`` and
    ``wait_for(path)``.
    """
    path = folder / "engine"
    path.write_text(_SCRIPT.format(python=sys.executable, body=textwrap.indent(body, "    ")))
    path.chmod(0o755)
    return path


Fake = Callable[[str], Engine]


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that is dead and not yet asked for its exit code is not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_until(happened: Callable[[], object]) -> None:
    """Wait for something, as long as a busy machine may take for it.

    Raises:
        TimeoutError: it will never happen.
    """
    until = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > until:
            raise TimeoutError(f"it has not happened in {PATIENCE} s")
        time.sleep(0.01)
