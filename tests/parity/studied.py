"""Trainings made by hand: no engine runs for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from parity.findings import Study, study
from parity.published import Count, Figure, Margin, Published
from parity.records import Counts, Record

QUESTION = {"job": "1" * 16, "data": "2" * 16, "model": "3" * 16, "versions": "4" * 16}
FIGURE = Figure("loss", 0.30, Margin(0.04, "a reason"), epoch=2)
PUBLISHED = Published(
    (FIGURE,),
    (Count("words", 30, "vocabulary"), Count("vectors", 28, "vectors", reason="some are lost")),
    "9 ms a step",
)
MARGINS = {"loss": Margin(0.05, "a tenth")}


def record(side: str = "graph", seed: int = 0, final: float = 0.3, **fields: Any) -> Record:
    """Return a training of two epochs that ends with a test loss of `final`."""
    values: dict[str, Any] = {
        "pair": "sms_rnn",
        "side": side,
        "seed": seed,
        "question": QUESTION,
        "corpus": "sms_spam from cache (sha256 000000000000)",
        "curves": {"test_loss": (0.6, final)},
        "made_by": {"tensorflow": "9.9.9", "machine": "a processor", "commit": "0123456"},
        "started": "2025-01-01T00:00:00+00:00",
        "seconds": 12.5,
    }
    return Record(**{**values, **fields})


def trained(**finals: Sequence[float]) -> list[Record]:
    """Return a training for each side and final test loss."""
    return [record(side, i, v) for side, values in finals.items() for i, v in enumerate(values)]


def judged(
    records: Sequence[Record],
    margins: Mapping[str, Margin] | None = None,
    counts: Counts | None = None,
    published: Published = PUBLISHED,
) -> Study:
    """Return the study of some trainings."""
    return study("sms_rnn", published, margins or {}, "RMSprop", "epsilon", records, counts)
