"""Optimizers."""

from __future__ import annotations

from typing import Any

import keras

from keras_v2 import optimizers
from keras_v2.atoms.optimizers import RATE, dense, sparse
from keras_v2.optimizers.base import summed_gradient

START = 0.125  # the first rate


def densely(optimizer: Any) -> Any:
    """Has an optimizer see no sparse gradient."""
    update = optimizer.update_step

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        update(summed_gradient(gradient, variable)[0], variable, learning_rate)

    optimizer.update_step = update_step
    return optimizer


def sgd() -> keras.Model:
    return dense(keras.optimizers.SGD(START))


def sgd_sparse() -> keras.Model:
    return sparse(keras.optimizers.SGD(START))


def adam() -> keras.Model:
    return dense(optimizers.TF1Adam(RATE, epsilon=1e-7))


def adam_sparse() -> keras.Model:
    return sparse(keras.optimizers.Adam(RATE, epsilon=1e-8))


def rmsprop() -> keras.Model:
    return dense(keras.optimizers.RMSprop(RATE, momentum=0.5))


def rmsprop_sparse() -> keras.Model:
    return sparse(densely(optimizers.TF1RMSprop(RATE, momentum=0.5)))


def rmsprop_centered() -> keras.Model:
    return dense(keras.optimizers.RMSprop(RATE, epsilon=1e-4, centered=True))


def momentum() -> keras.Model:
    return dense(keras.optimizers.SGD(RATE, momentum=0.9))


def momentum_sparse() -> keras.Model:
    return sparse(densely(optimizers.TF1Momentum(RATE, 0.9)))


def nesterov() -> keras.Model:
    return dense(optimizers.TF1Momentum(RATE, 0.9))


def adagrad() -> keras.Model:
    return dense(keras.optimizers.Adagrad(RATE))


def adagrad_sparse() -> keras.Model:
    return sparse(keras.optimizers.Adagrad(RATE))


def adadelta() -> keras.Model:
    return dense(keras.optimizers.Adadelta(RATE))


def adadelta_sparse() -> keras.Model:
    return sparse(densely(optimizers.TF1Adadelta(RATE)))


def ftrl() -> keras.Model:
    return dense(optimizers.TF1Ftrl(RATE))


def ftrl_sparse() -> keras.Model:
    return sparse(
        keras.optimizers.Ftrl(
            RATE, l1_regularization_strength=0.001, l2_regularization_strength=0.01
        )
    )


def adam_weight_decay() -> keras.Model:
    return dense(keras.optimizers.AdamW(RATE, weight_decay=0.01, epsilon=1e-6))


def adam_weight_decay_sparse() -> keras.Model:
    return sparse(keras.optimizers.AdamW(RATE, weight_decay=0.01, epsilon=1e-6))
