"""Dense layers, tied weights, dropout, activations."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import normal
from parity.weights import Rule, same


def _dense(tf1: str, keras: str) -> tuple[Rule, ...]:
    return tuple(same(f"{tf1}/{part}", f"{keras}/{part}") for part in ("kernel", "bias"))


_NN = "python/ops/nn_ops.py: "
_atom = functools.partial(
    atom, family="layers", rules=_dense("dense", "dense"), taps={"outputs": "dense"}
)
_rows = functools.partial(_atom, x=normal(3), y=normal(5))
_sequences = functools.partial(_atom, x=normal(4, 3))
_activation = functools.partial(_rows, taps={"outputs": "activation"}, source="by hand")

ROWS: tuple[Pair, ...] = (
    _sequences(
        "dense",
        "tf.layers.dense, of sequences",
        y=normal(4, 5),
        tf1="a product over the last axis, by tensordot",
        keras="Dense",
        source="python/keras/layers/core.py: Dense",
        slip=Slip("the activation is left out", "forward"),
    ),
    _rows(
        "fully_connected",
        "tf.contrib.layers.fully_connected, slim's",
        rules=(
            same("fully_connected/weights", "dense/kernel"),
            same("fully_connected/biases", "dense/bias"),
        ),
        tf1="relu(x weights + biases): rectified unless told otherwise",
        keras='Dense(activation="relu")',
        source="contrib/layers/python/layers/layers.py: fully_connected",
        slip=Slip("the activation is left at Dense's, none", "forward"),
    ),
    _atom(
        "tied_towers",
        "two towers of the same weights, by reuse=True",
        x={"left": normal(3), "right": normal(3)},
        y=normal(5),
        fed={"left": "left", "right": "right"},
        rules=_dense("tower/dense", "tower"),
        taps={"outputs": "apart"},
        tf1="variables of the first call are found again; both calls' gradients add up",
        keras="one layer, called twice",
        source="python/ops/variable_scope.py",
        slip=Slip("the second tower is a copy that does not learn", "gradients"),
    ),
    _sequences(
        "flatten",
        "tf.layers.flatten before a layer",
        y=normal(5),
        tf1="features of one step are next to each other",
        keras="Flatten",
        source="python/keras/layers/core.py: Flatten",
        slip=Slip("features come first, as where channels do", "forward"),
    ),
    _rows(
        "dropout_keep_prob",
        "tf.nn.dropout, keep_prob",
        keep_prob=0.75,
        taps={"outputs": "dropout"},
        dropout={"dropout/random_uniform": "dropout"},
        tf1="x / p where floor(p + u) is 1, p what is kept",
        keras="Dropout(1 - p)",
        source=_NN + "dropout",
        slip=Slip("what was kept is dropped: Dropout(p)", "forward"),
    ),
    _sequences(
        "dropout_noise_shape",
        "tf.nn.dropout, noise_shape",
        y=normal(4, 5),
        keep_prob=0.75,
        taps={"outputs": "dropout"},
        dropout={"dropout/random_uniform": "dropout"},
        tf1="one draw for all steps of a unit: noise_shape [batch, 1, units]",
        keras="Dropout(1 - p, noise_shape=(None, 1, units))",
        source=_NN + "dropout",
        slip=Slip("noise_shape is left out", "forward"),
    ),
    _rows(
        "dropout_rate",
        "tf.layers.dropout",
        feeds={"training": (True, False)},
        taps={"outputs": "dropout"},
        dropout={"dropout": "dropout"},
        tf1="x / (1 - rate) where it is kept, if training is fed so",
        keras="Dropout(rate)",
        source="python/keras/layers/core.py: Dropout",
        slip=Slip("the rate is taken for what is kept", "forward"),
    ),
    _activation(
        "leaky_relu",
        "tf.nn.leaky_relu",
        tf1="max(0.2 x, x)",
        keras="LeakyReLU(0.2)",
        source=_NN + "leaky_relu",
        slip=Slip("the slope is left at Keras's 0.3", "forward"),
    ),
    _activation(
        "maximum",
        "tf.maximum(0.125 * x, x), by hand",
        tf1="max(0.125 x, x)",
        keras="LeakyReLU(0.125)",
        slip=Slip("the slope is left at Keras's 0.3", "forward"),
    ),
    _activation(
        "relu6",
        "tf.nn.relu6",
        tf1="min(max(x, 0), 6)",
        keras='Activation("relu6")',
        source=_NN + "relu6",
        slip=Slip("relu, which has no upper end", "forward"),
    ),
    _activation(
        "elu",
        "tf.nn.elu",
        tf1="x, or exp(x) - 1 below zero",
        keras='Activation("elu")',
        source=_NN + "elu",
        slip=Slip("selu, which scales it", "forward"),
    ),
    _activation(
        "gelu",
        "BERT's gelu, by hand",
        tf1="x (1 + tanh(sqrt(2 / pi)(x + 0.044715 x^3))) / 2",
        keras="gelu(approximate=True), whose 0.044715 is a float32 number",
        source="modeling.py of google-research/bert",
        slip=Slip("Keras's default, by erf", "forward"),
    ),
)
