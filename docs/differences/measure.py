"""Measures every difference that docs/differences tells of: `tox -e measure`.

The TensorFlow 1 side runs in a process of its own (graph_side.py), the Keras side here, both on the
same weights, inputs and gradients. Written are measured.json, the plots, and the table of each page
between its two marks. tests/test_differences.py measures again, and compares.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import graph_side as side
import keras
import matplotlib
import numpy as np
import tensorflow as tf
from keras import layers

from keras_v2.initializers import tf1_glorot
from keras_v2.keras1 import binary_crossentropy, hard_sigmoid
from keras_v2.optimizers import TF1Adam, TF1RMSprop
from parity import weights
from parity.layout import Layout
from parity.slots import RMSPROP

matplotlib.use("Agg")
from matplotlib import pyplot as plt

HERE = Path(__file__).resolve().parent

# Of Okabe and Ito, which colour-blind readers tell apart; lines differ in their dashes as well.
BLACK, BLUE, ORANGE, GREEN, GREY = "#000000", "#0072b2", "#d55e00", "#009e73", "#9a9a9a"
STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "figure.figsize": (6.4, 2.9),
    "figure.dpi": 110,
}
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"

# What was measured -> a number; or a bound that it was found to keep, in words.
Figures = dict[str, Any]
Arrays = Mapping[str, np.ndarray]
Measure = Callable[[Arrays, Arrays], Figures]


class ExceededError(AssertionError):
    """A mend that is said to leave nothing has left something."""


def below(bound: float, *pairs: tuple[Any, Any]) -> str:
    """Return the bound in words, once the two of every pair are no further apart."""
    for left, right in pairs:
        apart = float(np.max(np.abs(np.asarray(left) - np.asarray(right))))
        if not apart <= bound:
            raise ExceededError(f"{apart:.3g}, expected no more than {bound:g}")
    return f"below {bound:g}"


def apart(left: Any, right: Any) -> float:
    """Return the largest difference of two arrays."""
    return float(np.max(np.abs(np.asarray(left) - np.asarray(right))))


def by_step(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the largest difference at every step of two sequences (batch, time, units)."""
    largest: np.ndarray = np.abs(left - right).max((0, 2))
    return largest


def train(optimizer: Any, gradients: Sequence[Any]) -> tuple[np.ndarray, Any]:
    """Return weights after every step (steps, ...), and the optimizer; they start at zero."""
    first = gradients[0]
    shape = tuple(first.dense_shape.numpy()) if hasattr(first, "dense_shape") else first.shape
    variable = keras.Variable(np.zeros(shape), dtype="float64", name="w")
    optimizer.build([variable])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [variable]))
    trace = []
    for gradient in gradients:
        step(gradient if hasattr(gradient, "dense_shape") else tf.constant(gradient))
        trace.append(keras.ops.convert_to_numpy(variable))
    return np.array(trace), optimizer


def lengths(trace: np.ndarray) -> np.ndarray:
    """Return how far every step went; the first starts at zero."""
    return np.abs(np.diff(trace, axis=0, prepend=np.zeros_like(trace[:1])))


def unroll(layer: Any, inputs: np.ndarray, values: Sequence[np.ndarray], **options: Any) -> Any:
    """Return what a recurrent layer gives with these weights."""
    layer.build(inputs.shape)
    layer.set_weights(values)
    return keras.ops.convert_to_numpy(layer(inputs, **options))


def mapped(rules: Sequence[weights.Rule], arrays: Arrays, scope: str) -> list[np.ndarray]:
    """Return the weights of a cell as Keras holds them, in the order of its layer."""
    named = {name: value for name, value in arrays.items() if name.startswith(f"{scope}/")}
    found = Layout(tuple(rules), RMSPROP).weights_to_keras(named)
    return [found[f"cell/{part}"] for part in ("kernel", "recurrent_kernel", "bias")]


def rmsprop_start(graph: Arrays, given: Arrays) -> Figures:
    """RMSProp's mean square starts at 1, Keras's at 0."""
    gradients = [side.STEEP] * side.STEPS
    stock, _ = train(keras.optimizers.RMSprop(side.RATE, epsilon=1e-10), gradients)
    mended, _ = train(TF1RMSprop(side.RATE), gradients)
    old = graph["rmsprop_start"]
    ratio = lengths(stock) / lengths(old)  # (steps, gradients)
    _, axes = plt.subplots()
    for column, (g, colour, dash) in enumerate(
        zip(side.STEEP, (BLACK, BLUE, ORANGE), ("-", "--", ":"), strict=True)
    ):
        axes.semilogy(
            range(1, side.STEPS + 1), ratio[:, column], dash, c=colour, label=f"g = {g:g}"
        )
    axes.set(xlabel="training step", title="Length of a step: Keras / TensorFlow 1")
    axes.legend(title="steady gradient")
    first = {f"first step, gradient {g:g}": ratio[0, i] for i, g in enumerate(side.STEEP)}
    return {
        **{f"{what}: Keras / TensorFlow 1": value for what, value in first.items()},
        f"way of the first {side.STEPS} steps, gradient 0.1: Keras / TensorFlow 1": (
            stock[-1, 1] / old[-1, 1]
        ),
        "first step that is the same to 1 %, gradient 0.1": int(np.argmax(ratio[:, 1] < 1.01)) + 1,
        "`TF1RMSprop`: largest difference of any step": below(1e-15, (mended, old)),
    }


def rmsprop_epsilon(graph: Arrays, given: Arrays) -> Figures:
    """Epsilon is 1e-10 in TensorFlow 1 and 1e-7 in Keras, inside of the root in both."""
    gradients = [side.SMALL] * side.LONG
    stock = lengths(train(keras.optimizers.RMSprop(side.RATE), gradients)[0])[-1] / side.RATE
    same = train(keras.optimizers.RMSprop(side.RATE, epsilon=1e-10), gradients)[0]
    old = lengths(graph["rmsprop_epsilon"])[-1] / side.RATE
    _, axes = plt.subplots()
    axes.semilogx(side.SMALL, old, "o-", c=BLACK, label="TensorFlow 1, 1e-10")
    axes.semilogx(side.SMALL, stock, "s--", c=ORANGE, label="Keras, 1e-7")
    axes.set(
        xlabel="steady gradient", ylabel="step / rate", title="A step once the start is forgotten"
    )
    axes.legend()
    said = {
        f"step, steady gradient {g:g}: Keras / TensorFlow 1": stock[i] / old[i]
        for i, g in enumerate(side.SMALL[:6])
    }
    last = lengths(same)[-1] / side.RATE
    return {
        **said,
        "Keras with epsilon 1e-10, last step / rate: difference": below(1e-6, (last, old)),
    }


def sparse_rows(graph: Arrays, given: Arrays) -> Figures:
    """TensorFlow 1 sums the repeats of a row, and leaves absent rows alone."""
    gradients = []
    for step in range(side.SPARSE):
        ids = side.named_rows(step)
        ones = tf.ones((len(ids), 1), "float64")
        gradients.append(tf.IndexedSlices(ones, tf.constant(ids), tf.constant([side.ROWS, 1])))
    stock, optimizer = train(keras.optimizers.RMSprop(side.RATE, epsilon=1e-10), gradients)
    mended, exact = train(TF1RMSprop(side.RATE), gradients)
    old, slots = graph["sparse"], graph["sparse_slots"]
    step = lengths(stock)[..., 0] / side.RATE, lengths(old)[..., 0] / side.RATE  # (steps, rows)
    back = side.ABSENT[-1] + 1  # the step in which row 2 occurs again
    _, axes = plt.subplots()
    steps = range(1, side.SPARSE + 1)
    axes.plot(steps, step[0][:, 0], "--", c=ORANGE, label="Keras, row named three times")
    axes.plot(steps, step[1][:, 0], "-", c=BLACK, label="TensorFlow 1, the same")
    axes.plot(steps, step[0][:, 2], ":", c=BLUE, lw=2, label="Keras, row absent for 50 steps")
    axes.plot(steps, step[1][:, 2], "-.", c=GREY, lw=2, label="TensorFlow 1, the same")
    axes.set(xlabel="training step", ylabel="step / rate", ylim=(-0.1, 8.3))
    axes.set(title="RMSProp's steps for rows of an embedding")
    axes.legend(ncols=2, loc="upper right", fontsize=8.5)
    slot = keras.ops.convert_to_numpy(exact.variables[2])
    return {
        "row named three times in each batch, last step: Keras / TensorFlow 1": (
            step[0][-1, 0] / step[1][-1, 0]
        ),
        "row that was absent for 50 steps, first step after: Keras / TensorFlow 1": (
            step[0][back, 2] / step[1][back, 2]
        ),
        "row that is never named, mean square at the end, TensorFlow 1": slots[-1, 3, 0],
        "the same, Keras": float(keras.ops.convert_to_numpy(optimizer.variables[2])[3, 0]),
        "`TF1RMSprop`: largest difference of weights and mean squares": below(
            1e-13, (mended, old), (slot, slots[-1])
        ),
    }


def adam(graph: Arrays, given: Arrays) -> Figures:
    """Adam's epsilon is 1e-8 in TensorFlow 1; its powers of the decays are float32."""
    gradients = [side.SMALL] * side.LONG
    stock = lengths(train(keras.optimizers.Adam(side.RATE), gradients)[0]) / side.RATE
    same, _ = train(keras.optimizers.Adam(side.RATE, epsilon=1e-8), gradients)
    mended, _ = train(TF1Adam(side.RATE), gradients)
    old = lengths(graph["adam"]) / side.RATE
    _, axes = plt.subplots()
    axes.semilogx(side.SMALL, old[0], "o-", c=BLACK, label="TensorFlow 1, first step")
    axes.semilogx(side.SMALL, stock[0], "s--", c=ORANGE, label="Keras, first step")
    axes.semilogx(
        side.SMALL, old[-1], "o:", c=GREY, mfc="w", label=f"TensorFlow 1, step {side.LONG}"
    )
    axes.semilogx(side.SMALL, stock[-1], "s:", c=BLUE, mfc="w", label=f"Keras, step {side.LONG}")
    axes.set(xlabel="steady gradient", ylabel="step / rate", title="Length of Adam's steps")
    axes.legend(fontsize=8.5)
    said: Figures = {}
    for g in (1e-3, 1e-5, 1e-6, 1e-7):
        column = int(np.argmin(np.abs(side.SMALL - g)))
        said[f"first step, gradient {g:g}: Keras / TensorFlow 1"] = (
            stock[0, column] / old[0, column]
        )
    column = int(np.argmin(np.abs(side.SMALL - 1e-7)))
    said[f"step {side.LONG}, gradient 1e-07: Keras / TensorFlow 1"] = (
        stock[-1, column] / old[-1, column]
    )
    relative = np.abs(lengths(same)[0, 0] / lengths(graph["adam"])[0, 0] - 1)
    said["float64, epsilon 1e-8 in both, first step: relative difference"] = relative
    said["`TF1Adam`: largest difference of any step"] = below(1e-14, (mended, graph["adam"]))
    return said


def float32_numbers(graph: Arrays, given: Arrays) -> Figures:
    """TensorFlow 1 rounds hyperparameters to float32, whatever the variable is."""
    one = [np.ones(1)]
    keras.config.set_floatx("float64")  # or Keras, too, keeps its rate in float32
    try:
        plain, _ = train(keras.optimizers.SGD(side.RATE), one)
        _, stock = train(keras.optimizers.Adam(side.RATE), one)
    finally:
        keras.config.set_floatx("float32")
    _, exact = train(TF1Adam(side.RATE), one)

    def moments(optimizer: Any) -> list[float]:
        ours = {v.path: keras.ops.convert_to_numpy(v) for v in optimizer.variables}
        return [
            float(value[0])
            for part in ("momentum", "velocity")
            for path, value in ours.items()
            if path.endswith(part)
        ]

    old = graph["moments"][:, 0]
    found = {
        "step of gradient descent, rate 0.001": abs(plain[0, 0] / graph["descent"][0, 0] - 1),
        "Adam's m after one step, beta_1 = 0.9": abs(moments(stock)[0] / old[0] - 1),
        "Adam's v after one step, beta_2 = 0.999": abs(moments(stock)[1] / old[1] - 1),
    }
    _, axes = plt.subplots(figsize=(6.4, 2.2))
    axes.barh(list(found)[::-1], list(found.values())[::-1], color=BLUE, height=0.5)
    axes.axvline(1e-12, c=BLACK, ls="--")
    axes.text(1.4e-12, 2.35, "bound of the float64 twin", fontsize=8.5, va="bottom")
    axes.set(
        xscale="log", xlim=(1e-13, 1e-3), ylim=(-0.5, 2.8), title="Relative difference, float64"
    )
    axes.grid(axis="y", visible=False)
    return {
        **{f"float64, {what}: relative difference": value for what, value in found.items()},
        "`TF1Adam`: largest difference of m and v": below(1e-15, (moments(exact), old)),
    }


def stacked_kernel(graph: Arrays, given: Arrays) -> Figures:
    """A cell of TensorFlow 1 has one kernel: input rows first, then those of the state."""
    inputs, old = given["rnn_inputs"], graph["rnn"]
    right = mapped(weights.basic_rnn("rnn", "cell"), given, "rnn")
    layer = lambda: layers.SimpleRNN(side.UNITS, return_sequences=True, dtype="float64")  # noqa: E731
    mended = unroll(layer(), inputs, right)
    swapped = unroll(layer(), inputs, [right[1], right[0], right[2]])
    _, axes = plt.subplots()
    axes.plot(range(1, side.TIME + 1), by_step(swapped, old), "s--", c=ORANGE, ms=4)
    axes.set(
        xlabel="time step", ylim=(0, None), title="Outputs with the two parts exchanged: error"
    )
    return {
        "the two parts exchanged: largest difference of outputs": apart(swapped, old),
        "largest output": float(np.abs(old).max()),
        "`parity.weights.basic_rnn`: largest difference": below(1e-14, (mended, old)),
    }


def lstm_gates(graph: Arrays, given: Arrays) -> Figures:
    """TensorFlow 1 has the gates i, j, f, o and adds the forget bias at run time."""
    inputs, old = given["inputs"], graph["lstm"]
    right = mapped(weights.lstm("lstm", "cell"), given, "lstm")
    kernel, bias = given["lstm/kernel"], given["lstm/bias"]
    ones = np.repeat([0.0, 1.0, 0.0, 0.0], side.UNITS)
    forgotten = [right[0], right[1], right[2] - ones]
    unsorted = [kernel[: side.SIZE], kernel[side.SIZE :], bias + ones]
    layer = lambda: layers.LSTM(side.UNITS, return_sequences=True, dtype="float64")  # noqa: E731
    mended, lost, mixed = (
        unroll(layer(), inputs, values) for values in (right, forgotten, unsorted)
    )
    _, axes = plt.subplots()
    steps = range(1, side.TIME + 1)
    axes.plot(steps, by_step(mixed, old), "s--", c=ORANGE, ms=4, label="gates not reordered")
    axes.plot(steps, by_step(lost, old), "o-", c=BLUE, ms=4, label="forget bias lost")
    axes.set(xlabel="time step", ylim=(0, None), title="Outputs of the LSTM: error")
    axes.legend()
    return {
        "gates not reordered: largest difference of outputs": apart(mixed, old),
        "forget bias lost: largest difference of outputs": apart(lost, old),
        "largest output": float(np.abs(old).max()),
        "`parity.weights.lstm`: largest difference": below(1e-14, (mended, old)),
    }


def gru_reset(graph: Arrays, given: Arrays) -> Figures:
    """TensorFlow 1 has the gates r, u, and resets before the product."""
    inputs, old = given["inputs"], graph["gru"]
    kernel, recurrent, bias = mapped(weights.gru("gru", "cell"), given, "gru")

    def layer(reset_after: bool) -> Any:
        return layers.GRU(
            side.UNITS, return_sequences=True, reset_after=reset_after, dtype="float64"
        )

    def exchanged(array: np.ndarray) -> np.ndarray:
        return weights.reorder(array, (1, 0, 2))

    mended = unroll(layer(False), inputs, [kernel, recurrent, bias])
    mixed = unroll(layer(False), inputs, [exchanged(a) for a in (kernel, recurrent, bias)])
    after = unroll(layer(True), inputs, [kernel, recurrent, np.stack([bias, 0 * bias])])
    _, axes = plt.subplots()
    steps = range(1, side.TIME + 1)
    axes.plot(steps, by_step(mixed, old), "s--", c=ORANGE, ms=4, label="gates not reordered")
    axes.plot(steps, by_step(after, old), "o-", c=BLUE, ms=4, label="reset_after=True")
    axes.set(xlabel="time step", ylim=(0, None), title="Outputs of the GRU: error")
    axes.legend()
    return {
        "gates not reordered: largest difference of outputs": apart(mixed, old),
        "`reset_after=True`: largest difference of outputs": apart(after, old),
        "largest output": float(np.abs(old).max()),
        "`parity.weights.gru`, `reset_after=False`: largest difference": below(
            1e-14, (mended, old)
        ),
    }


def first_weights(graph: Arrays, given: Arrays) -> Figures:
    """TensorFlow 1 draws the stacked kernel in one; Keras draws its parts by other rules."""
    keras.utils.set_random_seed(0)
    old = graph["first_kernel"]  # (64, 128): 32 rows of the input, 32 of the state
    stock, mended = layers.LSTM(32), layers.LSTM(32, **tf1_glorot(32, 32, gates=4))
    drawn = []
    for layer in (stock, mended):
        layer.build((None, None, 32))
        drawn.append([keras.ops.convert_to_numpy(v) for v in layer.weights[:2]])
    (kernel, recurrent), (kernel1, recurrent1) = drawn

    def values(matrix: np.ndarray) -> np.ndarray:
        """Return its singular values."""
        found: np.ndarray = np.linalg.svd(matrix, compute_uv=False)
        return found

    _, axes = plt.subplots()
    places = range(1, 33)
    axes.plot(places, values(old[32:]), "-", c=BLACK, label="TensorFlow 1")
    axes.plot(places, values(recurrent), "--", c=ORANGE, label="Keras, orthogonal")
    axes.plot(places, values(recurrent1), ":", lw=2, c=BLUE, label="Keras, tf1_glorot")
    axes.set(ylim=(0, None), xlabel="singular value, largest first")
    axes.set(title="Recurrent part of a first LSTM kernel, 32 units")
    axes.legend()
    limit = np.sqrt(6 / (64 + 128))
    below(limit * (1 + 1e-6), (old, 0), (kernel1, 0), (recurrent1, 0))
    below(1e-5, (values(recurrent), 1))
    return {
        "largest weight for the input, TensorFlow 1": float(np.abs(old[:32]).max()),
        "the same, Keras's default": float(np.abs(kernel).max()),
        "the same, `tf1_glorot`": float(np.abs(kernel1).max()),
        "largest singular value of the recurrent part, TensorFlow 1": float(values(old[32:])[0]),
        "smallest, TensorFlow 1": float(values(old[32:])[-1]),
        "largest and smallest, Keras's default": float(values(recurrent)[0]),
        "largest, `tf1_glorot`": float(values(recurrent1)[0]),
        "smallest, `tf1_glorot`": float(values(recurrent1)[-1]),
        "sqrt(6 / (64 + 128)), the limit of both parts": float(limit),
    }


def keep_prob(graph: Arrays, given: Arrays) -> Figures:
    """What is kept in TensorFlow 1 is what is dropped in Keras."""
    keras.utils.set_random_seed(0)
    ones = np.ones(graph["dropped"].shape, "float32")
    wrong, right = (
        keras.ops.convert_to_numpy(layers.Dropout(rate)(ones, training=True))
        for rate in (side.KEEP, 1 - side.KEEP)
    )
    cases = {
        f"nn.dropout(keep_prob={side.KEEP:g})": graph["dropped"],
        f"Dropout({side.KEEP:g})": wrong,
        f"Dropout({1 - side.KEEP:.1f})": right,
    }
    _, both = plt.subplots(1, 2, sharey=True, figsize=(6.8, 2.1), layout="constrained")
    found: Figures = {}
    for axes, title, measure in (
        (both[0], "share that is kept", lambda x: float((x > 0).mean())),
        (both[1], "value of a one that is kept", lambda x: float(x.max())),
    ):
        numbers = [measure(values) for values in cases.values()]
        axes.barh(list(cases)[::-1], numbers[::-1], color=[BLUE, ORANGE, BLACK], height=0.5)
        axes.set_title(title)
        axes.grid(axis="y", visible=False)
        found |= {f"`{n}`: {title}": v for n, v in zip(cases, numbers, strict=True)}
    return found


def variational_dropout(graph: Arrays, given: Arrays) -> Figures:
    """A mask a step, a mask a batch, a mask a sequence."""
    keras.utils.set_random_seed(0)
    echo = layers.SimpleRNN(
        side.MASKED, activation=None, use_bias=False, dropout=0.5, return_sequences=True
    )
    shape = (side.BATCH, side.TIME, side.MASKED)
    echo.build(shape)
    echo.set_weights([np.eye(side.MASKED), np.zeros((side.MASKED, side.MASKED))])
    ours = keras.ops.convert_to_numpy(echo(np.ones(shape, "float32"), training=True))
    cases = {
        "`DropoutWrapper`": graph["masks_plain"],
        "`DropoutWrapper(variational_recurrent=True)`": graph["masks_variational"],
        "`layers.LSTM(dropout=)` and its kin": ours,
    }
    _, all_axes = plt.subplots(3, 1, figsize=(6.4, 4), sharex=True, layout="constrained")
    for axes, (name, masks) in zip(all_axes, cases.items(), strict=True):
        # Sequences one below the other, of each the first two inputs.
        rows = np.concatenate([masks[i, :, :2].T for i in range(side.BATCH)])
        axes.imshow(rows > 0, cmap="cividis", aspect="auto", interpolation="nearest")
        for edge in range(1, side.BATCH):
            axes.axhline(2 * edge - 0.5, c="white", lw=1.5)
        axes.set_title(name.replace("`", ""), fontsize=9.5)
        axes.set_yticks([0.5, 2.5, 4.5, 6.5], [f"seq. {i + 1}" for i in range(side.BATCH)])
        axes.grid(visible=False)
    all_axes[-1].set_xlabel("time step; of each sequence the first two inputs, dark is dropped")

    def different(masks: np.ndarray) -> int:
        return len(np.unique((masks > 0).reshape(-1, side.MASKED), axis=0))

    of = f"masks of {side.BATCH} sequences of {side.TIME} steps"
    found: Figures = {f"{name}: different {of}": different(m) for name, m in cases.items()}
    for masks in cases.values():
        below(0, (np.unique(masks), [0, 2]))
    return found


def last_step(graph: Arrays, given: Arrays) -> Figures:
    """The last step of a padded sentence is padding."""
    padded = given["padded"]
    right = mapped(weights.lstm("lstm", "cell"), given, "lstm")
    mask = np.arange(side.PADDED)[None] < np.full((2, 1), side.WORDS)

    def layer(**options: Any) -> Any:
        return layers.LSTM(side.UNITS, return_sequences=True, dtype="float64", **options)

    plain = unroll(layer(), padded, right)
    masked = unroll(layer(), padded, right, mask=tf.constant(mask))
    zeroed = unroll(layer(zero_output_for_mask=True), padded, right, mask=tf.constant(mask))
    old = graph["unpadded"]
    gap = np.abs(old[0] - old[1]).max(1)  # (time,): how far the two sentences are apart
    _, axes = plt.subplots()
    steps = range(1, side.PADDED + 1)
    axes.semilogy(steps, gap, "o-", c=BLACK, ms=4, label="read on through the padding")
    apart_masked = np.abs(masked[0] - masked[1]).max(1)
    axes.semilogy(steps, apart_masked, "s--", c=BLUE, ms=4, label="with a mask, Keras")
    axes.axvline(side.WORDS, c=GREY, ls=":")
    axes.text(side.WORDS + 0.3, gap[-1], "last word", fontsize=8.5)
    axes.set(xlabel="time step", title="How far the states of two sentences are apart")
    axes.legend()
    return {
        "two sentences of 5 words, states after the last word: difference": gap[side.WORDS - 1],
        f"the same at step {side.PADDED}, after the padding": gap[-1],
        "`dynamic_rnn(sequence_length=)`, `outputs[:, -1]`: largest value": float(
            np.abs(graph["masked"][:, -1]).max()
        ),
        "Keras with a mask, `outputs[:, -1]`: largest value": float(np.abs(masked[:, -1]).max()),
        "without lengths, all outputs, TensorFlow 1 and Keras: difference": below(
            1e-14, (plain, old)
        ),
        "last state with lengths and with a mask: difference": below(
            1e-14, (masked[:, -1], graph["masked_state"])
        ),
        "all outputs with lengths and with `zero_output_for_mask=True`: difference": below(
            1e-14, (zeroed, graph["masked"])
        ),
    }


def hard_sigmoids(graph: Arrays, given: Arrays) -> Figures:
    """The hard sigmoid of Keras 1 and 2, and of tf.keras, is steeper than that of Keras 3."""
    line, old = side.LINE, graph["hard_sigmoid"]
    stock = keras.ops.convert_to_numpy(keras.activations.hard_sigmoid(tf.constant(line)))
    mended = keras.ops.convert_to_numpy(hard_sigmoid(tf.constant(line)))
    _, axes = plt.subplots()
    axes.plot(line, old, "-", c=BLACK, label="TensorFlow 1, Keras 1 and 2")
    axes.plot(line, stock, "--", c=ORANGE, label="Keras 3")
    axes.plot(line, 1 / (1 + np.exp(-line)), ":", c=GREY, label="sigmoid")
    axes.set(title="hard_sigmoid")
    axes.legend()
    gates = 1 / (1 + np.exp(-line))
    return {
        "largest difference of Keras 3's and TensorFlow 1's `hard_sigmoid`": apart(stock, old),
        "largest difference of the sigmoid and TensorFlow 1's `hard_sigmoid`": apart(gates, old),
        "`keras_v2.keras1.hard_sigmoid`: largest difference": below(1e-15, (mended, old)),
    }


def cross_entropy(graph: Arrays, given: Arrays) -> Figures:
    """Keras 3 looks through a softmax for logits, and takes them for those of a sigmoid."""
    line, old = side.LINE, graph["cross_entropy"]
    logits = np.zeros((len(line), side.OUTPUTS))
    logits[:, 0] = line
    right = tf.constant(np.eye(side.OUTPUTS)[:1].repeat(len(line), 0))
    p = keras.activations.softmax(tf.constant(logits))
    stock = keras.ops.convert_to_numpy(keras.losses.binary_crossentropy(right, p))
    mended = keras.ops.convert_to_numpy(binary_crossentropy(right, p))
    _, axes = plt.subplots()
    axes.plot(line, old, "-", c=BLACK, label="of the probabilities, as in Keras 1")
    axes.plot(line, stock, "--", c=ORANGE, label="Keras 3 on TensorFlow")
    axes.set(ylim=(0, None), xlabel="logit of the right class; those of 19 others are 0")
    axes.set(title="Binary cross-entropy of a softmax over 20 classes")
    axes.legend()
    middle, last = len(line) // 2, -1
    return {
        "even probabilities, of the probabilities": old[middle],
        "even probabilities, Keras 3": stock[middle],
        f"logit {line[last]:g}, of the probabilities": old[last],
        f"logit {line[last]:g}, Keras 3": stock[last],
        "`keras_v2.keras1.binary_crossentropy`: largest difference": below(1e-12, (mended, old)),
    }


PAGES: dict[str, Measure] = {
    "rmsprop-start": rmsprop_start,
    "rmsprop-epsilon": rmsprop_epsilon,
    "sparse-rows": sparse_rows,
    "adam": adam,
    "float32-numbers": float32_numbers,
    "stacked-kernel": stacked_kernel,
    "lstm-gates": lstm_gates,
    "gru-reset": gru_reset,
    "first-weights": first_weights,
    "keep-prob": keep_prob,
    "variational-dropout": variational_dropout,
    "last-step": last_step,
    "hard-sigmoid": hard_sigmoids,
    "cross-entropy": cross_entropy,
}


def table(figures: Mapping[str, Any]) -> str:
    """Return figures as a table of Markdown, numbers with three digits."""
    rows = ["| what | measured |", "| --- | ---: |"]
    rows += [
        f"| {what} | {value if isinstance(value, str | int) else f'{value:.3g}'} |"
        for what, value in figures.items()
    ]
    return "\n".join(rows)


def with_table(page: str, figures: Mapping[str, Any]) -> str:
    """Return a page with its table in place of the one that it has."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(figures)}\n{END}{after}"


def graph_side(python: str) -> dict[str, np.ndarray]:
    """Have a Python measure the TensorFlow 1 side; return what it found."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.npz"
        environment = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("PYTHONPATH", None)  # this interpreter's, which is another's there
        done = subprocess.run(
            [python, "-W", "ignore", str(HERE / "graph_side.py"), str(path)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"the TensorFlow 1 side failed:\n{done.stderr}")
        with np.load(path) as found:
            return dict(found)


def main() -> None:
    """Measure everything; write figures, plots and tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tf1", default=sys.executable, help="Python of the TensorFlow 1 side")
    parser.add_argument("--output", type=Path, default=HERE, help="folder, with the pages or not")
    options = parser.parse_args()
    graph, given = graph_side(options.tf1), side.given()
    versions = {"graph": f"TensorFlow {graph['version']}", "keras": f"Keras {keras.__version__}"}
    figures: dict[str, Any] = {}
    (options.output / "images").mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        for name, measure in PAGES.items():
            found = measure(graph, given)
            figures[name] = {
                what: value if isinstance(value, str | int) else float(f"{value:.4g}")
                for what, value in found.items()
            }
            plt.savefig(options.output / "images" / f"{name}.png", bbox_inches="tight")
            plt.close("all")
            page = options.output / f"{name}.md"
            if page.exists():
                page.write_text(with_table(page.read_text("utf-8"), figures[name]), "utf-8")
    document = json.dumps({"made_by": versions, "figures": figures}, indent=1)
    (options.output / "measured.json").write_text(document + "\n", "utf-8")
    print(f"measured {len(figures)} differences on {', '.join(versions.values())}")


if __name__ == "__main__":
    main()
