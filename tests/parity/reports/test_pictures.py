from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from parity.comparing import compare
from parity.keys import RUNGS
from parity.reports import curves, differences, elements, pictures, weights
from parity.reports.plots import save
from parity.results import STEP_LOSS, Outcome
from tests.parity.samples import (
    REAL,
    anchored,
    comparison,
    measured,
    named,
    outcome,
    recording,
)

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def no_figure_is_left() -> Iterator[None]:
    yield
    assert plt.get_fignums() == []


def both_dtypes() -> Outcome:
    return outcome(comparison(), comparison(dtype="float64"))


def texts(figure: Figure | None) -> set[str]:
    """Return everything that a figure says."""
    assert figure is not None
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


def test_a_run_draws_every_kind_of_picture(tmp_path: Path) -> None:
    drawn = pictures.write(tmp_path, [both_dtypes()])
    assert [p.stem for p in drawn] == [picture.name for picture in pictures.PICTURES]
    assert all(path.read_bytes().startswith(PNG) for path in drawn)
    held = {path.name for path in (tmp_path / "sms_rnn").iterdir()}
    assert held == {*(path.name for path in drawn), pictures.STAMP}


def test_what_is_drawn_is_kept_and_what_has_changed_is_drawn_anew(tmp_path: Path) -> None:
    first, second = both_dtypes(), named("other", both_dtypes())
    drawn = pictures.write(tmp_path, [first, second])
    before = {path: path.stat().st_mtime_ns for path in drawn}
    drawn[0].unlink()  # of the first pair
    asked_again = dataclasses.replace(second, seconds=99.0, jobs=[])
    told: list[tuple[int, int]] = []
    assert pictures.write(tmp_path, [first, asked_again], lambda *n: told.append(n)) == drawn
    anew = [path for path in drawn if path.stat().st_mtime_ns != before[path]]
    assert anew == [path for path in drawn if path.parent.name == "sms_rnn"]
    assert told == [(1, 2), (2, 2)]
    pictures.write(tmp_path, [first, dataclasses.replace(second, comparisons=[comparison()])])
    assert (tmp_path / "sms_rnn/curves-float64.png").exists()
    assert not (tmp_path / "other/curves-float64.png").exists(), "it is no longer part of the run"


def test_nothing_compared_draws_nothing() -> None:
    trouble = dataclasses.replace(
        comparison(), differences=(), curves={}, ulps={}, problem="it died"
    )
    for picture in pictures.PICTURES:
        assert picture.draw(outcome(trouble)) is None
        assert picture.numbers(outcome(trouble)) is None


@pytest.mark.parametrize("picture", pictures.PICTURES, ids=lambda picture: picture.name)
def test_every_picture_has_its_numbers(picture: pictures.Picture) -> None:
    numbers = picture.numbers(both_dtypes())
    assert numbers is not None
    assert numbers.rows
    assert {len(row) for row in numbers.rows} == {len(numbers.head)}


def test_a_long_run_has_a_table_of_a_hundred_rows_and_the_last_step() -> None:
    numbers = curves.numbers(outcome(comparison(steps=730)), "float32")
    assert numbers is not None
    assert 50 < len(numbers.rows) <= 100
    assert numbers.rows[-1][0] == "730"


def test_made_up_data_is_announced_in_the_picture() -> None:
    assert "SYNTHETIC DATA" in texts(curves.draw(both_dtypes(), "float32"))
    assert any("SYNTHETIC" in said for said in texts(differences.draw(both_dtypes())))


def test_real_data_is_not_called_made_up() -> None:
    found = dataclasses.replace(both_dtypes(), origin=REAL)
    assert not any("SYNTHETIC" in said for said in texts(curves.draw(found, "float32")))


def test_every_engine_and_the_bound_have_their_line() -> None:
    found = texts(curves.draw(both_dtypes(), "float32"))
    assert {"graph", "keras", "bound 2e-06", "stock RMSprop: the expected gap"} <= found


def test_own_rounding_is_shaded_and_the_bound_is_the_one_applied() -> None:
    figure = curves.draw(outcome(measured()), "float32")
    assert figure is not None
    (bound,) = [line for line in figure.axes[1].lines if str(line.get_label()).startswith("bound")]
    drawn = np.asarray(bound.get_ydata(), np.float64)
    assert drawn[[0, -1]] == pytest.approx([2e-6, 4 * 3.8e-5])
    said = texts(figure)
    assert {"graph's own rounding", "bound: 2e-06, or 4 times own rounding"} <= said


def test_anchors_are_marked() -> None:
    agrees = "anchor: agrees from the judge's state"
    differs = "anchor: differs from the judge's state"
    assert {agrees, differs} <= texts(curves.draw(outcome(anchored(2)), "float32"))
    said = texts(curves.draw(outcome(anchored()), "float32"))
    assert agrees in said
    assert differs not in said


def test_differences_are_a_row_a_kind_of_tensor() -> None:
    said = texts(differences.draw(both_dtypes()))
    assert {"variables  (1)", "forward eval  (2)", "update slots  (1)"} <= said
    assert {"curve step loss  (1)", "curve final weights  (1)"} <= said


def test_the_worst_tensor_of_a_row_is_named() -> None:
    changes = {"forward/eval/logits": np.full((2, 2), 1 + 1e-7)}
    assert "logits" in texts(differences.draw(outcome(comparison(changes))))


def test_a_picture_is_no_taller_than_a_screen(tmp_path: Path) -> None:
    names = [f"cell_{i}/kernel" for i in range(60)]
    kinds = [f"curve/step {step}/{kind}" for step in range(9) for kind in ("weights", "slots")]
    kinds += ["variables", "gradients", "update/step 1/weights", "update/step 2/slots"]
    kinds += ["curve/final/weights", "curve/final/slots", "forward/train", "loss/train"]
    many = {f"{kind}/{name}": np.ones(2) for kind in kinds for name in names}
    found = outcome(comparison(many))
    for picture in pictures.PICTURES:
        figure = picture.draw(found)
        if figure is not None:
            plt.close(figure)
            assert figure.get_size_inches()[1] * figure.dpi <= 1100


def test_the_weights_of_a_large_model_are_those_nearest_their_bounds() -> None:
    many = {f"gradients/layer_{i}": np.ones(2) for i in range(60)}
    near = {**many, "gradients/layer_17": np.array([1, 1 + 5e-7])}
    found = dataclasses.replace(comparison(), differences=tuple(compare(many, near, "float32")))
    assert weights.weights(outcome(found))[0].name == "layer_17"
    said = texts(weights.draw(outcome(found)))
    assert any("24 nearest their bounds" in each for each in said)


def test_elements_count_last_places() -> None:
    numbers = elements.numbers(outcome(comparison()))
    assert numbers is not None
    assert numbers.head[2:5] == ("0", "1", "2")
    assert {row[1] for row in numbers.rows} <= set(RUNGS)


def test_a_free_run_that_anchors_excuse_is_not_marked_as_wrong() -> None:
    excused = "free run beyond its bound: see the anchors"
    assert excused in texts(differences.draw(outcome(anchored())))
    assert excused not in texts(differences.draw(outcome(anchored(2))))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_values_that_cannot_be_drawn_do_not_stop_the_picture(tmp_path: Path, value: float) -> None:
    curve = recording()[STEP_LOSS].copy()
    curve[2] = value
    changes = {STEP_LOSS: curve, "forward/eval/outputs": np.full((2, 2), value)}
    found = outcome(comparison(changes))
    drawn = [picture.draw(found) for picture in pictures.PICTURES]
    paths = [save(figure, tmp_path / f"{i}.png") for i, figure in enumerate(drawn) if figure]
    assert len(paths) == 4


def test_a_lost_or_misshapen_tensor_does_not_stop_the_picture(tmp_path: Path) -> None:
    changes = {"forward/eval/logits": np.ones(3), "forward/eval/stranger": np.ones(2)}
    found = outcome(comparison(changes))
    drawn = [picture.draw(found) for picture in pictures.PICTURES]
    paths = [save(figure, tmp_path / f"{i}.png") for i, figure in enumerate(drawn) if figure]
    assert len(paths) == 4
