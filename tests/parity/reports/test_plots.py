from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from parity.reports import plots
from parity.results import STEP_LOSS, Outcome
from tests.parity.samples import REAL, anchored, comparison, measured, outcome, recording

PNG = b"\x89PNG\r\n\x1a\n"


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
        found |= {label.get_text() for label in axes.get_yticklabels()}
        found |= {text.get_text() for text in axes.texts}
    for legend in figure.legends:
        found |= {text.get_text() for text in legend.get_texts()}
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
    found = dataclasses.replace(both_dtypes(), origin=REAL)
    assert not any("SYNTHETIC" in said for said in texts(plots.draw_curves(found, "float32")))


def test_every_engine_and_the_bound_have_their_line() -> None:
    found = texts(plots.draw_curves(both_dtypes(), "float32"))
    assert {"graph", "keras", "bound 2e-06", "stock RMSprop: the expected gap"} <= found


def test_own_rounding_is_shaded_and_the_bound_is_the_one_applied() -> None:
    figure = plots.draw_curves(outcome(measured()), "float32")
    (bound,) = [line for line in figure.axes[1].lines if str(line.get_label()).startswith("bound")]
    drawn = np.asarray(bound.get_ydata(), np.float64)
    assert drawn[[0, -1]] == pytest.approx([2e-6, 4 * 3.8e-5])
    said = texts(figure)
    assert {"graph's own rounding", "bound: 2e-06, or 4 times own rounding"} <= said


def test_anchors_are_marked() -> None:
    agrees = "anchor: agrees from the judge's state"
    differs = "anchor: differs from the judge's state"
    assert {agrees, differs} <= texts(plots.draw_curves(outcome(anchored(2)), "float32"))
    said = texts(plots.draw_curves(outcome(anchored()), "float32"))
    assert agrees in said
    assert differs not in said


def test_differences_are_a_row_a_kind_of_tensor() -> None:
    said = texts(plots.draw_differences(both_dtypes()))
    assert {"variables  (1)", "forward eval  (2)", "update slots  (1)"} <= said
    assert {"curve step loss  (1)", "curve final weights  (1)"} <= said


def test_the_worst_tensor_of_a_row_is_named() -> None:
    changes = {"forward/eval/logits": np.full((2, 2), 1 + 1e-7)}
    assert "logits" in texts(plots.draw_differences(outcome(comparison(changes))))


def test_a_picture_is_no_taller_than_a_screen(tmp_path: Path) -> None:
    names = [f"cell_{i}/kernel" for i in range(60)]
    kinds = [f"curve/step {step}/{kind}" for step in range(9) for kind in ("weights", "slots")]
    kinds += ["variables", "gradients", "update/step 1/weights", "update/step 2/slots"]
    kinds += ["curve/final/weights", "curve/final/slots", "forward/train", "loss/train"]
    many = {f"{kind}/{name}": np.ones(2) for kind in kinds for name in names}
    found = outcome(comparison(many))
    (*_, path) = plots.write(tmp_path, found)
    _, height = struct.unpack(">II", path.read_bytes()[16:24])
    assert height <= 1100


def test_a_free_run_that_anchors_excuse_is_not_marked_as_wrong() -> None:
    excused = "free run beyond its bound: see the anchors"
    assert excused in texts(plots.draw_differences(outcome(anchored())))
    assert excused not in texts(plots.draw_differences(outcome(anchored(2))))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_values_that_cannot_be_drawn_do_not_stop_the_picture(tmp_path: Path, value: float) -> None:
    curve = recording()[STEP_LOSS].copy()
    curve[2] = value
    changes = {STEP_LOSS: curve, "forward/eval/outputs": np.full((2, 2), value)}
    assert len(plots.write(tmp_path, outcome(comparison(changes)))) == 2


def test_a_lost_or_misshapen_tensor_does_not_stop_the_picture(tmp_path: Path) -> None:
    changes = {"forward/eval/logits": np.ones(3), "forward/eval/stranger": np.ones(2)}
    assert len(plots.write(tmp_path, outcome(comparison(changes)))) == 2


def test_a_training_draws_one_picture_a_metric(tmp_path: Path) -> None:
    history = {"train_loss": [1.0, np.nan], "test_loss": [1.1, 0.6]}
    (path,) = plots.write_history(tmp_path, history, "sms_rnn, keras", ["loss"])
    assert path.name == "loss.png"
    assert path.read_bytes().startswith(PNG)
