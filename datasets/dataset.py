"""What every loader returns: arrays, and where they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Source = Literal["PARITY_DATA_DIR", "cache", "official", "PyPI", "script", "user", "synthetic"]
Array = NDArray[Any]


class DataError(Exception):
    """Bad or missing data.

    The message says what was received, what was expected and how to mend it.
    """


def one_line(error: BaseException) -> str:
    """An error's message as a part of another one: a single line, at most 300 characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:299] + "…"


def one_hot(classes: NDArray[np.int32], labels: int) -> NDArray[np.float32]:
    """Targets of a softmax, shape ``(n, labels)``, of class ids, shape ``(n,)``."""
    return np.eye(labels, dtype=np.float32)[classes]


@dataclass(frozen=True)
class Origin:
    """Where the content of a data set came from.

    Args:
        corpus: the corpus' name, e.g. ``"sms_spam"``.
        source: which of the sources gave it, in the order in which they are tried.
        synthetic: True if the content was made up because no real copy could be had.
        detail: one sentence for a reader, e.g. the path.
        digest: sha256, in hexadecimal, of the content in use.

    Raises:
        ValueError: if the source is unknown or at odds with ``synthetic``.
    """

    corpus: str
    source: Source
    synthetic: bool
    detail: str
    digest: str

    def __post_init__(self) -> None:
        if self.source not in get_args(Source):
            raise ValueError(f"source is {self.source!r}; known: {', '.join(get_args(Source))}")
        if self.synthetic != (self.source == "synthetic"):
            raise ValueError(f"source {self.source!r} does not go with synthetic={self.synthetic}")

    @property
    def announcement(self) -> str:
        """One line that says what the numbers rest on; it cannot pass made-up data off as real."""
        detail = " ".join(self.detail.split())
        if self.synthetic:
            return f"SYNTHETIC DATA in place of {self.corpus}: {detail} (sha256 {self.digest[:12]})"
        return f"{self.corpus} from {self.source}: {detail} (sha256 {self.digest[:12]})"

    def joined(self, other: Origin) -> Origin:
        """The origin of what two corpora made together: made up if either is, both details kept."""
        known = get_args(Source)
        parts = (self, other)
        return Origin(
            corpus=" + ".join(part.corpus for part in parts),
            source=max((part.source for part in parts), key=known.index),
            synthetic=self.synthetic or other.synthetic,
            detail="; ".join(part.announcement for part in parts),
            digest=hashlib.sha256("".join(part.digest for part in parts).encode()).hexdigest(),
        )


# eq=False: comparing the fields would ask arrays for a single truth value, and fail.
@dataclass(frozen=True, eq=False)
class Dataset:
    """A corpus, split and encoded, ready for a model.

    Args:
        x_train: inputs, shape ``(train, ...)``; for text int32 word ids ``(train, sequence)``.
        y_train: int32 class ids, shape ``(train,)``, or float32, one row a sample, where the
            loss wants targets: one-hot rows, or ``(train, 1)`` for a single sigmoid.
        x_test: as ``x_train``, shape ``(test, ...)``.
        y_test: as ``y_train``.
        labels: ``labels[i]`` names class ``i``.
        encode: maps n raw samples to inputs of shape ``(n, ...)``, as was done for ``x_train``.
        hyperparameters: what a model builder has to know of the data, e.g.
            ``{"vocabulary_size": 1124, "sequence_length": 25}``.
        origin: where the content came from.
        weights: initial values of variables that the corpus decides, by TF1 variable name, e.g.
            ``{"embedding": matrix}`` with pretrained word vectors, float32 (vocabulary, size).
        validation: inputs and classes held out of the training part, where the published schedule
            does so; as ``x_train`` and ``y_train``.
        distinct_words: how many a tokenizer found, those without an id among them; 0 where none
            was asked.

    Raises:
        ValueError: if inputs and classes differ in number.
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    labels: tuple[str, ...]
    encode: Callable[[Sequence[str]], Array]
    hyperparameters: Mapping[str, int]
    origin: Origin
    weights: Mapping[str, Array] = field(default_factory=dict)
    validation: tuple[Array, Array] | None = None
    distinct_words: int = 0

    def __post_init__(self) -> None:
        for part, x, y in (
            ("train", self.x_train, self.y_train),
            ("test", self.x_test, self.y_test),
            ("validation", *(self.validation or ((), ()))),
        ):
            if len(x) != len(y):
                raise ValueError(f"{part}: {len(x)} inputs, but {len(y)} classes")
