"""How far two engines may be apart in general, and why: one table, keyed by rung and dtype.

An error is measured in float64. Its unit is the largest magnitude of the reference tensor
(`LARGEST`), so that a tensor of small values is not excused by being small; or one (`ONE`) where
the value itself has a meaning, as a loss has.
"""

import dataclasses

from parity.keys import Key

LARGEST = "largest value of the tensor"
ONE = "one"


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """A bound and its written reason.

    Args:
        bound: largest error that passes, in units of `relative_to`.
        relative_to: `LARGEST` or `ONE`.
        reason: why this bound and no smaller one.
    """

    bound: float
    relative_to: str
    reason: str


EXACT = Tolerance(0.0, ONE, "weights are copied in, bit by bit; nothing is computed")

_TABLE = {
    ("variables", "float32"): EXACT,
    ("variables", "float64"): EXACT,
    ("forward", "float32"): Tolerance(
        1e-6, LARGEST, "some sixteen roundings of 6e-8: matrix products sum in another order"
    ),
    ("forward", "float64"): Tolerance(1e-12, LARGEST, "rounding is 1e-16; a formula is not"),
    ("loss", "float32"): Tolerance(1e-6, ONE, "a mean over the batch of the forward rounding"),
    ("loss", "float64"): Tolerance(1e-12, ONE, "rounding is 1e-16; a formula is not"),
    ("gradients", "float32"): Tolerance(
        1e-6, LARGEST, "the forward rounding again on the way back"
    ),
    ("gradients", "float64"): Tolerance(1e-12, LARGEST, "rounding is 1e-16; a formula is not"),
    ("update", "float32"): Tolerance(
        5e-6, LARGEST, "slots hold squares of gradients, which doubles their relative error"
    ),
    ("update", "float64"): Tolerance(1e-12, LARGEST, "rounding is 1e-16; a formula is not"),
    ("curve", "float32"): Tolerance(
        2e-6,
        ONE,
        "a loss near three is itself rounded to 2e-7, and that is fed back over all steps",
    ),
    ("curve", "float64"): Tolerance(1e-9, ONE, "per-step loss: rounding fed back over all steps"),
    ("final weights", "float32"): Tolerance(
        5e-6, LARGEST, "weights add up the rounding of every step"
    ),
    ("final weights", "float64"): Tolerance(
        1e-9, LARGEST, "weights add up the rounding of every step"
    ),
    ("final slots", "float32"): Tolerance(
        5e-5,
        LARGEST,
        "an increment divides a small gradient by the root of a smaller mean square, so that the "
        "rounding of rare words' gradients grows (6e-6 seen; 1e-8 in absolute terms)",
    ),
    ("final slots", "float64"): Tolerance(1e-9, LARGEST, "slots add up the rounding of every step"),
}


def tolerance(key: Key, dtype: str) -> Tolerance:
    """Return the general bound for a tensor compared in `dtype`.

    It holds where nothing amplifies rounding. Where a model does, `parity.rounding` measures how
    much, and the bound grows by what was measured.

    Raises:
        KeyError: the rung or the dtype is not in the table.
    """
    if key.kind == "loss":
        return _TABLE["loss", dtype]
    if key.rung == "curve" and not key.is_line:
        return _TABLE[f"final {key.kind}", dtype]
    return _TABLE[key.rung, dtype]
