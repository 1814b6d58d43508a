"""Adam."""

from typing import Any

import keras
from keras import ops
from keras.initializers import Constant

from keras_v2.optimizers import fused
from keras_v2.optimizers.base import TF1Optimizer, summed_gradient, through_float32


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1Adam(TF1Optimizer):
    r"""Adam with the arithmetic of `tf.compat.v1.train.AdamOptimizer`.

    With a gradient g, the running means m (`momentum`) and v (`velocity`), and the powers p1, p2
    of the two decays (`beta1_power`, `beta2_power`):

        rate <- lr sqrt(1 - p2) / (1 - p1)                  p1 = beta_1, p2 = beta_2 at the start
        m    <- m + (g - m) (1 - beta_1)
        v    <- v + (g^2 - v) (1 - beta_2)
        var  <- var - rate m / (sqrt(v) + epsilon)
        p1   <- p1 beta_1,  p2 <- p2 beta_2                 once a step, in float32

    A sparse gradient is not lazy: the rows that it does not name decay and move on as well.
    Repeats are summed first. `keras.optimizers.Adam` differs in three ways:

    - It squares the repeats of a row one by one: sum(g_i^2) in place of (sum g_i)^2.
    - Its epsilon is 1e-7: a steady gradient of 1e-7 moves a weight half as far.
    - It computes the powers in the variable's type. TF1 keeps them in float32 whatever the
      variable is: a float64 step is off by up to 7e-6 of itself, and so is this one.

    Args:
        learning_rate: step size, a float or a `keras.optimizers.schedules.LearningRateSchedule`.
        beta_1: decay of the mean gradient; TF1's `beta1`.
        beta_2: decay of the mean square; TF1's `beta2`.
        epsilon: added to the root, which makes it the "epsilon hat" of the paper.
        name: prefix of the slots' paths.
        **kwargs: what every `keras.Optimizer` takes, such as `clipnorm`.

    References:
        `_create_slots`, `_prepare`, `_apply_sparse_shared`, `_finish` in
        tensorflow/python/training/adam.py; ApplyAdam in
        tensorflow/core/kernels/training_ops.cc (TensorFlow 1.15).
        Kingma and Ba, Adam: A Method for Stochastic Optimization, the end of section 2.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        name: str = "adam",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: list[Any]) -> None:
        """Creates the slots, and the two powers that all variables share."""
        if self.built:
            return
        super().build(variables)
        self._beta1_power, self._beta2_power = (
            self.add_variable((), Constant(beta), dtype="float32", name=name)
            for name, beta in (("beta1_power", self.beta_1), ("beta2_power", self.beta_2))
        )
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )

    def slots_of(self, variable: Any) -> list[Any]:
        """Returns the running means of the gradient and of its square."""
        index = self._get_variable_index(variable)
        return [self._momentums[index], self._velocities[index]]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Applies one gradient to one variable and to its slots, sparse or not to all rows."""
        if not fused.possible(variable, gradient):
            gradient, _ = summed_gradient(gradient, variable)
        super().update_step(gradient, variable, learning_rate)

    def step(self, value: Any, slots: list[Any], gradient: Any, rate: Any) -> tuple[Any, list[Any]]:
        """Returns the new value and slots, by the formula."""
        m, v = slots
        beta_1, beta_2, epsilon = self._numbers(m)
        new_m = m + (gradient - m) * (1 - beta_1)
        new_v = v + (ops.square(gradient) - v) * (1 - beta_2)
        return value - new_m * self._corrected(rate, m) / (ops.sqrt(new_v) + epsilon), [
            new_m,
            new_v,
        ]

    def apply_kernel(self, variable: Any, slots: list[Any], gradient: Any, rate: Any) -> None:
        """Applies a gradient by ApplyAdam; a sparse one by the ops of `_apply_sparse_shared`."""
        m, v = slots
        beta_1, beta_2, epsilon = self._numbers(m)
        if fused.is_sparse(gradient):
            values, rows = fused.summed_slices(gradient)
            for slot, beta, part in ((m, beta_1, values), (v, beta_2, ops.square(values))):
                self.assign(slot, slot * beta)
                fused.scatter_add(slot, rows, part * (1 - beta))
            self.assign_sub(variable, self._corrected(rate, m) * m / (ops.sqrt(v) + epsilon))
            return
        powers = (ops.cast(each, m.dtype) for each in (self._beta1_power, self._beta2_power))
        fused.apply(
            "Adam",
            variable,
            {"m": m, "v": v},
            gradient,
            **dict(zip(("beta1_power", "beta2_power"), powers, strict=True)),
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=epsilon,
        )

    def _numbers(self, variable: Any) -> tuple[Any, Any, Any]:
        beta_1, beta_2, epsilon = (
            self.number(each, variable) for each in (self.beta_1, self.beta_2, self.epsilon)
        )
        return beta_1, beta_2, epsilon

    def _corrected(self, rate: Any, variable: Any) -> Any:
        """Returns the rate that makes up for means which start at zero."""
        beta1_power, beta2_power = (
            ops.cast(each, variable.dtype) for each in (self._beta1_power, self._beta2_power)
        )
        return rate * ops.sqrt(1 - beta2_power) / (1 - beta1_power)

    def _backend_update_step(
        self, grads: list[Any], trainable_variables: list[Any], learning_rate: Any
    ) -> None:
        """Updates all variables, then the powers: where `keras.optimizers.Nadam` has its own."""
        super()._backend_update_step(grads, trainable_variables, learning_rate)
        for power, beta in (self._beta1_power, self.beta_1), (self._beta2_power, self.beta_2):
            self.assign(power, power * through_float32(beta, "float32"))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
