from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from keras_v2.optimizers import TF1Adam
from parity.errors import BadInput, did_you_mean
from parity.layout import Layout
from parity.slots import ADAM, RMSPROP, Slots, slots_together
from parity.weights import Rule, basic_rnn, gru, inverse, lstm, reorder, same
from parity.wire import Arrays

INPUTS, UNITS = 3, 2


def layout(rules: tuple[Rule, ...], slots: Slots = RMSPROP) -> Layout:
    return Layout((same("emb", "embedding/embeddings", spread=1.0), *rules), slots)


CELLS = {
    "rnn": layout(basic_rnn("rnn/cell", "rnn/simple_rnn_cell")),
    "lstm": layout(lstm("rnn/cell", "lstm/lstm_cell"), ADAM),
    "gru": layout(gru("rnn/cell", "gru/gru_cell")),
}
SHAPES = {
    "rnn": {"kernel": (INPUTS + UNITS, UNITS), "bias": (UNITS,)},
    "lstm": {"kernel": (INPUTS + UNITS, 4 * UNITS), "bias": (4 * UNITS,)},
    "gru": {
        "gates/kernel": (INPUTS + UNITS, 2 * UNITS),
        "gates/bias": (2 * UNITS,),
        "candidate/kernel": (INPUTS + UNITS, UNITS),
        "candidate/bias": (UNITS,),
    },
}
EACH = pytest.mark.parametrize("cell", CELLS)


def drawn(cell: str, seed: int) -> Arrays:
    """Draw weights in whole 4096ths: adding one to them, and taking it away, is exact."""
    draw = np.random.RandomState(seed)
    shapes = {"emb": (7, INPUTS), **{f"rnn/cell/{k}": s for k, s in SHAPES[cell].items()}}
    return {k: draw.randint(-9999, 9999, s).astype(np.float32) / 4096 for k, s in shapes.items()}


def assert_equal(found: Arrays, expected: Arrays) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name, strict=True)
        assert found[name].tobytes() == value.tobytes(), name  # -0.0 is no 0.0


def anything(like: Arrays, seed: int) -> Arrays:
    """Draw numbers of all sizes, and minus zeros: what no arithmetic would leave as it is."""
    draw = np.random.RandomState(seed)
    numbers: Arrays = {}
    for name, value in like.items():
        drawn = draw.standard_normal(value.shape) * 10.0 ** draw.randint(-30, 30, value.shape)
        numbers[name] = np.where(draw.rand(*value.shape) < 0.2, -0.0, drawn).astype(value.dtype)
    return numbers


@EACH
@pytest.mark.parametrize("seed", range(5))
def test_gradients_survive_the_round_trip_bit_by_bit(cell: str, seed: int) -> None:
    rules, gradients = CELLS[cell], anything(drawn(cell, 0), seed)
    keras = rules.gradients_to_keras(gradients)
    assert_equal(rules.gradients_to_tf1(keras), gradients)
    assert_equal(rules.gradients_to_keras(rules.gradients_to_tf1(keras)), keras)


@EACH
@pytest.mark.parametrize("seed", range(5))
def test_slots_survive_the_round_trip_bit_by_bit(cell: str, seed: int) -> None:
    rules, slots = CELLS[cell], {}
    for number, suffix in enumerate(rules.slots.tf1_to_keras):
        for name, value in anything(drawn(cell, 0), 10 * seed + number).items():
            slots[f"{name}/{suffix}"] = value
    slots |= {name: np.array(0.9 * seed, np.float32) for name in rules.slots.shared}
    keras = rules.slots_to_keras(slots, step=seed)
    assert_equal({"iteration": keras["iteration"]}, {"iteration": np.array(seed, np.int64)})
    assert_equal(rules.slots_to_tf1(keras), slots)
    assert_equal(rules.slots_to_keras(rules.slots_to_tf1(keras), step=seed), keras)


@EACH
def test_an_average_holds_what_its_weight_holds(cell: str) -> None:
    slots = dataclasses.replace(CELLS[cell].slots, averages={"EMA": "average"})
    rules, weights = Layout(CELLS[cell].rules, slots), drawn(cell, 0)
    averages = {f"{name}/EMA": value for name, value in weights.items()}
    keras = rules.slots_to_keras(averages, step=0)
    for path, value in rules.weights_to_keras(weights).items():
        np.testing.assert_array_equal(keras[f"{path.replace('/', '_')}_average"], value)
    assert_equal(rules.slots_to_tf1(keras), averages | rules.counted(0))
    assert [rules.held(f"{n}/EMA") for n in weights] == [rules.held(n) for n in weights]


@EACH
@pytest.mark.parametrize("seed", range(5))
def test_weights_without_a_constant_survive_whatever_they_are(cell: str, seed: int) -> None:
    rules, weights = CELLS[cell], anything(drawn(cell, 0), seed)
    found = rules.weights_to_tf1(rules.weights_to_keras(weights))
    held = {name: rules.held(name) for name in weights}
    assert_equal(
        {name: value for name, value in found.items() if not held[name]},
        {name: value for name, value in weights.items() if not held[name]},
    )


@EACH
@pytest.mark.parametrize("seed", range(5))
def test_weights_survive_the_round_trip_bit_by_bit(cell: str, seed: int) -> None:
    rules, weights = CELLS[cell], drawn(cell, seed)
    keras = rules.weights_to_keras(weights)
    assert_equal(rules.weights_to_tf1(keras), weights)
    assert_equal(rules.weights_to_keras(rules.weights_to_tf1(keras)), keras)


@EACH
def test_no_element_is_lost_or_doubled(cell: str) -> None:
    numbers = iter(range(10_000))
    weights = {
        name: np.reshape([next(numbers) for _ in range(value.size)], value.shape).astype(float)
        for name, value in drawn(cell, 0).items()
    }
    rules = CELLS[cell]
    keras = {k: v for k, v in rules.weights_to_keras(weights).items() if not k.endswith("/bias")}
    biases = sum(value.size for name, value in weights.items() if name.endswith("/bias"))
    values = np.concatenate([value.ravel() for value in keras.values()])
    assert len(set(values)) == len(values) == sum(v.size for v in weights.values()) - biases


def test_an_rnn_kernel_has_its_input_rows_first() -> None:
    weights = drawn("rnn", 0)
    kernel = weights["rnn/cell/kernel"]
    keras = CELLS["rnn"].weights_to_keras(weights)
    np.testing.assert_array_equal(keras["rnn/simple_rnn_cell/kernel"], kernel[:INPUTS])
    np.testing.assert_array_equal(keras["rnn/simple_rnn_cell/recurrent_kernel"], kernel[INPUTS:])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def test_an_lstm_cell_computes_the_same_on_both_sides() -> None:
    """The two formulas, from rnn_cell_impl.py and keras/src/layers/rnn/lstm.py."""
    weights = drawn("lstm", 1)
    keras = CELLS["lstm"].weights_to_keras(weights)
    x, h, c = (np.random.RandomState(2).rand(1, n) for n in (INPUTS, UNITS, UNITS))

    gates = np.concatenate([x, h], 1) @ weights["rnn/cell/kernel"] + weights["rnn/cell/bias"]
    i, j, f, o = np.split(gates, 4, axis=1)
    tf1 = sigmoid(f + 1.0) * c + sigmoid(i) * np.tanh(j)

    path = "lstm/lstm_cell"
    z = x @ keras[f"{path}/kernel"] + h @ keras[f"{path}/recurrent_kernel"] + keras[f"{path}/bias"]
    i, f, new, o_keras = np.split(z, 4, axis=1)
    np.testing.assert_allclose(sigmoid(f) * c + sigmoid(i) * np.tanh(new), tf1, rtol=1e-6)
    np.testing.assert_allclose(o_keras, o, rtol=1e-6)


def test_a_gru_cell_computes_the_same_on_both_sides() -> None:
    """The two formulas, from rnn_cell_impl.py and keras/src/layers/rnn/gru.py."""
    weights = drawn("gru", 1)
    keras = CELLS["gru"].weights_to_keras(weights)
    x, h = (np.random.RandomState(2).rand(1, n) for n in (INPUTS, UNITS))

    w = {name: weights[f"rnn/cell/{name}"] for name in SHAPES["gru"]}
    gates = sigmoid(np.concatenate([x, h], 1) @ w["gates/kernel"] + w["gates/bias"])
    r, u = np.split(gates, 2, axis=1)
    candidate = np.concatenate([x, r * h], 1) @ w["candidate/kernel"] + w["candidate/bias"]
    tf1 = u * h + (1 - u) * np.tanh(candidate)

    kernel, recurrent, bias = (
        np.split(keras[f"gru/gru_cell/{name}"], 3, axis=-1)
        for name in ("kernel", "recurrent_kernel", "bias")
    )
    z = sigmoid(x @ kernel[0] + h @ recurrent[0] + bias[0])
    r = sigmoid(x @ kernel[1] + h @ recurrent[1] + bias[1])
    new = np.tanh(x @ kernel[2] + (r * h) @ recurrent[2] + bias[2])
    np.testing.assert_allclose(z * h + (1 - z) * new, tf1, rtol=1e-6)


def test_a_forget_bias_is_part_of_weights_but_not_of_gradients_or_slots() -> None:
    rules = CELLS["lstm"]
    bias = np.arange(4.0 * UNITS)
    path = "lstm/lstm_cell/bias"
    as_gradient = rules.gradients_to_tf1({path: bias})["rnn/cell/bias"]
    as_slot = rules.slots_to_tf1({"lstm_lstm_cell_bias_velocity": bias})["rnn/cell/bias/Adam_1"]
    np.testing.assert_array_equal(as_gradient, [0, 1, 4, 5, 2, 3, 6, 7])
    np.testing.assert_array_equal(as_slot, as_gradient)
    weights = rules.weights_to_keras(drawn("lstm", 0))
    weights[path] = bias
    as_weight = rules.weights_to_tf1(weights)["rnn/cell/bias"]
    np.testing.assert_array_equal(as_weight, as_gradient - [0, 0, 0, 0, 1, 1, 0, 0])


@pytest.mark.parametrize("forget_bias", [0.0, 1.0, -2.5])
def test_a_rule_knows_what_it_holds_inside_a_weight(forget_bias: float) -> None:
    rules = layout(lstm("rnn/cell", "lstm/lstm_cell", forget_bias))
    assert [rule.held for rule in rules.rules] == [0.0, 0.0, abs(forget_bias)]
    for rule in rules.rules:
        held = rule.constant([np.ones(4 * UNITS)])
        assert max(np.abs(each).max() for each in held) == rule.held
    assert rules.held("rnn/cell/bias") == abs(forget_bias)
    assert rules.held("rnn/cell/kernel") == rules.held("stranger") == 0.0


def test_a_weight_that_holds_one_rounds_as_of_one() -> None:
    rules, weights = CELLS["lstm"], drawn("lstm", 0)
    weights["rnn/cell/bias"] = np.full(4 * UNITS, 1e-4, np.float32)
    bias = rules.weights_to_tf1(rules.weights_to_keras(weights))["rnn/cell/bias"]
    off = np.abs(bias - weights["rnn/cell/bias"])
    assert (off > 0).tolist() == [False] * 2 * UNITS + [True] * UNITS + [False] * UNITS
    assert off.max() <= np.spacing(np.float32(rules.held("rnn/cell/bias")))


def test_slots_follow_the_layout_of_their_variable() -> None:
    keras = CELLS["rnn"].weights_to_keras(drawn("rnn", 0))
    slots = {f"{path.replace('/', '_')}_velocity": value for path, value in keras.items()}
    slots |= {f"{path.replace('/', '_')}_momentum": -value for path, value in keras.items()}
    found = CELLS["rnn"].slots_to_tf1({**slots, "iteration": np.array(3)})
    weights = drawn("rnn", 0)
    expected = {f"{name}/RMSProp": value for name, value in weights.items()}
    expected |= {f"{name}/RMSProp_1": -value for name, value in weights.items()}
    assert_equal(found, expected)


def test_slots_have_the_names_and_types_that_keras_gives_them() -> None:
    x = keras.Input((5,))
    embedded = keras.layers.Embedding(7, INPUTS, name="embedding")(x)
    model = keras.Model(x, keras.layers.LSTM(UNITS, name="lstm")(embedded))
    optimizer = TF1Adam()
    optimizer.build(model.trainable_variables)
    own = {v.path.partition("/")[2]: np.array(v) for v in optimizer.variables}
    del own["learning_rate"]
    rules = CELLS["lstm"]
    assert_equal(rules.slots_to_keras(rules.slots_to_tf1(own), step=0), own)


def test_slots_of_several_optimizers_are_told_apart() -> None:
    second = dataclasses.replace(ADAM, shared={"beta1_power_1": "beta1_power"})
    trained = {"d_optimizer": ["d/kernel"], "g_optimizer": ["g/kernel"]}
    found = slots_together({"d_optimizer": ADAM, "g_optimizer": second}, trained)
    assert found.tf1_to_keras == ADAM.tf1_to_keras
    assert found.shared == {
        "beta1_power": "d_optimizer/beta1_power",
        "beta2_power": "d_optimizer/beta2_power",
        "beta1_power_1": "g_optimizer/beta1_power",
    }
    with pytest.raises(BadInput, match="the slot Adam is momentum of one optimizer and other of"):
        slots_together({"a": ADAM, "b": Slots({"Adam": "other"})}, {"a": ["x"], "b": ["y"]})


def test_optimizers_of_two_kinds_have_slots_of_their_own_weights_alone() -> None:
    counters = {"step": "int64"}
    adam = dataclasses.replace(ADAM, shared={}, counters=counters)
    both = {"a": adam, "b": dataclasses.replace(RMSPROP, counters=counters)}
    slots = slots_together(both, {"a": ["x"], "b": ["y"]})
    rules = Layout((same("x", "x"), same("y", "y")), slots)
    arrays = {
        "x/Adam": np.array(1.0),
        "x/Adam_1": np.array(2.0),
        "y/RMSProp": np.array(3.0),
        "y/RMSProp_1": np.array(4.0),
        "step": np.array(6),  # each counts
    }
    found = rules.slots_to_keras(arrays, step=3)
    of_weights = {"x_momentum": 1.0, "x_velocity": 2.0, "y_velocity": 3.0, "y_momentum": 4.0}
    assert found == {**of_weights, "iteration": 3}
    assert rules.slots_to_tf1(found) == arrays


def test_slots_of_frozen_weights_may_be_missing_but_not_unknown() -> None:
    rules = CELLS["lstm"]
    assert rules.slots_to_tf1({}) == {}
    assert set(rules.slots_to_keras({}, step=1)) == {"iteration"}
    for convert in (rules.slots_to_tf1, lambda arrays: rules.slots_to_keras(arrays, step=1)):
        with pytest.raises(BadInput, match=r"unknown: emb/RMSProp \(1,\)"):
            convert({"emb/RMSProp": np.ones(1)})


def test_slots_of_no_variable_keep_their_own_names() -> None:
    powers = {"beta1_power": np.array(0.9), "beta2_power": np.array(0.999)}
    keras = {**powers, "iteration": np.array(3, np.int64)}
    assert Layout((), ADAM).slots_to_tf1(keras) == powers
    assert Layout((), ADAM).slots_to_keras(powers, step=3) == keras
    with pytest.raises(BadInput, match="these slots do not fit") as caught:
        Layout((), RMSPROP).slots_to_tf1(powers)
    assert all(f"unknown: {name} ()" in caught.value.received for name in powers)


@EACH
@pytest.mark.parametrize("way", ["weights_to_keras", "weights_to_tf1"])
def test_every_wrong_name_is_listed(cell: str, way: str) -> None:
    weights = drawn(cell, 0)
    if way == "weights_to_tf1":
        weights = CELLS[cell].weights_to_keras(weights)
    gone = list(weights)[:2]
    arrays = {name: value for name, value in weights.items() if name not in gone}
    arrays |= {"global_step": np.array(1), "other/w": np.ones((2, 3))}
    with pytest.raises(BadInput) as caught:
        getattr(CELLS[cell], way)(arrays)
    error = caught.value
    assert error.received.splitlines() == [
        "these weights do not fit the layout rules:",
        *(f"  missing: {name}" for name in gone),
        "  unknown: global_step ()",
        "  unknown: other/w (2, 3)",
    ]
    assert error.expected == "all of " + ", ".join(weights)
    assert error.mend


@pytest.mark.parametrize("way", ["weights_to_keras", "gradients_to_keras", "slots_to_keras"])
def test_a_misspelled_name_is_told_its_near_ones(way: str) -> None:
    slot = "/RMSProp" if way == "slots_to_keras" else ""
    step = {"step": 1} if slot else {}
    given = {f"{name}{slot}": value for name, value in drawn("rnn", 0).items()}
    given[f"rnn/cel/bias{slot}"] = given.pop(f"rnn/cell/bias{slot}")
    with pytest.raises(BadInput) as caught:
        getattr(CELLS["rnn"], way)(given, **step)
    known = caught.value.expected.partition(" of ")[2].split(", ")
    hint = did_you_mean(f"rnn/cel/bias{slot}", known)
    assert f"unknown: rnn/cel/bias{slot} (2,) ({hint})" in caught.value.received
    assert f"'rnn/cell/bias{slot}'" in hint


def test_gradients_of_frozen_weights_may_be_missing_but_not_unknown() -> None:
    rules = CELLS["rnn"]
    for convert in (rules.gradients_to_tf1, rules.gradients_to_keras):
        assert convert({}) == {}
        with pytest.raises(BadInput, match="unknown: stranger") as caught:
            convert({"stranger": np.ones(1)})
        assert caught.value.expected.startswith("some of emb")


def test_a_misnamed_matrix_of_word_vectors_is_refused() -> None:
    """It was dropped without a word once, and Keras was trained on zeros."""
    rules, vectors = CELLS["lstm"], np.ones((7, INPUTS))
    assert set(rules.gradients_to_keras({"emb": vectors})) == {"embedding/embeddings"}
    with pytest.raises(BadInput, match=r"unknown: embs \(7, 3\) \(did you mean 'emb'\?\)"):
        rules.gradients_to_keras({"embs": vectors})


@EACH
def test_a_part_of_a_rule_is_refused(cell: str) -> None:
    rules = CELLS[cell]
    gradients, keras = drawn(cell, 0), rules.gradients_to_keras(drawn(cell, 0))
    ways = (
        (rules.gradients_to_keras, gradients, [rule.tf1 for rule in rules.rules]),
        (rules.gradients_to_tf1, keras, [rule.keras for rule in rules.rules]),
    )
    for convert, arrays, groups in ways:
        for group in groups:
            rest = {name: value for name, value in arrays.items() if name != group[-1]}
            if len(group) == 1:
                assert len(convert(rest)) > 0
                continue
            with pytest.raises(BadInput, match=f"missing: {group[-1]}"):
                convert(rest)


@EACH
def test_initial_weights_are_the_same_for_ever_and_never_constant(cell: str) -> None:
    rules = CELLS[cell]
    like = rules.weights_to_keras(drawn(cell, 0))
    first, again, other = (rules.initial(like, seed, "float32") for seed in (0, 0, 1))
    assert_equal(first, again)
    assert {v.dtype for v in first.values()} == {np.dtype("float32")}
    assert {name: v.shape for name, v in first.items()} == {
        name: v.shape for name, v in drawn(cell, 0).items()
    }
    for name, value in first.items():
        assert np.unique(value).size > 1, name
        assert not np.array_equal(value, other[name])
    # A float64 case starts from the same weights, not rounded.
    for name, value in rules.initial(like, 0, "float64").items():
        np.testing.assert_array_equal(value.astype(np.float32), first[name])


@EACH
def test_initial_weights_survive_the_round_trip_in_both_dtypes(cell: str) -> None:
    rules = CELLS[cell]
    like = rules.weights_to_keras(drawn(cell, 0))
    for dtype in ("float32", "float64"):
        weights = rules.initial(like, 3, dtype)
        assert_equal(rules.weights_to_tf1(rules.weights_to_keras(weights)), weights)


# A kernel of one gate, as an RNN's, may have any two axes: the model itself refuses a wrong one.
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (5, 7)])
def test_a_wrong_shape_is_bad_input_both_ways(cell: str, shape: tuple[int, ...]) -> None:
    rules, weights = CELLS[cell], drawn(cell, 0)
    keras = rules.weights_to_keras(weights)
    for convert, arrays in ((rules.weights_to_keras, weights), (rules.weights_to_tf1, keras)):
        name = next(name for name in arrays if name.endswith("kernel"))
        with pytest.raises(BadInput, match=f"{name} .*cannot be laid out as") as caught:
            convert({**arrays, name: np.zeros(shape, np.float32)})
        assert str(shape) in caught.value.received
        assert caught.value.expected


def test_two_rules_for_one_variable_are_refused() -> None:
    for rules in (
        (same("a", "x"), same("a", "y")),
        (same("a", "x"), same("b", "x")),
        (same("a", "x/y_z"), same("b", "x_y/z")),  # one name of a slot
    ):
        with pytest.raises(BadInput, match="more than once"):
            Layout(rules, ADAM)


def test_a_variable_knows_its_keras_paths() -> None:
    path = CELLS["rnn"].path_of("rnn/cell/kernel")
    assert path == "rnn/simple_rnn_cell/kernel + rnn/simple_rnn_cell/recurrent_kernel"
    assert CELLS["rnn"].path_of("stranger") == ""


def test_reordering_is_undone_by_its_inverse() -> None:
    values = np.arange(24).reshape(2, 12)
    for places in ((0,), (1, 0), (0, 2, 1, 3), (2, 0, 1)):
        back = reorder(reorder(values, places), inverse(places))
        np.testing.assert_array_equal(back, values)
