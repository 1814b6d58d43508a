"""Adagrad."""

from typing import Any

import keras
import numpy as np
from keras import ops
from keras.initializers import Constant

from keras_v2.optimizers import fused
from keras_v2.optimizers.base import TF1Optimizer


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1Adagrad(TF1Optimizer):
    r"""Adagrad with the arithmetic of `tf.compat.v1.train.AdagradOptimizer`.

    With a gradient g and the sum of squares a (`accumulator`):

        a   <- a + g^2                                  a = 0.1 at the start
        var <- var - lr g / sqrt(a)

    A sparse gradient changes only the rows that it names; repeats are summed first.
    `keras.optimizers.Adagrad` adds an epsilon of 1e-7 under the root, and squares the repeats of a
    row one by one.

    Args:
        learning_rate: step size, a float or a `keras.optimizers.schedules.LearningRateSchedule`.
            TensorFlow 1 has no default; Keras's is 0.001.
        initial_accumulator_value: of every sum.
        name: prefix of the slots' paths.
        **kwargs: what every `keras.Optimizer` takes, such as `clipnorm`.

    References:
        tensorflow/python/training/adagrad.py; ApplyAdagrad and SparseApplyAdagrad in
        tensorflow/core/kernels/training_ops.cc (TensorFlow 1.15).

    >>> TF1Adagrad(0.1).initial_accumulator_value
    0.1
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        initial_accumulator_value: float = 0.1,
        name: str = "adagrad",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value

    def build(self, variables: list[Any]) -> None:
        """Creates the sums of squares."""
        if self.built:
            return
        super().build(variables)
        # Not a Python number, which becomes a float32 one on its way.
        start = Constant(np.float64(self.initial_accumulator_value))
        self._accumulators = self.add_optimizer_variables(variables, "accumulator", start)

    def slots_of(self, variable: Any) -> list[Any]:
        """Returns the sum of squares."""
        return [self._accumulators[self._get_variable_index(variable)]]

    def step(self, value: Any, slots: list[Any], gradient: Any, rate: Any) -> tuple[Any, list[Any]]:
        """Returns the new value and sum, by the formula."""
        accumulator = slots[0] + ops.square(gradient)
        return value - rate * gradient * ops.rsqrt(accumulator), [accumulator]

    def apply_kernel(self, variable: Any, slots: list[Any], gradient: Any, rate: Any) -> None:
        """Applies a gradient by ApplyAdagrad."""
        fused.apply("Adagrad", variable, {"accum": slots[0]}, gradient, lr=rate)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {"initial_accumulator_value": self.initial_accumulator_value}
