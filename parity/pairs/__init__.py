"""The table: one row a pair. A row is data; everything else in the harness is generic over it."""

from __future__ import annotations

from collections.abc import Mapping

from parity.errors import BadInput, look_up
from parity.pair import Pair
from parity.pairs import imdb, newsgroups, sequences, sms

_TABLE: dict[str, Pair] = {}

PAIRS: Mapping[str, Pair] = _TABLE


def find(name: str) -> Pair:
    """Return the pair called `name`.

    Raises:
        BadInput: there is none; near names are suggested and all known ones listed.
    """
    return look_up("pair", name, PAIRS)


def register(pair: Pair) -> None:
    """Add a pair to the table.

    Raises:
        BadInput: its row is not in order, or its name is taken.
    """
    pair.check()
    if pair.name in _TABLE:
        raise BadInput(
            f"pair {pair.name!r} is registered already: {_TABLE[pair.name].title}",
            "a name for each pair",
            "give one of the two another name",
        )
    _TABLE[pair.name] = pair


for _row in (*sms.ROWS, *imdb.ROWS, *sequences.ROWS, *newsgroups.ROWS):
    register(_row)
