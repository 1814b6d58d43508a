"""RMSProp."""

from typing import Any

import keras
from keras import ops

from keras_v2.optimizers import fused
from keras_v2.optimizers.base import TF1Optimizer


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1RMSprop(TF1Optimizer):
    r"""RMSProp with the arithmetic of `tf.compat.v1.train.RMSPropOptimizer`.

    With a gradient g, the mean square ms (`velocity`) and the increment mom (`momentum`):

        ms  <- ms + (g^2 - ms) (1 - rho)                                ms = 1 at the start
        mg  <- mg + (g - mg) (1 - rho)                                  only if centered
        mom <- momentum mom + lr g / sqrt(ms [- mg^2] + epsilon)
        var <- var - mom

    A sparse gradient changes only the rows that it names, of the variable and of every slot;
    repeats are summed first. `keras.optimizers.RMSprop` differs in all of these:

    - Its mean square starts at 0. So its first step is sqrt((0.9 + 0.1 g^2) / (0.1 g^2)) times
      as long: 3.2 times for g = 1, 30 times for g = 0.1.
    - It squares the repeats of a row one by one: sum(g_i^2) in place of (sum g_i)^2.
    - It decays the slots of all rows, named or not.
    - Its epsilon is 1e-7, and it has a momentum slot only if there is momentum.

    Only TensorFlow has sparse gradients. On other backends, and with Keras's own
    `gradient_accumulation_steps` or `global_clipnorm`, the gradient of an embedding is dense and
    all of its rows decay, as they would in TF1 with a dense gradient. A row of zeros does not
    stand in for an absent one: in a dense layer TF1 decays it.

    Args:
        learning_rate: step size, a float or a `keras.optimizers.schedules.LearningRateSchedule`.
        rho: decay of the running means; TF1's `decay`.
        momentum: share of the last increment that is added to the next.
        epsilon: added inside the square root.
        centered: whether to divide by the running variance in place of the mean square.
        name: prefix of the slots' paths.
        **kwargs: what every `keras.Optimizer` takes, such as `clipnorm`.

    References:
        `_create_slots`, `_prepare` in tensorflow/python/training/rmsprop.py;
        ApplyRMSProp, ApplyCenteredRMSProp and their Sparse twins in
        tensorflow/core/kernels/training_ops.cc (TensorFlow 1.15).
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-10,
        centered: bool = False,
        name: str = "rmsprop",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: list[Any]) -> None:
        """Creates the slots: all that TF1 keeps, `momentum` included when there is none."""
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity", "ones")
        self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def slots_of(self, variable: Any) -> list[Any]:
        """Returns mean square, increment and, if centered, mean gradient."""
        index = self._get_variable_index(variable)
        slots = [self._velocities[index], self._momentums[index]]
        return [*slots, self._average_gradients[index]] if self.centered else slots

    def step(self, value: Any, slots: list[Any], gradient: Any, rate: Any) -> tuple[Any, list[Any]]:
        """Returns the new value and slots, by the formula."""
        ms, mom, *mg = slots
        rho, momentum, epsilon = (
            self.number(each, ms) for each in (self.rho, self.momentum, self.epsilon)
        )
        new_ms = ms + (ops.square(gradient) - ms) * (1 - rho)
        new_mg = [each + (gradient - each) * (1 - rho) for each in mg]
        variance = new_ms - ops.square(new_mg[0]) if new_mg else new_ms
        new_mom = momentum * mom + rate * gradient / ops.sqrt(variance + epsilon)
        return value - new_mom, [new_ms, new_mom, *new_mg]

    def apply_kernel(self, variable: Any, slots: list[Any], gradient: Any, rate: Any) -> None:
        """Applies a gradient by ApplyRMSProp, or ApplyCenteredRMSProp."""
        kernel = "CenteredRMSProp" if self.centered else "RMSProp"
        fused.apply(
            kernel,
            variable,
            dict(zip(("ms", "mom", "mg"), slots, strict=False)),
            gradient,
            lr=rate,
            rho=self.number(self.rho, variable),
            momentum=self.number(self.momentum, variable),
            epsilon=self.number(self.epsilon, variable),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
