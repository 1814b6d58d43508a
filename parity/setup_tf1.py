"""Builds the environment of TensorFlow 1.15.5 in the user's cache, with uv."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from datasets.sources import cache_folder
from parity.engines import TF1_FOLDER, TF1_PYTHON, TF1_REQUIREMENTS
from parity.errors import EngineFailed

PYTHON = "3.7"
CHECK = "import tensorflow as tf; assert tf.__version__ == '1.15.5', tf.__version__"


def setup() -> Path:
    """Build the environment, whole or not at all; return its interpreter.

    Raises:
        EngineFailed: this machine can have none, there is no uv, or uv could not build it.
    """
    if (sys.platform, platform.machine()) == ("darwin", "arm64"):
        raise EngineFailed(
            "TensorFlow 1.15.5 was never built for macOS on Arm",
            "Linux or macOS on x86-64",
            "harvest on such a machine, and take the graph files with you; recordings stand in for "
            "TensorFlow 1.15.5 in `parity run`",
        )
    uv = shutil.which("uv")
    if uv is None:
        raise EngineFailed("there is no uv on the PATH", "uv", "install it: pip install uv")
    folder = cache_folder() / TF1_FOLDER
    part = folder.with_name(TF1_FOLDER + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    # Relocatable: it gets its name when it is whole.
    _run(uv, "venv", "--relocatable", "--python", PYTHON, str(part))
    python = part / "bin" / "python"
    _run(uv, "pip", "install", "--python", str(python), *TF1_REQUIREMENTS)
    _run(str(python), "-c", CHECK)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder / "bin" / "python"


def _run(*command: str) -> None:
    """Run a command; its own output is the user's progress."""
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise EngineFailed(
            f"`{' '.join(command[:4])} ...` ended with exit code {done.returncode}",
            mend=f"read what it said above; or set {TF1_PYTHON} to an interpreter that has "
            "TensorFlow 1.15.5",
        )
