"""Conversions as they are planned and taken; no engine: the places are made up."""

from __future__ import annotations

import dataclasses
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity import inspecting
from parity.checkpoints import Stored, keras_files, open_file, tensorflow_files
from parity.converting import Options, Plan, to_keras, to_tf1, write
from parity.errors import BadInput
from parity.layout import Layout
from parity.slots import ADAM, ITERATION, RMSPROP, Slots, power, steps_of
from parity.subjects import Place, Places
from parity.weights import Rule, basic_rnn, gru, lstm, reshaped, same
from parity.wire import Arrays

STOCK_ADAM = Slots(
    {"Adam": "momentum", "Adam_1": "velocity"},
    counters={"count": "int32"},
    powers={"beta1_power": 0.9, "beta2_power": 0.999},
)
INPUTS, UNITS = 3, 2
SHAPES = {
    "kernel": (INPUTS + UNITS, UNITS),
    "lstm/kernel": (INPUTS + UNITS, 4 * UNITS),
    "lstm/bias": (4 * UNITS,),
    "gates/kernel": (INPUTS + UNITS, 2 * UNITS),
    "gates/bias": (2 * UNITS,),
    "candidate/kernel": (INPUTS + UNITS, UNITS),
    "candidate/bias": (UNITS,),
    "bias": (UNITS,),
    "emb": (7, INPUTS),
    "conv": (3, 1, INPUTS),
}
RULES = (
    same("emb", "embedding/embeddings"),
    reshaped("conv", "conv/kernel", SHAPES["conv"], (3, INPUTS)),
    *basic_rnn("rnn", "rnn/cell"),
    *lstm("lstm", "lstm/cell"),
    *gru("gru", "gru/cell"),
)


def shape_of(name: str) -> tuple[int, ...]:
    if name.startswith("lstm"):
        return SHAPES[name]
    return SHAPES[name if name in SHAPES else name.partition("/")[2]]


def weights(draw: np.random.RandomState, dtype: str = "float32", exact: bool = True) -> Arrays:
    """Draw values of all sizes; a bias that Keras keeps a constant in, in whole 4096ths."""
    found: Arrays = {}
    for rule in RULES:
        for name in rule.tf1:
            shape = shape_of(name)
            value = draw.standard_normal(shape) * 10.0 ** draw.randint(-30, 30, shape)
            value = np.where(draw.rand(*shape) < 0.2, -0.0, value)
            if rule.held and exact:
                value = draw.randint(-9999, 9999, shape) / 4096
            found[name] = value.astype(dtype)
    return found


def state(slots: Slots, seed: int, steps: int = 7, dtype: str = "float32") -> Arrays:
    """Draw a whole checkpoint."""
    draw = np.random.RandomState(seed)
    found = weights(draw, dtype)
    for suffix in slots.tf1_to_keras:
        more = weights(draw, dtype, exact=False)
        found |= {f"{name}/{suffix}": value for name, value in more.items()}
    found |= {name: np.asarray(draw.rand(), np.float32) for name in slots.shared}
    found |= Layout(RULES, slots).counted(steps)
    return found


def places_for(layout: Layout, dtype: str = "float32") -> Places:
    """Make up the places of a model that these rules fit."""
    zeros = {n: np.zeros(shape_of(n), dtype) for rule in layout.rules for n in rule.tf1}
    of_weights = layout.weights_to_keras(zeros)
    slots: Arrays = {ITERATION: np.zeros((), np.int64)}
    slots |= {keras: np.zeros((), np.float32) for keras in layout.slots.shared.values()}
    for suffix in layout.slots.suffixes:
        moved = layout.slots_to_keras({f"{n}/{suffix}": v for n, v in zeros.items()}, 0)
        slots |= moved
    listed = [("weight", path, value) for path, value in of_weights.items()]
    listed += [("slot", path, value) for path, value in slots.items()]
    listed += [("other", "adam/learning_rate", np.zeros((), np.float32))]
    counts = {"layers": 0, "optimizer": 0}
    made, values = [], {}
    for kind, path, value in listed:
        group = "layers" if kind == "weight" else "optimizer"
        place = f"{group}/vars/{counts[group]}"
        counts[group] += 1
        made.append(Place(place, path, value.shape, value.dtype.name, kind))
        if kind == "other":
            values[place] = np.asarray(0.25, np.float32)
    return Places(tuple(made), {"": "model", "optimizer": "adam"}, values, "{}", "{}", {})


def save(folder: Path, arrays: Arrays, name: str = "model.ckpt") -> Path:
    with tensorflow_files.writing(folder / name) as writer:
        for variable, value in arrays.items():
            writer.write(variable, value)
    return folder / name


def there(
    folder: Path,
    source: Path,
    layout: Layout,
    places: Places,
    options: Options = Options(),  # noqa: B008  (it is frozen)
    name: str = "model.weights.h5",
    in_name: int | None = None,
) -> tuple[Plan, Path]:
    with open_file(source) as reader:
        plan = to_keras(reader, layout, places, options, in_name)
        write(reader, plan, places, source, folder / name)
    return plan, folder / name


def back(
    folder: Path,
    source: Path,
    layout: Layout,
    places: Places,
    options: Options = Options(),  # noqa: B008
) -> Arrays:
    to_checkpoint(folder, source, layout, places, options)
    return values_of(folder / "back.ckpt")


def to_checkpoint(
    folder: Path,
    source: Path,
    layout: Layout,
    places: Places,
    options: Options = Options(),  # noqa: B008
) -> None:
    with open_file(source) as reader:
        plan = to_tf1(reader, layout, places, options)
        write(reader, plan, places, source, folder / "back.ckpt", options.v1)


def values_of(path: Path) -> Arrays:
    with open_file(path) as reader:
        return {name: reader.read(name) for name in reader.variables}


def assert_equal(found: Arrays, expected: Arrays) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name, strict=True)
        assert found[name].tobytes() == value.tobytes(), name  # -0.0 is no 0.0


@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(0, 20_000),
    slots=st.sampled_from([RMSPROP, ADAM, STOCK_ADAM, Slots({})]),
    dtype=st.sampled_from(["float32", "float64"]),
    ending=st.sampled_from([".keras", ".weights.h5"]),
    v1=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_there_and_back_is_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    steps: int,
    slots: Slots,
    dtype: str,
    ending: str,
    v1: bool,
) -> None:
    folder, layout = tmp_path_factory.mktemp("both"), Layout(RULES, slots)
    before, places = state(slots, seed, steps, dtype), places_for(layout, dtype)
    _, file = there(folder, save(folder, before), layout, places, name=f"model{ending}")
    assert_equal(back(folder, file, layout, places, Options(v1=v1)), before)
    again, _ = there(folder, folder / "back.ckpt", layout, places, name=f"again{ending}")
    assert_equal(values_of(folder / f"again{ending}"), values_of(file))
    if slots == STOCK_ADAM:
        assert (again.step, again.told_by) == (steps, "count")


@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_rules_move_any_bits_but_those_that_hold_a_constant(seed: int, bits: int) -> None:
    draw = np.random.RandomState(seed)
    for rule in RULES:
        given = [np.asarray(draw.randint(0, 2**31, shape_of(n)) ^ bits, np.uint32).view(np.float32)
                 for n in rule.tf1]  # fmt: skip
        moved = rule.to_keras(given)
        for found, value in zip(rule.to_tf1(moved), given, strict=True):
            assert found.tobytes() == value.tobytes()
        for found, value in zip(rule.to_keras(rule.to_tf1(moved)), moved, strict=True):
            assert found.tobytes() == value.tobytes()


@given(st.floats(-8, 8, width=32))
def test_a_bias_with_a_constant_comes_back_to_a_unit_of_the_sum(value: float) -> None:
    rule = lstm("lstm", "lstm/cell")[1]
    bias = np.full(4 * UNITS, value, np.float32)
    (found,) = rule.weights_to_tf1(rule.weights_to_keras([bias]))
    assert np.abs(found - bias).max() <= np.spacing(np.float32(abs(value) + 1))


@given(st.integers(0, 60_000), st.sampled_from([0.9, 0.999]))
@settings(deadline=None, max_examples=60)
def test_a_power_of_beta_tells_its_step(steps: int, base: float) -> None:
    value = power(base, steps)
    assert value.dtype == np.float32
    found = steps_of(value, base)
    assert found == (steps if value else None)


def test_a_power_that_is_none_tells_nothing() -> None:
    assert steps_of(np.asarray(0.5, np.float32), 0.9) is None
    assert steps_of(np.asarray(0, np.float32), 0.9) is None
    assert steps_of(np.asarray(1, np.float32), 0.9) is None


PLAIN = Layout(RULES, RMSPROP)


def test_plain_gradient_descent_has_a_count_and_nothing_else(tmp_path: Path) -> None:
    layout = Layout(RULES, Slots({}, counters={"count": "int64"}))
    arrays, places = state(layout.slots, 0, 11), places_for(layout)
    plan, file = there(tmp_path, save(tmp_path, arrays), layout, places)
    assert (plan.with_slots, plan.step, plan.told_by) == (True, 11, "count")
    assert values_of(file)["optimizer/vars/0"] == 11
    assert_equal(back(tmp_path, file, layout, places), arrays)


def test_the_state_of_another_optimizer_can_be_left_behind(tmp_path: Path) -> None:
    adam = state(ADAM, 0) | {"global_step": np.asarray(3, np.int64)}
    unknown = r"emb/Adam \(7, 3\), slot: Adam's mean\n(.|\n)*--no-slots"
    refuses(tmp_path, adam, unknown)
    plan, file = there(
        tmp_path, save(tmp_path, adam), PLAIN, places_for(PLAIN), Options(slots=False)
    )
    weights_alone = {name: adam[name] for rule in RULES for name in rule.tf1}
    assert set(plan.left_out) == set(adam) - set(weights_alone)
    assert_equal(back(tmp_path, file, PLAIN, places_for(PLAIN)), weights_alone)


@pytest.mark.parametrize(
    ("from_keras", "options"),
    [
        (True, {"averages": True}),
        (True, {"drop": ("a",)}),
        (False, {"v1": True}),
        (False, {"global_step": True}),
    ],
)
def test_what_is_about_the_other_way_is_refused(from_keras: bool, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"--[\w-]+ is about the way from"):
        Options(**options).check(from_keras)
    Options(**options).check(not from_keras)


def test_the_step_is_told_by_option_counter_name_or_power(tmp_path: Path) -> None:
    adam, places = Layout(RULES, STOCK_ADAM), places_for(Layout(RULES, STOCK_ADAM))
    arrays = state(STOCK_ADAM, 0, 7)
    path = save(tmp_path, arrays)
    plan, file = there(tmp_path, path, adam, places, in_name=9)
    assert (plan.step, plan.told_by) == (7, "count")
    assert values_of(file)["optimizer/vars/0"] == 7
    del arrays["count"]
    plan, _ = there(tmp_path, save(tmp_path, arrays), adam, places, in_name=9)
    assert (plan.step, plan.told_by) == (7, "beta1_power")
    with pytest.raises(BadInput, match=r"beta1_power says 7 steps, and --step says 8.*one count"):
        there(tmp_path, path, adam, places, Options(step=8))
    arrays["beta1_power"] = np.asarray(0.5, np.float32)
    with pytest.raises(BadInput, match=r"beta1_power is 0\.5, which is no power of .* 0\.9"):
        there(tmp_path, save(tmp_path, arrays), adam, places)
    path = save(tmp_path, state(RMSPROP, 0))
    plan, file = there(tmp_path, path, PLAIN, places_for(PLAIN), in_name=9)
    assert (plan.step, plan.told_by) == (9, "the checkpoint's name")
    plan, _ = there(tmp_path, path, PLAIN, places_for(PLAIN), Options(step=3), in_name=9)
    assert (plan.step, plan.told_by) == (3, "--step")
    assert there(tmp_path, path, PLAIN, places_for(PLAIN))[0].step is None


def test_powers_that_adam_keeps_itself_tell_the_step(tmp_path: Path) -> None:
    adam = Layout(RULES, ADAM)
    arrays = state(ADAM, 0) | {"beta1_power": power(0.9, 5), "beta2_power": power(0.999, 5)}
    plan, _ = there(tmp_path, save(tmp_path, arrays), adam, places_for(adam))
    assert (plan.step, plan.told_by) == (5, "beta1_power")


def test_global_step_goes_into_the_iteration_and_back(tmp_path: Path) -> None:
    arrays = state(RMSPROP, 0) | {"global_step": np.asarray(12, np.int64)}
    plan, file = there(tmp_path, save(tmp_path, arrays), PLAIN, places_for(PLAIN), in_name=9)
    assert (plan.step, plan.told_by, plan.left_out) == (12, "global_step", [])
    found = back(tmp_path, file, PLAIN, places_for(PLAIN), Options(global_step=True))
    assert_equal(found, arrays)


def test_without_slots_there_is_no_optimizer_in_the_file(tmp_path: Path) -> None:
    arrays = state(RMSPROP, 0)
    alone = {name: value for name, value in arrays.items() if "RMSProp" not in name}
    for given_, options in ((alone, Options()), (arrays, Options(slots=False))):
        plan, file = there(tmp_path, save(tmp_path, given_), PLAIN, places_for(PLAIN), options)
        assert not plan.with_slots
        assert not [name for name in values_of(file) if name.startswith("optimizer")]
        assert_equal(back(tmp_path, file, PLAIN, places_for(PLAIN)), alone)


def test_moving_averages_have_a_place_or_are_decided_upon(tmp_path: Path) -> None:
    arrays = state(RMSPROP, 0)
    draw = np.random.RandomState(1)
    averages = {f"{n}/ExponentialMovingAverage": v for n, v in weights(draw).items()}
    path = save(tmp_path, arrays | averages)
    with pytest.raises(BadInput, match=r"moving averages, such as .* keeps none.*--averages"):
        there(tmp_path, path, PLAIN, places_for(PLAIN))
    # an optimizer with use_ema=True
    suffixes = {"ExponentialMovingAverage": "average"}
    keeping = places_for(Layout(RULES, dataclasses.replace(RMSPROP, averages=suffixes)))
    _, file = there(tmp_path, path, PLAIN, keeping)
    assert_equal(back(tmp_path, file, PLAIN, keeping), arrays | averages)
    plan, file = there(tmp_path, path, PLAIN, places_for(PLAIN), Options(averages=True))
    assert sorted(plan.left_out) == sorted(n for rule in RULES for n in rule.tf1)
    found = back(tmp_path, file, PLAIN, places_for(PLAIN))
    for name, value in averages.items():
        assert found[name.rpartition("/")[0]].tobytes() == value.tobytes()
    drop = Options(drop=("*/ExponentialMovingAverage",))
    plan, file = there(tmp_path, path, PLAIN, places_for(PLAIN), drop)
    assert set(plan.left_out) == set(averages)
    assert_equal(back(tmp_path, file, PLAIN, places_for(PLAIN)), arrays)


def refuses(tmp_path: Path, arrays: Arrays, match: str, **options: Any) -> None:
    """There is a clear error, and nothing is written."""
    target = tmp_path / "out" / "model.weights.h5"
    target.parent.mkdir(exist_ok=True)
    with pytest.raises(BadInput, match=match):
        there(target.parent, save(tmp_path, arrays), PLAIN, places_for(PLAIN), Options(**options))
    assert list(target.parent.iterdir()) == []


def test_a_name_that_no_rule_knows_is_refused(tmp_path: Path) -> None:
    arrays = state(RMSPROP, 0)
    odd = arrays | {"emb2/kernel": np.ones(3, np.float32), "rnn/bais": np.ones(2, np.float32)}
    refuses(tmp_path, odd, r"no rule knows 2 of \d+ names:\n  emb2/kernel \(3,\)")
    refuses(tmp_path, odd, r"rnn/bais \(2,\), variable \(did you mean 'rnn/bias'")
    refuses(tmp_path, odd, r"--drop nothing\*: nothing is called so", drop=("nothing*",))
    there(tmp_path, save(tmp_path, odd), PLAIN, places_for(PLAIN), Options(drop=("emb2*", "*bais")))


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    arrays = state(RMSPROP, 0)
    without = {name: value for name, value in arrays.items() if name != "rnn/kernel"}
    refuses(tmp_path, without, "missing: rnn/kernel")
    without = {name: value for name, value in arrays.items() if name != "rnn/kernel/RMSProp"}
    refuses(tmp_path, without, r"missing: rnn_cell_kernel_velocity(.|\n)*--no-slots")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused(tmp_path: Path, value: float) -> None:
    arrays = state(RMSPROP, 0)
    arrays["rnn/kernel/RMSProp"][1, 1] = value
    refuses(tmp_path, arrays, r"rnn/kernel/RMSProp\[1, 1\] is (nan|inf), one of 1 values")


def test_another_shape_is_refused(tmp_path: Path) -> None:
    arrays = state(RMSPROP, 0) | {"emb": np.ones((8, INPUTS), np.float32)}
    refuses(tmp_path, arrays, r"emb gives embedding/embeddings as float32 \(8, 3\).*--set")


def test_a_keras_file_of_another_model_is_refused(tmp_path: Path) -> None:
    places, arrays = places_for(PLAIN), state(RMSPROP, 0)
    _, file = there(tmp_path, save(tmp_path, arrays), PLAIN, places)
    fewer = dataclasses.replace(places, variables=places.variables[:-2])
    with pytest.raises(BadInput, match=r"2 of \d+ are not of this model"):
        back(tmp_path, file, PLAIN, fewer)
    first = dataclasses.replace(places.variables[0], shape=(9, 9))
    wrong = dataclasses.replace(places, variables=(first, *places.variables[1:]))
    with pytest.raises(BadInput, match=r"layers/vars/0 gives .* expected float32 \(9, 9\)"):
        back(tmp_path, file, PLAIN, wrong)


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.99])
@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_a_keras_file_that_is_cut_off_is_refused(tmp_path: Path, ending: str, kept: float) -> None:
    path, places = save(tmp_path, state(RMSPROP, 0)), places_for(PLAIN)
    _, file = there(tmp_path, path, PLAIN, places, name=f"model{ending}")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept if kept >= 1 else kept * len(whole))])
    with pytest.raises(BadInput, match=r"is damaged|is no checkpoint and no Keras file"):
        back(tmp_path, file, PLAIN, places)


def test_an_old_file_stays_where_a_conversion_fails(tmp_path: Path) -> None:
    arrays = state(RMSPROP, 0)
    _, file = there(tmp_path, save(tmp_path, arrays), PLAIN, places_for(PLAIN))
    before = file.read_bytes()
    arrays["rnn/kernel"][0, 0] = np.nan
    with pytest.raises(BadInput, match="is nan"):
        there(tmp_path, save(tmp_path, arrays), PLAIN, places_for(PLAIN))
    assert file.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_one_rule_at_a_time_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHAPES, "emb", (6_000_000, INPUTS))
    largest = 6_000_000 * INPUTS * 4
    places, path = places_for(PLAIN), tmp_path / "model.ckpt"
    with tensorflow_files.writing(path) as writer:
        for rule in RULES:
            for name in rule.tf1:
                for suffix in ("", "/RMSProp", "/RMSProp_1"):
                    writer.write(name + suffix, np.ones(shape_of(name), np.float32))
    for step in (
        lambda: there(tmp_path, path, PLAIN, places),
        lambda: there(tmp_path, path, PLAIN, places, name="model.keras"),
        lambda: to_checkpoint(tmp_path, tmp_path / "model.keras", PLAIN, places),
    ):
        tracemalloc.start()
        try:
            step()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2 * largest


def test_an_interrupted_keras_file_leaves_nothing(tmp_path: Path) -> None:
    for name in ("model.keras", "model.weights.h5"):
        with pytest.raises(KeyboardInterrupt), keras_files.writing(tmp_path / name) as writer:  # noqa: PT012
            writer.write("vars/0", np.ones(5))
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == []


def test_progress_counts_bytes(tmp_path: Path) -> None:
    places, seen = places_for(PLAIN), []
    with open_file(save(tmp_path, state(RMSPROP, 0))) as reader:
        plan = to_keras(reader, PLAIN, places, Options())
        watch = lambda done, total: seen.append((done, total))  # noqa: E731
        write(reader, plan, places, Path("model.ckpt"), tmp_path / "a.weights.h5", watch=watch)
        total = sum(stored.size for stored in reader.variables.values())
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


def test_a_row_says_what_a_variable_is(tmp_path: Path) -> None:
    extra: Arrays = {
        "global_step": np.asarray(3, np.int64),
        "rnn/bias/ExponentialMovingAverage": np.ones(2, np.float32),
        "train/rnn/bias/Momentum": np.ones(2, np.float32),
        "other/beta1_power": np.asarray(0.5, np.float32),
        "rnn/Adam": np.ones(2, np.float32),  # there is no variable `rnn`
    }
    with open_file(save(tmp_path, state(RMSPROP, 0) | extra)) as reader:
        rows = {row.name: row for row in inspecting.rows(reader, PLAIN)}
        remarks = inspecting.remarks(reader, list(rows.values()))
    assert rows["rnn/kernel/RMSProp"].owner == "rnn/kernel"
    assert rows["rnn/kernel/RMSProp"].role == "slot: RMSProp's mean square"
    assert rows["rnn/kernel/RMSProp"].rule == "the same, as velocity"
    assert rows["rnn/kernel"].rule == "CellKernel: rnn/cell/kernel + rnn/cell/recurrent_kernel"
    assert rows["global_step"].role == "count of steps"
    assert rows["rnn/bias/ExponentialMovingAverage"].role == "slot: moving average"
    assert rows["rnn/bias/ExponentialMovingAverage"].rule == "the same, as average"
    assert rows["train/rnn/bias/Momentum"].owner == "rnn/bias"
    assert rows["other/beta1_power"].role == "slot: power of Adam's beta"
    assert (rows["rnn/Adam"].role, rows["rnn/Adam"].rule) == ("variable", "no rule")
    assert len(remarks) == 1
    assert remarks[0].startswith("no rule takes 3 of")


def test_an_object_based_checkpoint_is_told(tmp_path: Path) -> None:
    class Reader:
        kind = ""

        def __init__(self) -> None:
            self.variables = {inspecting.OBJECT_GRAPH: Stored("string", ())}

        def read(self, name: str) -> np.ndarray:
            raise AssertionError(name)

    rows = inspecting.rows(Reader())
    assert rows[0].role == "text"
    assert "tf.train.Checkpoint of TensorFlow 2" in inspecting.remarks(Reader(), rows)[0]


def test_a_keras_file_lists_places_in_order(tmp_path: Path) -> None:
    places = places_for(PLAIN)
    _, file = there(tmp_path, save(tmp_path, state(RMSPROP, 0)), PLAIN, places)
    with open_file(file) as reader:
        rows = inspecting.rows(reader, PLAIN, places)
        names = [row.name for row in rows]
        assert names.index("optimizer/vars/9") < names.index("optimizer/vars/10")
        assert {row.rule for row in rows} & {inspecting.NO_RULE, inspecting.NOT_HERE} == set()
        assert inspecting.remarks(reader, rows) == [f"a rule takes each of the {len(rows)}"]
        alone = inspecting.rows(reader)
        assert alone[-1].role == "state of the optimizer"


def test_a_keras_file_is_told_by_its_ending(tmp_path: Path) -> None:
    with (
        pytest.raises(BadInput, match="no name of a Keras file"),
        keras_files.writing(tmp_path / "model.h5"),
    ):
        pass


def test_rules_of_the_test_cover_every_kind() -> None:
    kinds = {type(rule) for rule in RULES}
    subclasses = {Rule, *Rule.__subclasses__()}
    assert kinds == {kind for kind in subclasses if kind.__module__ == "parity.weights"}
