"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()) -> str:
    """Return a table; what a cell says cannot break it.

    Args:
        head: names of the columns.
        rows: their cells.
        right: names of the columns that are aligned to the right.
    """
    marks = ["---:" if name in set(right) else "---" for name in head]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in [head, marks, *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
