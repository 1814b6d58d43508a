"""Adadelta."""

from typing import Any

import keras
from keras import ops

from keras_v2.optimizers import fused
from keras_v2.optimizers.base import TF1Optimizer


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1Adadelta(TF1Optimizer):
    r"""Adadelta with the arithmetic of `tf.compat.v1.train.AdadeltaOptimizer`.

    With a gradient g and the running means of squares, a (`accumulated_grad`) of gradients and d
    (`accumulated_delta_var`) of increments:

        a         <- rho a + (1 - rho) g^2
        increment <- g sqrt(d + epsilon) / sqrt(a + epsilon)
        d         <- rho d + (1 - rho) increment^2
        var       <- var - lr increment

    A sparse gradient changes only the rows that it names; repeats are summed first. The epsilon of
    `keras.optimizers.Adadelta` is 1e-7. Since increments start at the root of epsilon, its first
    steps are 3.2 times as long.

    Args:
        learning_rate: step size, a float or a `keras.optimizers.schedules.LearningRateSchedule`.
        rho: decay of the running means.
        epsilon: added inside both roots.
        name: prefix of the slots' paths.
        **kwargs: what every `keras.Optimizer` takes, such as `clipnorm`.

    References:
        tensorflow/python/training/adadelta.py; ApplyAdadelta and SparseApplyAdadelta in
        tensorflow/core/kernels/training_ops.cc (TensorFlow 1.15).

    >>> TF1Adadelta().epsilon
    1e-08
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-8,
        name: str = "adadelta",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: list[Any]) -> None:
        """Creates the two running means."""
        if self.built:
            return
        super().build(variables)
        self._gradients, self._increments = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def slots_of(self, variable: Any) -> list[Any]:
        """Returns the running means of squared gradients and increments."""
        index = self._get_variable_index(variable)
        return [self._gradients[index], self._increments[index]]

    def step(self, value: Any, slots: list[Any], gradient: Any, rate: Any) -> tuple[Any, list[Any]]:
        """Returns the new value and means, by the formula."""
        gradients, increments = slots
        rho, epsilon = (self.number(each, gradients) for each in (self.rho, self.epsilon))
        gradients = gradients * rho + ops.square(gradient) * (1 - rho)
        increment = ops.sqrt(increments + epsilon) * ops.rsqrt(gradients + epsilon) * gradient
        increments = increments * rho + ops.square(increment) * (1 - rho)
        return value - increment * rate, [gradients, increments]

    def apply_kernel(self, variable: Any, slots: list[Any], gradient: Any, rate: Any) -> None:
        """Applies a gradient by ApplyAdadelta."""
        fused.apply(
            "Adadelta",
            variable,
            {"accum": slots[0], "accum_update": slots[1]},
            gradient,
            lr=rate,
            rho=self.number(self.rho, variable),
            epsilon=self.number(self.epsilon, variable),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {"rho": self.rho, "epsilon": self.epsilon}
