"""Recordings of TensorFlow 1.15.5, kept in the repository to stand in for it.

A recording holds a sample of every tensor of a climb, how far TensorFlow 1.15.5 rounds each of
them, and running digests of what it was given: it is compared with an engine as far as that was
given the same. ``parity record`` makes it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from parity import comparing, keys, wire
from parity.cases import Case, digest
from parity.comparing import Recording
from parity.errors import EngineFailed
from parity.pair import Pair
from parity.rounding import own_rounding
from parity.wire import Arrays

FORMAT = 2
FOLDER = Path(__file__).parent / "recordings"
RENEW = "parity record {pair}"
OWN = "own"  # arrays under this name are the rounding of the recorded lines


@dataclasses.dataclass(frozen=True)
class Golden:
    """A recording, as far as it answers a case.

    Args:
        recording: tensors in shared names, large ones as samples.
        shapes: shapes of the whole tensors.
        largest: their largest magnitudes, the unit of errors.
        own: how far the engine's own rounding moves each of them; empty in float64.
        runs: answers that its rounding was measured with.
        steps: steps that both the recording and the case have.
        ends: whether both end after the same step.
        tested: whether both read metrics after the same steps, on the same rows.
        note: what of the recording does not apply to the case, or empty.
    """

    recording: Arrays
    shapes: Mapping[str, tuple[int, ...]]
    largest: Mapping[str, float]
    own: Mapping[str, np.ndarray]
    runs: int
    steps: int
    ends: bool = True
    tested: bool = True
    note: str = ""


def save(
    case: Case,
    recording: Recording,
    others: Sequence[Recording],
    about: Mapping[str, str],
    folder: Path = FOLDER,
) -> Path:
    """Write the recording of a case with its provenance; return the path of the arrays.

    Args:
        case: what was asked.
        recording: the engine's answer, in shared names.
        others: its truth and its rounding twins.
        about: versions and device.
        folder: where to write.
    """
    path = _path(case, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    own = own_rounding(recording, others, case.dtype)
    lines = {name: value for name, value in own.items() if keys.parse(name).is_line}
    batches, masks = case.fingerprints()
    provenance = {
        "format": FORMAT,
        "pair": case.pair.name,
        "dtype": case.dtype,
        "engine": dict(about),
        "corpus": case.dataset.origin.corpus,
        "synthetic": case.dataset.origin.synthetic,
        "corpus_sha256": case.dataset.origin.digest,
        "seed": case.seed,
        "steps": case.plan.steps,
        "weights_sha256": digest(case.weights),
        "tested_sha256": tested_digest(case),
        "batches_sha256": batches,
        "masks_sha256": masks,
        "shapes": {key: list(np.shape(value)) for key, value in recording.items()},
        "largest": {key: comparing.magnitude(np.asarray(v)) for key, v in recording.items()},
        "own": {name: float(value) for name, value in own.items() if name not in lines},
        "runs": len(others),
        "made_by": RENEW.format(pair=case.pair.name),
    }
    arrays = {**comparing.sample(recording), **wire.within(OWN, lines)}
    wire.write_arrays(str(path), arrays, compress=True)
    wire.write_json(str(path.with_suffix(".json")), provenance)
    return path


def files(pair: Pair, folder: Path = FOLDER) -> list[Path]:
    """Return the files that recordings of a pair consist of, of whatever questions."""
    return sorted(_folder(pair, folder).glob(f"{pair.name}-*"))


def load(case: Case, folder: Path = FOLDER) -> Golden | None:
    """Return the recording that answers a case, or None if there is none.

    The curve is compared over the steps that both have; where one has more, the state that it ends
    in is another one.

    Raises:
        EngineFailed: it is stale: the same question has other inputs now, or Keras draws other
            dropout masks than it did then.
    """
    path = _path(case, folder)
    if not path.exists():
        return None
    provenance: dict[str, Any] = json.loads(path.with_suffix(".json").read_text("utf-8"))
    renew = f"renew it with `{RENEW.format(pair=case.pair.name)}`"
    if provenance.get("format") != FORMAT:
        raise EngineFailed(
            f"{path.name} has format {provenance.get('format')!r}", f"format {FORMAT}", renew
        )
    asked = (case.dataset.origin.digest, case.seed, case.start)
    if (provenance["corpus_sha256"], provenance["seed"], 0) != asked:
        return None
    steps = min(case.plan.steps, provenance["steps"])
    batches, masks = case.fingerprints()
    if provenance["weights_sha256"] != digest(case.weights) or (
        provenance["batches_sha256"][steps - 1] != batches[steps - 1]
    ):
        raise EngineFailed(
            f"{path.name} was recorded of this corpus and seed, but other data, order or weights "
            "come of them now",
            mend=renew,
        )
    if provenance["masks_sha256"][steps - 1] != masks[steps - 1]:
        raise EngineFailed(
            f"{path.name} was recorded with other dropout masks than this Keras draws", mend=renew
        )
    arrays = wire.read_arrays(str(path))
    lines = wire.under(arrays, OWN)
    recording = {k: v for k, v in arrays.items() if not k.startswith(OWN + "/")}
    ends = case.plan.steps == provenance["steps"]
    tested = ends and provenance["tested_sha256"] == tested_digest(case)
    shared = over(recording, steps, ends, tested)
    note = ""
    if not ends:
        note = (
            f"the recording of TensorFlow 1.15.5 has {provenance['steps']} steps: its curve is "
            f"compared over {steps} of {case.plan.steps}"
        )
    elif not tested:
        note = "the recording of TensorFlow 1.15.5 was tested on other rows: those are not compared"
    return Golden(
        shared,
        {key: tuple(shape) for key, shape in provenance["shapes"].items()},
        provenance["largest"],
        over({**provenance["own"], **lines}, steps, ends=True, tested=True),
        provenance["runs"],
        steps,
        ends,
        tested,
        note,
    )


def over(recording: Mapping[str, Any], steps: int, ends: bool, tested: bool) -> Arrays:
    """Return as much of a recording as a case has in common with it.

    Args:
        recording: tensors in shared names.
        steps: that both have; the losses of every step are cut to them.
        ends: whether both end after the same step, in the same state.
        tested: whether both read metrics after the same steps, on the same rows.
    """
    kept = {}
    for name, value in recording.items():
        key = keys.parse(name)
        if key.is_step_line:
            kept[name] = np.asarray(value)[:steps]
        elif key.rung != "curve" or (tested if key.is_line else ends):
            kept[name] = np.asarray(value)
    return kept


def tested_digest(case: Case) -> str:
    """Return the sha256 of the rows that metrics are read on, and of when they are."""
    data = case.dataset
    rows = {"x": data.x_test, "y": data.y_test, "tested": case.plan.tested}
    return digest(rows)


def _folder(pair: Pair, folder: Path) -> Path:
    return folder / "atoms" if pair.atom else folder


def _path(case: Case, folder: Path) -> Path:
    corpus = "synthetic" if case.dataset.origin.synthetic else "real"
    return _folder(case.pair, folder) / f"{case.pair.name}-{corpus}-{case.dtype}.npz"
