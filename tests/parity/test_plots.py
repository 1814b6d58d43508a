from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from datasets.dataset import Origin
from parity import plots
from parity.checks import Outcome
from tests.parity.samples import comparison, outcome, recording

PNG = b"\x89PNG\r\n\x1a\n"
REAL = Origin("sms_spam", "cache", False, "from the tests", "0" * 64)


@pytest.fixture(autouse=True)
def no_figure_is_left() -> Iterator[None]:
    yield
    assert plt.get_fignums() == []


def both_dtypes() -> Outcome:
    return outcome(comparison(), comparison(dtype="float64"))


def texts(figure: Figure) -> set[str]:
    """Return everything that a figure says."""
    found = {text.get_text() for text in figure.texts}
    for axes in figure.axes:
        found |= {axes.get_title(loc) for loc in ("left", "center")}
        legend = axes.get_legend()
        found |= {text.get_text() for text in legend.get_texts()} if legend else set()
    if figure.get_suptitle():
        found.add(figure.get_suptitle())
    plt.close(figure)
    return found


def test_a_run_draws_its_curves_and_differences(tmp_path: Path) -> None:
    drawn = plots.write(tmp_path / "sms_rnn", both_dtypes())
    assert [p.name for p in drawn] == [
        "curves-float32.png",
        "curves-float64.png",
        "differences.png",
    ]
    assert all(path.read_bytes().startswith(PNG) for path in drawn)
    assert sorted(drawn) == sorted((tmp_path / "sms_rnn").iterdir())


def test_nothing_compared_draws_nothing(tmp_path: Path) -> None:
    trouble = dataclasses.replace(comparison(), differences=(), curves={}, problem="it died")
    assert plots.write(tmp_path, outcome(trouble)) == []


def test_made_up_data_is_announced_in_the_picture() -> None:
    assert "SYNTHETIC DATA" in texts(plots.draw_curves(both_dtypes(), "float32"))
    assert any("SYNTHETIC" in said for said in texts(plots.draw_differences(both_dtypes())))


def test_real_data_is_not_called_made_up() -> None:
    found = both_dtypes()
    found.dataset = dataclasses.replace(found.dataset, origin=REAL)
    assert not any("SYNTHETIC" in said for said in texts(plots.draw_curves(found, "float32")))


def test_every_engine_and_the_tolerance_have_their_line() -> None:
    found = texts(plots.draw_curves(both_dtypes(), "float32"))
    stock = {"stock RMSprop: the expected gap", "stock RMSprop"}
    assert {"graph", "keras", "tolerance 2e-06", *stock} <= found


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_values_that_cannot_be_drawn_do_not_stop_the_picture(tmp_path: Path, value: float) -> None:
    curve = recording()["curve/step_loss"].copy()
    curve[2] = value
    changes = {"curve/step_loss": curve, "forward/eval/outputs": np.full((2, 2), value)}
    assert len(plots.write(tmp_path, outcome(comparison(changes)))) == 2


def test_a_lost_or_misshapen_tensor_does_not_stop_the_picture(tmp_path: Path) -> None:
    changes = {"forward/eval/logits": np.ones(3), "forward/eval/stranger": np.ones(2)}
    assert len(plots.write(tmp_path, outcome(comparison(changes)))) == 2


def test_a_training_draws_one_picture_a_metric(tmp_path: Path) -> None:
    history = {"train_loss": [1.0, np.nan], "test_loss": [1.1, 0.6]}
    (path,) = plots.write_history(tmp_path, history, "sms_rnn, keras", ["loss"])
    assert path.name == "loss.png"
    assert path.read_bytes().startswith(PNG)
