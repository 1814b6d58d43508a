"""Normalisation."""

from __future__ import annotations

import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import normal
from parity.weights import Rule, same

_LAYERS = "python/keras/layers/normalization.py: "
_CONTRIB = "contrib/layers/python/layers/layers.py: "
_KERNEL = same("dense/kernel", "dense/kernel")
_SWITCHED = {"is_training": (True, False)}

_norm = functools.partial(atom, family="norms", taps={"outputs": "norm"})
_images = functools.partial(_norm, x=normal(4, 4, 3), y=normal(4, 4, 5))
_rows = functools.partial(_norm, x=normal(3), y=normal(5))


def _learned(
    scope: str, gamma: str = "gamma", beta: str = "beta", scale: bool = True
) -> tuple[Rule, ...]:
    """Return rules of the kernel, and of what a norm learns."""
    rules = _KERNEL, same(f"{scope}{beta}", "norm/beta")
    return (*rules, same(f"{scope}{gamma}", "norm/gamma", 0.5, centre=1.0)) if scale else rules


def _averages(mean: str, variance: str) -> tuple[Rule, ...]:
    """Return rules of the moving averages."""
    kept = same(variance, "norm/moving_variance", 0.5, centre=1.0)
    return same(mean, "norm/moving_mean"), kept


def _batch_norm(scope: str, scale: bool = True) -> tuple[Rule, ...]:
    averages = _averages(f"{scope}/moving_mean", f"{scope}/moving_variance")
    return (*_learned(f"{scope}/", scale=scale), *averages)


ROWS: tuple[Pair, ...] = (
    _images(
        "batch_normalization",
        "tf.layers.batch_normalization of images",
        feeds=_SWITCHED,
        rules=_batch_norm("batch_normalization"),
        tf1="y = gamma (x - mean) / sqrt(var + epsilon) + beta; the fused kernel keeps "
        "var n / (n - 1) of n numbers a channel; its float64 is written by core ops",
        keras="TF1BatchNormalization; BatchNormalization keeps var",
        source=_LAYERS + "BatchNormalization._fused_batch_norm",
        slip=Slip("BatchNormalization keeps the biased variance", "update"),
    ),
    _rows(
        "batch_norm_without_updates",
        "tf.layers.batch_normalization, its updates forgotten",
        feeds=_SWITCHED,
        rules=_batch_norm("batch_normalization"),
        tf1="no training step runs UPDATE_OPS: the moving averages stay at their first values",
        keras="BatchNormalization with momentum=1",
        source=_LAYERS + "BatchNormalization.call",
        slip=Slip("the moving averages move, as Keras has it", "update"),
    ),
    _rows(
        "batch_norm_not_trainable",
        "tf.layers.batch_normalization with trainable=False",
        feeds=_SWITCHED,
        rules=_batch_norm("batch_normalization"),
        tf1="the moments of the batch; its updates are not in UPDATE_OPS, so that gamma, beta and "
        "the moving averages stay",
        keras="TF1BatchNormalization with trainable=False; BatchNormalization goes over to the "
        "moving averages",
        source="python/keras/engine/base_layer.py: Layer.updates",
        slip=Slip("BatchNormalization with trainable=False uses the moving averages", "forward"),
    ),
    _rows(
        "batch_norm_in_inference_mode",
        "tf.layers.batch_normalization with training=False",
        rules=_batch_norm("batch_normalization"),
        tf1="the moving averages are used in training, too; gamma and beta learn",
        keras="TF1BatchNormalization with inference_mode=True; trainable=False of "
        "BatchNormalization freezes gamma and beta as well",
        source=_LAYERS + "BatchNormalization.call",
        slip=Slip(
            "training=False in the call of BatchNormalization, which fit overrides", "forward"
        ),
    ),
    _images(
        "contrib_batch_norm",
        "tf.contrib.layers.batch_norm, slim.batch_norm",
        feeds=_SWITCHED,
        rules=_batch_norm("BatchNorm", scale=False),
        tf1="decay 0.999, no gamma, epsilon 0.001; keeps var n / (n - 1)",
        keras="TF1BatchNormalization with momentum=0.999 and scale=False",
        source=_CONTRIB + "batch_norm",
        slip=Slip("momentum is left at Keras's 0.99", "update"),
    ),
    _images(
        "contrib_batch_norm_zero_debias",
        "tf.contrib.layers.batch_norm with zero_debias_moving_mean",
        feeds=_SWITCHED,
        rules=(
            *_batch_norm("BatchNorm", scale=False),
            same("BatchNorm/BatchNorm/moving_mean/biased", "norm/biased"),
            same("BatchNorm/BatchNorm/moving_mean/local_step", "norm/local_step", 0.5, centre=1.0),
        ),
        tf1="biased = decay biased + (1 - decay) mean; t = t + 1; "
        "moving_mean = biased / (1 - decay^t)",
        keras="TF1BatchNormalization with zero_debias_moving_mean=True",
        source="python/training/moving_averages.py: _zero_debias",
        slip=Slip("the moving mean is not divided", "update"),
    ),
    _images(
        "batch_norm_by_moments",
        "batch norm by hand: nn.moments and ExponentialMovingAverage",
        feeds=_SWITCHED,
        rules=(
            *_learned(""),
            *_averages(
                "moments/Squeeze/ExponentialMovingAverage",
                "moments/Squeeze_1/ExponentialMovingAverage",
            ),
        ),
        tf1="moments of the batch, averaged with a decay of 0.5; keeps var",
        keras="BatchNormalization with momentum=0.5",
        source="python/training/moving_averages.py: ExponentialMovingAverage.apply",
        slip=Slip("momentum is left at Keras's 0.99", "update"),
    ),
    _images(
        "instance_norm_by_moments",
        "instance norm by hand: nn.moments of an image and channel",
        rules=_learned("", gamma="scale", beta="offset"),
        tf1="y = scale (x - mean) rsqrt(var + 1e-5) + offset, of each image and channel",
        keras="GroupNormalization with groups=-1 and epsilon=1e-5",
        source="python/ops/nn_impl.py: moments_v2",
        slip=Slip("epsilon is left at Keras's 0.001", "forward"),
    ),
    _images(
        "layer_norm",
        "tf.contrib.layers.layer_norm",
        rules=_learned("LayerNorm/"),
        tf1="moments over all axes but the batch, gamma and beta of the last alone; epsilon 1e-12",
        keras="GroupNormalization with groups=1 and epsilon=1e-12",
        source=_CONTRIB + "layer_norm",
        slip=Slip("LayerNormalization, which takes moments over the last axis alone", "forward"),
    ),
    _images(
        "layer_norm_of_last_axis",
        "tf.contrib.layers.layer_norm with begin_norm_axis=-1",
        rules=_learned("LayerNorm/"),
        tf1="moments over the last axis; epsilon 1e-12",
        keras="LayerNormalization with epsilon=1e-12",
        source=_CONTRIB + "layer_norm",
        slip=Slip("epsilon is left at Keras's 0.001", "forward"),
    ),
    _rows(
        "l2_normalize",
        "tf.nn.l2_normalize",
        rules=(_KERNEL,),
        tf1="y = x rsqrt(max(sum(x^2), 1e-12)): a vector is cut short whose norm is below 1e-6",
        keras="L2Normalization; UnitNormalization bounds the norm by 1e-12",
        source="python/ops/nn_impl.py: l2_normalize_v2",
        slip=Slip("UnitNormalization, which cuts short below a norm of 1e-12", "forward"),
    ),
)
