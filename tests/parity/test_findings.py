"""What counts as reproduced, and what as equivalent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED
from parity.findings import equivalence
from parity.published import Figure, Margin, Prediction, Published
from parity.records import Counts
from tests.parity.studied import MARGINS, PUBLISHED, judged, record, trained

MARGIN = Margin(0.05, "a tenth")


def verdict(**finals: list[float]) -> str:
    (found,) = judged(trained(**finals)).figures
    return found.verdict


def test_a_figure_is_within_if_the_means_of_both_engines_are() -> None:
    assert verdict(graph=[0.25, 0.35], keras=[0.33]) == "within"
    assert verdict(graph=[0.25, 0.35], keras=[0.35]) == "outside"
    assert verdict(graph=[0.35, 0.45], keras=[0.3]) == "outside"


def test_a_figure_without_both_engines_is_not_trained() -> None:
    assert verdict(graph=[0.3]) == "not trained"
    assert verdict(graph=[0.3], stock=[0.3]) == "not trained"


def test_means_and_deviations_are_over_the_seeds() -> None:
    (found,) = judged(trained(graph=[0.2, 0.3, 0.4], keras=[0.3])).figures
    assert found.mean("graph") == pytest.approx(0.3)
    assert found.deviation("graph") == pytest.approx(0.1)
    assert np.isnan(found.deviation("keras"))


def test_a_figure_is_read_where_its_row_says() -> None:
    curves = {"test_loss": (0.6, 0.5), "validation_loss": (0.9, 0.8), "spam: win": (0.7,)}
    figures = (
        Figure("loss", 0.6, MARGIN, epoch=1),
        Figure("loss", 0.8, MARGIN, epoch=2, split="validation"),
        Figure("loss", 0.6, MARGIN, epoch=0),
        Prediction("win", "spam", 0.7, MARGIN, epoch=2),
    )
    assert [figure.read(curves) for figure in figures] == [0.6, 0.8, 0.6, 0.7]


def test_a_count_holds_exactly_or_does_not() -> None:
    found = {"words": {"graph": 30, "keras": 30}, "vectors": {"corpus": 27}}
    counts = judged([], counts=Counts("sms_rnn", "a corpus", found)).counts
    assert [each.verdict for each in counts] == ["within", "outside"]
    assert [each.verdict for each in judged([]).counts] == ["not counted"] * 2
    found["words"]["keras"] = 31
    counts = judged([], counts=Counts("sms_rnn", "a corpus", found)).counts
    assert counts[0].verdict == "outside"


def test_other_pairs_do_not_count() -> None:
    stranger = record("graph", 0, 9.0, pair="other")
    assert judged([stranger, *trained(graph=[0.3], keras=[0.3])]).figures[0].verdict == "within"


# Equivalence


def spread(mean: float, deviation: float, seeds: int = 20) -> np.ndarray:
    """Return curves of one epoch with exactly this mean and deviation, (seeds, 1)."""
    draw = np.random.RandomState(0).normal(size=seeds)
    draw = (draw - draw.mean()) / draw.std(ddof=1)
    return np.asarray(mean + deviation * draw)[:, None]


@pytest.mark.parametrize(
    ("mean", "deviation", "expected"),
    [
        (0.30, 0.01, "equivalent"),
        (0.34, 0.01, "equivalent"),  # apart, but surely within the margin
        (0.30, 0.30, "not shown"),  # the same mean, known too badly
        (0.35, 0.01, "not shown"),  # on the margin itself
        (0.40, 0.01, "different"),
        (0.20, 0.01, "different"),
    ],
)
def test_equivalence_needs_an_interval_within_the_margin(
    mean: float, deviation: float, expected: str
) -> None:
    found = equivalence("stock", "loss", MARGIN, spread(mean, deviation), spread(0.3, deviation))
    assert found.verdict == expected
    assert found.difference[-1] == pytest.approx(mean - 0.3)
    # The test at 5 % and the interval of 90 % are one statement.
    inside = found.low[-1] > -MARGIN.size and found.high[-1] < MARGIN.size
    assert (found.p < 0.05) == inside


def test_the_interval_is_that_of_welch() -> None:
    # Deviations 1 and 2, twenty seeds each: standard error sqrt(1/20 + 4/20), and Welch's degrees
    # of freedom 0.25^2 / ((0.05^2 + 0.2^2) / 19) = 27.94, whose 95 % quantile is 1.7013.
    found = equivalence("stock", "loss", MARGIN, spread(1.0, 1.0), spread(0.0, 2.0))
    assert found.low[-1] == pytest.approx(1 - 1.7013 * 0.5, abs=1e-4)
    assert found.high[-1] == pytest.approx(1 + 1.7013 * 0.5, abs=1e-4)


def test_more_seeds_show_more() -> None:
    few, many = (
        equivalence("stock", "loss", MARGIN, spread(0.31, 0.06, n), spread(0.3, 0.06, n))
        for n in (5, 60)
    )
    assert few.verdict == "not shown"
    assert many.verdict == "equivalent"


@pytest.mark.parametrize(("mean", "expected"), [(0.5, "equivalent"), (0.6, "different")])
def test_seeds_without_any_spread_are_told_by_their_means(mean: float, expected: str) -> None:
    values, reference = np.full((3, 1), mean), np.full((3, 1), 0.5)
    assert equivalence("stock", "loss", MARGIN, values, reference).verdict == expected


def test_a_curve_tells_where_sides_part_and_where_they_meet() -> None:
    reference = np.tile(spread(0.3, 0.01), 4)  # (seeds, epochs)
    values = reference[::-1] + np.array([0.1, -0.4, 0.02, 0.0])
    found = equivalence("stock", "loss", MARGIN, values, reference)
    assert found.widest == 2
    assert found.settled == 3
    apart = equivalence("stock", "loss", MARGIN, values[:, :2], reference[:, :2])
    assert apart.settled == 0
    together = equivalence("stock", "loss", MARGIN, values[:, 2:], reference[:, 2:])
    assert together.settled == 1


def test_every_side_is_held_against_the_graph() -> None:
    close, far = [0.29, 0.3, 0.31], [0.49, 0.5, 0.51]
    found = judged(trained(graph=close, keras=close, stock=far), MARGINS).equivalences
    assert [(each.side, each.metric, each.verdict) for each in found] == [
        ("keras", "loss", "equivalent"),
        ("stock", "loss", "different"),
    ]
    assert judged(trained(graph=close, keras=[0.3]), MARGINS).equivalences == ()


def code(margins: Mapping[str, Margin] | None = None, **finals: list[float]) -> int:
    published = Published(PUBLISHED.figures)
    return judged(trained(**finals), margins, published=published).exit_code


CLOSE, FAR, SCATTERED = [0.29, 0.3, 0.31], [0.49, 0.5, 0.51], [0.1, 0.3, 0.5]


def test_the_stock_optimizer_decides_nothing() -> None:
    assert code(MARGINS, graph=CLOSE, keras=CLOSE, stock=FAR) == AGREE


def test_a_figure_outside_and_keras_that_is_not_shown_equivalent_are_differences() -> None:
    assert code(graph=FAR, keras=FAR) == DIFFERENCE
    assert code(MARGINS, graph=CLOSE, keras=SCATTERED) == DIFFERENCE


def test_what_is_open_is_never_a_success() -> None:
    assert code() == ENGINE_FAILED
    assert code(graph=CLOSE) == ENGINE_FAILED
    assert code(MARGINS, graph=[0.3], keras=[0.3]) == ENGINE_FAILED  # no spread to test with
    assert code(graph=[0.3], keras=[0.3]) == AGREE
