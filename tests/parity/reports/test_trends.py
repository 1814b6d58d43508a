from __future__ import annotations

import dataclasses
import io
from pathlib import Path

from matplotlib import pyplot as plt
from rich.console import Console

from parity.figures import Summary, summarize
from parity.reports import trends
from tests.parity.samples import TIMES, comparison, outcome, recording, run

PNG = b"\x89PNG\r\n\x1a\n"


def summary(number: int, timed: bool = True, **fields: object) -> Summary:
    logits = recording()["forward/eval/logits"] + number * 1e-7
    found = outcome(comparison({"forward/eval/logits": logits}), comparison(dtype="float64"))
    found.times = TIMES if timed else []
    made = summarize(run(found), f"run {number}")
    return dataclasses.replace(made, **fields)  # type: ignore[arg-type]


def test_a_run_is_a_row() -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(trends.table("sms_rnn", [summary(1), summary(2), summary(3, timed=False)]))
    said = console.export_text()
    rows = {line.split()[0]: line for line in said.splitlines() if line[:1].isdigit()}
    assert set(rows) == {"1", "2", "3"}
    assert all(word in rows["2"] for word in ("2025-01-01", "2.0e-07", "20%", "2.05 ms", "4.05 ms"))
    assert "agree" in rows["3"]
    assert " - " in rows["3"], "its steps were not timed"


def test_only_what_was_measured_has_a_panel() -> None:
    picture = trends.draw("sms_rnn", [summary(1), summary(2)])
    assert [axes.get_ylabel() for axes in picture.axes] == list(trends.LABELS.values())
    assert "SYNTHETIC" in picture.get_suptitle()
    plt.close(picture)
    picture = trends.draw("sms_rnn", [summary(1, timed=False), summary(2, timed=False)])
    assert [axes.get_ylabel() for axes in picture.axes] == [
        "largest difference",
        "share of its bound",
    ]
    plt.close(picture)


def test_every_line_has_a_point_a_run() -> None:
    picture = trends.draw("sms_rnn", [summary(1), summary(2), summary(3, timed=False)])
    lines = {
        (axes.get_ylabel(), line.get_label()): line.get_xydata().tolist()  # type: ignore[union-attr]
        for axes in picture.axes
        for line in axes.get_lines()
    }
    shares = lines["share of its bound", "float32 graph -> keras"]
    assert [round(y, 3) for _, y in shares] == [0.1, 0.2, 0.3]
    assert [x for x, _ in lines["ms a step", "keras"]] == [0, 1]
    plt.close(picture)


def test_a_picture_says_where_versions_changed() -> None:
    other = {"keras": {"keras": "10.0", "device": "CPU:0"}}
    plain = trends.draw("sms_rnn", [summary(1), summary(2)])
    changed = trends.draw("sms_rnn", [summary(1), summary(2, engines=other)])
    counts = [len(picture.axes[0].get_lines()) for picture in (plain, changed)]
    assert counts[1] == counts[0] + 1
    plt.close(plain)
    plt.close(changed)


def test_a_trend_is_written(tmp_path: Path) -> None:
    path = trends.write(tmp_path / "new", "sms_rnn", [summary(1), summary(2)])
    assert path == tmp_path / "new" / "sms_rnn.png"
    assert path.read_bytes().startswith(PNG)
