"""The grammar of names: what is printed is parsed, whatever a framework calls its tensors."""

from __future__ import annotations

import pytest

from parity import keys
from parity.keys import KINDS, RUNGS, Key, parse

# What a framework may call a tensor: the words of the grammar are no exception.
NAMES = (
    "embedding",
    "rnn/basic_rnn_cell/kernel",
    "weights",
    "weights/kernel",
    "slots/kernel/RMSProp",
    "weights/slots/kernel",
    "loss",
    "loss/loss",
    "step 1",
    "step 2/weights/kernel",
    "final/weights/kernel",
    "curve/step_loss",
    "eval",
    "a//b/",
    "été 1",
)
WITHOUT_STATES = [(rung, "") for rung in ("variables", "gradients")] + [
    (rung, part) for rung in ("forward", "loss") for part in ("eval", "train")
]
WITH_STATES = [
    ("update", "step 1"),
    ("update", "step 12"),
    ("curve", "step 80"),
    ("curve", "final"),
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed_is_parsed(name: str) -> None:
    made = [Key(rung, part, "", name) for rung, part in WITHOUT_STATES]
    made += [Key(rung, part, kind, name) for rung, part in WITH_STATES for kind in KINDS]
    for key in made:
        assert parse(str(key)) == key, str(key)


@pytest.mark.parametrize("line", ["step_loss", "train_loss", "test_accuracy", "final", "step 3"])
def test_a_line_of_the_curve_is_parsed_too(line: str) -> None:
    key = parse(f"curve/{line}")
    assert key == Key("curve", "", "", line)
    assert str(key) == f"curve/{line}"
    assert key.is_line


def test_a_scope_that_has_a_word_of_the_grammar_keeps_its_name() -> None:
    key = parse("update/step 1/weights/weights/slots/kernel")
    assert key == Key("update", "step 1", "weights", "weights/slots/kernel")
    assert (key.group, key.step, key.is_weight) == ("update/step 1/weights", 1, True)
    slot = parse("curve/final/slots/weights/kernel/Adam")
    assert (slot.kind, slot.name, slot.is_weight) == ("slots", "weights/kernel/Adam", False)
    assert parse("variables/weights/kernel").name == "weights/kernel"
    assert parse("gradients/slots/kernel") == Key("gradients", "", "", "slots/kernel")


@pytest.mark.parametrize("text", ["", "sideways/x", "Forward/eval/x", "forward", "curve/", "/x"])
def test_what_follows_no_grammar_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="names no tensor of the rungs variables, forward"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("variables/a/b", "variables"),
        ("forward/train/logits", "forward/train"),
        ("gradients/a/b", "gradients"),
        ("update/step 2/slots/a/b/Adam", "update/step 2/slots"),
        ("curve/final/weights/a", "curve/final/weights"),
    ],
)
def test_tensors_are_translated_by_their_group(text: str, group: str) -> None:
    key = parse(text)
    assert key.group == group
    assert str(key) == f"{group}/{key.name}"


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("update/step 2/weights/w", 2),
        ("update/step 1/loss/loss", 1),
        ("curve/step 80/slots/w/Adam", 80),
        ("curve/final/weights/w", 0),
        ("curve/step_loss", 0),
        ("variables/step 7", 0),
    ],
)
def test_a_state_knows_its_step(text: str, step: int) -> None:
    assert parse(text).step == step


def test_only_lines_over_the_run_are_lines() -> None:
    lines = ("curve/step_loss", "curve/test_accuracy")
    others = ("curve/final/weights/w", "curve/step 3/slots/w/m", "loss/eval/loss", "forward/eval/x")
    assert all(parse(text).is_line for text in lines)
    assert not any(parse(text).is_line for text in others)


def test_the_losses_of_every_step_are_lines_of_steps() -> None:
    assert keys.parse("curve/step_d_loss").is_step_line
    assert not keys.parse("curve/test_loss").is_step_line
    assert not keys.parse("update/step 1/loss/step_x").is_step_line


def test_only_values_of_weights_may_hold_a_constant() -> None:
    weights = ("variables/b", "update/step 1/weights/b", "curve/final/weights/b")
    others = ("gradients/b", "update/step 1/slots/b/m", "update/step 1/loss/b", "forward/eval/b")
    assert all(parse(text).is_weight for text in weights)
    assert not any(parse(text).is_weight for text in others)


def test_a_step_is_printed_as_it_is_parsed() -> None:
    assert keys.step(12) == "step 12"
    assert parse(f"update/{keys.step(12)}/weights/w").step == 12


def test_rungs_are_in_the_order_of_the_climb() -> None:
    assert RUNGS == ("variables", "forward", "loss", "gradients", "update", "curve")
