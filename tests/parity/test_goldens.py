from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from datasets.dataset import Origin
from parity import goldens, wire
from parity.cases import Case
from parity.checks import make_case
from parity.compare import SAMPLE
from parity.errors import EngineFailed
from tests.conformance.tiny import tiny
from tests.parity.samples import ABOUT, recording


@pytest.fixture
def case() -> Case:
    pair, dataset = tiny("sms_rnn")
    weights = {"embedding": np.ones((30, 50), np.float32)}
    masks = {"0/dropout": np.array([[True, False]])}
    return dataclasses.replace(make_case(pair, "float32", dataset), weights=weights, masks=masks)


def test_a_recording_is_found_for_its_own_case(case: Case, tmp_path: Path) -> None:
    big = {"forward/eval/logits": np.arange(999.0)}
    path = goldens.save(case, recording(big), ABOUT, tmp_path)
    found = goldens.load(case, tmp_path)
    assert found is not None
    arrays, whole = found
    assert set(arrays) == set(whole.shapes) == set(whole.largest) == set(recording())
    assert arrays["forward/eval/logits"].shape == (SAMPLE,)
    assert whole.shapes["forward/eval/logits"] == (999,)
    assert whole.largest["forward/eval/logits"] == 998
    assert path.name == "sms_rnn-synthetic-float32.npz"


def test_a_recording_says_how_it_was_made(case: Case, tmp_path: Path) -> None:
    path = goldens.save(case, recording(), ABOUT, tmp_path)
    assert json.loads(path.with_suffix(".json").read_text("utf-8")) == {
        "pair": "sms_rnn",
        "dtype": "float32",
        "engine": ABOUT,
        "corpus": "tiny",
        "synthetic": True,
        "corpus_sha256": "0" * 64,
        "question": [case.seed, *case.order.shape],
        "inputs_sha256": case.inputs_digest(),
        "masks_sha256": case.masks_digest(),
        "shapes": {key: list(value.shape) for key, value in recording().items()},
        "largest": {key: float(np.abs(value).max()) for key, value in recording().items()},
        "steps": 6,
        "made_by": "parity record sms_rnn",
    }


def test_no_recording_is_none(case: Case, tmp_path: Path) -> None:
    assert goldens.load(case, tmp_path) is None


def test_a_recording_of_another_question_does_not_count(case: Case, tmp_path: Path) -> None:
    goldens.save(case, recording(), ABOUT, tmp_path)
    origin = dataclasses.replace(case.dataset.origin, digest="1" * 64)
    others = [
        dataclasses.replace(case, order=case.order[:1], seed=1),
        dataclasses.replace(case, order=case.order[:1]),
        dataclasses.replace(
            case,
            dataset=dataclasses.replace(
                case.dataset, origin=origin, y_test=1 - case.dataset.y_test
            ),
        ),
    ]
    assert [goldens.load(other, tmp_path) for other in others] == [None] * 3


def test_a_stale_recording_is_an_error(case: Case, tmp_path: Path) -> None:
    """The question is the same, but what comes of it is not: the code has changed since."""
    goldens.save(case, recording(), ABOUT, tmp_path)
    changed = dataclasses.replace(case, weights={"embedding": np.zeros((30, 50), np.float32)})
    with pytest.raises(EngineFailed, match="renew it with `parity record sms_rnn`"):
        goldens.load(changed, tmp_path)


def test_a_recording_of_made_up_data_is_kept_apart(case: Case, tmp_path: Path) -> None:
    goldens.save(case, recording(), ABOUT, tmp_path)
    origin = Origin("tiny", "cache", False, "real this time", "0" * 64)
    real = dataclasses.replace(case, dataset=dataclasses.replace(case.dataset, origin=origin))
    assert real.inputs_digest() == case.inputs_digest()
    assert goldens.load(real, tmp_path) is None


def test_other_dropout_masks_say_how_to_renew(case: Case, tmp_path: Path) -> None:
    goldens.save(case, recording(), ABOUT, tmp_path)
    other = dataclasses.replace(case, masks={"0/dropout": np.array([[True, True]])})
    with pytest.raises(EngineFailed, match="renew it with `parity record sms_rnn`"):
        goldens.load(other, tmp_path)


def test_a_recording_is_small_enough_for_a_repository() -> None:
    sizes = {path.name: path.stat().st_size for path in goldens.FOLDER.glob("*.npz")}
    assert sizes
    assert max(sizes.values()) < 400_000, sizes
    for path in goldens.FOLDER.glob("*.npz"):
        assert all(np.isfinite(value).all() for value in wire.read_arrays(str(path)).values())
