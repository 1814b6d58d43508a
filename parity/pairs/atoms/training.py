"""What is done with gradients and weights: clipping, penalties, averages."""

from __future__ import annotations

import dataclasses
import functools

from parity.atom import Slip
from parity.pair import Pair, Trained
from parity.pairs.atoms.common import atom
from parity.samples import integers, normal
from parity.slots import ADAM
from parity.weights import Rule, same

_CLIPPING = "python/ops/clip_ops.py: "
_AVERAGES = "python/training/moving_averages.py: ExponentialMovingAverage"
_AVERAGED = dataclasses.replace(
    ADAM, counters={"global_step": "int64"}, averages={"ExponentialMovingAverage": "average"}
)


def _layer(name: str) -> tuple[Rule, ...]:
    return tuple(same(f"{name}/{part}", f"{name}/{part}") for part in ("kernel", "bias"))


def _steps(name: str) -> Trained:
    own = (f"{name}/kernel", f"{name}/bias")
    return Trained(f"{name}_loss", f"{name}_step", f"{name}_optimizer", own)


_atom = functools.partial(atom, family="training", y=normal(3))
_row = functools.partial(
    _atom,
    x=normal(4),
    taps={"outputs": "dense"},
    rules=(*_layer("hidden"), *_layer("dense")),
)

ROWS: tuple[Pair, ...] = (
    _row(
        "clip_by_value",
        "clip_by_value of gradients",
        tf1="g = min(max(g, -c), c)",
        keras="clipvalue=c",
        source=_CLIPPING + "clip_by_value",
        slip=Slip("gradients are not clipped", "gradients"),
    ),
    _row(
        "clip_by_norm",
        "clip_by_norm of each gradient",
        tf1="g c / max(|g|, c), for each variable",
        keras="clipnorm=c",
        source=_CLIPPING + "clip_by_norm",
        slip=Slip("global_clipnorm is taken", "gradients"),
    ),
    _row(
        "clip_by_global_norm",
        "clip_by_global_norm",
        tf1="g c / max(n, c), n the norm of all gradients together",
        keras="global_clipnorm=c",
        source=_CLIPPING + "clip_by_global_norm",
        slip=Slip("clipnorm is taken", "gradients"),
    ),
    _atom(
        "clip_by_global_norm_sparse",
        "clip_by_global_norm with an embedding",
        x=integers(4, high=6),
        taps={"vectors": "embedding", "outputs": "dense"},
        rules=(same("embedding", "embedding/embeddings"), *_layer("dense")),
        tf1="slices of one row count one by one in the norm",
        keras="global_clipnorm=c",
        source=_CLIPPING + "global_norm",
        slip=Slip("slices of one row are summed before the norm is taken", "update"),
    ),
    _row(
        "clipped_weights",
        "clip_by_value of weights after each step",
        tf1="var = min(max(var, -c), c) after the step",
        keras="keras_v2.constraints.ClipByValue, of kernels and biases",
        source=_CLIPPING + "clip_by_value",
        slip=Slip("biases are not constrained", "update"),
    ),
    _row(
        "gradient_penalty",
        "tf.gradients in the loss",
        tf1="loss + mean((|d outputs / d x| - 1)^2) / 4",
        keras="compute_loss with a tape of its own",
        source="python/ops/gradients_impl.py: gradients",
        slip=Slip("the penalty is no part of the loss", "loss"),
    ),
    atom(
        "two_optimizers",
        "Two optimizers, each with its var_list",
        family="training",
        x=normal(4),
        y=normal(1),
        taps={"actions": "actor", "scores": "critic"},
        rules=(*_layer("actor"), *_layer("critic")),
        trained=(_steps("critic"), _steps("actor")),
        tf1="minimize(critic_loss, var_list=critic), then minimize(actor_loss, var_list=actor)",
        keras="a train_step with two optimizers, each after a tape of its own",
        source="python/training/optimizer.py: minimize",
        slip=Slip("both losses are differentiated before the first optimizer steps", "update"),
    ),
    _row(
        "exponential_moving_average",
        "ExponentialMovingAverage of weights",
        slots=_AVERAGED,
        tf1="average -= (average - var)(1 - d) after each step; it starts at the weight",
        keras="an optimizer of keras_v2.optimizers with use_ema=True",
        source=_AVERAGES,
        slip=Slip(
            "a stock optimizer's use_ema, which starts at what the first step gives", "update"
        ),
    ),
    _row(
        "exponential_moving_average_counted",
        "ExponentialMovingAverage, num_updates",
        slots=_AVERAGED,
        tf1="the same with min(d, (1 + n) / (10 + n)), n the steps done",
        keras="the same with ema_num_updates=True",
        source=_AVERAGES,
        slip=Slip("num_updates is overlooked", "update"),
    ),
)
