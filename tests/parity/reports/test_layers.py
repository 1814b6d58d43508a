from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from parity.reports.layers import told
from parity.reports.words import explain, explain_all
from parity.segments import OPEN, RIGHT, WRONG, Segment, Segments
from tests.parity.samples import SEGMENTS, comparison, outcome

OUTPUTS = {"forward/eval/outputs": np.array([[0.5, -0.25], [0.125, 0.25]])}
WRONG_ONE = Segment("lstm_1", WRONG, ("rnn/h:0",), error=0.25)
HOW = "(float64, 8 rows, outside of training)"


def right(*names: str) -> list[Segment]:
    return [Segment(name, RIGHT) for name in names]


@pytest.mark.parametrize(
    ("layers", "lines"),
    [
        (
            [*right("a"), WRONG_ONE, *right("b", "c")],
            [
                "`lstm_1` is wrong on right input: 2.5e-01 off rnn/h:0",
                "everything after it is right on right input",
            ],
        ),
        (
            [*right("a"), WRONG_ONE],
            [
                "`lstm_1` is wrong on right input: 2.5e-01 off rnn/h:0",
                "everything else is right on right input",
            ],
        ),
        (
            [
                Segment("a", WRONG, ("relu:0", "out:0"), "sum", 1.0),
                Segment("b", WRONG, ("pool:0",)),
            ],
            [
                "`a` is wrong on right input: it gives sum, the graph goes on with relu:0 or out:0",
                "`b` is wrong on right input: the graph has pool:0 there, of another size",
                "no layer is right on right input",
            ],
        ),
        (
            [*right("a"), Segment("b", OPEN, run=1), Segment("c", OPEN, run=1)],
            [
                "one at least of `b`, `c` is wrong: the graph has nothing to tell them apart by",
                "everything else is right on right input",
            ],
        ),
        (
            [*right("a"), Segment("b", OPEN, run=1), *right("c"), Segment("d", OPEN, run=2)],
            [
                "`b` cannot be told: the graph has nothing to hold it against",
                "`d` cannot be told: the graph has nothing to hold it against",
                "everything else is right on right input",
            ],
        ),
        (right("a", "b"), ["every layer is right on right input"]),
    ],
)
def test_what_is_wrong_is_told_in_a_few_lines(layers: list[Segment], lines: list[str]) -> None:
    assert told(Segments(tuple(layers), 8)) == [*lines, HOW]


def test_what_was_left_out_and_what_could_not_be_done_is_said() -> None:
    assert told(SEGMENTS)[-1] == (
        "(float64, 8 rows, outside of training; 1 tensor of the graph was too large to look at)"
    )
    assert told(Segments(problem="no float64 form")) == [
        "could not be looked at one by one: no float64 form"
    ]


def test_the_failing_report_names_the_layers() -> None:
    found = dataclasses.replace(comparison(OUTPUTS), segments=SEGMENTS)
    said = explain(found, outcome(found)).splitlines()
    start = said.index("  layers          `rnn` is wrong on right input: 2.5e-01 off rnn/concat:0")
    assert said[start + 1].split()[:5] == ["one", "at", "least", "of", "`extra`,"]
    plain = comparison(OUTPUTS)
    assert "layers" not in explain(plain, outcome(plain))


def test_a_recording_that_fails_alike_is_told_what_a_live_engine_says() -> None:
    recorded = dataclasses.replace(comparison(OUTPUTS), reference="recorded")
    live = dataclasses.replace(comparison(OUTPUTS), segments=SEGMENTS)
    (text,) = explain_all(outcome(recorded, live))
    assert text.startswith("sms_rnn  recorded -> keras")
    assert "`rnn` is wrong on right input" in text
    assert "(fed by graph)" in text
