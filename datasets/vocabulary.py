"""Words to ids, by the rules of TF1's ``tf.contrib.learn.preprocessing.VocabularyProcessor``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "<UNK>"

# Three kinds of token: a run of capitals (not the start of a capitalised word), the first half of a
# camel-cased word, and anything made of word characters, apostrophes and hyphens.
_TOKEN = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|['\w\-]+")


def tokens(text: str) -> list[str]:
    """The tokens of a text in their order, case kept.

    Non-ASCII word characters follow the running Python's Unicode tables, as in contrib.
    """
    return _TOKEN.findall(text)


@dataclass(frozen=True)
class Vocabulary:
    """A fixed list of words; a word's id is its place, and id 0 is both unknown and padding.

    Args:
        words: every word by id; ``words[0]`` is ``"<UNK>"``, which no text can contain as a token.

    Raises:
        ValueError: if ``words`` does not start with ``"<UNK>"`` or names a word twice.

    References:
        TensorFlow 1.15, ``tensorflow/contrib/learn/python/learn/preprocessing``, ``text.py`` and
        ``categorical_vocabulary.py``. There ``transform`` yields rows of int64; here they are
        int32, the dtype the models' placeholders have. The numbers are the same.
    """

    words: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {word: i for i, word in enumerate(self.words)}
        if not self.words or self.words[0] != UNKNOWN:
            raise ValueError(f"words must start with {UNKNOWN!r}, got {self.words[:1]}")
        if len(ids) != len(self.words):
            twice = next(word for i, word in enumerate(self.words) if ids[word] != i)
            raise ValueError(f"each word needs one id, but {twice!r} is there twice")
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def fit(cls, texts: Iterable[str], min_frequency: int = 0) -> Vocabulary:
        """Learn the words of some texts.

        Args:
            texts: raw texts; all their tokens count, also those past any later cut.
            min_frequency: a word stays if it occurs *more* often than this. Ids then run by falling
                frequency, equals in alphabetical order (by code point, so capitals come first).
                With 0 every word stays, and ids run by first appearance instead.

        Returns:
            The vocabulary; its size counts id 0.

        Raises:
            ValueError: if ``min_frequency`` is negative.
            TypeError: if ``texts`` is a single string.
        """
        if min_frequency < 0:
            raise ValueError(f"min_frequency is {min_frequency}, expected 0 or more")
        counts = Counter(token for text in _several(texts) for token in tokens(text))
        words = list(counts)
        if min_frequency > 0:
            kept = (word for word in words if counts[word] > min_frequency)
            words = sorted(kept, key=lambda word: (-counts[word], word))
        return cls((UNKNOWN, *words))

    def __len__(self) -> int:
        return len(self.words)

    def transform(
        self, texts: Sequence[str], sequence_length: int, keep_unknown: bool = True
    ) -> NDArray[np.int32]:
        """Encode texts as rows of word ids, padded and cut on the right.

        Args:
            texts: n raw texts.
            sequence_length: ids a row.
            keep_unknown: give each unknown word its place, with id 0, as contrib does. Without
                them id 0 is padding alone.

        Returns:
            int32 ids, shape ``(n, sequence_length)``.

        Raises:
            ValueError: if ``sequence_length`` is less than 1.
            TypeError: if ``texts`` is a single string.
        """
        if sequence_length < 1:
            raise ValueError(f"sequence_length is {sequence_length}, expected 1 or more")
        rows = [[self._ids.get(t, 0) for t in tokens(text)] for text in _several(texts)]
        ids = np.zeros((len(rows), sequence_length), np.int32)
        for row, found in zip(ids, rows, strict=True):
            cut = [i for i in found if i or keep_unknown][:sequence_length]
            row[: len(cut)] = cut
        return ids  # (texts, sequence)


def _several(texts: Iterable[str]) -> Iterable[str]:
    if isinstance(texts, str):
        # A string is a sequence of strings too, and would silently become one text a character.
        raise TypeError(f"expected several texts, got one string: write [{texts[:20]!r}]")
    return texts
