"""The tables: one row a pair. A row is data; everything else in the harness is generic over it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from parity.errors import BadInput, look_up
from parity.pair import Pair
from parity.pairs import atoms, imdb, newsgroups, sequences, sms

_TABLE: dict[str, Pair] = {}
_ATOMS: dict[str, Pair] = {}

PAIRS: Mapping[str, Pair] = _TABLE
ATOMS: Mapping[str, Pair] = _ATOMS


def find(name: str) -> Pair:
    """Return the pair, a model or an atom, called `name`.

    Raises:
        BadInput: there is none; near names are suggested and all known ones listed.
    """
    return look_up("pair", name, {**PAIRS, **ATOMS})


def chosen(names: Sequence[str], default: Mapping[str, Pair] = PAIRS) -> list[Pair]:
    """Return the pairs that some names or patterns, as of a shell, stand for, each once.

    Args:
        names: as ``sms_rnn`` or ``gru_*``; all of `default` if there are none.
        default: a table.

    Raises:
        BadInput: there is no such pair, or none that fits a pattern.
    """
    known = {**PAIRS, **ATOMS, **default}
    found: dict[str, Pair] = {}
    for name in names or default:
        fitting = fnmatch.filter(known, name) or [name]
        found.update({each: look_up("pair", each, known) for each in fitting})
    return list(found.values())


def register(pair: Pair) -> None:
    """Add a pair to its table.

    Raises:
        BadInput: its row is not in order, or its name is taken.
    """
    pair.check()
    known = {**PAIRS, **ATOMS}
    if pair.name in known:
        raise BadInput(
            f"pair {pair.name!r} is registered already: {known[pair.name].title}",
            "a name for each pair",
            "give one of the two another name",
        )
    (_ATOMS if pair.atom else _TABLE)[pair.name] = pair


for _row in (*sms.ROWS, *imdb.ROWS, *sequences.ROWS, *newsgroups.ROWS, *atoms.ROWS):
    register(_row)
