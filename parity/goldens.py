"""Recordings of TensorFlow 1.15.5, kept in the repository to stand in for it.

A recording holds a sample of every tensor of a climb, with the digests of what the engine was
given: it is compared only with an engine that was given exactly that. ``parity record`` makes it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from parity import compare, wire
from parity.cases import Case
from parity.errors import EngineFailed
from parity.wire import Arrays


@dataclasses.dataclass(frozen=True)
class Whole:
    """What a recording knows of the whole tensors that it holds samples of, by name.

    Args:
        shapes: their shapes.
        largest: their largest magnitudes, the unit of errors.
    """

    shapes: Mapping[str, tuple[int, ...]]
    largest: Mapping[str, float]


FOLDER = Path(__file__).parent / "recordings"
RENEW = "parity record {pair}"


def save(case: Case, recording: Arrays, about: Mapping[str, str], folder: Path = FOLDER) -> Path:
    """Write the recording of a case with its provenance; return the path of the arrays."""
    stem = _stem(case)
    folder.mkdir(parents=True, exist_ok=True)
    provenance = {
        "pair": case.pair.name,
        "dtype": case.dtype,
        "engine": dict(about),
        "corpus": case.dataset.origin.corpus,
        "synthetic": case.dataset.origin.synthetic,
        "corpus_sha256": case.dataset.origin.digest,
        "question": _question(case)[1],
        "inputs_sha256": case.inputs_digest(),
        "masks_sha256": case.masks_digest(),
        "shapes": {key: list(np.shape(value)) for key, value in recording.items()},
        "largest": {key: compare.magnitude(np.asarray(v)) for key, v in recording.items()},
        "steps": len(recording["curve/step_loss"]),
        "made_by": RENEW.format(pair=case.pair.name),
    }
    path = folder / f"{stem}.npz"
    wire.write_arrays(str(path), compare.sample(recording), compress=True)
    wire.write_json(str(folder / f"{stem}.json"), provenance)
    return path


def load(case: Case, folder: Path = FOLDER) -> tuple[Arrays, Whole] | None:
    """Return the recording that was made of just this case, or None if there is none.

    Returns:
        The sampled tensors, and what is known of the whole ones.

    Raises:
        EngineFailed: it is stale: the same question has other inputs now, or Keras draws other
            dropout masks than it did then.
    """
    path = folder / f"{_stem(case)}.npz"
    if not path.exists():
        return None
    provenance: dict[str, Any] = json.loads(path.with_suffix(".json").read_text("utf-8"))
    if provenance["inputs_sha256"] != case.inputs_digest():
        if (provenance["corpus_sha256"], provenance["question"]) == _question(case):
            raise EngineFailed(
                f"{path.name} was recorded of this corpus and schedule, but other data, order or "
                f"weights come of them now; renew it with `{RENEW.format(pair=case.pair.name)}`"
            )
        return None
    if provenance["masks_sha256"] != case.masks_digest():
        raise EngineFailed(
            f"{path.name} was recorded with other dropout masks than this Keras draws; renew it "
            f"with `{RENEW.format(pair=case.pair.name)}`"
        )
    shapes = {key: tuple(shape) for key, shape in provenance["shapes"].items()}
    return wire.read_arrays(str(path)), Whole(shapes, provenance["largest"])


def _question(case: Case) -> tuple[str, list[int]]:
    """Return what decides a case's inputs: the corpus; the seed, epochs and rows of the order."""
    return case.dataset.origin.digest, [case.seed, *case.order.shape]


def _stem(case: Case) -> str:
    corpus = "synthetic" if case.dataset.origin.synthetic else "real"
    return f"{case.pair.name}-{corpus}-{case.dtype}"
