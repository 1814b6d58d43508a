"""20 Newsgroups: 19,997 messages of 1993, with their headers.

References:
    Lang: NewsWeeder: Learning to Filter Netnews, ICML 1995.
    http://www.cs.cmu.edu/afs/cs.cmu.edu/project/theo-20/www/data/news20.html
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from datasets import glove
from datasets.archives import Member
from datasets.cache import Arrays, pack_words, prepared, unpack_words
from datasets.dataset import DataError, Dataset, one_hot
from datasets.remotes import Official
from datasets.sources import Corpus
from datasets.synthetic import labelled_texts
from datasets.tokenizer import Tokenizer, pad_sequences

GROUPS = (
    "alt.atheism",
    "comp.graphics",
    "comp.os.ms-windows.misc",
    "comp.sys.ibm.pc.hardware",
    "comp.sys.mac.hardware",
    "comp.windows.x",
    "misc.forsale",
    "rec.autos",
    "rec.motorcycles",
    "rec.sport.baseball",
    "rec.sport.hockey",
    "sci.crypt",
    "sci.electronics",
    "sci.med",
    "sci.space",
    "soc.religion.christian",
    "talk.politics.guns",
    "talk.politics.mideast",
    "talk.politics.misc",
    "talk.religion.misc",
)
MESSAGES = tuple(997 if group == "soc.religion.christian" else 1000 for group in GROUPS)
VALIDATION_SHARE = 0.2

_NAMES_SHA256 = "f251b6ffb7b616929330ab525f3d16b1ea5c724f379f86209aa874475f314576"
_SHA256 = "c75ee937fd8cbfc25edc1fa367b093b94d7ad9a35ab3a4ff009ed3bb94719a08"
_FILE = re.compile(r"(?:.*/)?([a-z.-]+)/(\d+)")


@dataclass(frozen=True, eq=False)
class Messages:
    """The corpus as text.

    Args:
        texts: n messages, group by group, each group sorted by file name.
        groups: int32 indices into `GROUPS`, shape ``(n,)``.
        digest: sha256 of the content.
        note: what a reader should know of this copy.
    """

    texts: tuple[str, ...]
    groups: NDArray[np.int32]
    digest: str
    note: str = ""


def load(
    num_words: int = 20_000, sequence_length: int = 1000, embedding_size: int = 100, seed: int = 0
) -> Dataset:
    """Get the messages encoded for ``newsgroups_lstm``, with GloVe vectors of their words.

    The words are learned from all messages, headers and all, as in the model's original script;
    its last fifth, after a shuffle, is the test part here.

    Args:
        num_words: only ids below this are given out; 0 is padding.
        sequence_length: ids a message, padded and cut on the left.
        embedding_size: numbers a word vector.
        seed: seed of the shuffle; the original script sets none.

    Returns:
        15,998 messages to train on and 3,999 to test: x int32 ``(n, sequence_length)``, y float32
        one-hot ``(n, 20)``. Hyperparameters: ``vocabulary_size``, which is ``num_words + 1``,
        ``sequence_length`` and the ``embedding_size`` that could be had. Weights: ``embedding``,
        float32 ``(vocabulary_size, embedding_size)``, zeros for id 0 and for words without a
        vector; as in the original script its last row belongs to a word whose id is never given
        out.

    Raises:
        DataError: if PARITY_DATA_DIR has a corpus, but not in order.
        ValueError: if a size is out of range.
    """
    if num_words < 2:
        raise ValueError(f"num_words is {num_words}, expected 2 or more")
    arrays, origin = prepared(
        CORPUS,
        {"num_words": num_words, "sequence_length": sequence_length},
        partial(_tokenised, num_words, sequence_length),
        made_up,
    )
    tokenizer = Tokenizer(unpack_words(arrays["words"]), num_words)
    order = np.random.RandomState(seed).permutation(len(arrays["y"]))
    x, y = arrays["x"], one_hot(arrays["y"], len(GROUPS))
    train, test = np.split(order, [len(order) - int(VALIDATION_SHARE * len(order))])
    data = Dataset(
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        labels=GROUPS,
        encode=partial(_encode, tokenizer, sequence_length),
        hyperparameters={"vocabulary_size": num_words + 1, "sequence_length": sequence_length},
        origin=origin,
        distinct_words=len(tokenizer.words),
    )
    return glove.added(data, ("", *tokenizer.words), num_words + 1, embedding_size)


def made_up() -> Messages:
    """Made-up messages, as many of each group as in the corpus, but shorter."""
    texts = sorted(
        labelled_texts(MESSAGES, seed=1995, words=40_000, shortest=20, longest=200),
        key=lambda labelled: labelled[0],
    )
    groups = np.array([group for group, _ in texts], np.int32)
    content = [(str(group), text.encode()) for group, text in texts]
    return Messages(tuple(text for _, text in texts), groups, _digest(content))


def _tokenised(num_words: int, sequence_length: int, messages: Messages) -> Arrays:
    tokenizer = Tokenizer.fit(messages.texts, num_words)
    return {
        "x": _encode(tokenizer, sequence_length, messages.texts),
        "y": messages.groups,
        "words": pack_words(tokenizer.words),
    }


def _encode(tokenizer: Tokenizer, sequence_length: int, texts: Sequence[str]) -> NDArray[np.int32]:
    # A module's function, not a closure: a Dataset can be pickled for another process.
    return pad_sequences(tokenizer.texts_to_sequences(texts), sequence_length)


def _parse(members: Iterator[Member]) -> Messages:
    found: dict[tuple[str, str], bytes] = {}
    for name, stream in members:
        match = _FILE.fullmatch(name)
        if match and match[1] in GROUPS:
            found[match[1], match[2]] = stream.read()
    files = sorted(found.items())
    names = _digest((f"{group}/{name}", b"") for (group, name), _ in files)
    if names != _NAMES_SHA256:
        counts = Counter(group for group, _ in found)
        raise DataError(
            f"not the {sum(MESSAGES):,} messages of 20 Newsgroups: {len(files):,} messages in "
            f"{len(counts)} of the groups, sha256 of their names {names}; expected {len(GROUPS)} "
            f"groups of 1,000, soc.religion.christian of 997, {_NAMES_SHA256}: get the files again"
        )
    # Messages are Latin-1; line ends become what Python's text mode makes of them.
    contents = [re.sub(rb"\r\n?", b"\n", content) for _, content in files]
    digest = _digest(("", content) for content in contents)
    note = "" if digest == _SHA256 else "all messages by name, some of other bytes than known here"
    groups = np.array([GROUPS.index(group) for (group, _), _ in files], np.int32)
    return Messages(tuple(c.decode("latin-1") for c in contents), groups, digest, note)


def _digest(files: Iterable[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, content in files:
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


CORPUS: Corpus[Messages] = Corpus(
    name="20_newsgroups",
    holds=("20_newsgroups", "20_newsgroup", "news20"),
    parse=_parse,
    remotes=(
        Official(
            address="http://www.cs.cmu.edu/afs/cs.cmu.edu/project/theo-20/www/data/news20.tar.gz",
            file_name="news20.tar.gz",
            parse=_parse,
            note="the CMU page of 20 Newsgroups",
        ),
    ),
)
