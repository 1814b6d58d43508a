from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from parity.errors import BadInput
from parity.graphfile import Optimizer, Variable
from parity.proposals import NAMED, ONLY, ORDERED, likeness, propose, slots_of
from parity.slots import ADAM, CENTERED_RMSPROP


def variable(name: str, *shape: int) -> Variable:
    return Variable(name, "float32", shape, True, False)


def layer(name: str, kind: str = "Dense", **weights: tuple[int, ...]) -> dict[str, Any]:
    found = [
        {"path": f"{name}/{n}", "shape": list(s), "trainable": True} for n, s in weights.items()
    ]
    return {"name": name, "class": kind, "config": {}, "weights": found}


def paired(variables: list[Variable], layers: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return, for every variable, its weight and the reason."""
    entries = propose(variables, layers).entries
    return {e.tf1[0]: (e.keras[0], e.reason.partition(":")[0]) for e in entries}


def test_one_of_its_shape_needs_no_name() -> None:
    found = paired([variable("W", 3, 4), variable("q", 4)], [layer("a", kernel=(3, 4), bias=(4,))])
    assert found == {"W": ("a/kernel", ONLY), "q": ("a/bias", ONLY)}


def test_names_tell_what_shapes_do_not() -> None:
    variables = [variable("fc1/W", 4, 4), variable("fc2/W", 4, 4)]
    layers = [layer("dense_2", kernel=(4, 4)), layer("dense_1", kernel=(4, 4))]
    assert paired(variables, layers) == {
        "fc1/W": ("dense_1/kernel", NAMED),
        "fc2/W": ("dense_2/kernel", NAMED),
    }


def test_where_names_tie_order_proposes_and_says_so() -> None:
    variables = [variable("Variable", 4, 4), variable("Variable_1", 4, 4)]
    layers = [layer("hidden", kernel=(4, 4)), layer("top", kernel=(4, 4))]
    proposal = propose(variables, layers)
    assert [(e.tf1, e.keras) for e in proposal.open] == [
        (("Variable",), ("hidden/kernel",)),
        (("Variable_1",), ("top/kernel",)),
    ]
    assert {e.reason for e in proposal.open} == {f"{ORDERED}: 2 have this shape"}
    assert [(e.name, e.among) for e in proposal.open] == [
        ("Variable", ("hidden/kernel", "top/kernel")),
        ("Variable_1", ("top/kernel", "hidden/kernel")),
    ]


def test_a_user_s_word_settles_it() -> None:
    variables = [variable("Variable", 4, 4), variable("Variable_1", 4, 4)]
    layers = [layer("hidden", kernel=(4, 4)), layer("top", kernel=(4, 4))]
    proposal = propose(variables, layers, {"Variable": "top/kernel"})
    assert not proposal.open
    assert {e.tf1[0]: e.keras[0] for e in proposal.entries} == {
        "Variable": "top/kernel",
        "Variable_1": "hidden/kernel",
    }
    for said in ({"Variabel": "top/kernel"}, {"Variable": "top/kernels"}):
        with pytest.raises(BadInput, match="no such"):
            propose(variables, layers, said)


def test_a_filter_of_one_row_is_laid_out_anew() -> None:
    (entry,) = propose(
        [variable("W", 3, 8, 1, 6)], [layer("c", "Conv1D", kernel=(3, 8, 6))]
    ).entries
    array = np.arange(144.0).reshape(3, 8, 1, 6)
    (moved,) = entry.rules[0].to_keras([array])
    assert moved.shape == (3, 8, 6)
    np.testing.assert_array_equal(entry.rules[0].to_tf1([moved])[0], array)


@pytest.mark.parametrize(
    ("kind", "parts", "sizes"),
    [
        ("LSTMCell", {"kernel": (7, 16), "bias": (16,)}, (3, 4, 16)),
        ("SimpleRNNCell", {"kernel": (7, 4), "bias": (4,)}, (3, 4, 4)),
        (
            "GRUCell",
            {
                "gates/kernel": (7, 8),
                "gates/bias": (8,),
                "candidate/kernel": (7, 4),
                "candidate/bias": (4,),
            },
            (3, 4, 12),
        ),
    ],
)
def test_the_parts_of_a_cell_are_found_together(
    kind: str, parts: dict[str, tuple[int, ...]], sizes: tuple[int, int, int]
) -> None:
    inputs, units, gates = sizes
    variables = [variable(f"rnn/some_cell/{name}", *shape) for name, shape in parts.items()]
    weights = {"kernel": (inputs, gates), "recurrent_kernel": (units, gates), "bias": (gates,)}
    (entry,) = propose(variables, [layer("rnn/cell", kind, **weights)]).entries
    assert set(entry.tf1) == {v.name for v in variables}
    assert (entry.name, entry.path) == ("rnn/some_cell", "rnn/cell")
    assert entry.reason == f"an RNN cell, {ONLY}"


def test_cells_of_one_shape_are_told_by_name_or_all_of_them_rest_on_order() -> None:
    def proposed(*paths: str) -> list[tuple[str, str, str]]:
        variables = [
            variable(f"birnn/{side}/cell/{part}", *shape)
            for side in ("fw", "bw")
            for part, shape in (("kernel", (7, 16)), ("bias", (16,)))
        ]
        weights = {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)}
        found = propose(variables, [layer(path, "LSTMCell", **weights) for path in paths])
        return [(e.tf1[0], e.keras[0], e.reason.partition(":")[0]) for e in found.entries]

    assert proposed("one", "two") == [
        ("birnn/fw/cell/kernel", "one/kernel", f"an RNN cell, {ORDERED}"),
        ("birnn/bw/cell/kernel", "two/kernel", f"an RNN cell, {ORDERED}"),
    ]
    assert proposed("x/bw", "x/fw") == [
        ("birnn/bw/cell/kernel", "x/bw/kernel", f"an RNN cell, {NAMED}"),
        ("birnn/fw/cell/kernel", "x/fw/kernel", f"an RNN cell, {NAMED}"),
    ]
    with pytest.raises(BadInput, match="LSTM cells of 3 inputs and 4 units: in the graph birnn/fw"):
        proposed("alone")


def test_a_user_s_word_of_cells_names_scope_and_path() -> None:
    variables = [
        variable(f"birnn/{side}/cell/{part}", *shape)
        for side in ("fw", "bw")
        for part, shape in (("kernel", (7, 16)), ("bias", (16,)))
    ]
    weights = {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)}
    layers = [layer(path, "LSTMCell", **weights) for path in ("one", "two")]
    for entry in propose(variables, layers).open:
        assert len(entry.among) == 2
    found = propose(variables, layers, {"birnn/fw/cell": "two"})
    assert {e.name: e.path for e in found.entries} == {
        "birnn/fw/cell": "two",
        "birnn/bw/cell": "one",
    }
    assert not found.open
    with pytest.raises(BadInput, match="no such"):
        propose(variables, layers, {"birnn/fw/cell": "three"})


def test_what_is_left_over_is_listed() -> None:
    variables = [variable("W", 3, 4), variable("extra", 9)]
    with pytest.raises(BadInput) as caught:
        propose(variables, [layer("a", kernel=(3, 4), bias=(4,))])
    assert "shape (9,): in the graph extra; in Keras none" in caught.value.received
    assert "shape (4,): in the graph none; in Keras a/bias" in caught.value.received
    assert "--weight" in caught.value.mend


def test_a_gru_that_resets_after_its_product_is_told() -> None:
    variables = [
        variable("rnn/gru_cell/gates/kernel", 7, 8),
        variable("rnn/gru_cell/gates/bias", 8),
    ]
    cell = layer("gru/gru_cell", "GRUCell", kernel=(3, 12), recurrent_kernel=(4, 12), bias=(2, 12))
    with pytest.raises(BadInput, match=r"make gru/gru_cell with GRU\(reset_after=False\)"):
        propose(variables, [{**cell, "config": {"reset_after": True}}])


def test_words_of_names_have_synonyms() -> None:
    for name, near, far in (
        ("conv-maxpool-3/W", "conv_3/kernel", "conv_4/kernel"),
        ("fullyConnected/biases", "dense/bias", "dense/kernel"),
    ):
        assert likeness(name, near) > likeness(name, far)


# Slots

ADAM_SLOTS = ("a/Adam", "a/Adam_1", "beta1_power", "beta2_power", "global_step")
SEEN = Optimizer("AdamOptimizer", "Adam", "loss:0", {}, ("a",), ADAM_SLOTS, True)
STEP = Variable("global_step", "int32", (), False, False)


def test_the_slots_of_an_optimizer_with_tensorflow_1_s_arithmetic() -> None:
    keras = {"slots": ["a_momentum", "a_velocity", "beta1_power", "beta2_power"], "betas": []}
    found = slots_of(SEEN, [STEP], keras)
    assert (found.tf1_to_keras, found.shared) == (ADAM.tf1_to_keras, ADAM.shared)
    assert found.counters == {"global_step": "int32"}


def test_what_stock_keras_computes_from_its_iteration() -> None:
    found = slots_of(SEEN, [STEP], {"slots": ["a_momentum", "a_velocity"], "betas": [0.9, 0.999]})
    assert found.powers == {"beta1_power": 0.9, "beta2_power": 0.999}


@pytest.mark.parametrize(
    ("kind", "slots"),
    [
        ("MomentumOptimizer", {"Momentum": "momentum"}),
        ("AdagradOptimizer", {"Adagrad": "accumulator"}),
        (
            "AdadeltaOptimizer",
            {"Adadelta": "accumulated_grad", "Adadelta_1": "accumulated_delta_var"},
        ),
        ("FtrlOptimizer", {"Ftrl": "accumulator", "Ftrl_1": "linear"}),
        ("AdamWeightDecayOptimizer", {"adam_m": "momentum", "adam_v": "velocity"}),
    ],
)
def test_the_slots_of_other_optimizers(kind: str, slots: dict[str, str]) -> None:
    names = tuple(f"a/{suffix}" for suffix in slots)
    seen = Optimizer(kind, "train", "loss:0", {}, ("a",), names, True)
    assert slots_of(seen, [], {"slots": [], "betas": []}).tf1_to_keras == slots


def test_a_centered_rmsprop_has_a_slot_more() -> None:
    names = ("a/RMSProp", "a/RMSProp_1", "a/RMSProp_2")
    seen = Optimizer("RMSPropOptimizer", "train", "loss:0", {}, ("a",), names, True)
    found = slots_of(seen, [], {"slots": [], "betas": []})
    assert found.tf1_to_keras == CENTERED_RMSPROP.tf1_to_keras
    other = dataclasses.replace(seen, slots=("a/mean",))
    with pytest.raises(BadInput, match="RMSPropOptimizer keeps mean of a variable"):
        slots_of(other, [], {"slots": [], "betas": []})


AVERAGED = Optimizer(
    "GradientDescentOptimizer",
    "train",
    "loss:0",
    {},
    ("a",),
    ("a/EMA",),
    ran=True,
    averages=("a/EMA",),
)


def test_moving_averages_are_among_the_slots() -> None:
    keras = {"slots": ["a_average"], "betas": []}
    assert slots_of(AVERAGED, [], keras).averages == {"EMA": "average"}


def test_moving_averages_on_one_side_are_refused() -> None:
    with pytest.raises(BadInput, match="the graph keeps moving averages, such as a/EMA"):
        slots_of(AVERAGED, [], {"slots": []})


def test_an_optimizer_without_a_rule_is_named() -> None:
    other = Optimizer("LazyAdamOptimizer", "Adam", "loss:0", {}, ("a",), (), True)
    with pytest.raises(BadInput, match="LazyAdamOptimizer, whose slots have no rule yet"):
        slots_of(other, [], {"slots": [], "betas": []})
