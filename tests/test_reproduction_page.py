"""docs/reproduction.md says what the kept trainings say, and nothing else."""

from __future__ import annotations

from pathlib import Path

from parity import studies
from parity.pairs import PAIRS
from parity.reports import reproduction

FOLDER = Path(__file__).parents[1] / "docs" / "reproduction"
RENEW = "renew it: parity reproduce --report --output docs/reproduction"


def test_the_page_is_that_of_the_kept_trainings() -> None:
    found = studies.judge(filter(studies.studied, PAIRS.values()), FOLDER)
    page = FOLDER.with_suffix(".md").read_text("utf-8")
    assert page == reproduction.page(found, FOLDER.name), RENEW


def test_every_picture_of_the_page_is_there() -> None:
    found = studies.judge(filter(studies.studied, PAIRS.values()), FOLDER)
    drawn = {study.pair for study in found if reproduction.pictured(study)}
    assert {path.parent.name for path in FOLDER.glob(f"*/{reproduction.PICTURE}")} == drawn, RENEW
