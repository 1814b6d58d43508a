"""`parity reproduce` and `--tensorboard`: what they say, what they write, and how they end."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from pathlib import Path

import pytest

from datasets.dataset import Dataset
from parity import pairs
from parity.pair import Data
from parity.published import Count, Figure, Margin, Published
from tests.conformance.tiny import labelled_words, tiny
from tests.parity.commands import Command, Ended, error
from tests.parity.samples import REAL

ROOT = Path(__file__).parents[2]
GENEROUS = Margin(5.0, "the tests show that it is applied, not what it should be")


def words_called_real() -> Dataset:
    """The tiny corpus, under the name of a real one: nothing is reproduced on made-up data."""
    return dataclasses.replace(labelled_words(), origin=REAL)


PAIR, _ = tiny("sms_rnn")
assert PAIR.stock
PAIR = dataclasses.replace(
    PAIR,
    data=Data(f"{__name__}:words_called_real"),
    published=Published(
        (Figure("loss", 0.7, GENEROUS, epoch=2),), (Count("words", 30, "vocabulary"),)
    ),
    stock=dataclasses.replace(PAIR.stock, margins={"loss": GENEROUS}),
)
MADE_UP = dataclasses.replace(PAIR, data=Data("tests.conformance.tiny:labelled_words"))
FOLDER = Path("results/reproduce")


@pytest.fixture(autouse=True)
def published(small: None, lent: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one pair has figures, and a corpus that is called real."""
    monkeypatch.setitem(pairs._TABLE, "sms_rnn", PAIR)


def refusal(ended: Ended) -> str:
    """Return the error message of bad input, one line."""
    assert ended.code == 2, ended
    assert len(ended.err.splitlines()) == 1, ended
    return error(ended)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_trains_keeps_judges_and_resumes(parity: Command) -> None:
    ended = parity("reproduce", "sms_rnn", "--seeds", "2")
    assert ended.code == 0, ended
    assert "0 of 6 trainings are kept" in ended.out
    assert "6 trainings to do" in ended.out
    assert "sms_rnn stock: 2 x " in ended.out
    assert "6/6  sms_rnn " in ended.out
    assert "2 of 2 published numbers are within their margins" in ended.out
    kept = {f"{side}-{seed:02}.json" for side in ("graph", "keras", "stock") for seed in (0, 1)}
    assert {p.name for p in (FOLDER / "sms_rnn").iterdir()} == {
        *kept,
        "counts.json",
        "curves.png",
    }
    page = FOLDER.with_suffix(".md").read_text("utf-8")
    assert "| `sms_rnn` | test loss after epoch 2 | 0.7 | 5 |" in page
    before = contents(FOLDER / "sms_rnn")

    (FOLDER / "sms_rnn" / "keras-01.json").unlink()
    ended = parity("reproduce", "sms_rnn", "--seeds", "2")
    assert ended.code == 0, ended
    assert "5 of 6 trainings are kept" in ended.out
    assert "1/1  sms_rnn keras 1" in ended.out
    again = contents(FOLDER / "sms_rnn")
    assert {p for p in before if before[p] != again[p]} <= {
        FOLDER / "sms_rnn" / "keras-01.json",
        FOLDER / "sms_rnn" / "curves.png",
    }
    trained = json.loads(again[FOLDER / "sms_rnn" / "keras-01.json"])["curves"]
    assert trained == json.loads(before[FOLDER / "sms_rnn" / "keras-01.json"])["curves"]

    ended = parity("reproduce", "sms_rnn", "--report")
    assert ended.code == 0, ended
    assert "trainings are kept" not in ended.out


def test_an_estimate_trains_nothing(parity: Command) -> None:
    ended = parity("reproduce", "sms_rnn", "--seeds", "3", "--estimate")
    assert ended.code == 0, ended
    assert "9 trainings to do" in ended.out
    assert [path.name for path in (FOLDER / "sms_rnn").iterdir()] == ["counts.json"]


def test_a_report_on_nothing_is_no_success(parity: Command) -> None:
    ended = parity("reproduce", "sms_rnn", "--report")
    assert ended.code == 3, ended
    assert "2 not trained or counted yet" in ended.out


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"schema": 99}', "has schema 99"), ('{"schema": 1, "pair"', "cannot be read")],
)
def test_a_damaged_folder_is_told_before_anything_is_trained(
    parity: Command, text: str, said: str
) -> None:
    path = FOLDER / "sms_rnn" / "graph-00.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    for arguments in ((), ("--report",), ("--renew",)):
        assert said in refusal(parity("reproduce", "sms_rnn", *arguments))
    assert contents(Path("results")) == {path: text.encode()}


def test_a_folder_that_cannot_be_written_is_told(parity: Command) -> None:
    Path("results").write_text("a file")
    assert "cannot write to results/reproduce" in refusal(parity("reproduce", "sms_rnn"))
    assert Path("results").read_text() == "a file"


def test_a_pair_without_figures_is_not_reproduced(parity: Command) -> None:
    said = refusal(parity("reproduce", "imdb_gru_cells_v1"))
    assert "imdb_gru_cells_v1 has nothing to reproduce" in said


def test_made_up_data_reproduces_nothing(parity: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pairs._TABLE, "sms_rnn", MADE_UP)
    ended = parity("reproduce", "sms_rnn")
    assert "synthetic data cannot reproduce a real corpus's figures" in refusal(ended)
    assert list(FOLDER.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("sms_rmm",), "did you mean 'sms_rnn'"), (("sms_rnn", "--seeds", "0"), "--seeds")],
)
def test_wrong_use_is_told(parity: Command, arguments: tuple[str, ...], said: str) -> None:
    assert said in refusal(parity("reproduce", *arguments))


# TensorBoard


def test_a_training_and_a_run_write_event_files(parity: Command) -> None:
    ended = parity("train", "sms_rnn", "--tensorboard")
    assert ended.code == 0, ended
    folder = Path("results/train/sms_rnn-keras/tensorboard")
    assert {path.name for path in folder.iterdir()} == {"train", "test"}
    assert all(list(part.glob("events.out.tfevents.*")) for part in folder.iterdir())
    ended = parity("run", "sms_rnn", "--steps", "2", "--dtype", "float32", "--tensorboard")
    assert ended.code == 0, ended
    (run,) = Path("results/parity/tensorboard").iterdir()
    assert {path.name for path in (run / "sms_rnn" / "float32").iterdir()} == {
        *("graph", "keras", "stock")
    }


def test_event_files_that_are_there_are_not_replaced(parity: Command) -> None:
    old = Path("results/train/sms_rnn-keras/tensorboard/train/events.out.tfevents.1")
    old.parent.mkdir(parents=True)
    old.write_text("old")
    arguments = ("train", "sms_rnn", "--epochs", "1", "--tensorboard")
    assert "tensorboard exists; add --overwrite" in refusal(parity(*arguments))
    assert old.read_text() == "old"
    assert parity(*arguments, "--overwrite").code == 0
    assert not old.exists()


@pytest.mark.parametrize("command", ["train", "run"])
def test_without_its_writer_nothing_is_begun(
    parity: Command, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *p: None if n == "tensorboardX" else find(n, *p)
    )
    said = refusal(parity(command, "sms_rnn", "--tensorboard"))
    assert "tensorboardX is not installed" in said
    assert not Path("results").exists()
