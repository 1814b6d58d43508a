"""Optimizers, on the dense gradients of a layer and on the sparse ones of an embedding.

The rate falls twice. In a batch of ids rows of the embedding repeat, and some do not occur.
"""

import keras
from keras import layers, ops
from keras.optimizers.schedules import PiecewiseConstantDecay

from keras_v2 import optimizers
from keras_v2.atoms.fitted import fitted

FEATURES, ROWS, TIME, UNITS = 4, 40, 3, 3
RATE = PiecewiseConstantDecay([29, 59], [0.125, 0.0625, 0.03125])


def dense(optimizer: keras.Optimizer) -> keras.Model:
    """Trains a layer."""
    x = keras.Input((FEATURES,), name="x")
    return fitted(x, layers.Dense(UNITS, name="dense")(x), optimizer)  # (batch, units)


def sparse(optimizer: keras.Optimizer) -> keras.Model:
    """Trains an embedding."""
    x = keras.Input((TIME,), dtype="int32", name="x")
    vectors = layers.Embedding(ROWS, UNITS, name="embedding")(x)  # (batch, time, units)
    return fitted(x, ops.mean(vectors, axis=1), optimizer)


def sgd() -> keras.Model:
    """Keras's own."""
    return dense(keras.optimizers.SGD(RATE))


def sgd_sparse() -> keras.Model:
    """Keras's own."""
    return sparse(keras.optimizers.SGD(RATE))


def adam() -> keras.Model:
    """`TF1Adam`."""
    return dense(optimizers.TF1Adam(RATE))


def adam_sparse() -> keras.Model:
    """`TF1Adam`."""
    return sparse(optimizers.TF1Adam(RATE))


def rmsprop() -> keras.Model:
    """`TF1RMSprop` with momentum."""
    return dense(optimizers.TF1RMSprop(RATE, momentum=0.5))


def rmsprop_sparse() -> keras.Model:
    """`TF1RMSprop` with momentum."""
    return sparse(optimizers.TF1RMSprop(RATE, momentum=0.5))


def rmsprop_centered() -> keras.Model:
    """`TF1RMSprop`, centered."""
    return dense(optimizers.TF1RMSprop(RATE, epsilon=1e-4, centered=True))


def momentum() -> keras.Model:
    """`TF1Momentum`."""
    return dense(optimizers.TF1Momentum(RATE, 0.9))


def momentum_sparse() -> keras.Model:
    """`TF1Momentum`."""
    return sparse(optimizers.TF1Momentum(RATE, 0.9))


def nesterov() -> keras.Model:
    """`TF1Momentum`, Nesterov's."""
    return dense(optimizers.TF1Momentum(RATE, 0.9, nesterov=True))


def adagrad() -> keras.Model:
    """`TF1Adagrad`."""
    return dense(optimizers.TF1Adagrad(RATE))


def adagrad_sparse() -> keras.Model:
    """`TF1Adagrad`."""
    return sparse(optimizers.TF1Adagrad(RATE))


def adadelta() -> keras.Model:
    """`TF1Adadelta`."""
    return dense(optimizers.TF1Adadelta(RATE))


def adadelta_sparse() -> keras.Model:
    """`TF1Adadelta`."""
    return sparse(optimizers.TF1Adadelta(RATE))


def ftrl() -> keras.Model:
    """`TF1Ftrl`, with both penalties."""
    return dense(optimizers.TF1Ftrl(RATE, l1=0.001, l2=0.01))


def ftrl_sparse() -> keras.Model:
    """`TF1Ftrl`, with both penalties."""
    return sparse(optimizers.TF1Ftrl(RATE, l1=0.001, l2=0.01))


def adam_weight_decay() -> keras.Model:
    """`AdamWeightDecay`."""
    return dense(optimizers.AdamWeightDecay(RATE, weight_decay=0.01))


def adam_weight_decay_sparse() -> keras.Model:
    """`AdamWeightDecay`."""
    return sparse(optimizers.AdamWeightDecay(RATE, weight_decay=0.01))
