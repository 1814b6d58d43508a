from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from rich.console import Console

from parity.reports.tables import pairs_table, remarks, summary, unjudged, verdicts
from parity.results import STEP_LOSS
from tests.parity.samples import (
    KERNEL,
    anchored,
    comparison,
    measured,
    named,
    outcome,
    recording,
    run,
)

LONGEST = ("imdb_embedding_flatten", "newsgroups_lstm_mended")
DIFFERING = comparison({"update/step 1/weights/softmax/bias": np.full(2, 9.0)})


def printed(found: object) -> str:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(found)
    return capture.get()


def row(found: object, start: str) -> list[str]:
    return next(line for line in printed(found).splitlines() if line.startswith(start)).split()


def test_the_table_shows_the_largest_difference_not_the_nearest_to_its_bound() -> None:
    own = {f"gradients/{KERNEL}": np.asarray(1e-2)}
    gradient = {f"gradients/{KERNEL}": np.full((3, 2), 0.5 + 1e-3), "gradients/b": np.ones(2)}
    found = comparison(gradient, own=own)
    least = comparison({"gradients/b": np.ones(2)}).rung("gradients")[-1]  # missing: the nearest
    differences = [d for d in found.differences if d.key != "gradients/b"]
    closer = dataclasses.replace(least, error=9e-7, used=0.9, bound=1e-6, compared=2, note="")
    found = dataclasses.replace(found, differences=(*differences, closer))
    assert row(verdicts(outcome(found)), "graph →")[3:] == [
        *("32", "0", "0", "0", "2e-03", "0", "0"),
        *("90%", "agree"),
    ]


def test_own_rounding_stands_below_what_it_excuses() -> None:
    table = printed(verdicts(outcome(measured()))).splitlines()
    place = next(i for i, line in enumerate(table) if line.startswith("graph →"))
    assert table[place + 1].split() == ["own", "rounding", "4e-06", "4e-05"]
    for figure in ("2e-06", "4e-05"):  # each below its figure
        assert figure in table[place]
    assert table[place].index("4e-05") == table[place + 1].index("4e-05")
    assert "own rounding" in printed(summary([outcome(measured())]))
    assert "own rounding" not in printed(verdicts(outcome(comparison())))


def test_the_share_of_the_bound_is_of_the_bound_that_was_applied() -> None:
    # The free run is far beyond its bound; the anchors, which decide, are equal.
    assert row(verdicts(outcome(anchored())), "graph →")[-2:] == ["0%", "agree"]
    assert row(verdicts(outcome(anchored(2))), "graph →")[-2:] == [">100%", "differ"]
    tiny = {STEP_LOSS: recording()[STEP_LOSS] + 1e-9}
    assert row(verdicts(outcome(comparison(tiny))), "graph →")[-2:] == ["<1%", "agree"]


def test_the_summary_has_the_worst_of_all_engines() -> None:
    (line,) = [
        line
        for line in printed(summary([outcome(comparison(), DIFFERING)])).splitlines()
        if "✗" in line
    ]
    assert line.split()[:2] == ["sms_rnn", "32"]
    assert line.split()[-1] == "differ"


def test_a_pair_that_was_not_finished_is_not_called_agreement() -> None:
    unfinished = dataclasses.replace(outcome(comparison()), finished=False)
    assert "agree" not in printed(summary([unfinished]))
    assert "agree" in printed(summary([outcome(comparison())]))


@pytest.mark.parametrize("name", LONGEST)
def test_tables_fit_in_80_columns(name: str) -> None:
    both = measured()
    update = {"update/step 1/weights/embedding": np.full((4, 2), 1 + 1e-3)}
    recorded = [
        dataclasses.replace(each, reference="recorded")
        for each in (comparison(), both, DIFFERING, comparison(update), comparison(dtype="float64"))
    ]
    found = named(name, outcome(*recorded))
    for table in (summary([found]), verdicts(found)):
        text = printed(table)
        assert "…" not in text
        assert all(len(line.rstrip()) <= 80 for line in text.splitlines())
    assert name in printed(summary([found]))
    assert "recorded → keras" in printed(verdicts(found))


def test_every_engine_that_failed_is_in_the_table() -> None:
    trouble = dataclasses.replace(comparison(), differences=(), curves={}, problem="it died")
    assert "not compared" in " ".join(printed(verdicts(outcome(trouble))).split())


def test_remarks_tell_of_partings_notes_and_the_stock_optimizer() -> None:
    said = remarks(outcome(anchored(), comparison(dtype="float64")))
    assert said[0].startswith("graph → keras float32: agree; the float32 runs part by rounding")
    assert said[1:] == [
        "[yellow]note:[/] a note",
        "stock RMSprop in place of TF1's: largest per-step gap 1.2e-01, as expected (up to 0.5): "
        "epsilon",
    ]
    judged = dataclasses.replace(comparison(), reference="recorded")
    assert "from the recordings" in remarks(outcome(judged))[0]


@pytest.mark.parametrize("gap", [0.6, np.nan])
def test_a_stock_gap_that_no_cause_explains_stands_out(gap: float) -> None:
    found = outcome(comparison())
    assert found.stock is not None
    found.stock = dataclasses.replace(found.stock, gap=gap)
    assert "more than expected" in remarks(found)[-1]


def test_a_pair_that_met_no_tensorflow_1_is_named() -> None:
    judged = dataclasses.replace(comparison(), reference="recorded")
    assert unjudged(run(outcome(judged))) == ""
    assert "sms_rnn; `tox -e oracle`" in unjudged(run(outcome(comparison())))


def test_pairs_are_listed_on_one_line_each_with_their_whole_name() -> None:
    @dataclasses.dataclass
    class Entry:
        name: str
        title: str

    rows = [Entry(LONGEST[0], "what it is " * 9), Entry("b", "short")]
    text = printed(pairs_table(rows)).splitlines()
    assert len(text) == 3
    assert text[1].startswith(f"{LONGEST[0]}  what it is")
    assert text[2].split() == ["b", "short"]
    assert all(len(line) <= 80 for line in text)
