"""Recordings of TensorFlow 1.15.5: what is kept, what a case is compared with, what is stale."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.dataset import Dataset, Origin
from parity import goldens, keys, wire
from parity.cases import Case, digest, make_case
from parity.comparing import SAMPLE
from parity.errors import AGREE, DIFFERENCE, EngineFailed
from parity.goldens import FORMAT, Golden
from parity.judging import compare_two
from parity.results import STEP_LOSS, Comparison
from parity.rounding import own_rounding
from parity.sides import Recorded
from parity.wire import Arrays
from tests.conformance.tiny import tiny
from tests.parity.samples import ABOUT, EMBEDDING, recording

PAIR, DATASET = tiny("sms_rnn")
STEPS = 6  # of the tiny schedule: two epochs of three batches
LOSS = recording(steps=STEPS)[STEP_LOSS]
# A rounding twin: its curve parts at the third step and comes back.
TWIN = recording(
    {
        "forward/eval/logits": np.full((2, 2), 1 + 3e-7),
        STEP_LOSS: LOSS + np.array([0, 0, 4e-6, 0, 2e-6, 0]),
    }
)
RENEW = "renew it with `parity record sms_rnn`"


def case_of(dataset: Dataset = DATASET, steps: int | None = None, **fields: Any) -> Case:
    """Return a case with weights and masks, as one that was led."""
    case = make_case(PAIR, "float32", dataset, steps)
    masks = {f"{step}/dropout": np.arange(8) % (step + 2) > 0 for step in range(case.plan.steps)}
    weights = {EMBEDDING: np.ones((30, 50), np.float32)}
    return dataclasses.replace(case, **{"weights": weights, "masks": masks, **fields})


def changed(dataset: Dataset = DATASET, **fields: Any) -> Dataset:
    return dataclasses.replace(dataset, **fields)


@pytest.fixture
def case() -> Case:
    return case_of()


@pytest.fixture
def folder(case: Case, tmp_path: Path) -> Path:
    """Holds the recording of the case."""
    goldens.save(case, recording(steps=STEPS), [TWIN], ABOUT, tmp_path)
    return tmp_path


def loaded(case: Case, folder: Path) -> Golden:
    found = goldens.load(case, folder)
    assert found is not None
    return found


def test_a_recording_is_found_for_its_own_case(case: Case, tmp_path: Path) -> None:
    whole = recording({"forward/eval/logits": np.arange(999.0)}, STEPS)
    path = goldens.save(case, whole, [], ABOUT, tmp_path)
    found = loaded(case, tmp_path)
    assert set(found.recording) == set(found.shapes) == set(found.largest) == set(whole)
    assert found.recording["forward/eval/logits"].shape == (SAMPLE,)
    assert found.shapes["forward/eval/logits"] == (999,)
    assert found.largest["forward/eval/logits"] == 998
    for name in set(whole) - {"forward/eval/logits"}:
        np.testing.assert_array_equal(found.recording[name], whole[name], strict=True)
    assert (found.steps, found.note) == (STEPS, "")
    assert path.name == "sms_rnn-synthetic-float32.npz"


def test_a_recording_says_how_it_was_made(case: Case, folder: Path) -> None:
    batches, masks = case.fingerprints()
    assert len(set(batches)) == len(set(masks)) == STEPS
    own = own_rounding(recording(steps=STEPS), [TWIN], "float32")
    (path,) = folder.glob("*.json")
    assert json.loads(path.read_text("utf-8")) == {
        "format": FORMAT,
        "pair": "sms_rnn",
        "dtype": "float32",
        "engine": ABOUT,
        "corpus": "tiny",
        "synthetic": True,
        "corpus_sha256": "0" * 64,
        "seed": 0,
        "steps": STEPS,
        "weights_sha256": digest(case.weights),
        "tested_sha256": goldens.tested_digest(case),
        "batches_sha256": batches,
        "masks_sha256": masks,
        "shapes": {key: list(value.shape) for key, value in recording().items()},
        "largest": {key: float(np.abs(value).max()) for key, value in recording().items()},
        "own": {key: float(v) for key, v in own.items() if not keys.parse(key).is_line},
        "runs": 1,
        "made_by": "parity record sms_rnn",
    }


def test_metrics_of_other_rows_are_not_compared(case: Case, folder: Path) -> None:
    other = dataclasses.replace(case.dataset, x_test=case.dataset.x_test[::-1])
    found = loaded(dataclasses.replace(case, dataset=other), folder)
    assert "other rows" in found.note
    assert "curve/test_loss" not in found.recording
    assert {"curve/step_loss", "curve/final/weights/embedding"} <= set(found.recording)


# Own rounding


def test_own_rounding_is_kept_with_the_recording(case: Case, folder: Path) -> None:
    found = loaded(case, folder)
    expected = own_rounding(recording(steps=STEPS), [TWIN], "float32")
    assert found.runs == 1
    assert set(found.own) == set(expected)
    for name, size in expected.items():
        np.testing.assert_array_equal(found.own[name], size)
    np.testing.assert_allclose(found.own[STEP_LOSS], [0, 0, 4e-6, 4e-6, 4e-6, 4e-6])
    assert found.own["forward/eval/logits"] == pytest.approx(3e-7)


def test_own_rounding_is_cut_with_its_curve(folder: Path) -> None:
    found = loaded(case_of(steps=2), folder)
    np.testing.assert_array_equal(found.own[STEP_LOSS], [0, 0])
    side = Recorded(case_of(steps=4), loaded(case_of(steps=4), folder))
    own, runs = side.own("curve", twins=99)
    assert runs == 1, "a recording measures nothing more"
    np.testing.assert_allclose(own[STEP_LOSS], [0, 0, 4e-6, 4e-6])
    assert set(side.own("forward", 4)[0]) == {"forward/eval/outputs", "forward/eval/logits"}


def test_float64_has_no_rounding_of_its_own(case: Case, tmp_path: Path) -> None:
    double = case.in_dtype("float64")
    goldens.save(double, recording(steps=STEPS), [], ABOUT, tmp_path)
    found = loaded(double, tmp_path)
    assert (dict(found.own), found.runs) == ({}, 0)


# The steps that both have


@pytest.mark.parametrize("steps", [2, 9])
def test_a_curve_is_compared_over_the_steps_that_both_have(folder: Path, steps: int) -> None:
    found = loaded(case_of(steps=steps), folder)
    shared = min(steps, STEPS)
    assert found.steps == shared
    np.testing.assert_array_equal(found.recording[STEP_LOSS], LOSS[:shared])
    below = {key for key in recording() if keys.parse(key).rung != "curve"}
    assert set(found.recording) == below | {STEP_LOSS}, "the ends of another run are left out"
    assert found.note == (
        f"the recording of TensorFlow 1.15.5 has {STEPS} steps: its curve is compared over "
        f"{shared} of {steps}"
    )


class Given:
    """An engine whose answer was made by hand."""

    name = "keras"

    def __init__(self, case: Case, answer: Arrays) -> None:
        self.case, self._answer = case, answer

    def recording(self) -> Arrays:
        return self._answer

    def own(
        self, rung: str, twins: int, truth: bool = True
    ) -> tuple[Mapping[str, np.ndarray], int]:
        return {}, 0


def judged(folder: Path, steps: int, changes: Mapping[str, Any] | None = None) -> Comparison:
    """Compare the recording with an engine that ran so many steps; its end is another one."""
    case = case_of(steps=steps)
    longer = np.concatenate([LOSS, [0.1, 0.2, 0.3]])
    ends = {
        STEP_LOSS: longer[:steps],
        "curve/test_loss": np.array([9.0]),
        f"curve/final/weights/{EMBEDDING}": np.full((4, 2), 9.0),
    }
    answer = recording({**ends, **(changes or {})})
    return compare_two(PAIR, Recorded(case, loaded(case, folder)), Given(case, answer))


@pytest.mark.parametrize("steps", [2, 9])
def test_a_run_of_another_length_agrees_with_its_recording(folder: Path, steps: int) -> None:
    found = judged(folder, steps)
    assert (found.exit_code, found.problem) == (AGREE, "")
    (line,) = found.rung("curve")
    assert (line.key, line.compared) == (STEP_LOSS, min(steps, STEPS))


def test_a_run_of_another_length_that_differs_is_found(folder: Path) -> None:
    wrong = judged(folder, 2, {f"update/step 1/weights/{EMBEDDING}": np.zeros((4, 2))})
    assert (wrong.exit_code, wrong.failed_rung) == (DIFFERENCE, "update")


def test_a_run_of_the_same_length_is_compared_to_its_end(folder: Path) -> None:
    names = ("curve/test_loss", f"curve/final/weights/{EMBEDDING}")
    ends = {name: recording(steps=STEPS)[name] for name in names}
    found = judged(folder, STEPS, ends)
    assert found.exit_code == AGREE
    assert {d.key for d in found.rung("curve")} == {STEP_LOSS, *names}
    wrong = judged(folder, STEPS)
    assert (wrong.exit_code, wrong.failed_rung) == (DIFFERENCE, "curve"), "a shape is no rounding"


# Recordings that do not count


def test_no_recording_is_none(case: Case, tmp_path: Path) -> None:
    assert goldens.load(case, tmp_path) is None


OTHER_QUESTIONS: dict[str, dict[str, Any]] = {
    "seed": {"seed": 1},
    "corpus": {
        "dataset": changed(origin=dataclasses.replace(DATASET.origin, digest="1" * 64)),
    },
    "start": {"start": 1},
}


@pytest.mark.parametrize("what", OTHER_QUESTIONS)
def test_a_recording_of_another_question_does_not_count(folder: Path, what: str) -> None:
    assert goldens.load(case_of(**OTHER_QUESTIONS[what]), folder) is None


def test_a_recording_of_the_other_dtype_does_not_count(case: Case, folder: Path) -> None:
    assert goldens.load(case.in_dtype("float64"), folder) is None


def test_a_recording_of_made_up_data_is_kept_apart(case: Case, folder: Path) -> None:
    origin = Origin("tiny", "cache", False, "real this time", "0" * 64)
    real = case_of(dataset=changed(origin=origin))
    assert real.fingerprints() == case.fingerprints()
    assert goldens.load(real, folder) is None


# Stale ones: the question is the same, but what comes of it is not


@pytest.mark.parametrize("number", [None, FORMAT - 1, FORMAT + 1, str(FORMAT)])
def test_a_recording_of_another_format_is_stale(case: Case, folder: Path, number: object) -> None:
    (path,) = folder.glob("*.json")
    document = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**document, "format": number}))
    with pytest.raises(EngineFailed) as caught:
        goldens.load(case, folder)
    assert f"has format {number!r}; expected format {FORMAT}; {RENEW}" in str(caught.value)


def test_a_recording_from_before_there_were_formats_is_stale(case: Case, folder: Path) -> None:
    (path,) = folder.glob("*.json")
    path.write_text('{"pair": "sms_rnn"}')
    with pytest.raises(EngineFailed, match="has format None"):
        goldens.load(case, folder)


STALE: dict[str, dict[str, Any]] = {
    "words": {"dataset": changed(x_train=DATASET.x_train[::-1])},
    "labels": {"dataset": changed(y_train=1 - DATASET.y_train)},
    "weights": {"weights": {EMBEDDING: np.zeros((30, 50), np.float32)}},
}


@pytest.mark.parametrize("steps", [None, 2, 9])
@pytest.mark.parametrize("what", STALE)
def test_a_recording_of_other_data_is_stale(folder: Path, what: str, steps: int | None) -> None:
    with pytest.raises(EngineFailed, match=rf"other data, order or weights .*{RENEW}"):
        goldens.load(case_of(**{"steps": steps, **STALE[what]}), folder)


def test_other_dropout_masks_say_how_to_renew(case: Case, folder: Path) -> None:
    masks = {**case.masks, "1/dropout": ~case.masks["1/dropout"]}
    with pytest.raises(EngineFailed, match=rf"other dropout masks than this Keras draws; {RENEW}"):
        goldens.load(dataclasses.replace(case, masks=masks), folder)


def test_masks_that_no_shared_step_uses_do_not_matter(folder: Path) -> None:
    case = case_of(steps=9)
    later = {**case.masks, "7/dropout": ~case.masks["7/dropout"]}
    assert loaded(dataclasses.replace(case, masks=later), folder).steps == STEPS


# Those in the repository


def test_a_recording_is_small_enough_for_a_repository() -> None:
    sizes = {path.name: path.stat().st_size for path in goldens.FOLDER.glob("*.npz")}
    assert sizes
    assert max(sizes.values()) < 400_000, sizes
    for path in goldens.FOLDER.glob("*.npz"):
        assert all(np.isfinite(value).all() for value in wire.read_arrays(str(path)).values())


def test_the_loss_of_every_optimizer_is_cut_to_the_steps_that_both_have() -> None:
    lines = {"curve/step_loss": LOSS, "curve/step_d_loss": LOSS, "curve/test_loss": LOSS[:2]}
    kept = goldens.over(lines, 2, ends=False, tested=False)
    assert {name: len(value) for name, value in kept.items()} == {
        "curve/step_loss": 2,
        "curve/step_d_loss": 2,
    }
