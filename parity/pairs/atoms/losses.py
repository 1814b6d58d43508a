"""Losses, and what is added to them."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import integers, normal, one_hot
from parity.weights import same

_NN = "python/ops/nn_ops.py: "
_IMPL = "python/ops/nn_impl.py: "
_LOSSES = "python/ops/losses/losses_impl.py: "
_PROBABILITIES = Slip("from_logits is left out: logits are taken for probabilities", "loss")
_atom = functools.partial(
    atom,
    family="losses",
    rules=(same("dense/kernel", "dense/kernel"), same("dense/bias", "dense/bias")),
    taps={"outputs": "dense"},
)
_row = functools.partial(_atom, x=normal(4))
_numbers = functools.partial(_row, y=normal(5))
_classes = functools.partial(_row, y=one_hot(classes=5))

ROWS: tuple[Pair, ...] = (
    _classes(
        "softmax_cross_entropy",
        "tf.nn.softmax_cross_entropy_with_logits",
        tf1="the mean of -sum(y log(softmax(x)))",
        keras="CategoricalCrossentropy(from_logits=True)",
        source=_NN + "softmax_cross_entropy_with_logits",
        slip=_PROBABILITIES,
    ),
    _classes(
        "softmax_label_smoothing",
        "tf.losses.softmax_cross_entropy, label_smoothing",
        tf1="y (1 - s) + s / classes in the place of y",
        keras="CategoricalCrossentropy(from_logits=True, label_smoothing=s)",
        source=_LOSSES + "softmax_cross_entropy",
        slip=Slip("label_smoothing is left out", "loss"),
    ),
    _row(
        "sparse_softmax_cross_entropy",
        "tf.nn.sparse_softmax_cross_entropy_with_logits",
        y=integers(high=5),
        tf1="the mean of -log(softmax(x)) of the class",
        keras="SparseCategoricalCrossentropy(from_logits=True)",
        source=_NN + "sparse_softmax_cross_entropy_with_logits",
        slip=_PROBABILITIES,
    ),
    _classes(
        "sigmoid_cross_entropy",
        "tf.nn.sigmoid_cross_entropy_with_logits",
        tf1="the mean of max(x, 0) - x y + log(1 + exp(-|x|))",
        keras="BinaryCrossentropy(from_logits=True)",
        source=_IMPL + "sigmoid_cross_entropy_with_logits",
        slip=_PROBABILITIES,
    ),
    _classes(
        "sigmoid_cross_entropy_summed",
        "the same, summed over units before the mean",
        tf1="the mean over rows of the sum over units",
        keras="keras_v2.losses.summed_binary_crossentropy",
        source=_IMPL + "sigmoid_cross_entropy_with_logits",
        slip=Slip("BinaryCrossentropy, which takes the mean over units", "loss"),
    ),
    _classes(
        "weighted_cross_entropy",
        "tf.nn.weighted_cross_entropy_with_logits",
        tf1="what a positive costs is multiplied by pos_weight",
        keras="keras_v2.losses.WeightedBinaryCrossentropy",
        source=_IMPL + "weighted_cross_entropy_with_logits",
        slip=Slip("BinaryCrossentropy, which has no pos_weight", "loss"),
    ),
    _row(
        "by_nonzero_weights",
        "tf.losses.mean_squared_error, weights",
        y=integers(5, high=3),
        tf1="sum(w losses) / sum(w != 0)",
        keras="keras_v2.losses.mean_by_nonzero_weights",
        source=_LOSSES + "compute_weighted_loss",
        slip=Slip("the mean is taken over all, as Keras's is", "loss"),
    ),
    _numbers(
        "absolute_difference",
        "tf.losses.absolute_difference",
        tf1="the mean of |x - y|",
        keras="MeanAbsoluteError",
        source=_LOSSES + "absolute_difference",
        slip=Slip("MeanSquaredError", "loss"),
    ),
    _numbers(
        "huber",
        "tf.losses.huber_loss",
        tf1="e^2 / 2 while |e| <= delta, then delta |e| - delta^2 / 2",
        keras="Huber(delta)",
        source=_LOSSES + "huber_loss",
        slip=Slip("delta is left at 1", "loss"),
    ),
    _numbers(
        "cosine_distance",
        "tf.losses.cosine_distance",
        tf1="the mean of 1 - sum(x y): nothing is normalised",
        keras="keras_v2.losses.cosine_distance",
        source=_LOSSES + "cosine_distance",
        slip=Slip("CosineSimilarity, which normalises, and has no 1", "loss"),
    ),
    _classes(
        "hinge",
        "tf.losses.hinge_loss",
        tf1="the mean of max(0, 1 - (2 y - 1) x), y 0 or 1",
        keras="Hinge",
        source=_LOSSES + "hinge_loss",
        slip=Slip("SquaredHinge", "loss"),
    ),
    _classes(
        "log_loss",
        "tf.losses.log_loss",
        tf1="the mean of -y log(p + 1e-7) - (1 - y) log(1 - p + 1e-7)",
        keras="keras_v2.losses.LogLoss",
        source=_LOSSES + "log_loss",
        slip=Slip("BinaryCrossentropy, which bounds p, or looks through its sigmoid", "loss"),
    ),
    _classes(
        "cross_entropy_by_hand",
        "-sum(y log(p + 1e-8)), by hand",
        tf1="the mean of -sum(y log(p + 1e-8))",
        keras="the same, by hand",
        source="by hand",
        slip=Slip("CategoricalCrossentropy, which bounds p, or looks through its softmax", "loss"),
    ),
    _numbers(
        "l2_by_hand",
        "tf.nn.l2_loss of all weights, by hand",
        tf1="loss + s sum(w^2) / 2, biases too",
        keras="L2(s / 2) of kernels and biases",
        source=_NN + "l2_loss",
        slip=Slip("L2(s): the half is forgotten", "loss"),
    ),
    _numbers(
        "l2_regularizer",
        "tf.contrib.layers.l2_regularizer, and the collection",
        tf1="loss + s sum(w^2) / 2 of what is in REGULARIZATION_LOSSES",
        keras="kernel_regularizer=L2(s / 2)",
        source="contrib/layers/python/layers/regularizers.py: l2_regularizer",
        slip=Slip("it is not added, as where the collection is forgotten", "loss"),
    ),
    _atom(
        "sequence_loss",
        "tf.contrib.seq2seq.sequence_loss, a mask",
        x=normal(3, 4),
        y=integers(3, high=5),
        tf1="sum(w losses) / sum(w), w a mask of the steps; 0 where all is padding",
        keras="SparseCategoricalCrossentropy(ignore_class=0)",
        source="contrib/seq2seq/python/ops/loss.py: sequence_loss",
        slip=Slip("padding counts like any other class", "loss"),
    ),
)
