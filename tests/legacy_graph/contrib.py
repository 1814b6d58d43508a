"""Asks TensorFlow 1.15.5, which alone has contrib."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np

from parity.engines import tf1_python

ROOT = Path(__file__).resolve().parents[2]


def said_by_tf1(script: str, folder: Path) -> dict[str, np.ndarray]:
    """Run a script whose first argument is the file of arrays that it is to save."""
    python, found = tf1_python(), folder / "found.npz"
    assert python
    # The other Python has packages of its own, and takes legacy_graph from here.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [python, "-c", script, found],
        capture_output=True,
        text=True,
        check=False,
        env={**env, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(found) as arrays:
        return dict(arrays)
