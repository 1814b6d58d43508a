"""Slips planted in the examples' Keras models: each is found, at the rung where it shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import parity
from datasets import sms_spam
from parity import engines
from parity.checked import CheckResult

EXAMPLES = Path(__file__).parents[1] / "examples"

D_APPLY = "        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)\n"
BEFORE = "        d_weights, d_gradients = weights, tape.gradient(d_loss, weights)\n"
AFTER = "        self.d_optimizer.apply(d_gradients, d_weights)\n"
G_LOSS = "            _, g_loss = self.losses_of(x, training=True)\n"
RETURN = '        return {"d_loss": d_loss, "g_loss": g_loss}\n\n    def test_step'

# Example and slip -> the rung at which it shows, and what stands where in model.py.
SLIPS: dict[tuple[str, str], tuple[str, dict[str, str]]] = {
    ("sms_gan", "the_generator_meets_the_discriminator_before_its_step"): (
        "update",
        {D_APPLY: BEFORE, RETURN: AFTER + RETURN},
    ),
    ("sms_gan", "what_is_made_for_the_discriminator_is_normalised_by_averages"): (
        "loss",
        {"d_loss, _ = self.losses_of(x, training=True)": "d_loss, _ = self.losses_of(x, False)"},
    ),
    ("sms_gan", "the_generator_maximises_the_discriminators_loss"): (
        "loss",
        {
            'return d_loss, cross_entropy(1.0, logits["made_logits"])': (
                'return d_loss, -cross_entropy(0.0, logits["made_logits"])'
            )
        },
    ),
    ("sms_gan", "the_generator_follows_half_its_gradient"): (
        "gradients",
        {
            G_LOSS: G_LOSS + "            half = g_loss / 2\n",
            "(g_loss, weights)": "(half, weights)",
        },
    ),
    ("sms_gan", "one_of_the_optimizers_has_another_beta"): (
        "update",
        {"beta_1=0.5), TF1Adam(0.0002, beta_1=0.5)": "beta_1=0.5), TF1Adam(0.0002)"},
    ),
    ("sms_gan", "the_norm_keeps_another_average"): (
        "update",
        {'Normalization(name="norm")': 'Normalization(name="norm", momentum=0.9)'},
    ),
    ("sms_lm", "the_state_is_not_carried"): (
        "update",
        {'"c": outputs["last_c"], "h": outputs["last_h"]': '"c": x["c"], "h": x["h"]'},
    ),
    ("sms_lm", "half_the_state_is_not_carried"): (
        "update",
        {'"h": outputs["last_h"]': '"h": x["h"]'},
    ),
    ("sms_lm", "the_parts_of_the_state_are_exchanged"): (
        "forward",
        {"initial_state=[h, c]": "initial_state=[c, h]"},
    ),
    ("sms_lm", "each_gradient_is_clipped_by_its_own_norm"): (
        "gradients",
        {"SGD(1.0, global_clipnorm=5.0)": "SGD(1.0, clipnorm=0.05)"},
    ),
}

# What is no difference of numbers, but an error -> what is said, and what stands where.
TOLD: dict[str, tuple[str, dict[str, str]]] = {
    "the_generators_step_trains_all": (
        "train_step has g_optimizer train discriminator/hidden/bias",
        {"weights = self.generator.trainable_weights": "weights = self.trainable_weights"},
    ),
    "a_loss_has_another_name": (
        "there is no result of train_step 'd_loss'",
        {RETURN: RETURN.replace('"d_loss"', '"discriminator"')},
    ),
    "it_cannot_be_tested": (
        "a model with several optimizers has no test_step of its own",
        {"def test_step": "def another_step"},
    ),
}


def some(slips: Iterable[Any], kind: Callable[[Any], str]) -> list[Any]:
    """Return all of them as parameters, all but the first of each kind for `tox -e slow`."""
    first = {kind(slip): slip for slip in reversed([*slips])}
    return [
        pytest.param(
            *(slip if isinstance(slip, tuple) else (slip,)),
            marks=() if slip in first.values() else pytest.mark.slow,
        )
        for slip in slips
    ]


class Proved:
    """Both examples, harvested, and engines that find every slip beside them."""

    def __init__(self, folder: Path, shared: Any) -> None:
        self._folder, self._shared = folder, shared

    def check(self, example: str, module: str, **said: Any) -> CheckResult:
        """Prove a module of an example against its script's graph."""
        folder = self._folder / example
        pair = folder / "pair.toml"
        graph = pair if pair.exists() else folder / "train.graph.npz"
        model = f"{module}:build_model"
        return parity.check(graph, model, engines=["graph"], steps=3, shared=self._shared, **said)


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proved]:
    folder = tmp_path_factory.mktemp("examples")
    corpus = sms_spam.messages()
    rows = zip(corpus.labels, corpus.texts, strict=True)
    text = "".join(f"{sms_spam.LABELS[label]}\t{text}\n" for label, text in rows)
    (folder / "messages").write_text(text)
    for example in ("sms_gan", "sms_lm"):
        shutil.copytree(EXAMPLES / example, folder / example)
        script, data = str(folder / example / "train.py"), str(folder / "messages")
        output = folder / example / "train.graph.npz"
        parity.harvest(script, "--data", data, output=output, engine="graph")
        shutil.copy(folder / example / "model.py", folder / f"{example}_model.py")
    shutil.copy(folder / "sms_lm" / "inputs.py", folder / "inputs.py")
    told = {("sms_gan", slip): planted for slip, planted in TOLD.items()}
    for (example, slip), (_, changes) in {**SLIPS, **told}.items():
        code = (folder / example / "model.py").read_text("utf-8")
        for right, wrong in changes.items():
            assert code.count(right) == 1, (slip, right)
            code = code.replace(right, wrong)
        (folder / f"{slip}.py").write_text(code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{folder}:{engines.ROOT}")
        patch.syspath_prepend(folder)
        patch.setenv("PARITY_CACHE_DIR", str(folder / "cache"))
        with parity.shared_engines(device="cpu") as shared:
            yield Proved(folder, shared)


@pytest.mark.parametrize("example", ["sms_gan", "sms_lm"])
def test_without_a_slip_they_agree(proved: Proved, example: str) -> None:
    found = proved.check(example, f"{example}_model")
    assert found.agrees, found.report


@pytest.mark.parametrize(("example", "slip"), some(SLIPS, lambda slip: slip[0]))
def test_a_slip_is_found_where_it_shows(proved: Proved, example: str, slip: str) -> None:
    rung, _ = SLIPS[example, slip]
    found = proved.check(example, slip)
    assert found.exit_code == 1, found.report
    rungs = {each.dtype: each.failed_rung for each in found.outcome.comparisons}
    assert rungs["float64"] == rung, found.report


def test_the_order_of_the_steps_tells(proved: Proved) -> None:
    swapped = {"g_step": "g_optimizer", "d_step": "d_optimizer"}
    found = proved.check("sms_gan", "sms_gan_model", train_ops=swapped)
    rungs = {each.dtype: each.failed_rung for each in found.outcome.comparisons}
    assert (found.exit_code, rungs["float64"]) == (1, "update"), found.report


@pytest.mark.parametrize("slip", some(TOLD, lambda _: "told"))
def test_what_cannot_be_compared_is_told(proved: Proved, slip: str) -> None:
    found = proved.check("sms_gan", slip)
    assert found.exit_code == 3, found.report
    assert TOLD[slip][0] in found.report
