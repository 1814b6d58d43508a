"""Weights in files: NumPy's .npz, TensorFlow 1's names and layout, with a note on their origin.

Either implementation takes the other's weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from parity import wire
from parity.cases import check_finite
from parity.errors import BadInput
from parity.pair import Pair
from parity.wire import Arrays

ABOUT = "__about__"


def save_weights(path: Path, pair: Pair, dataset: Dataset, weights: Arrays, how: Any) -> None:
    """Write shared weights with a note on where they came from, whole or not at all."""
    note = {"pair": pair.name, **_fingerprint(dataset), "made_by": how}
    wire.write_arrays(str(path), {**weights, ABOUT: np.array(json.dumps(note))})


def load_weights(path: Path, pair: Pair, dataset: Dataset) -> Arrays:
    """Read shared weights for a pair on a corpus.

    A file without a note, say one exported from a checkpoint, is taken if its names fit.

    Raises:
        BadInput: the file is missing, unreadable, of another pair or another vocabulary, or holds
            a value that is not finite.
    """
    if not path.exists():
        raise BadInput(
            f"there are no weights at {path}",
            mend=f"train some with `parity train {pair.name}`, or name a file with --weights",
        )
    arrays = wire.read_arrays(str(path))
    note = _note(path, arrays)
    if note and note["pair"] != pair.name:
        raise BadInput(f"{path} holds weights of {note['pair']!r}", f"of {pair.name!r}")
    expected = _fingerprint(dataset)
    if note and any(note[key] != expected[key] for key in expected):
        raise BadInput(
            f"{path} was trained on {note['corpus']} (sha256 {note['corpus_sha256'][:12]}), but "
            f"the corpus here is sha256 {expected['corpus_sha256'][:12]}: its word ids differ",
            mend=f"train anew with `parity train {pair.name}`, or bring the corpus back",
        )
    check_finite(arrays, str(path))
    return arrays


def _note(path: Path, arrays: Arrays) -> dict[str, str]:
    """Take the note on where weights came from out of `arrays`; an empty one if there is none."""
    text = str(arrays.pop(ABOUT, np.array("{}")))
    try:
        note = json.loads(text)
        if not note:
            return {}
        return {key: str(note[key]) for key in ("pair", "corpus", "corpus_sha256")}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path}: its note {ABOUT} cannot be read ({error!r}): {text[:80]}",
            f"what `parity train` writes, or no array {ABOUT} at all",
        ) from error


def _fingerprint(dataset: Dataset) -> dict[str, Any]:
    return {"corpus": dataset.origin.corpus, "corpus_sha256": dataset.origin.digest}
