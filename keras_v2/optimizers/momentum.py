"""Momentum, also Nesterov's."""

from typing import Any

import keras

from keras_v2.optimizers import fused
from keras_v2.optimizers.base import TF1Optimizer


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1Momentum(TF1Optimizer):
    r"""Momentum with the arithmetic of `tf.compat.v1.train.MomentumOptimizer`.

    With a gradient g and the accumulator a (`momentum`):

        a   <- momentum a + g
        var <- var - lr a                           or, by Nesterov, var - lr g - lr momentum a

    A sparse gradient changes only the rows that it names; repeats are summed first.
    `keras.optimizers.SGD(momentum=...)` keeps -lr a in its slot. So it takes other steps from the
    moment on that the learning rate changes, a slot that is carried over has to be multiplied by
    the rate, and the slots of rows that do not occur decay.

    Args:
        learning_rate: step size, a float or a `keras.optimizers.schedules.LearningRateSchedule`.
        momentum: share of the accumulator that is kept.
        nesterov: whether to look ahead; TF1's `use_nesterov`.
        name: prefix of the slots' paths.
        **kwargs: what every `keras.Optimizer` takes, such as `clipnorm`.

    References:
        tensorflow/python/training/momentum.py; ApplyMomentum and SparseApplyMomentum in
        tensorflow/core/kernels/training_ops.cc (TensorFlow 1.15).

    >>> TF1Momentum(0.1, momentum=0.9).get_config()["momentum"]
    0.9
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        momentum: float,
        nesterov: bool = False,
        name: str = "momentum",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: list[Any]) -> None:
        """Creates the accumulators."""
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def slots_of(self, variable: Any) -> list[Any]:
        """Returns the accumulator."""
        return [self._momentums[self._get_variable_index(variable)]]

    def step(self, value: Any, slots: list[Any], gradient: Any, rate: Any) -> tuple[Any, list[Any]]:
        """Returns the new value and accumulator, by the formula."""
        momentum = self.number(self.momentum, slots[0])
        accumulator = momentum * slots[0] + gradient
        ahead = gradient + momentum * accumulator if self.nesterov else accumulator
        return value - rate * ahead, [accumulator]

    def apply_kernel(self, variable: Any, slots: list[Any], gradient: Any, rate: Any) -> None:
        """Applies a gradient by ApplyMomentum."""
        fused.apply(
            "Momentum",
            variable,
            {"accum": slots[0]},
            gradient,
            lr=rate,
            momentum=self.number(self.momentum, variable),
            use_nesterov=self.nesterov,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {"momentum": self.momentum, "nesterov": self.nesterov}
