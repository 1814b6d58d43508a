"""The command, run in this process on a tiny pair: how it ended, and what it said."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from parity.pair import Data
from tests.conformance.tiny import tiny

PAIR = dataclasses.replace(tiny("sms_rnn")[0], data=Data("tests.conformance.tiny:labelled_words"))


@dataclasses.dataclass
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


def error(ended: Ended) -> str:
    """Return the error message: the only thing on standard error, and no traceback."""
    assert ended.err.startswith("error: "), ended
    assert "Traceback" not in ended.err
    return ended.err
