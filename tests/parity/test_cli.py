from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest

from datasets.dataset import DataError
from parity import cli, engines, pairs, wire
from parity.checks import Fleet
from parity.engines import Engine, Process
from parity.train import ABOUT, save_weights
from parity.wire import Arrays
from tests.conformance.tiny import tiny

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "results.schema.json").read_text("utf-8"))
CORPUS = "tests.conformance.tiny:labelled_words"
PAIR, DATASET = tiny("sms_rnn")


@dataclasses.dataclass
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture(autouse=True)
def loud() -> Iterator[None]:
    """The command silences the loaders' warnings: other tests look for them."""
    yield
    logging.getLogger("datasets").setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The pairs are on tiny corpora, the command runs in an empty folder, there is no tf1."""
    monkeypatch.setitem(pairs.PAIRS, "sms_rnn", dataclasses.replace(PAIR, dataset=CORPUS))
    monkeypatch.setenv(engines.TF1_PYTHON, "")
    monkeypatch.setattr(engines, "ROOT", ROOT)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def parity(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in this process."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["parity", *arguments])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return Ended(int(stop.value.code or 0), out, err)

    return run


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch, fleet: Fleet) -> None:
    """The command works with engines that run already."""

    @contextlib.contextmanager
    def running(engine: Engine, *_: object) -> Iterator[Process]:
        with fleet.borrow(engine) as process:
            pass
        yield process

    monkeypatch.setattr(engines, "running", running)
    monkeypatch.setattr(cli, "Fleet", lambda *_: contextlib.nullcontext(fleet))


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


def error(ended: Ended) -> str:
    """Return the error message: the only thing on standard error, and no traceback."""
    assert ended.err.startswith("error: "), ended
    assert "Traceback" not in ended.err
    return ended.err


# Wrong use


@pytest.mark.parametrize("command", ["run", "train", "evaluate"])
def test_an_unknown_pair_lists_the_known_ones(parity: Command, command: str) -> None:
    ended = parity(command, "sms_rmm")
    assert ended.code == 2
    assert "there is no pair 'sms_rmm'; known pairs: " in error(ended)
    assert all(name in ended.err for name in pairs.PAIRS)


@pytest.mark.parametrize("command", ["run", "train", "evaluate"])
def test_an_unknown_engine_lists_the_known_ones(parity: Command, command: str) -> None:
    ended = parity(command, "sms_rnn", "--engine", "jax")
    assert ended.code == 2
    assert "there is no engine 'jax'; known engines: tf1, graph, keras" in error(ended)


def test_an_unknown_dtype_lists_the_known_ones(parity: Command) -> None:
    ended = parity("run", "--dtype", "float16")
    assert ended.code == 2
    assert "there is no dtype 'float16'; known: float32, float64" in error(ended)


@pytest.mark.parametrize("command", ["run", "train"])
def test_an_unknown_device_lists_the_known_ones(parity: Command, command: str) -> None:
    ended = parity(command, "sms_rnn", "--device", "tpu")
    assert ended.code == 2
    assert "there is no device 'tpu'; expected cpu, gpu, or gpu:N" in error(ended)


@pytest.mark.parametrize(
    "arguments",
    [
        ["climb"],
        ["run", "--epoch", "x"],
        ["run", "--epochs", "0"],
        ["train"],
        ["predict", "sms_rnn"],
    ],
)
def test_wrong_use_is_one_message(parity: Command, arguments: list[str]) -> None:
    ended = parity(*arguments)
    assert ended.code == 2
    assert error(ended)


def test_tf1_where_it_is_not_says_how_to_get_it(
    parity: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engines, "ROOT", tmp_path)
    ended = parity("run", "--engine", "tf1")
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
    broken = dataclasses.replace(PAIR, dataset=f"{__name__}:broken")
    monkeypatch.setitem(pairs.PAIRS, "sms_rnn", broken)
    ended = parity("train", "sms_rnn")
    assert ended.code == 2
    assert "not the corpus" in error(ended)


def broken() -> None:
    raise DataError("not the corpus; expected another one: get the file again")


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
    assert f"{path} cannot be read as an .npz file" in error(ended)


def test_a_pickle_among_the_weights_is_never_loaded(
    parity: Command, tmp_path: Path, weights: Arrays
) -> None:
    path = tmp_path / "weights.npz"
    bomb = np.array([Bomb()], dtype=object)
    np.savez(path, **{**weights, "softmax/bias": bomb})  # type: ignore[arg-type]
    ended = evaluated(parity, path)
    assert ended.code == 2
    assert "cannot be read as an .npz file of plain arrays" in error(ended)
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
    assert "softmax/bias" in message.partition("expected:")[2]


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


@pytest.mark.usefixtures("lent")
def test_a_run_that_agrees_writes_its_results(parity: Command) -> None:
    ended = parity("run", "sms_rnn", "--dtype", "float64", "--epochs", "1")
    assert ended.code == 0, ended
    assert "agree" in ended.out
    folder = Path("results/parity")
    document = json.loads((folder / "results.json").read_text())
    jsonschema.validate(document, SCHEMA)
    (pair,) = document["pairs"]
    assert (document["exit_code"], pair["verdict"], pair["finished"]) == (0, "agree", True)
    (suite,) = ElementTree.parse(folder / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "0", "0")
    assert {path.name for path in (folder / "sms_rnn").iterdir()} == {
        "curves-float64.png",
        "differences.png",
    }


@pytest.mark.usefixtures("lent")
def test_a_run_that_differs_says_where(parity: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = "tests.parity.broken_twins:decay_everywhere"
    twin = dataclasses.replace(PAIR, dataset=CORPUS, keras=builder)
    monkeypatch.setitem(pairs.PAIRS, "sms_rnn", twin)
    ended = parity("run", "sms_rnn", "--dtype", "float32", "--epochs", "1", "--no-stock")
    assert ended.code == 1
    assert "differs at rung 5 of 6: update" in ended.out
    assert "first tensor    update/step 1/slots/embedding/RMSProp  (30, 50)" in ended.out
    document = json.loads(Path("results/parity/results.json").read_text())
    jsonschema.validate(document, SCHEMA)
    assert document["exit_code"] == 1
    assert document["pairs"][0]["stock"] is None


def test_a_pair_without_data_is_not_called_a_success(
    parity: Command, fleet: Fleet, lent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first pair agrees, the second one cannot even be loaded."""
    other = dataclasses.replace(PAIR, name="other", dataset=f"{__name__}:broken")
    monkeypatch.setitem(pairs.PAIRS, "other", other)
    options = ("--dtype", "float64", "--epochs", "1", "--no-stock")
    ended = parity("run", "sms_rnn", "other", *options)
    assert ended.code == 2
    document = json.loads(Path("results/parity/results.json").read_text())
    assert document["exit_code"] == 2
    assert document["pairs"][0]["verdict"] == "agree"


# Interrupted

SCRIPT = f"""
import dataclasses
from parity import cli, pairs
from tests.conformance.tiny import tiny

pair, _ = tiny("sms_rnn")
pair = dataclasses.replace(pair, dataset="{CORPUS}")
pairs.PAIRS.clear()
pairs.PAIRS["first"] = dataclasses.replace(pair, name="first", epochs=1)
pairs.PAIRS["second"] = dataclasses.replace(pair, name="second", epochs=2000)
cli.main()
"""


def test_ctrl_c_keeps_what_was_finished(tmp_path: Path) -> None:
    mark = f"PARITY_MARK={tmp_path}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PARITY_MARK": str(tmp_path)}
    command = [sys.executable, "-c", SCRIPT, "run", "--dtype", "float32", "--no-stock"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:  # until the first pair is done and the second one is loaded
            if "first: largest difference" in line:
                break
        time.sleep(3)
        assert len(marked(mark)) >= 3  # the command, and an engine of each kind at least
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "interrupted" in err
    assert "Traceback" not in err
    document = json.loads((tmp_path / "results/parity/results.json").read_text())
    jsonschema.validate(document, SCHEMA)
    first, second = document["pairs"]
    assert document["exit_code"] == 130
    assert (first["verdict"], first["finished"]) == ("agree", True)
    assert (second["verdict"], second["finished"]) == ("not compared", False)
    until = time.monotonic() + 10
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.1)
    assert marked(mark) == []


def marked(mark: str) -> list[int]:
    """Return every process that has inherited `mark` and is not a zombie."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found
