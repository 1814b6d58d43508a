"""How far two engines may be apart, and why: one table, keyed by rung and dtype.

An error is measured in float64. Its unit is the largest magnitude of the reference tensor
(`LARGEST`), so that a tensor of small values is not excused by being small; or one (`ONE`) where
the value itself has a meaning, as a loss has.
"""

import dataclasses
from collections.abc import Mapping

LARGEST = "largest value of the tensor"
ONE = "one"

RUNGS = ("variables", "forward", "loss", "gradients", "update", "curve")


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


@dataclasses.dataclass(frozen=True)
class Allowance:
    """Wider float32 bounds for one cause. In float64 there is none.

    Args:
        pairs: names of the pairs.
        bounds: rung -> bound, in units of the tensor's largest value.
        reason: the cause, and how large it was seen on the real corpora.
        tensor: end of the names of the tensors; every tensor of those rungs if empty.
    """

    pairs: tuple[str, ...]
    bounds: Mapping[str, float]
    reason: str
    tensor: str = ""


ALLOWANCES = (
    Allowance(
        ("imdb_pooling",),
        {"forward": 1e-5, "gradients": 1e-5},
        "TensorFlow 1.15 adds up the 400 words of a review one by one, TensorFlow 2 as a tree: "
        "4e-6 apart, and 1e-7 between the graph and Keras on TensorFlow 2",
    ),
    Allowance(
        ("imdb_simple_rnn",),
        {"gradients": 5e-6},
        "the gradient comes back through 400 steps without a gate: 2e-6 between the TensorFlows",
    ),
    Allowance(
        (
            "imdb_lstm_cells",
            "imdb_gru_cells",
            "imdb_gru_cells_v1",
            "imdb_gru_layers",
            "imdb_gru_layers_v1",
            "imdb_lstm_glove",
        ),
        {"gradients": 5e-6, "final weights": 5e-5},
        "one number, whose gradient is a sum of 128 signed errors of which a hundredth is left: "
        "2e-6; where it stays near zero, 2e-5 of 1e-4",
        tensor="logits/bias",
    ),
    Allowance(
        ("imdb_lstm_cells", "imdb_lstm_glove"),
        {"final weights": 5e-5},
        "Keras keeps the forget bias of one inside a bias of 0.06, and so rounds as of one: 8e-6",
        tensor="lstm_cell/bias",
    ),
    Allowance(
        (
            "imdb_bilstm",
            "imdb_bilstm_mended",
            "imdb_simple_rnn",
            "imdb_pooling",
            "imdb_flatten",
            "deep_lstm",
            "newsgroups_lstm_mended",
        ),
        {"update": 5e-5, "final weights": 3e-4, "final slots": 3e-4},
        "Adam divides a gradient by its own size: where that is hardly more than rounding, so is "
        "the step, on a few elements in a million (2e-5 after one step, 1e-4 after a hundred); and "
        "its slots keep what the next gradients make of that (9e-5)",
    ),
)


def tolerance(key: str, dtype: str, pair: str = "") -> Tolerance:
    """Return the bound for the tensor `key`, named ``rung/...``, compared in `dtype`.

    Args:
        key: the tensor.
        dtype: ``float32`` or ``float64``.
        pair: name of the pair, where it may have an allowance.

    Raises:
        KeyError: the rung or the dtype is not in the table.
    """
    rung = key.partition("/")[0]
    if key.startswith("curve/final/"):
        rung = "final " + key.split("/")[2]
    general = _TABLE[rung, dtype]
    for each in ALLOWANCES if dtype == "float32" else ():
        if pair in each.pairs and rung in each.bounds and key.endswith(each.tensor):
            return Tolerance(each.bounds[rung], LARGEST, each.reason)
    return general
