"""Optimizers, on dense and on sparse gradients."""

from __future__ import annotations

import dataclasses
import functools

from parity.atom import Slip
from parity.pair import Pair
from parity.pairs.atoms.common import atom
from parity.samples import integers, normal
from parity.slots import (
    ADADELTA,
    ADAGRAD,
    ADAM,
    ADAM_WEIGHT_DECAY,
    CENTERED_RMSPROP,
    FTRL,
    GRADIENT_DESCENT,
    MOMENTUM,
    RMSPROP,
    Slots,
)
from parity.weights import same

_TRAINING = "python/training/"
_KERNELS = "core/kernels/training_ops.cc: "
_STOCK = "Keras's own optimizer is taken"


def _counted(slots: Slots) -> Slots:
    """Slots beside a step counter, which the rate reads."""
    return dataclasses.replace(slots, counters={"global_step": "int64"})


_atom = functools.partial(atom, family="optimizers", y=normal(3), steps=100)
_dense = functools.partial(
    _atom,
    x=normal(4),
    taps={"outputs": "dense"},
    rules=(same("dense/kernel", "dense/kernel"), same("dense/bias", "dense/bias")),
)
_sparse = functools.partial(
    _atom,
    x=integers(3, high=40),
    taps={"vectors": "embedding"},
    rules=(same("embedding", "embedding/embeddings"),),
)
_SUMMED = "; repeats of a row are summed first, rows that do not occur stay as they are"

ROWS: tuple[Pair, ...] = (
    _dense(
        "sgd",
        "GradientDescentOptimizer",
        slots=_counted(GRADIENT_DESCENT),
        tf1="var - lr g",
        keras="SGD",
        source=_KERNELS + "ApplyGradientDescent",
        slip=Slip("the rate does not change", "curve"),
    ),
    _sparse(
        "sgd_sparse",
        "GradientDescentOptimizer, sparse",
        slots=_counted(GRADIENT_DESCENT),
        tf1="var - lr g, repeats of a row added up",
        keras="SGD",
        source=_TRAINING + "gradient_descent.py: _resource_apply_sparse_duplicate_indices",
        slip=Slip("the rate does not change", "curve"),
    ),
    _dense(
        "adam",
        "AdamOptimizer",
        slots=_counted(ADAM),
        tf1="m += (g - m)(1 - b1); v += (g^2 - v)(1 - b2); var -= lr sqrt(1 - b2^t) / (1 - b1^t) "
        "m / (sqrt(v) + 1e-8)",
        keras="keras_v2.optimizers.TF1Adam: powers of beta in float32",
        source=_KERNELS + "ApplyAdam",
        slip=Slip("epsilon is left at Keras's 1e-7", "update"),
    ),
    _sparse(
        "adam_sparse",
        "AdamOptimizer, sparse",
        slots=_counted(ADAM),
        tf1="the same with repeats of a row summed first; all rows decay and move on",
        keras="keras_v2.optimizers.TF1Adam",
        source=_TRAINING + "adam.py: _apply_sparse_shared",
        slip=Slip(_STOCK + ": it squares repeats one by one", "update"),
    ),
    _dense(
        "rmsprop",
        "RMSPropOptimizer, momentum",
        slots=_counted(RMSPROP),
        tf1="ms += (g^2 - ms)(1 - rho), from 1; mom = momentum mom + lr g / sqrt(ms + eps); "
        "var -= mom",
        keras="keras_v2.optimizers.TF1RMSprop",
        source=_KERNELS + "ApplyRMSProp",
        slip=Slip(_STOCK + ": its mean square starts at 0", "update"),
    ),
    _sparse(
        "rmsprop_sparse",
        "RMSPropOptimizer, momentum, sparse",
        slots=_counted(RMSPROP),
        tf1="the same" + _SUMMED,
        keras="keras_v2.optimizers.TF1RMSprop",
        source=_KERNELS + "SparseApplyRMSProp",
        slip=Slip("the gradient is made dense: all rows decay", "update"),
    ),
    _dense(
        "rmsprop_centered",
        "RMSPropOptimizer, centered",
        slots=_counted(CENTERED_RMSPROP),
        tf1="mg += (g - mg)(1 - rho); mom = momentum mom + lr g / sqrt(ms - mg^2 + eps)",
        keras="keras_v2.optimizers.TF1RMSprop(centered=True)",
        source=_KERNELS + "ApplyCenteredRMSProp",
        slip=Slip(_STOCK + ": its mean square starts at 0", "update"),
    ),
    _dense(
        "momentum",
        "MomentumOptimizer",
        slots=_counted(MOMENTUM),
        tf1="a = momentum a + g; var -= lr a",
        keras="keras_v2.optimizers.TF1Momentum; Keras's SGD keeps -lr a",
        source=_KERNELS + "ApplyMomentum",
        slip=Slip(_STOCK + ": its slot holds the rate", "update"),
    ),
    _sparse(
        "momentum_sparse",
        "MomentumOptimizer, sparse",
        slots=_counted(MOMENTUM),
        tf1="the same" + _SUMMED,
        keras="keras_v2.optimizers.TF1Momentum",
        source=_KERNELS + "SparseApplyMomentum",
        slip=Slip("the gradient is made dense: all rows decay and move on", "update"),
    ),
    _dense(
        "nesterov",
        "MomentumOptimizer, use_nesterov",
        slots=_counted(MOMENTUM),
        tf1="a = momentum a + g; var -= lr g + lr momentum a",
        keras="keras_v2.optimizers.TF1Momentum(nesterov=True)",
        source=_KERNELS + "ApplyMomentum",
        slip=Slip("nesterov is left out", "update"),
    ),
    _dense(
        "adagrad",
        "AdagradOptimizer",
        slots=_counted(ADAGRAD),
        tf1="a += g^2, from 0.1; var -= lr g / sqrt(a)",
        keras="keras_v2.optimizers.TF1Adagrad",
        source=_KERNELS + "ApplyAdagrad",
        slip=Slip(_STOCK + ": it adds 1e-7 under the root", "update"),
    ),
    _sparse(
        "adagrad_sparse",
        "AdagradOptimizer, sparse",
        slots=_counted(ADAGRAD),
        tf1="the same" + _SUMMED,
        keras="keras_v2.optimizers.TF1Adagrad",
        source=_KERNELS + "SparseApplyAdagrad",
        slip=Slip(_STOCK + ": it squares repeats one by one", "update"),
    ),
    _dense(
        "adadelta",
        "AdadeltaOptimizer",
        slots=_counted(ADADELTA),
        tf1="a = rho a + (1 - rho) g^2; u = g sqrt(d + 1e-8) / sqrt(a + 1e-8); "
        "d = rho d + (1 - rho) u^2; var -= lr u",
        keras="keras_v2.optimizers.TF1Adadelta",
        source=_KERNELS + "ApplyAdadelta",
        slip=Slip(_STOCK + ": its epsilon is 1e-7", "update"),
    ),
    _sparse(
        "adadelta_sparse",
        "AdadeltaOptimizer, sparse",
        slots=_counted(ADADELTA),
        tf1="the same" + _SUMMED,
        keras="keras_v2.optimizers.TF1Adadelta",
        source=_KERNELS + "SparseApplyAdadelta",
        slip=Slip("the gradient is made dense: all rows decay", "update"),
    ),
    _dense(
        "ftrl",
        "FtrlOptimizer, both penalties",
        slots=_counted(FTRL),
        tf1="z += g - (sqrt(n + g^2) - sqrt(n)) / lr var; n += g^2, from 0.1; "
        "var = (sign(z) l1 - z) / (sqrt(n) / lr + 2 l2), 0 where |z| is at most l1",
        keras="keras_v2.optimizers.TF1Ftrl",
        source=_KERNELS + "ApplyFtrl",
        slip=Slip("the penalties are left out", "update"),
    ),
    _sparse(
        "ftrl_sparse",
        "FtrlOptimizer, both penalties, sparse",
        slots=_counted(FTRL),
        tf1="the same" + _SUMMED,
        keras="keras_v2.optimizers.TF1Ftrl",
        source=_KERNELS + "SparseApplyFtrl",
        slip=Slip(_STOCK + ": it changes all rows", "update"),
    ),
    _dense(
        "adam_weight_decay",
        "BERT's AdamWeightDecayOptimizer",
        slots=_counted(ADAM_WEIGHT_DECAY),
        tf1="m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; "
        "var -= lr (m / (sqrt(v) + 1e-6) + decay var), no decay of biases; the step is not counted",
        keras="keras_v2.optimizers.AdamWeightDecay",
        source="optimization.py of google-research/bert",
        slip=Slip("Keras's AdamW is taken: it corrects the means for their start", "update"),
    ),
    _sparse(
        "adam_weight_decay_sparse",
        "BERT's AdamWeightDecayOptimizer on an embedding",
        slots=_counted(ADAM_WEIGHT_DECAY),
        tf1="the same: a sparse gradient is made dense, all rows decay",
        keras="keras_v2.optimizers.AdamWeightDecay",
        source="optimization.py of google-research/bert",
        slip=Slip("Keras's AdamW is taken: it corrects the means for their start", "update"),
    ),
)
