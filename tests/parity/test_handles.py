"""What of a graph is what of a Keras model: told by size and name, or asked for."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from parity.asking import Asked, Said
from parity.errors import BadInput
from parity.graphfile import Draw, Graph, Input, Optimizer, Output
from parity.handles import propose_handles

ADAM = Optimizer("AdamOptimizer", "Adam", "loss:0", {}, (), (), ran=True)
WORDS, FACTS = np.zeros((8, 6), np.int32), np.zeros((8, 4), np.float32)
LABELS, SIZES = np.zeros(8, np.int64), np.zeros((8, 2), np.float32)
LOGITS = Output("kind/BiasAdd:0", "BiasAdd", (None, 3), ("words:0", "facts:0"))
SIZE = Output("size/BiasAdd:0", "BiasAdd", (None, 2), ("words:0", "facts:0"))
GRAPH = Graph(
    graph_def=b"",
    made_by={"source": "script.py"},
    inputs=(),
    outputs=(LOGITS,),
    optimizers=(ADAM,),
    variables=(),
    draws=(),
    updates=(),
    missing=(),
    invented=False,
    values={},
    feed={"words:0": WORDS, "labels:0": LABELS},
)
BOTH = dataclasses.replace(
    GRAPH,
    outputs=(LOGITS, SIZE),
    feed={"words:0": WORDS, "facts:0": FACTS, "kind_labels:0": LABELS, "size_labels:0": SIZES},
)


def keras(inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> dict[str, Any]:
    """The description of a Keras model: name -> sizes of inputs and outputs."""
    return {
        "inputs": [{"name": name, "shape": shape} for name, shape in inputs.items()],
        "outputs": [
            {"name": name, "shape": shape, "activation": "linear"}
            for name, shape in outputs.items()
        ],
        "dropout": [],
    }


ONE = keras({"text": [None, 6]}, {"scores": [None, 3]})
TWO = keras({"facts": [None, 4], "words": [None, 6]}, {"size": [None, 2], "kind": [None, 3]})


def test_the_only_ones_need_no_name() -> None:
    found = propose_handles(GRAPH, ONE, Said())
    assert (found.inputs, found.targets) == ({"words:0": "text"}, {"labels:0": "scores"})
    assert found.outputs == {"kind/BiasAdd:0": "scores"}


def test_inputs_go_by_size_and_targets_by_name() -> None:
    found = propose_handles(BOTH, TWO, Said())
    assert found.inputs == {"words:0": "words", "facts:0": "facts"}
    assert found.targets == {"kind_labels:0": "kind", "size_labels:0": "size"}
    assert found.outputs == {"kind/BiasAdd:0": "kind", "size/BiasAdd:0": "size"}


def test_an_open_size_fits_any() -> None:
    found = propose_handles(GRAPH, keras({"text": [None, None]}, {"scores": [None, 3]}), Said())
    assert found.inputs == {"words:0": "text"}


def test_what_the_graph_alone_takes_has_no_name_in_keras() -> None:
    graph = dataclasses.replace(
        GRAPH,
        feed={**GRAPH.feed, "lengths:0": LABELS},
        outputs=(dataclasses.replace(LOGITS, inputs=("words:0", "lengths:0")),),
    )
    assert propose_handles(graph, ONE, Said(fed={"lengths:0": ""})).inputs == {
        "words:0": "text",
        "lengths:0": "",
    }
    with pytest.raises(BadInput, match=r"lengths:0 \(8,\).*--fed TENSOR= of what the graph"):
        propose_handles(graph, ONE, Said())


@pytest.mark.parametrize(
    ("graph", "description", "said", "message"),
    [
        (  # names say nothing, sizes are the same
            dataclasses.replace(BOTH, feed={**BOTH.feed, "facts:0": WORDS}),
            keras({"a": [None, 6], "b": [None, 6]}, {"size": [None, 2], "kind": [None, 3]}),
            Said(),
            "the graph was fed 2 inputs",
        ),
        (
            BOTH,
            keras({"facts": [None, 4], "words": [None, 6]}, {"a": [None, 2], "b": [None, 3]}),
            Said(),
            "the graph was fed 2 targets",
        ),
        (  # two tensors of one size, one output
            dataclasses.replace(GRAPH, outputs=(LOGITS, dataclasses.replace(LOGITS, name="a:0"))),
            ONE,
            Said(),
            "2 outputs of the graph may be the Keras model's scores",
        ),
        (GRAPH, ONE, Said(fed={"wrds:0": "text"}), "did you mean 'words:0'"),
        (GRAPH, ONE, Said(fed={"words:0": "txt"}), "did you mean 'text'"),
        (GRAPH, ONE, Said(evaluation={"keep:0": 1.0}), "fed a number"),
        (GRAPH, ONE, Said(outputs={"kind:0": "scores"}), "did you mean 'kind/BiasAdd:0'"),
        (GRAPH, ONE, Said(outputs={"a:0": "x", "b:0": "x"}), "names a layer twice"),
        (GRAPH, ONE, Said(optimizer="Adm"), "did you mean 'Adam'"),
        (
            dataclasses.replace(GRAPH, feed={**GRAPH.feed, "state:0": np.zeros((2, 8, 3))}),
            ONE,
            Said(),
            "different first sizes",
        ),
    ],
)
def test_what_cannot_be_told_is_asked_for(
    graph: Graph, description: dict[str, Any], said: Said, message: str
) -> None:
    with pytest.raises(BadInput, match=message.replace("(", r"\(")):
        propose_handles(graph, description, said)


def asked(graph: Graph, description: dict[str, Any], said: Said | None = None) -> Asked:
    with pytest.raises(Asked) as caught:
        propose_handles(graph, description, said or Said())
    return caught.value


def test_a_question_knows_what_is_sure_and_what_may_be_chosen() -> None:
    """Of all that is unclear, not of the first alone."""
    strange = {"lengths:0": LABELS, "temperature:0": np.array(0.5)}
    inputs = ("words:0", "facts:0", "lengths:0")
    graph = dataclasses.replace(
        BOTH,
        feed={**BOTH.feed, **strange},
        outputs=tuple(dataclasses.replace(each, inputs=inputs) for each in BOTH.outputs),
        optimizers=(ADAM, dataclasses.replace(ADAM, train_op="Adam_1")),
    )
    found = asked(graph, TWO)
    assert found.choices == {
        "optimizer": {"": ("Adam", "Adam_1")},
        "fed": {"lengths:0": ("",)},
        "evaluation": {"temperature:0": (0.5, 0.0, 1.0)},
    }
    assert found.known.fed == {
        "words:0": "words",
        "facts:0": "facts",
        "kind_labels:0": "kind",
        "size_labels:0": "size",
    }
    assert found.known.outputs == {"kind/BiasAdd:0": "kind", "size/BiasAdd:0": "size"}
    answer = Said(optimizer="Adam", fed={"lengths:0": ""}, evaluation={"temperature:0": 1.0})
    handles = propose_handles(graph, TWO, answer.over(found.known))
    assert handles.evaluation == {"temperature:0": 1.0}
    again = propose_handles(graph, TWO, handles.said)
    assert again == handles


GAN = dataclasses.replace(
    GRAPH,
    outputs=(dataclasses.replace(LOGITS, inputs=("words:0",)),),
    feed={"words:0": WORDS},
    optimizers=tuple(
        dataclasses.replace(ADAM, train_op=name, variables=(f"{scope}/kernel",), ran=ran)
        for name, scope, ran in (("Adam", "generator", False), ("Adam_1", "discriminator", True))
    ),
)
TRAINERS = {
    **ONE,
    "own_step": True,
    "optimizers": {"generator_optimizer": {}, "discriminator_optimizer": {}},
}


def test_several_optimizers_step_in_turn_those_first_that_ran_first() -> None:
    found = propose_handles(GAN, TRAINERS, Said())
    assert found.said.train_ops == {
        "Adam_1": "discriminator_optimizer",
        "Adam": "generator_optimizer",
    }
    assert [each.loss for each in found.trained] == ["discriminator_loss", "generator_loss"]
    assert [each.variables for each in found.trained] == [
        ("discriminator/kernel",),
        ("generator/kernel",),
    ]
    assert found.said.optimizer == ""
    assert found.targets == {}, "its losses are of what goes in"
    assert propose_handles(GAN, TRAINERS, found.said) == found


def test_of_several_optimizers_one_may_be_compared_alone() -> None:
    found = propose_handles(GAN, TRAINERS, Said(optimizer="Adam"))
    assert found.optimizers == {"optimizer": GAN.optimizers[0]}
    assert found.trained == ()


def test_optimizers_that_names_do_not_tell_apart_are_asked_for() -> None:
    description = {**TRAINERS, "optimizers": {"first": {}, "second": {}}}
    choices = ("first", "second", "")
    assert asked(GAN, description).choices == {"train_ops": {"Adam": choices, "Adam_1": choices}}
    answer = Said(train_ops={"Adam_1": "second", "Adam": "first"})
    found = propose_handles(GAN, description, answer)
    assert [*found.optimizers] == ["second", "first"], "as they were said"
    assert [each.loss for each in found.trained] == ["second_loss", "first_loss"]


@pytest.mark.parametrize(
    ("train_ops", "message"),
    [
        ({"Adam": "generator", "Adam_1": "discriminator_optimizer"}, "no attribute .* 'generator'"),
        ({"Adm": "generator_optimizer"}, "did you mean 'Adam'"),
        ({"Adam": "generator_optimizer", "Adam_1": "generator_optimizer"}, "twice"),
        ({"Adam": "generator_optimizer", "Adam_1": ""}, "names one optimizer: Adam"),
    ],
)
def test_train_ops_that_are_not_there_are_refused(train_ops: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        propose_handles(GAN, TRAINERS, Said(train_ops=train_ops))


def test_one_optimizer_and_several_are_not_said_at_once() -> None:
    several = Said(train_ops={"Adam": "generator_optimizer", "Adam_1": "discriminator_optimizer"})
    one = Said(optimizer="Adam", train_ops=several.train_ops)
    with pytest.raises(BadInput, match="--optimizer Adam and --train-op Adam Adam_1"):
        propose_handles(GAN, TRAINERS, one)
    assert Said(optimizer="Adam").over(several) == Said(optimizer="Adam")
    assert several.over(Said(optimizer="Adam")) == several
    assert Said().over(several) == several


def test_losses_that_would_have_one_name_are_refused() -> None:
    description = {**TRAINERS, "optimizers": {"d": {}, "d_optimizer": {}}}
    said = Said(train_ops={"Adam": "d", "Adam_1": "d_optimizer"})
    with pytest.raises(BadInput, match="the losses of d, d_optimizer: d_loss, d_loss"):
        propose_handles(GAN, description, said)


def test_what_is_carried_is_an_input_of_both() -> None:
    carried = {"facts:0": "kind/BiasAdd:0"}
    found = propose_handles(BOTH, TWO, Said(carried=carried))
    assert found.carried == carried
    assert propose_handles(BOTH, TWO, found.said) == found
    with pytest.raises(BadInput, match="no input of both models 'labels:0'"):
        propose_handles(GRAPH, ONE, Said(carried={"labels:0": "kind/BiasAdd:0"}))


def test_several_optimizers_neither_drop_nor_carry() -> None:
    graph = dataclasses.replace(GAN, draws=(Draw("one/uniform", "RandomUniform", in_loop=False),))
    for said, description, trained in (
        (Said(), {**TRAINERS, "dropout": ["one"]}, graph),
        (Said(carried={"words:0": "kind/BiasAdd:0"}), TRAINERS, GAN),
    ):
        with pytest.raises(BadInput, match="drops or carries something"):
            propose_handles(trained, description, said)


def test_tensors_that_may_be_one_output_are_told_apart_by_what_is_chosen() -> None:
    other = dataclasses.replace(LOGITS, name="a:0")
    graph = dataclasses.replace(GRAPH, outputs=(LOGITS, other))
    found = asked(graph, ONE)
    assert found.choices == {"outputs": dict.fromkeys((LOGITS.name, "a:0"), ("scores", ""))}
    for said in (
        {LOGITS.name: "scores"},
        {LOGITS.name: "scores", "a:0": ""},
        {"a:0": ""},
    ):
        handles = propose_handles(graph, ONE, Said(outputs=said))
        assert handles.outputs == {LOGITS.name: "scores"}


def test_two_inputs_of_one_shape_are_chosen_from_each_other() -> None:
    graph = dataclasses.replace(BOTH, feed={**BOTH.feed, "facts:0": WORDS})
    two = keras({"a": [None, 6], "b": [None, 6]}, {"size": [None, 2], "kind": [None, 3]})
    assert asked(graph, two).choices["fed"] == dict.fromkeys(["words:0", "facts:0"], ("a", "b", ""))


def test_a_signature_names_inputs_and_outputs() -> None:
    graph = dataclasses.replace(
        BOTH,
        feed={**BOTH.feed, "facts:0": WORDS},
        inputs=(
            Input("words:0", "Placeholder", "int32", (None, 6), alias="b"),
            Input("facts:0", "Placeholder", "int32", (None, 6), alias="a"),
        ),
    )
    two = keras({"a": [None, 6], "b": [None, 6]}, {"size": [None, 2], "kind": [None, 3]})
    assert propose_handles(graph, two, Said()).inputs == {"words:0": "b", "facts:0": "a"}


def test_a_graph_that_does_not_train_has_no_targets_and_drops_nothing() -> None:
    graph = dataclasses.replace(GRAPH, optimizers=(), feed={"words:0": WORDS})
    found = propose_handles(graph, {**ONE, "dropout": ["dropout"]}, Said())
    assert (found.optimizer, found.targets, found.dropout) == (None, {}, {})
    assert dict(found.lines({"optimizer": "SGD"}))["optimizer"].startswith("none in the graph")


def test_dropout_goes_by_order_or_as_it_is_said() -> None:
    draws = tuple(Draw(f"{n}/uniform", "RandomUniform", in_loop=False) for n in ("one", "two"))
    graph = dataclasses.replace(GRAPH, draws=draws)
    keras_model = {**ONE, "dropout": ["first", "second"]}
    found = propose_handles(graph, keras_model, Said())
    assert found.dropout == {"one": "first", "two": "second"}
    found = propose_handles(graph, keras_model, Said(dropout={"one": "second"}))
    assert found.dropout == {"one": "second", "two": "first"}
    for said, message in (
        ({"on": "first"}, "did you mean 'one'"),
        ({"one": "frst"}, "did you mean 'first'"),
        ({"one": "first", "two": "first"}, "names a layer twice"),
    ):
        with pytest.raises(BadInput, match=message):
            propose_handles(graph, keras_model, Said(dropout=said))


@pytest.mark.parametrize(
    ("name", "value"), [("keep_prob:0", 1.0), ("rate:0", 0.0), ("is_training:0", 0.0)]
)
def test_numbers_that_are_fed_have_a_value_for_testing(name: str, value: float) -> None:
    trained = np.array(True) if "training" in name else np.array(0.5)
    graph = dataclasses.replace(GRAPH, feed={**GRAPH.feed, name: trained})
    assert propose_handles(graph, ONE, Said()).evaluation == {name: value}
    said = Said(evaluation={name: 0.25})
    assert propose_handles(graph, ONE, said).evaluation == {name: 0.25}
