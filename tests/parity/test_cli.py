"""The command: what it says, what it writes, and how it ends."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest

from datasets.dataset import DataError
from parity import engines, pairs, runs, wire
from parity.checkpoints import ABOUT, save_weights
from parity.options import Options
from parity.pair import Data, Pair
from parity.results import Run
from parity.wire import Arrays
from tests.conformance.tiny import tiny
from tests.parity.commands import PAIR, Command, Ended, error

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))
_, DATASET = tiny("sms_rnn")
pytestmark = pytest.mark.usefixtures("small")
BROKEN = dataclasses.replace(PAIR, data=Data(f"{__name__}:broken"))


@pytest.fixture
def weights() -> Arrays:
    shapes = {
        "embedding": (30, 50),
        "rnn/basic_rnn_cell/kernel": (60, 10),
        "rnn/basic_rnn_cell/bias": (10,),
        "softmax/weight": (10, 2),
        "softmax/bias": (2,),
    }
    return {name: np.full(shape, 0.25, np.float32) for name, shape in shapes.items()}


# Wrong use


@pytest.mark.parametrize("command", ["run", "record", "train", "evaluate"])
def test_an_unknown_pair_suggests_a_near_one_and_lists_all(parity: Command, command: str) -> None:
    ended = parity(command, "sms_rmm")
    assert ended.code == 2
    assert "there is no pair 'sms_rmm'; expected one of " in error(ended)
    assert all(name in ended.err for name in pairs.PAIRS)
    assert "did you mean 'sms_rnn'" in ended.err


@pytest.mark.parametrize("command", ["run", "train", "evaluate"])
def test_an_unknown_engine_lists_the_known_ones(parity: Command, command: str) -> None:
    ended = parity(command, "sms_rnn", "--engine", "kera")
    assert ended.code == 2
    assert (
        "there is no engine 'kera'; expected one of tf1, graph, keras; did you mean 'keras'?"
        in (error(ended))
    )


def test_an_unknown_dtype_lists_the_known_ones(parity: Command) -> None:
    ended = parity("run", "--dtype", "float46")
    assert ended.code == 2
    assert "there is no dtype 'float46'; expected one of float32, float64; did you mean" in error(
        ended
    )


@pytest.mark.parametrize("command", ["run", "train"])
def test_an_unknown_device_lists_the_known_ones(parity: Command, command: str) -> None:
    ended = parity(command, "sms_rnn", "--device", "tpu")
    assert ended.code == 2
    assert "there is no device 'tpu'; expected cpu, gpu, or gpu:N" in error(ended)


@pytest.mark.parametrize(
    "arguments",
    [
        ["climb"],
        ["run", "--step", "3"],
        ["run", "--steps", "x"],
        ["run", "--steps", "0"],
        ["run", "--threads", "0"],
        ["run", "--steps", "3", "--full"],
        ["train"],
        ["train", "sms_rnn", "--epochs", "0"],
        ["predict", "sms_rnn"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_one_message(parity: Command, arguments: list[str]) -> None:
    ended = parity(*arguments)
    assert ended.code == 2
    assert error(ended)
    assert not Path("results").exists()


@pytest.mark.parametrize("command", [["run", "--engine", "tf1"], ["record"]], ids=" ".join)
def test_tf1_where_it_is_not_says_how_to_get_it(parity: Command, command: list[str]) -> None:
    ended = parity(*command)
    assert ended.code == 3
    assert "tox -e oracle" in error(ended)


@pytest.mark.parametrize("command", ["run", "train"])
def test_a_folder_that_cannot_be_written_is_told_first(parity: Command, command: str) -> None:
    Path("file").write_text("")
    ended = parity(command, "sms_rnn", "--output", "file/results")
    assert ended.code == 2
    assert "cannot write to file/results: Not a directory" in error(ended)
    assert "choose another folder with --output" in ended.err
    assert ended.out == ""


def test_broken_data_is_bad_input(parity: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pairs._TABLE, "sms_rnn", BROKEN)
    ended = parity("train", "sms_rnn")
    assert ended.code == 2
    assert "not the corpus" in error(ended)


def broken() -> None:
    raise DataError("not the corpus; expected another one: get the file again")


# What is asked of a run

ASKED: dict[str, dict[str, Any]] = {
    "": {
        "dtypes": ("float32", "float64"),
        "steps": None,
        "seed": 0,
        "stock": True,
        "measure": False,
        "device": "",
        "timeout": 300,
        "threads": 1,
        "fresh": False,
    },
    "--steps 7": {"steps": 7},
    "--full": {"steps": 0},
    "--fresh": {"fresh": True},
    "--threads 3": {"threads": 3},
    "--seed 5": {"seed": 5},
    "--no-stock": {"stock": False},
    "--measure": {"measure": True},
    "--device cpu": {"device": "cpu"},
    "--timeout 9": {"timeout": 9},
    "--dtype float64": {"dtypes": ("float64",)},
    "--dtype float64 --dtype float32 --dtype float64": {"dtypes": ("float64", "float32")},
}


@pytest.mark.parametrize("words", ASKED, ids=lambda words: words or "nothing")
def test_an_option_is_what_is_asked(
    parity: Command, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    seen: list[tuple[list[str], Options, Path]] = []

    def prove(run: Run, chosen: list[Pair], options: Options, folder: Path, *_: object) -> None:
        seen.append(([pair.name for pair in chosen], options, folder))

    monkeypatch.setattr(runs, "prove", prove)
    ended = parity("run", "sms_rnn", "deep_lstm", "sms_rnn", "--output", "mine", *words.split())
    assert ended.code == 3, "nothing compared is never a success"
    ((names, options, folder),) = seen
    assert (names, folder) == (["sms_rnn", "deep_lstm"], Path("mine"))
    assert [engine.name for engine in options.references] == ["graph"]
    for field, value in {**ASKED[""], **ASKED[words]}.items():
        assert getattr(options, field) == value, field


def test_no_names_are_all_pairs(parity: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Pair] = []

    def prove(run: Run, chosen: list[Pair], *_: object) -> None:
        seen.extend(chosen)

    monkeypatch.setattr(runs, "prove", prove)
    parity("run")
    assert seen == list(pairs.PAIRS.values())


def test_help_and_list_need_no_engine(parity: Command) -> None:
    ended = parity("list")
    assert ended.code == 0
    assert all(name in ended.out for name in [*pairs.PAIRS, *engines.ENGINES])
    ended = parity("--help")
    assert ended.code == 0
    assert "Exit codes" in ended.out


# Weights


def evaluated(parity: Command, path: Path) -> Ended:
    return parity("evaluate", "sms_rnn", "--weights", str(path))


def test_weights_that_are_not_there_say_how_to_get_some(parity: Command) -> None:
    ended = parity("evaluate", "sms_rnn")
    assert ended.code == 2
    assert "there are no weights at results/train/sms_rnn-keras/weights.npz" in error(ended)
    assert "parity train sms_rnn" in ended.err


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 half a file"])
def test_weights_that_cannot_be_read_are_bad_input(
    parity: Command, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(content)
    ended = evaluated(parity, path)
    assert ended.code == 2
    assert f"{path} cannot be read: " in error(ended)


def test_a_pickle_among_the_weights_is_never_loaded(
    parity: Command, tmp_path: Path, weights: Arrays
) -> None:
    path = tmp_path / "weights.npz"
    bomb = np.array([Bomb()], dtype=object)
    np.savez(path, **{**weights, "softmax/bias": bomb})  # type: ignore[arg-type]
    ended = evaluated(parity, path)
    assert ended.code == 2
    assert "expected an .npz file of plain arrays" in error(ended)
    assert not Path("exploded").exists()


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("exploded",)


@pytest.mark.usefixtures("lent")
def test_weights_of_another_model_list_every_name(parity: Command, tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    arrays = {"dense/kernel": np.ones((2, 3)), "softmax/bias": np.ones(2)}
    np.savez(path, **arrays)  # type: ignore[arg-type]  # taken for NumPy's own options
    ended = evaluated(parity, path)
    assert ended.code == 2
    message = error(ended)
    assert "unknown: dense/kernel (2, 3)" in message
    assert "missing: embedding" in message
    assert "missing: rnn/basic_rnn_cell/kernel" in message
    assert "expected all of embedding, rnn/basic_rnn_cell/kernel" in message


@pytest.mark.usefixtures("lent")
@pytest.mark.parametrize("shape", [(59, 10), (600,)])
def test_a_wrong_shape_is_one_message(
    parity: Command, tmp_path: Path, weights: Arrays, shape: tuple[int, ...]
) -> None:
    path = tmp_path / "weights.npz"
    weights["rnn/basic_rnn_cell/kernel"] = np.zeros(shape, np.float32)
    save_weights(path, PAIR, DATASET, weights, {})
    ended = evaluated(parity, path)
    assert ended.code == 2
    assert str(shape) in error(ended)


def test_weights_that_are_not_finite_are_bad_input(
    parity: Command, tmp_path: Path, weights: Arrays
) -> None:
    path = tmp_path / "weights.npz"
    weights["embedding"][7, 3] = np.nan
    save_weights(path, PAIR, DATASET, weights, {})
    ended = evaluated(parity, path)
    assert ended.code == 2
    assert "embedding[7, 3] is nan, one of 1 values that are not finite" in error(ended)


def test_weights_of_another_corpus_are_bad_input(
    parity: Command, tmp_path: Path, weights: Arrays
) -> None:
    path = tmp_path / "weights.npz"
    origin = dataclasses.replace(DATASET.origin, digest="f" * 64)
    save_weights(path, PAIR, dataclasses.replace(DATASET, origin=origin), weights, {})
    ended = evaluated(parity, path)
    assert ended.code == 2
    assert "its word ids differ; train anew with `parity train sms_rnn`" in error(ended)


def test_weights_that_are_there_are_not_replaced(parity: Command) -> None:
    folder = Path("results/train/sms_rnn-graph")
    folder.mkdir(parents=True)
    (folder / "weights.npz").write_bytes(b"years of work")
    ended = parity("train", "sms_rnn", "--engine", "graph")
    assert ended.code == 2
    assert "weights.npz exists; add --overwrite to replace it" in error(ended)
    assert (folder / "weights.npz").read_bytes() == b"years of work"
    assert [path.name for path in folder.iterdir()] == ["weights.npz"]


# The happy path


@pytest.mark.usefixtures("lent")
def test_each_engine_trains_and_the_other_evaluates_and_predicts(parity: Command) -> None:
    said = {}
    for side in ("graph", "keras"):
        ended = parity("train", "sms_rnn", "--engine", side, "--epochs", "2", "--seed", "3")
        assert ended.code == 0, ended
        assert ended.out.startswith("SYNTHETIC DATA in place of tiny")
        folder = Path(f"results/train/sms_rnn-{side}")
        names = {"weights.npz", "history.json", "loss.png", "accuracy.png"}
        assert {path.name for path in folder.iterdir()} == names
        history = json.loads((folder / "history.json").read_text())
        assert len(history["test_loss"]) == 2
        assert history["made_by"]["seed"] == 3
        said[side] = metrics(ended)
    for owner in said:
        weights = f"results/train/sms_rnn-{owner}/weights.npz"
        for side in said:
            ended = parity("evaluate", "sms_rnn", "--engine", side, "--weights", weights)
            assert ended.code == 0, ended
            assert metrics(ended) == said[owner]
    answers = [parity("predict", "sms_rnn", "[free] prize", "--engine", side) for side in said]
    for ended in answers:
        assert ended.code == 0, ended
        assert re.search(r"^(even|odd)  [01]\.\d{3}  \[free\] prize$", ended.out, re.MULTILINE)
        assert "note: sms_rnn was published reading the last step of a padded message" in ended.out


def metrics(ended: Ended) -> list[str]:
    found = re.findall(r"^test \w+ \d\.\d{4}$", ended.out, re.MULTILINE)
    assert len(found) == 2, ended.out
    return found


@pytest.mark.usefixtures("lent")
def test_weights_are_replaced_where_that_is_asked_for(parity: Command) -> None:
    path = Path("mine/weights.npz")
    arguments = ("train", "sms_rnn", "--epochs", "1", "--output", "mine", "--overwrite")
    path.parent.mkdir()
    path.write_bytes(b"old")
    assert parity(*arguments).code == 0
    assert ABOUT in wire.read_arrays(str(path))


@pytest.mark.usefixtures("lent", "drawn")
def test_a_run_that_agrees_writes_its_results(parity: Command) -> None:
    ended = parity("run", "sms_rnn", "--dtype", "float64", "--steps", "2")
    assert ended.code == 0, ended
    assert ended.out.startswith("SYNTHETIC DATA in place of tiny")
    assert "agree" in ended.out
    folder = Path("results/parity")
    document = results()
    (outcome,) = document["outcomes"]
    assert (document["exit_code"], outcome["finished"]) == (0, True)
    assert document["seconds"] >= outcome["seconds"] > 0
    assert all(document[name] for name in ("version", "python", "machine", "started"))
    (suite,) = ElementTree.parse(folder / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "0", "0")
    assert {path.name for path in (folder / "sms_rnn").iterdir()} == {
        "curves-float64.png",
        "differences.png",
        "weights.png",
        "elements.png",
        "drawn.json",
    }
    page = (folder / "report.html").read_text("utf-8")
    assert "1 pair agrees: at every rung Keras computes what TensorFlow 1 computes." in page


def results() -> dict[str, Any]:
    """Return what the last run wrote; it follows its schema."""
    document: dict[str, Any] = json.loads(Path("results/parity/results.json").read_text())
    jsonschema.validate(document, SCHEMA)
    return document


@pytest.mark.usefixtures("lent")
@pytest.mark.parametrize(("options", "steps"), [(["--steps", "2"], 2), (["--full"], 6), ([], 3)])
def test_a_curve_has_the_steps_that_were_asked_for(
    parity: Command, monkeypatch: pytest.MonkeyPatch, options: list[str], steps: int
) -> None:
    schedule = dataclasses.replace(PAIR.schedule, steps=3)  # of the row, where nothing is asked
    monkeypatch.setitem(pairs._TABLE, "sms_rnn", dataclasses.replace(PAIR, schedule=schedule))
    ended = parity("run", "sms_rnn", "--dtype", "float64", "--no-stock", *options)
    assert ended.code == 0, ended
    (comparison,) = results()["outcomes"][0]["comparisons"]
    assert len(comparison["curves"]["keras"]["curve/step_loss"]) == steps


@pytest.mark.usefixtures("lent")
def test_a_run_that_differs_says_where(parity: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = dataclasses.replace(PAIR, keras="tests.parity.broken_twins:decay_everywhere")
    monkeypatch.setitem(pairs._TABLE, "sms_rnn", twin)
    ended = parity("run", "sms_rnn", "--dtype", "float32", "--steps", "3", "--no-stock")
    assert ended.code == 1
    assert "differs at rung 5 of 6: update" in ended.out
    assert "update/step 1/slots/embedding/RMSProp  (30, 50)" in ended.out
    document = results()
    assert document["exit_code"] == 1
    assert document["outcomes"][0]["stock"] is None


@pytest.mark.usefixtures("lent")
def test_a_pair_without_data_is_not_called_a_success(
    parity: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first pair agrees, the second one cannot even be loaded."""
    monkeypatch.setitem(pairs._TABLE, "other", dataclasses.replace(BROKEN, name="other"))
    options = ("--dtype", "float64", "--steps", "2", "--no-stock")
    ended = parity("run", "sms_rnn", "other", *options)
    assert ended.code == 2
    assert "other: not the corpus" in error(ended)
    document = results()
    assert document["exit_code"] == 2
    assert [(each["pair"], each["finished"]) for each in document["outcomes"]] == [
        ("sms_rnn", True)
    ]


def test_a_second_run_asks_nothing_that_was_answered(parity: Command) -> None:
    options = ("--dtype", "float64", "--steps", "2", "--no-stock", "--timeout", "9999")
    found = []
    for _ in range(2):
        ended = parity("run", "sms_rnn", *options)
        assert ended.code == 0, ended
        found.append(results())
    first, second = (each["outcomes"][0] for each in found)
    assert len(first["jobs"]) == len(second["jobs"]) == 3  # the masks, and both engines' climbs
    assert not any(job["kept"] for job in first["jobs"])
    assert all(job["kept"] for job in second["jobs"])
    assert [c["differences"] for c in first["comparisons"]] == [
        c["differences"] for c in second["comparisons"]
    ]
    assert first["engines"] == second["engines"]
    assert not list(Path("results/parity/logs").iterdir()), "no engine was started"
