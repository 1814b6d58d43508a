"""FTRL."""

from typing import Any

import keras
import numpy as np
from keras import ops
from keras.initializers import Constant

from keras_v2.optimizers import fused
from keras_v2.optimizers.base import TF1Optimizer


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1Ftrl(TF1Optimizer):
    r"""FTRL-proximal with the arithmetic of `tf.compat.v1.train.FtrlOptimizer`.

    With a gradient g, the sum of squares n (`accumulator`) and z (`linear`), p = -power:

        n'  <- n + g^2                                              n = 0.1 at the start
        z   <- z + g - (n'^p - n^p) / lr var
        var <- 0 if |z| <= l1, else (sign(z) l1 - z) / (n'^p / lr + 2 l2)
        n   <- n'

    A sparse gradient changes only the rows that it names; repeats are summed first.
    `keras.optimizers.Ftrl` is the same formula with other defaults, squares the repeats of a row
    one by one, and changes all rows.

    Args:
        learning_rate: step size, a float or a `keras.optimizers.schedules.LearningRateSchedule`.
        learning_rate_power: at most zero.
        initial_accumulator_value: of every sum of squares.
        l1: strength of the L1 penalty; TF1's `l1_regularization_strength`.
        l2: strength of the L2 penalty; TF1's `l2_regularization_strength`.
        name: prefix of the slots' paths.
        **kwargs: what every `keras.Optimizer` takes, such as `clipnorm`.

    References:
        tensorflow/python/training/ftrl.py; ApplyFtrl and SparseApplyFtrl in
        tensorflow/core/kernels/training_ops.cc (TensorFlow 1.15).
        McMahan et al., Ad Click Prediction: a View from the Trenches.

    >>> TF1Ftrl(0.1, l1=0.01).learning_rate_power
    -0.5
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1: float = 0.0,
        l2: float = 0.0,
        name: str = "ftrl",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1 = l1
        self.l2 = l2

    def build(self, variables: list[Any]) -> None:
        """Creates the sums."""
        if self.built:
            return
        super().build(variables)
        # Not a Python number, which becomes a float32 one on its way.
        start = Constant(np.float64(self.initial_accumulator_value))
        self._accumulators = self.add_optimizer_variables(variables, "accumulator", start)
        self._linears = self.add_optimizer_variables(variables, "linear")

    def slots_of(self, variable: Any) -> list[Any]:
        """Returns the sum of squares and the linear sum."""
        index = self._get_variable_index(variable)
        return [self._accumulators[index], self._linears[index]]

    def step(self, value: Any, slots: list[Any], gradient: Any, rate: Any) -> tuple[Any, list[Any]]:
        """Returns the new value and sums, by the formula."""
        old, linear = slots
        power, l1, l2 = (
            self.number(each, old) for each in (-self.learning_rate_power, self.l1, self.l2)
        )
        new = old + ops.square(gradient)
        root = ops.power(new, power)
        linear = linear + gradient - (root - ops.power(old, power)) / rate * value
        shrunk = (ops.sign(linear) * l1 - linear) / (root / rate + 2 * l2)
        return ops.where(ops.abs(linear) > l1, shrunk, 0), [new, linear]

    def apply_kernel(self, variable: Any, slots: list[Any], gradient: Any, rate: Any) -> None:
        """Applies a gradient by ApplyFtrl."""
        fused.apply(
            "Ftrl",
            variable,
            {"accum": slots[0], "linear": slots[1]},
            gradient,
            lr=rate,
            l1=self.number(self.l1, variable),
            l2=self.number(self.l2, variable),
            lr_power=self.number(self.learning_rate_power, variable),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1": self.l1,
            "l2": self.l2,
        }
