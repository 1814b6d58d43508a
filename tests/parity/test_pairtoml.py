"""The pair file: what is written is read back, and what is wrong in one is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from parity import pairtoml
from parity.asking import Choices, Said
from parity.errors import BadInput
from parity.pairtoml import PairFile

SAID = Said(
    outputs={"scores:0": "output", "other:0": ""},
    optimizer="Adam",
    evaluation={"keep:0": 1.0},
    weights={"conv-left/W": "left/kernel", "rnn/lstm_cell": "lstm/lstm_cell"},
    fed={"words:0": "words", "lengths:0": ""},
    dropout={"dropout/dropout": "dropout"},
    train_ops={"g_step": "g_optimizer", "d_step": "d_optimizer"},
    carried={"c:0": "rnn/while/Exit_3:0"},
)
WHOLE = PairFile(
    "graphs/train.graph.npz",
    "rewrite:build_model",
    ("--size", "3"),
    "data/batches.npz",
    SAID,
    ("graph", "tf1"),
    steps=50,
    seed=0,
    output="results/train",
    device="cpu",
    timeout=60.5,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def file(text: str) -> str:
    Path("pair.toml").write_text(text)
    return "pair.toml"


def refused(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        pairtoml.read(file(text))
    return str(caught.value)


@pytest.mark.parametrize("path", ["pair.toml", "tests/parity/pair.toml", "../pair.toml"])
@pytest.mark.parametrize(
    "asked",
    [
        WHOLE,
        PairFile("train.py", "rewrite:build_model"),
        PairFile("/somewhere/train.graph.npz", "/somewhere/model.keras", inputs="data:batches"),
        PairFile("models.tagger:train", "keras_v2.optimizers:saved/model.keras"),
    ],
    ids=["whole", "script", "absolute", "modules"],
)
def test_what_is_written_is_read_back_from_wherever(asked: PairFile, path: str) -> None:
    folder = Path("work")
    folder.mkdir()
    pairtoml.write(folder / path, asked)
    found = pairtoml.read(folder / path)
    assert found == asked
    assert [*found.said.train_ops] == [*asked.said.train_ops], "they are in their order"
    assert not list(folder.rglob("*.part"))


def test_paths_are_as_seen_from_the_file() -> None:
    pairtoml.write("tests/pair.toml", WHOLE)
    text = Path("tests/pair.toml").read_text()
    assert 'graph = "../graphs/train.graph.npz"' in text
    assert 'keras = "rewrite:build_model"' in text
    assert pairtoml.read("tests/pair.toml").inputs == "data/batches.npz"


def test_what_is_said_beside_a_file_goes_first() -> None:
    pairtoml.write("pair.toml", WHOLE)
    beside = PairFile("pair.toml", steps=3, said=Said(weights={"conv-left/W": "right/kernel"}))
    found = pairtoml.resolved(beside)
    weights = {**SAID.weights, "conv-left/W": "right/kernel"}
    said = dataclasses.replace(SAID, weights=weights)
    assert found == dataclasses.replace(WHOLE, steps=3, said=said)
    assert pairtoml.resolved(WHOLE) == WHOLE


def test_nothing_that_is_there_is_overwritten() -> None:
    Path("pair.toml").write_text("mine")
    with pytest.raises(BadInput, match=r"pair\.toml exists"):
        pairtoml.write("pair.toml", WHOLE)
    choices = {"fed": {"lengths:0": ("words", "")}}
    assert pairtoml.draft(Path(), WHOLE, choices) == Path("pair-2.toml")
    assert Path("pair.toml").read_text() == "mine"
    again = pairtoml.draft(Path(), WHOLE, choices)
    assert again == Path("pair-2.toml"), "nothing is chosen there yet"
    Path("pair-2.toml").write_text("chosen")
    assert pairtoml.draft(Path(), WHOLE, choices) == Path("pair-3.toml")


def test_a_draft_is_filled_in_but_for_what_is_to_be_chosen() -> None:
    choices: Choices = {
        "fed": {"lengths:0": ("words", "")},
        "optimizer": {"": ("Adam", "Adam_1")},
        "evaluation": {"keep:0": (0.5, 0.0, 1.0)},
    }
    path = pairtoml.draft(Path("out"), WHOLE, choices)
    text = path.read_text()
    for line in (
        "# Of each list in brackets leave one, and drop the brackets.",
        'optimizer = ["Adam", "Adam_1"]',
        '"lengths:0" = ["words", ""]',
        '"words:0" = "words"',
        '"keep:0" = [0.5, 0.0, 1.0]',
    ):
        assert line in text.splitlines()
    with pytest.raises(BadInput, match="optimizer is still to be chosen: 'Adam', 'Adam_1'"):
        pairtoml.read(path)
    for many, one in (
        ('["Adam", "Adam_1"]', '"Adam"'),
        ('["words", ""]', '""'),
        ("[0.5, 0.0, 1.0]", "1.0"),
    ):
        assert many in text
        text = text.replace(many, one)
    path.write_text(text)
    assert pairtoml.read(path) == WHOLE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grpah = 'a'", "pair.toml: there is no key 'grpah'"),
        ("grpah = 'a'", "did you mean 'graph'?"),
        ("graph = 'a'\n[tensor]\n'x:0' = 'y'", "did you mean 'tensors'?"),
        ("keras = 'm:f'", "pair.toml does not say what is checked"),
        ("graph = 3", "pair.toml: graph is 3; expected a text"),
        ("graph = 'a'\nsteps = 'ten'", "steps is 'ten'; expected a whole number, 1 or more"),
        ("graph = 'a'\nsteps = 0", "steps is 0"),
        ("graph = 'a'\nsteps = true", "steps is True"),
        ("graph = 'a'\nengines = 'tf1'", "engines is 'tf1'; expected a list of texts"),
        ("graph = 'a'\ntimeout = 'long'", "timeout is 'long'; expected a number"),
        ("graph = 'a'\nfed = 'words'", "fed is 'words'; expected a table"),
        ("graph = 'a'\n[fed]\nwords = 3", "[fed] 'words' is 3; expected a text"),
        ("graph = 'a'\n[fed]\nwords.0 = 'x'", "[fed] 'words' is {'0': 'x'}; expected a text"),
        ("graph = 'a'\n[evaluation]\nkeep = 'one'", "[evaluation] 'keep' is 'one'"),
        ("graph = 'a'\n[weights]\nW = ['a', 'b']", "[weights] 'W' is still to be chosen: 'a', 'b'"),
        ("graph = 'a'\n[weights]\nW = []", "still to be chosen: nothing"),
        ("graph = 'a'\nformat = 2", "pair.toml has format 2; expected format 1"),
        ("graph = ", "pair.toml cannot be read"),
        ("graph = 'a'\ngraph = 'b'", "cannot be read"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(text: str, message: str) -> None:
    assert message in refused(text)


def test_a_file_that_is_no_text_or_not_there_is_told() -> None:
    Path("pair.toml").write_bytes(b"\xff\xfe")
    for name in ("pair.toml", "none.toml"):
        with pytest.raises(BadInput, match=f"{name} cannot be read"):
            pairtoml.read(name)
