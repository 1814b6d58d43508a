"""Keras optimizers that update weights and slots exactly as TensorFlow 1's optimizers did."""

from keras_v2.optimizers.adadelta import TF1Adadelta
from keras_v2.optimizers.adagrad import TF1Adagrad
from keras_v2.optimizers.adam import TF1Adam
from keras_v2.optimizers.adam_weight_decay import AdamWeightDecay
from keras_v2.optimizers.base import TF1Optimizer
from keras_v2.optimizers.ftrl import TF1Ftrl
from keras_v2.optimizers.momentum import TF1Momentum
from keras_v2.optimizers.rmsprop import TF1RMSprop

__all__ = [
    "AdamWeightDecay",
    "TF1Adadelta",
    "TF1Adagrad",
    "TF1Adam",
    "TF1Ftrl",
    "TF1Momentum",
    "TF1Optimizer",
    "TF1RMSprop",
]
