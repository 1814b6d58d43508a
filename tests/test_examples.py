"""The examples, as a user would run them: script untouched, Keras model, one proof."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from datasets import sms_spam
from parity import engines
from tests.parity.commands import Command

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    """The corpus as the scripts read it."""
    corpus = sms_spam.messages()
    rows = zip(corpus.labels, corpus.texts, strict=True)
    path = tmp_path / "SMSSpamCollection"
    path.write_text("".join(f"{sms_spam.LABELS[label]}\t{text}\n" for label, text in rows))
    return path


@pytest.mark.parametrize(
    ("harvests", "judges"),
    [
        ("graph", "graph"),
        pytest.param("tf1", "tf1", marks=pytest.mark.oracle),
        pytest.param("graph", "tf1", marks=[pytest.mark.oracle, pytest.mark.slow]),
    ],
)
@pytest.mark.parametrize(
    ("example", "asked"),
    [
        ("sms_cnn", ("train.graph.npz", "--keras", "model:build_model")),
        ("sms_tagger", ("pair.toml",)),
        ("sms_lm", ("pair.toml",)),
        ("sms_gan", ("train.graph.npz", "--keras", "model:build_model")),
    ],
)
def test_an_example_is_proved(
    parity: Command,
    messages: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    example: str,
    asked: tuple[str, ...],
    harvests: str,
    judges: str,
) -> None:
    if judges == "tf1":
        request.getfixturevalue("tf1")
    folder = tmp_path / example
    shutil.copytree(EXAMPLES / example, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{engines.ROOT}")
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path / "cache"))
    harvested = parity("harvest", "train.py", "--engine", harvests, "--", "--data", str(messages))
    assert harvested.code == 0, harvested
    proved = parity("check", *asked, "--engine", judges)
    assert proved.code == 0, proved
    assert "by order" not in proved.out


def test_the_language_model_learns_with_a_state_that_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "sms_lm"))
    monkeypatch.delitem(sys.modules, "model", raising=False)
    model = importlib.import_module("model")
    made = model.build_model(vocabulary=5, embedding=3, units=6, drop=0.0)
    stream = np.tile(np.arange(5, dtype=np.int32), (2, 9))  # the next word follows from this one
    batches = [(stream[:, i : i + 8], stream[:, i + 1 : i + 9]) for i in range(0, 32, 8)]
    # After 12 epochs chance decides (0.31 to 0.55 over 12 seeds); after 30 all are at 0.21.
    first, *_, last = [model.run_epoch(made, batches, rate=1.0) for _ in range(30)]
    assert last < first / 2


def test_the_gan_trains_as_keras_models_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "sms_gan"))
    monkeypatch.delitem(sys.modules, "model", raising=False)
    gan = importlib.import_module("model").build_model(words=6, noise=3, units=8)
    draw = np.random.RandomState(0)
    x = {
        "real": np.tanh(draw.normal(2, 1, (64, 6))).astype(np.float32),
        "noise": draw.uniform(-1, 1, (64, 3)).astype(np.float32),
    }
    made = gan.generator.get_weights()
    history = gan.fit(x, batch_size=16, epochs=40, verbose=0).history
    assert history["d_loss"][-1] < history["d_loss"][0]
    assert all(
        (new != old).any() for new, old in zip(gan.generator.get_weights(), made, strict=True)
    )
    assert set(gan.evaluate(x, verbose=0, return_dict=True)) == {"d_loss", "g_loss"}
