"""Event files, read back with TensorBoard's own reader in a process of its own: it may import
TensorFlow, where what wrote them must not.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from parity.errors import BadInput
from parity.reports import events
from parity.results import STEP_LOSS
from tests.parity.samples import comparison, outcome, recording, run

READER = """
import json, sys
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
read = EventMultiplexer().AddRunsFromDirectory(sys.argv[1]).Reload()
print(json.dumps({
    name: {tag: [(e.step, e.value) for e in read.Scalars(name, tag)] for tag in tags["scalars"]}
    for name, tags in read.Runs().items()
}))
"""
Scalars = dict[str, dict[str, list[list[float]]]]


def scalars(folder: Path) -> Scalars:
    """Return run -> tag -> steps and values, as TensorBoard reads them."""
    done = subprocess.run(
        [sys.executable, "-c", READER, str(folder)], capture_output=True, text=True, check=True
    )
    found: Scalars = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_training_is_a_run_a_split(tmp_path: Path) -> None:
    history = {"train_loss": [0.5, 0.25], "test_loss": [0.75, 0.5], "test_accuracy": [0.5, 1.0]}
    events.write_training(tmp_path, history, np.array([1.0, 0.5, 0.25]))
    assert scalars(tmp_path) == {
        "train": {
            "batch_loss": [[1, 1.0], [2, 0.5], [3, 0.25]],
            "epoch_loss": [[1, 0.5], [2, 0.25]],
        },
        "test": {"epoch_loss": [[1, 0.75], [2, 0.5]], "epoch_accuracy": [[1, 0.5], [2, 1.0]]},
    }


def test_a_run_has_every_engine_and_how_far_it_is_from_the_reference(tmp_path: Path) -> None:
    moved = recording()[STEP_LOSS] + np.array([0, 0, 0, 0.25, 0, 0])
    found = run(outcome(comparison({STEP_LOSS: moved}), comparison(dtype="float64")))
    folder = events.write_run(tmp_path, found)
    assert folder.parent == tmp_path
    read = scalars(folder)
    assert set(read) == {
        *(f"sms_rnn/float32/{who}" for who in ("graph", "keras", "stock")),
        *(f"sms_rnn/float64/{who}" for who in ("graph", "keras")),
    }
    graph, keras = (read[f"sms_rnn/float32/{who}"] for who in ("graph", "keras"))
    assert [value for _, value in graph["step_loss"]] == pytest.approx(recording()[STEP_LOSS])
    assert [step for step, _ in graph["step_loss"]] == [1, 2, 3, 4, 5, 6]
    assert [value for _, value in keras["difference_from_graph/step_loss"]] == [
        *(0, 0, 0, 0.25, 0, 0)
    ]
    assert "difference_from_graph/step_loss" not in graph


def test_another_run_is_laid_beside_the_first(tmp_path: Path) -> None:
    found = run(outcome(comparison()))
    first = events.write_run(tmp_path, found)
    found.started = "2025-01-02T00:00:00+00:00"
    assert events.write_run(tmp_path, found) != first
    assert len(scalars(tmp_path)) == 6


def test_a_pair_that_could_not_be_compared_writes_nothing(tmp_path: Path) -> None:
    trouble = outcome(stock=False)
    assert not events.write_run(tmp_path, run(trouble)).exists()


def test_writing_needs_no_framework(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from parity.reports import events\n"
        f"events.write_training(Path({str(tmp_path)!r}), {{'test_loss': [1.0]}}, [1.0])\n"
        "print({'tensorflow', 'keras', 'torch', 'tensorboard'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_missing_writer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    events.check()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput) as caught:
        events.check()
    assert str(caught.value) == (
        "--tensorboard was given, and tensorboardX is not installed; expected the package that "
        "writes event files; install tf-parity[tensorboard], or leave the option out"
    )
