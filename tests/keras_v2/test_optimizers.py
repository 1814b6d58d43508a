"""The optimizers against the written formula, against TensorFlow's own, and inside Keras."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_v2.optimizers import TF1Adam, TF1RMSprop

STEPS = 40
SHAPE = (6, 3)  # (rows, units)
RMSPROP_SLOTS = {"velocity": 1.0, "momentum": 0.0, "average_gradient": 0.0}  # first values
ADAM_SLOTS = {"momentum": 0.0, "velocity": 0.0}
START = np.array([1.0, -2.5], "float32")

# Measured, then rounded up: 2.4e-7 and 4.4e-16.
TOLERANCE = {"float32": 1e-6, "float64": 5e-15}

State = dict[str, Any]
Gradients = list[Any]


def dense_gradients(dtype: str) -> Gradients:
    draw = np.random.default_rng(0)
    return [tf.constant(draw.normal(size=SHAPE), dtype) for _ in range(STEPS)]


def sparse_gradients(dtype: str) -> Gradients:
    """Slices for 5 of the rows 0 to 4, so with repeats; row 5 never occurs."""
    draw = np.random.default_rng(1)
    return [
        tf.IndexedSlices(
            tf.constant(draw.normal(size=(5, *SHAPE[1:])), dtype),
            tf.constant([0, 0, *draw.integers(0, 5, size=3)], "int64"),
            tf.constant(SHAPE, "int64"),
        )
        for _ in range(STEPS)
    ]


def first_state(dtype: str, slots: dict[str, float] = RMSPROP_SLOTS) -> State:
    start = np.random.default_rng(2).normal(size=SHAPE)
    state = {"variable": start} | {name: np.full(SHAPE, value) for name, value in slots.items()}
    return {name: value.astype(dtype) for name, value in state.items()}


def summed_rows(gradient: Any) -> dict[int, Any]:
    """The gradient of each row that it names."""
    if not isinstance(gradient, tf.IndexedSlices):
        return dict(enumerate(gradient.numpy()))
    summed: dict[int, Any] = {}
    for row, values in zip(gradient.indices.numpy(), gradient.values.numpy(), strict=True):
        summed[row] = summed.get(row, 0) + values
    return summed


def rmsprop_by_hand(
    gradients: Gradients,
    dtype: str,
    learning_rate: float | Callable[[int], float] = 0.01,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-10,
    centered: bool = False,
) -> State:
    """The formula, row by row, in NumPy."""
    rho, momentum, epsilon = (np.float32(value).astype(dtype) for value in (rho, momentum, epsilon))
    state = first_state(dtype)
    variable, ms, mom, mg = (state[name] for name in ("variable", *RMSPROP_SLOTS))
    for step, gradient in enumerate(gradients):
        rate = learning_rate(step) if callable(learning_rate) else learning_rate
        rate = np.float32(rate).astype(dtype)
        for row, g in summed_rows(gradient).items():
            ms[row] += (g * g - ms[row]) * (1 - rho)
            mg[row] += (g - mg[row]) * (1 - rho)
            divisor = ms[row] - mg[row] ** 2 if centered else ms[row]
            mom[row] = momentum * mom[row] + rate * g / np.sqrt(divisor + epsilon)
            variable[row] -= mom[row]
    if not centered:
        del state["average_gradient"]
    return state


def rmsprop_by_kernel(
    gradients: Gradients,
    dtype: str,
    learning_rate: float = 0.01,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-10,
    centered: bool = False,
) -> State:
    """TensorFlow's own kernels, called as TF1's RMSPropOptimizer calls them."""
    state = {name: tf.Variable(value) for name, value in first_state(dtype).items()}
    inputs = {
        "var": state["variable"].handle,
        "ms": state["velocity"].handle,
        "mom": state["momentum"].handle,
    }
    for name, value in zip(
        ("lr", "rho", "momentum", "epsilon"), (learning_rate, rho, momentum, epsilon), strict=True
    ):
        inputs[name] = tf.cast(tf.constant(value, "float32"), dtype)
    if centered:
        inputs["mg"] = state["average_gradient"].handle
    else:
        del state["average_gradient"]
    kernel = "ApplyCenteredRMSProp" if centered else "ApplyRMSProp"
    for gradient in gradients:
        if isinstance(gradient, tf.IndexedSlices):
            rows, position = tf.unique(gradient.indices)
            summed = tf.math.unsorted_segment_sum(gradient.values, position, tf.size(rows))
            getattr(tf.raw_ops, f"ResourceSparse{kernel}")(grad=summed, indices=rows, **inputs)
        else:
            getattr(tf.raw_ops, f"Resource{kernel}")(grad=gradient, **inputs)
    return {name: variable.numpy() for name, variable in state.items()}


def adam_by_hand(
    gradients: Gradients,
    dtype: str,
    learning_rate: float | Callable[[int], float] = 0.01,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> State:
    """The formula in NumPy, in the order of TF1's sparse update; the powers stay in float32."""
    powers = np.array([beta_1, beta_2], "float32")
    betas = powers.copy()
    b1, b2 = betas.astype(dtype)
    state = first_state(dtype, ADAM_SLOTS)
    variable, m, v = (state[name] for name in ("variable", *ADAM_SLOTS))
    for step, gradient in enumerate(gradients):
        rate = learning_rate(step) if callable(learning_rate) else learning_rate
        p1, p2 = powers.astype(dtype)
        rate = np.float32(rate).astype(dtype) * np.sqrt(1 - p2) / (1 - p1)
        m *= b1
        v *= b2
        for row, g in summed_rows(gradient).items():
            m[row] += g * (1 - b1)
            v[row] += g * g * (1 - b2)
        variable -= rate * m / (np.sqrt(v) + np.float32(epsilon).astype(dtype))
        powers *= betas
    return state


def adam_by_tf1(
    gradients: Gradients,
    dtype: str,
    learning_rate: float = 0.01,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> State:
    """TF1's own optimizer, as today's TensorFlow still has it."""
    optimizer = tf.compat.v1.train.AdamOptimizer(learning_rate, beta_1, beta_2, epsilon)
    variable = tf.Variable(first_state(dtype)["variable"])
    for gradient in gradients:
        optimizer.apply_gradients([(gradient, variable)])
    slots = {"momentum": optimizer.get_slot(variable, "m")}
    slots["velocity"] = optimizer.get_slot(variable, "v")
    return {"variable": variable.numpy()} | {name: slot.numpy() for name, slot in slots.items()}


def by_optimizer(optimizer: keras.Optimizer, gradients: Gradients, dtype: str) -> State:
    """What an optimizer makes of the gradients: the variable and the slots, by name."""
    variable = keras.Variable(first_state(dtype)["variable"], dtype=dtype, name="w")
    for gradient in gradients:
        optimizer.apply([gradient], [variable])
    slots = {
        slot.path.removeprefix(f"{optimizer.name}/w_"): slot.numpy()
        for slot in optimizer.variables
        if slot.path.startswith(f"{optimizer.name}/w_")
    }
    return {"variable": variable.numpy()} | slots


def assert_same(found: State, expected: State, tolerance: float = 0.0) -> None:
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].dtype == expected[name].dtype
        np.testing.assert_allclose(
            found[name], expected[name], rtol=0, atol=tolerance, err_msg=name
        )


RMSPROP_SETTINGS = pytest.mark.parametrize(
    "settings",
    [
        {},
        {"momentum": 0.7},
        {"centered": True},
        {"momentum": 0.7, "centered": True, "rho": 0.8, "epsilon": 1e-3, "learning_rate": 0.03},
    ],
    ids=["plain", "momentum", "centered", "all"],
)
GRADIENTS = pytest.mark.parametrize("gradients", [dense_gradients, sparse_gradients])
OPTIMIZERS = pytest.mark.parametrize(
    "optimizer",
    [TF1RMSprop(0.01, momentum=0.5, centered=True), TF1Adam(0.01)],
    ids=["rmsprop", "adam"],
)


@RMSPROP_SETTINGS
@GRADIENTS
@pytest.mark.parametrize("reference", [rmsprop_by_hand, rmsprop_by_kernel])
def test_every_slot_of_rmsprop_agrees_with_tf1(
    settings: dict[str, Any],
    gradients: Callable[[str], Gradients],
    reference: Callable[..., State],
    dtype: str,
) -> None:
    optimizer = TF1RMSprop(**{"learning_rate": 0.01} | settings)
    found = by_optimizer(optimizer, gradients(dtype), dtype)
    assert_same(found, reference(gradients(dtype), dtype, **settings), TOLERANCE[dtype])


@pytest.mark.parametrize(
    "settings",
    [{}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2, "learning_rate": 0.03}],
    ids=["plain", "all"],
)
@GRADIENTS
@pytest.mark.parametrize("reference", [adam_by_hand, adam_by_tf1])
def test_every_slot_of_adam_agrees_with_tf1(
    settings: dict[str, Any],
    gradients: Callable[[str], Gradients],
    reference: Callable[..., State],
    dtype: str,
) -> None:
    optimizer = TF1Adam(**{"learning_rate": 0.01} | settings)
    found = by_optimizer(optimizer, gradients(dtype), dtype)
    assert_same(found, reference(gradients(dtype), dtype, **settings), TOLERANCE[dtype])


@pytest.mark.parametrize("build", [TF1RMSprop, TF1Adam])
def test_a_learning_rate_is_rounded_before_a_compiler_sees_it(
    build: Callable[..., keras.Optimizer],
) -> None:
    """XLA on a GPU leaves out a cast to float32 and back, and with it TF1's rounding."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        assert float(build(0.0005).learning_rate) == float(np.float32(0.0005))
    finally:
        keras.config.set_floatx(before)


# Runs on TensorFlow 1.15.5. Arguments: where the gradients are, where the results go.
SCRIPT = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
given, found = dict(np.load(sys.argv[1])), {}
OPTIMIZERS = {
    "TF1RMSprop": (tf.train.RMSPropOptimizer, {"rms": "velocity", "momentum": "momentum"}),
    "TF1Adam": (tf.train.AdamOptimizer, {"m": "momentum", "v": "velocity"}),
}
for name, (build, slots) in OPTIMIZERS.items():
    for kind in ("dense_gradients", "sparse_gradients"):
        for dtype in ("float32", "float64"):
            tf.reset_default_graph()
            variable = tf.get_variable("w", initializer=given["variable"].astype(dtype))
            values, indices = tf.placeholder(dtype), tf.placeholder(tf.int64)
            sparse = tf.IndexedSlices(values, indices, tf.constant(given["variable"].shape))
            gradient = values if kind == "dense_gradients" else sparse
            optimizer = build(0.01)
            step = optimizer.apply_gradients([(gradient, variable)])
            fetched = {ours: optimizer.get_slot(variable, slot) for slot, ours in slots.items()}
            fetched["variable"] = variable
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                for g, rows in zip(given[kind + "/values"], given[kind + "/indices"]):
                    session.run(step, {values: g, indices: rows})
                for slot, value in session.run(fetched).items():
                    found["/".join([name, kind, dtype, slot])] = value
np.savez(sys.argv[2], **found)
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> State:
    """What TensorFlow 1.15.5 itself makes of the gradients, by optimizer, gradients and dtype."""
    python = os.environ.get("PARITY_TF1_PYTHON")
    if not python:
        pytest.skip("PARITY_TF1_PYTHON names no CPython 3.7 with TensorFlow 1.15.5")
    given: State = {"variable": first_state("float64")["variable"]}
    for gradients in (dense_gradients, sparse_gradients):
        steps = gradients("float64")
        values = np.array([getattr(step, "values", step) for step in steps])
        indices = np.array([getattr(step, "indices", ()) for step in steps])
        given |= {
            f"{gradients.__name__}/values": values,
            f"{gradients.__name__}/indices": indices,
        }
    folder = tmp_path_factory.mktemp("judge")
    np.savez(folder / "given.npz", **given)
    completed = subprocess.run(
        [python, "-c", SCRIPT, folder / "given.npz", folder / "found.npz"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    with np.load(folder / "found.npz") as found:
        return dict(found)


@pytest.mark.oracle
@pytest.mark.parametrize("optimizer", [TF1RMSprop, TF1Adam])
@GRADIENTS
def test_every_slot_agrees_with_tensorflow_1_itself(
    optimizer: type[keras.Optimizer],
    gradients: Callable[[str], Gradients],
    dtype: str,
    judged: State,
) -> None:
    prefix = f"{optimizer.__name__}/{gradients.__name__}/{dtype}/"
    expected = {name.removeprefix(prefix): judged[name] for name in judged if prefix in name}
    assert_same(by_optimizer(optimizer(0.01), gradients(dtype), dtype), expected, TOLERANCE[dtype])


@pytest.mark.parametrize(
    ("optimizer", "reference"), [(TF1RMSprop, rmsprop_by_kernel), (TF1Adam, adam_by_tf1)]
)
def test_float64_weights_under_float32_defaults(
    optimizer: type[keras.Optimizer], reference: Callable[..., State]
) -> None:
    found = by_optimizer(optimizer(0.01), sparse_gradients("float64"), "float64")
    assert_same(found, reference(sparse_gradients("float64"), "float64"), TOLERANCE["float64"])


def test_rmsprop_leaves_a_row_that_does_not_occur(dtype: str) -> None:
    found = by_optimizer(TF1RMSprop(0.01, momentum=0.9), sparse_gradients(dtype), dtype)
    for name, value in first_state(dtype).items():
        if name in found:
            np.testing.assert_array_equal(found[name][5], value[5])
            assert (found[name][0] != value[0]).all()


def test_adam_moves_a_row_that_no_longer_occurs() -> None:
    def slices(row: int) -> tf.IndexedSlices:
        return tf.IndexedSlices(tf.ones((1, 3)), tf.constant([row]), tf.constant(SHAPE))

    variable, optimizer = keras.Variable(np.zeros(SHAPE), name="w"), TF1Adam(0.01)
    optimizer.apply([slices(0)], [variable])
    first = variable.numpy().copy()
    optimizer.apply([slices(1)], [variable])
    assert (variable.numpy()[0] < first[0] - 1e-3).all()
    assert (variable.numpy()[2:] == 0).all()


@pytest.mark.parametrize("shape", [(6,), (6, 3, 2)])
@pytest.mark.parametrize(
    ("optimizer", "moved"),
    [(TF1RMSprop, 2 / np.sqrt(0.9 + 0.1 * 2**2)), (TF1Adam, 1.0)],
)
def test_slices_of_any_rank(
    optimizer: type[keras.Optimizer], moved: float, shape: tuple[int, ...]
) -> None:
    variable = keras.Variable(np.zeros(shape), name="w")
    slices = tf.IndexedSlices(tf.ones((2, *shape[1:])), tf.constant([4, 4]), tf.constant(shape))
    optimizer(0.01).apply([slices], [variable])
    expected = np.zeros(shape)
    expected[4] = -0.01 * moved
    np.testing.assert_allclose(variable.numpy(), expected, atol=1e-8)


@pytest.mark.parametrize(
    ("optimizer", "reference"), [(TF1RMSprop, rmsprop_by_hand), (TF1Adam, adam_by_hand)]
)
def test_learning_rate_schedule(
    optimizer: type[keras.Optimizer], reference: Callable[..., State], dtype: str
) -> None:
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([19], [0.01, 0.001])
    found = by_optimizer(optimizer(schedule), dense_gradients(dtype), dtype)
    expected = reference(dense_gradients(dtype), dtype, lambda step: 0.01 if step <= 19 else 0.001)
    assert_same(found, expected, TOLERANCE[dtype])


@pytest.mark.parametrize("g", [1.0, 0.1])
def test_stock_rmsprop_first_step_is_longer_by_the_documented_ratio(g: float) -> None:
    steps = []
    for optimizer in (keras.optimizers.RMSprop(0.01, epsilon=1e-10), TF1RMSprop(0.01)):
        variable = keras.Variable([0.0])
        optimizer.apply([tf.constant([g])], [variable])
        steps.append(-variable.numpy()[0])
    ratio = np.sqrt((0.9 + 0.1 * g**2) / (0.1 * g**2))
    assert steps[0] / steps[1] == pytest.approx(ratio, rel=1e-5)


def test_stock_rmsprop_differs_in_its_start_and_in_sparse_updates() -> None:
    def difference(gradients: Gradients, start: float) -> float:
        stock = keras.optimizers.RMSprop(0.01, epsilon=1e-10)
        stock.build([variable := keras.Variable(first_state("float32")["variable"])])
        stock.variables[-1].assign(np.full(SHAPE, start))
        for gradient in gradients:
            stock.apply([gradient], [variable])
        return float(np.abs(variable - rmsprop_by_hand(gradients, "float32")["variable"]).max())

    assert difference(dense_gradients("float32"), start=1.0) < 1e-6
    assert difference(dense_gradients("float32"), start=0.0) > 1e-2
    assert difference(sparse_gradients("float32"), start=1.0) > 1e-2


def test_stock_adam_differs_in_sparse_updates() -> None:
    def difference(gradients: Gradients) -> float:
        stock = keras.optimizers.Adam(0.01, epsilon=1e-8)
        found = by_optimizer(stock, gradients, "float32")["variable"]
        return float(np.abs(found - adam_by_hand(gradients, "float32")["variable"]).max())

    assert difference(dense_gradients("float32")) < 1e-5
    assert difference(sparse_gradients("float32")) > 1e-2


def test_stock_adam_differs_in_its_epsilon() -> None:
    steps = []
    for optimizer in (keras.optimizers.Adam(0.01), TF1Adam(0.01)):
        optimizer.apply([tf.constant([1e-6])], [variable := keras.Variable([0.0])])
        steps.append(-variable.numpy()[0])
    # The first step's epsilon is, in units of the gradient, 1 / sqrt(1 - beta_2) as large.
    factors = [1 + epsilon / 1e-6 / np.sqrt(0.001) for epsilon in (1e-7, 1e-8)]
    assert steps[1] / steps[0] == pytest.approx(factors[0] / factors[1], rel=1e-4)


def small_model(optimizer: keras.Optimizer, **compiled: Any) -> keras.Model:
    keras.utils.set_random_seed(3)
    x = keras.Input((4,), dtype="int32")
    embedded = keras.layers.Embedding(12, 3, name="embedding")(x)
    flat = keras.layers.Flatten()(embedded)
    model = keras.Model(x, keras.layers.Dense(1, name="dense")(flat))
    fresh = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    model.compile(fresh, loss="mse", **compiled)
    return model


def train(model: keras.Model, epochs: int = 10) -> State:
    draw = np.random.default_rng(4)
    x, y = draw.integers(0, 10, size=(20, 4)), draw.normal(size=(20, 1))
    model.fit(x, y, batch_size=6, epochs=epochs, shuffle=False, verbose=0)
    variables = model.trainable_variables + model.optimizer.variables
    return {variable.path: variable.numpy() for variable in variables}


@OPTIMIZERS
def test_fit_compiled_by_xla_agrees(optimizer: keras.Optimizer) -> None:
    compiled, plain = (train(small_model(optimizer, jit_compile=jit)) for jit in (True, False))
    assert plain[f"{optimizer.name}/iteration"] == 40
    assert_same(compiled, plain, 1e-6)


@OPTIMIZERS
def test_a_saved_model_trains_on_as_if_never_saved(
    optimizer: keras.Optimizer, tmp_path: Path
) -> None:
    model = small_model(optimizer)
    train(model)
    model.save(tmp_path / "model.keras")
    restored = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(restored.optimizer, type(optimizer))
    assert_same(train(restored), train(model))


@pytest.mark.parametrize(
    "optimizer",
    [
        TF1RMSprop(0.5, rho=0.8, momentum=0.25, epsilon=1e-3, centered=True, clipnorm=2.0),
        TF1Adam(0.5, beta_1=0.8, beta_2=0.25, epsilon=1e-3, clipnorm=2.0),
        TF1Adam(0.5, use_ema=True, ema_momentum=0.5, ema_num_updates=True),
    ],
)
def test_config_round_trip(optimizer: keras.Optimizer) -> None:
    restored = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert isinstance(restored, type(optimizer))
    assert restored.get_config() == optimizer.get_config()


def slots_of(optimizer: keras.Optimizer) -> dict[str, Any]:
    optimizer.build([keras.Variable([1.0, 2.0], name="w")])
    return {slot.path: slot.numpy().tolist() for slot in optimizer.variables[2:]}


def test_slots_are_those_of_tf1() -> None:
    rmsprop = {"rmsprop/w_velocity": [1.0, 1.0], "rmsprop/w_momentum": [0.0, 0.0]}
    assert slots_of(TF1RMSprop(0.5)) == rmsprop
    assert slots_of(TF1Adam(0.5, beta_1=0.5, beta_2=0.25)) == {
        "adam/beta1_power": 0.5,
        "adam/beta2_power": 0.25,
        "adam/w_momentum": [0.0, 0.0],
        "adam/w_velocity": [0.0, 0.0],
    }


def test_powers_of_adam_stay_in_float32_and_wait_for_accumulated_gradients(dtype: str) -> None:
    optimizer = TF1Adam(0.5, gradient_accumulation_steps=2)
    variables = [keras.Variable(np.zeros(2, dtype), dtype=dtype) for _ in range(2)]
    optimizer.build(variables)
    for _ in range(7):
        optimizer.apply([tf.ones(2, dtype), tf.ones(2, dtype)], variables)
    powers = [slot.numpy() for slot in optimizer.variables if slot.path.endswith("power")]
    assert [power.dtype for power in powers] == ["float32", "float32"]
    assert powers == pytest.approx([0.9**4, 0.999**4], rel=1e-6)


@pytest.mark.parametrize("counted", [False, True])
def test_averages_are_those_of_tensorflow(counted: bool) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weight = tf.compat.v1.get_variable("w", initializer=START, use_resource=True)
        step = tf.compat.v1.train.get_or_create_global_step()
        counting = tf.compat.v1.assign_add(weight, [1.0, 1.0]), tf.compat.v1.assign_add(step, 1)
        averages = tf.compat.v1.train.ExponentialMovingAverage(0.75, step if counted else None)
        with tf.control_dependencies(counting):
            update = averages.apply([weight])
        session.run(tf.compat.v1.global_variables_initializer())
        expected = [
            (session.run(update), session.run(averages.average(weight)))[1] for _ in "12345"
        ]
    optimizer = TF1Adam(0.0, use_ema=True, ema_momentum=0.75, ema_num_updates=counted)
    weight = keras.Variable(START, name="w")
    optimizer.build([weight])
    (average,) = (v for v in optimizer.variables if v.name == "w_average")
    np.testing.assert_array_equal(average, START)
    for each in expected:
        weight.assign_add(np.ones_like(START))
        optimizer.apply([np.zeros_like(START)], [weight])
        np.testing.assert_array_equal(average, each)
