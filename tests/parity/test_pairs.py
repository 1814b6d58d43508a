"""A row that cannot be used is refused when it is registered, before any engine starts."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from parity import pairs
from parity.errors import BadInput
from parity.pair import Data, Pair, Schedule, Wiring
from parity.pairs import PAIRS
from parity.published import Count, Figure, Margin, Published

PAIR = PAIRS["sms_rnn"]
assert PAIR.stock


def wiring(**fields: Any) -> dict[str, Wiring]:
    return {"wiring": dataclasses.replace(PAIR.wiring, **fields)}


def schedule(**fields: Any) -> dict[str, Schedule]:
    return {"schedule": dataclasses.replace(PAIR.schedule, **fields)}


def published(**fields: Any) -> dict[str, Published]:
    figure = Figure("loss", 0.3, Margin(0.04, "a reason"), epoch=20)
    return {"published": Published((dataclasses.replace(figure, **fields),))}


# Fields of a row -> what the error says was received.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "sms-rnn"}, "that is no name of a file of Python"),
    "no colon": ({"graph": "legacy_graph.sms_rnn"}, "graph is 'legacy_graph.sms_rnn'"),
    "no module": ({"keras": ":build_model"}, "keras is ':build_model'"),
    "two colons": ({"data": Data("datasets:a:b")}, "data.loader is 'datasets:a:b'"),
    "path": ({"graph": "legacy_graph/sms_rnn.py:SmsRnn"}, "graph is 'legacy_graph/sms_rnn.py:"),
    "stock": (
        {"stock": dataclasses.replace(PAIR.stock, optimizer="Adam")},
        "stock.optimizer is 'Adam'",
    ),
    "unknown package": ({"graph": "legacy:SmsRnn"}, "no module 'legacy' is found"),
    "unknown module": ({"keras": "keras_v2.sms:build"}, "no module 'keras_v2.sms' is found"),
    "no package": ({"graph": "this.is_no_package:X"}, "no module 'this.is_no_package' is found"),
    "made by hand": ({"data": Data("made:load")}, "no module 'made' is found"),
    "program": ({"data": Data("__main__:load")}, "no module '__main__' is found"),
    "unknown attribute": (
        {"graph": "legacy_graph.sms_rnn:SmsRNN"},
        "'legacy_graph.sms_rnn' does not define 'SmsRNN'",
    ),
    "unknown loader": (
        {"data": Data("datasets.sms_spam:loads")},
        "'datasets.sms_spam' does not define 'loads'",
    ),
    "no taps": (wiring(taps={}), "wiring.taps is empty"),
    "no prefix": (wiring(dropout={"": "dropout"}), "wiring.dropout maps '' to 'dropout'"),
    "no layer": (wiring(dropout={"dropout": ""}), "wiring.dropout maps 'dropout' to ''"),
    "no loss": (wiring(metrics=("accuracy", "loss")), "wiring.metrics is ('accuracy', 'loss')"),
    "no metrics": (wiring(metrics=()), "wiring.metrics is ()"),
    "output": (wiring(output="tanh"), "wiring.output is 'tanh'"),
    "epochs": (schedule(epochs=0), "schedule.epochs is 0"),
    "batch size": (schedule(batch_size=-1), "schedule.batch_size is -1"),
    "steps": (schedule(steps=-1), "schedule.steps is -1"),
    "figure": (published(metric="recall"), "there is no metric 'recall'"),
    "split": (published(split="dev"), "there is no split 'dev'"),
    "epoch": (published(epoch=21), "a figure was read after epoch 21"),
    "count": (
        {"published": Published(counts=(Count("words", 9, "word"),))},
        "there is no kind of count 'word'",
    ),
    "no margin": (published(margin=Margin(0, "exact")), "its margin is 0, reason 'exact'"),
    "no reason": (published(margin=Margin(0.1, "")), "its margin is 0.1, reason ''"),
    "stock margin": (
        {"stock": dataclasses.replace(PAIR.stock, margins={"f1": Margin(0.1, "a reason")})},
        "there is no metric 'f1'",
    ),
}


@pytest.mark.parametrize(("fields", "received"), WRONG.values(), ids=WRONG)
def test_a_wrong_row_is_refused(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], received: str
) -> None:
    monkeypatch.setitem(sys.modules, "made", ModuleType("made"))
    pair = dataclasses.replace(PAIR, **{"name": "mine", **fields})
    with pytest.raises(BadInput) as caught:
        pairs.register(pair)
    error = caught.value
    assert error.received.startswith(f"pair {pair.name!r}: ")
    assert received in error.received
    assert error.expected
    assert error.mend
    assert pair.name not in PAIRS


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(BadInput, match=r"did you mean 'SmsRnn'\?"):
        dataclasses.replace(PAIR, graph="legacy_graph.sms_rnn:SmsRNN").check()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package of somebody's models that can be found."""
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "somebodys"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    return package


@pytest.mark.parametrize(
    "source",
    [
        "class Model: pass",
        "def Model(): pass",
        "from elsewhere import Model",
        "import elsewhere as Model",
        "Model = make()",
        "if new:\n    class Model: pass\nelse:\n    Model = None",
    ],
)
def test_whatever_gives_a_name_its_value_defines_it(models: Path, source: str) -> None:
    (models / "mine.py").write_text(f"{source}\nraise AssertionError('imported')\n")
    dataclasses.replace(PAIR, graph="somebodys.mine:Model").check()


def test_a_module_without_source_is_taken_at_its_word() -> None:
    dataclasses.replace(PAIR, graph="sys:whatever").check()


def test_what_a_function_keeps_to_itself_is_not_defined(models: Path) -> None:
    (models / "mine.py").write_text("def build():\n    Model = 1\n    return Model\nprint(Model)\n")
    with pytest.raises(BadInput, match=r"'somebodys\.mine' does not define 'Model'"):
        dataclasses.replace(PAIR, graph="somebodys.mine:Model").check()


@pytest.mark.parametrize("source", [b"def build(:\n", b"# \xff\n"], ids=["syntax", "encoding"])
def test_a_file_that_is_no_python_is_refused(models: Path, source: bytes) -> None:
    (models / "mine.py").write_bytes(source)
    with pytest.raises(BadInput, match=r"graph is 'somebodys\.mine:X'.*mine\.py cannot be read"):
        dataclasses.replace(PAIR, graph="somebodys.mine:X").check()


def test_checking_imports_neither_a_framework_nor_a_model() -> None:
    code = """
import sys
import parity.pairs
roots = {name.partition(".")[0] for name in sys.modules}
print(*sorted(roots & {"tensorflow", "keras", "tf_keras", "legacy_graph", "keras_v2"}))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_a_row_that_is_in_order_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    table: dict[str, Pair] = {}
    monkeypatch.setattr(pairs, "_TABLE", table)
    monkeypatch.setattr(pairs, "PAIRS", table)
    pairs.register(PAIR)
    assert pairs.find("sms_rnn") is PAIR


def test_a_name_is_registered_once() -> None:
    with pytest.raises(BadInput, match="pair 'sms_rnn' is registered already: SMS spam, BasicRNN"):
        pairs.register(dataclasses.replace(PAIR, title="another"))
    assert PAIRS["sms_rnn"] is PAIR


def test_find_suggests_a_near_name_and_lists_all() -> None:
    with pytest.raises(BadInput) as caught:
        pairs.find("sms_rn")
    assert caught.value.received == "there is no pair 'sms_rn'"
    assert all(name in caught.value.expected for name in PAIRS)
    assert "did you mean 'sms_rnn'" in caught.value.mend
