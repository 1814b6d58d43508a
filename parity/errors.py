"""What can go wrong, and the exit code that says so.

0 all agree, 1 a difference, 2 wrong use or bad input, 3 an engine could not do its job.
"""

import difflib
from typing import Iterable, Mapping, TypeVar

AGREE = 0
DIFFERENCE = 1
BAD_INPUT = 2
ENGINE_FAILED = 3
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it

T = TypeVar("T")


class ParityError(Exception):
    """An error with one anatomy: what was received, what was expected, how to mend it.

    Args:
        received: what is wrong, a sentence without its full stop.
        expected: completes "expected ..."; may be empty.
        mend: what to do about it, in the imperative; may be empty.
    """

    exit_code = ENGINE_FAILED

    def __init__(self, received: str, expected: str = "", mend: str = "") -> None:
        self.received, self.expected, self.mend = received, expected, mend
        parts = [received, "expected " + expected if expected else "", mend]
        super().__init__("; ".join(part for part in parts if part))


class BadInput(ParityError):  # noqa: N818  (it names the input, not the program)
    """The caller asked for something unknown, or handed over something unusable."""

    exit_code = BAD_INPUT


class EngineFailed(ParityError):  # noqa: N818  (the same)
    """An engine is missing, died, hung, or could not run the model it was given."""

    exit_code = ENGINE_FAILED


def look_up(what: str, name: str, known: Mapping[str, T]) -> T:
    """Return what is known under `name`.

    Raises:
        BadInput: nothing is; near names are suggested and all known ones listed.
    """
    if name in known:
        return known[name]
    raise BadInput(
        "there is no {} {!r}".format(what, name),
        "one of {}".format(", ".join(known)),
        did_you_mean(name, known),
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names what is spelled nearly like `name`, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=3)
    return "did you mean {}?".format(" or ".join(map(repr, near))) if near else ""
