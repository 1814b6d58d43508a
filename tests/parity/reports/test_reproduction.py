"""Tables, page and pictures of studies: what was found, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from rich.console import Console

from parity.findings import Study
from parity.published import Figure, Margin, Prediction, Published
from parity.records import Counts
from parity.reports import bands, reproduction
from tests.parity.studied import FIGURE, MARGINS, PUBLISHED, judged, trained

COUNTED = Counts("sms_rnn", "a corpus", {"words": {"corpus": 30}, "vectors": {"corpus": 27}})
CLOSE, FAR = [0.29, 0.30, 0.31], [0.49, 0.50, 0.51]


def printed(found: object) -> str:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(found)
    return capture.get()


@pytest.fixture
def whole() -> Study:
    return judged(trained(graph=CLOSE, keras=CLOSE, stock=FAR), MARGINS, COUNTED)


def test_a_figure_stands_beside_both_engines(whole: Study) -> None:
    (line,) = [x for x in printed(reproduction.figures_table([whole])).splitlines() if "0.3 " in x]
    said = " ".join(line.split())
    assert said == "test loss after epoch 2 0.3 0.04 0.3000 0.3000 within"


def test_only_counts_that_do_not_hold_are_printed(whole: Study) -> None:
    said = printed(reproduction.counts_table([whole]))
    assert "sms_rnn: vectors" in said
    assert "some are lost" in said
    assert "sms_rnn: words" not in said


def test_a_difference_of_means_has_its_interval_and_verdict(whole: Study) -> None:
    keras, stock = printed(reproduction.equivalences_table([whole])).splitlines()[2:]
    assert " ".join(keras.split()) == "keras, test loss 0.05 +0.0000 ± 0.0174 0.0018 equivalent"
    assert " ".join(stock.split()) == ("stock RMSprop, test loss 0.05 +0.2000 ± 0.0174 1 different")


def test_the_conclusion_counts_every_published_number(whole: Study) -> None:
    assert reproduction.tally([whole]) == (2, 1, 0)
    assert reproduction.conclusion([whole]) == (
        "2 of 3 published numbers are within their margins, 1 outside"
    )
    assert "3 not trained or counted yet" in reproduction.conclusion([judged([])])


def test_a_sentence_says_where_sides_part_and_by_how_much(whole: Study) -> None:
    keras, stock = reproduction.sentences(whole)
    assert keras.startswith("keras, test loss: never more than 0.0000 from the graph's.")
    assert "In the end +0.0000 ± 0.0174, equivalent (p = 0.0018)." in keras
    assert "0.2000 higher after epoch 2, and not surely within 0.05 at the end" in stock
    assert "not equivalent: the difference is surely larger than the margin" in stock


def test_a_sentence_says_from_when_on_sides_are_together() -> None:
    found = trained(graph=CLOSE, stock=CLOSE)
    apart = [
        dataclasses.replace(r, curves={"test_loss": (0.2, r.curves["test_loss"][-1])})
        if r.side == "stock"
        else r
        for r in found
    ]
    (said,) = reproduction.sentences(judged(apart, MARGINS))
    assert "0.4000 lower after epoch 1, surely within 0.05 from epoch 2 on" in said


def test_the_page_has_it_all(whole: Study) -> None:
    page = reproduction.page([whole], "kept")
    for said in (
        "2 of 3 published numbers are within their margins",
        "9 trainings, 2025-01-01; tensorflow 9.9.9; a processor, one thread each",
        "| `sms_rnn` | test loss after epoch 2 | 0.3 | 0.04 | 0.3000 ± 0.0100 (3) |",
        "| `sms_rnn` | words | 30 | corpus 30 | within |",
        "| `sms_rnn` | vectors | 28 | corpus 27: some are lost | outside |",
        "| `sms_rnn` | 9 ms a step | 12 s, 12 s |",
        "test loss after epoch 2: 0.04, a reason.",
        "| `sms_rnn` | stock RMSprop | 3 | loss | 0.05 | +0.2000 ± 0.0174 | 1 | different |",
        "`sms_rnn`: by design, RMSprop differs: epsilon.",
        "Margins: loss 0.05, a tenth.",
        "![sms_rnn: curves of every side](kept/sms_rnn/curves.png)",
    ):
        assert said in page, said


def test_a_page_of_nothing_says_so() -> None:
    page = reproduction.page([judged([])], "kept")
    assert "Nothing is trained yet." in page
    assert "not trained" in page
    assert "## The stock lane" not in page
    assert "![" not in page


def test_a_part_of_the_trainings_is_told_as_what_it_is() -> None:
    page = reproduction.page([judged(trained(graph=CLOSE[:1]))], "kept")
    assert "| 0.2900 (1) | - |  | not trained |" in page


def test_a_sentence_that_was_predicted_is_quoted_on_the_page_alone() -> None:
    figure = Prediction("win a prize", "spam", 0.9, Margin(0.4, "the class"), epoch=2)
    study = judged([], published=Published((figure,)))
    assert "“win a prize”" in reproduction.page([study], "kept")
    said = printed(reproduction.figures_table([study]))
    assert "win a prize" not in said


def test_page_and_pictures_are_written_beside_each_other(tmp_path: Path, whole: Study) -> None:
    (tmp_path / "kept" / "sms_rnn").mkdir(parents=True)
    path = reproduction.write(tmp_path / "kept", [whole])
    (drawn,) = bands.write(tmp_path / "kept", [whole])
    assert path == tmp_path / "kept.md"
    assert path.read_text("utf-8") == reproduction.page([whole], "kept")
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert f"({drawn.relative_to(tmp_path)})" in path.read_text("utf-8")
    assert plt.get_fignums() == []


def test_the_picture_shows_every_band_and_the_margins(whole: Study) -> None:
    with plt.rc_context():
        figure = bands.draw(whole)
    above, below = figure.axes
    assert len(above.collections) == 3 + 1  # a band a side, and the published figure's margin
    means = {line.get_label(): np.asarray(line.get_ydata()) for line in above.lines}
    assert means["stock RMSprop"] == pytest.approx([0.6, 0.5])
    (legend,) = figure.legends
    assert {text.get_text() for text in legend.get_texts()} == {
        *("graph", "keras", "stock RMSprop", "published, and its margin", "margin of equivalence")
    }
    heights = {float(np.asarray(line.get_ydata())[0]) for line in below.lines}
    assert {-0.05, 0.05} <= heights
    plt.close(figure)


def test_another_split_has_its_own_panel() -> None:
    figure = Figure("accuracy", 0.8, Margin(0.1, "a reason"), epoch=2, split="validation")
    found = [
        dataclasses.replace(r, curves={**r.curves, "validation_accuracy": (0.5, 0.8)})
        for r in trained(graph=[0.3], keras=[0.3])
    ]
    drawn = bands.draw(judged(found, published=Published((FIGURE, figure))))
    assert [axes.get_title("left") or axes.get_title() for axes in drawn.axes] == [
        *("test loss", "validation accuracy")
    ]
    plt.close(drawn)


def test_one_epoch_is_no_picture(tmp_path: Path) -> None:
    found = [
        dataclasses.replace(r, curves={"test_loss": (0.3,)}) for r in trained(graph=[0.3, 0.4])
    ]
    assert bands.write(tmp_path, [judged(found, published=Published())]) == []
    assert bands.write(tmp_path, [judged([], published=PUBLISHED)]) == []
