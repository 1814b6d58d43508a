"""Keras optimizers that update weights and slots exactly as TensorFlow 1's optimizers did."""

from typing import Any

import keras
import numpy as np
from keras import ops
from keras.initializers import Constant


def through_float32(hyperparameter: Any, dtype: str) -> Any:
    """Rounds a hyperparameter as TensorFlow 1 did: to float32 first, whatever the variable is.

    `_prepare` of TF1's optimizers makes a float32 tensor of a Python number, `_apply_*` casts it
    to the variable's type. So a float64 variable decays by 0.899999976..., not by 0.9.

    XLA on a GPU takes two casts for none, so a learning rate is rounded when an optimizer is made
    (`rounded_rate`). What a schedule computes in float64 is left as it is there.
    """
    return ops.cast(ops.convert_to_tensor(hyperparameter, dtype="float32"), dtype)


def rounded_rate(learning_rate: Any) -> Any:
    """Rounds a learning rate to float32 if it is a number; a schedule is returned as it is."""
    return float(np.float32(learning_rate)) if isinstance(learning_rate, float) else learning_rate


def summed_gradient(gradient: Any, variable: Any) -> tuple[Any, Any]:
    """Sums what a sparse gradient says about the same row, and tells which rows it names.

    A lookup in an embedding gives TensorFlow a `tf.IndexedSlices`: one slice for each id looked
    up, repeated ids included. TF1 sums the repeats before any optimizer sees them
    (`_deduplicate_indexed_slices` in tensorflow/python/training/optimizer.py). Here they are
    summed into a dense gradient of fixed shape, so that XLA can compile the step.

    Args:
        gradient: a dense gradient, or slices (n, ...) with the indices (n,) of their rows.
        variable: what the gradient is for, (rows, ...).

    Returns:
        The gradient as a dense tensor (rows, ...), and what of the variable it is about: a
        boolean mask (rows, 1, ...), or True for a gradient that was dense from the start.
    """
    if not hasattr(gradient, "dense_shape"):  # only slices know the shape that they stand for
        return gradient, True
    rows = variable.shape[0]
    indices = gradient.indices  # (n,)
    dense = ops.segment_sum(gradient.values, indices, num_segments=rows)  # (rows, ...)
    ones = ops.ones_like(indices, dtype=dense.dtype)
    count = ops.segment_sum(ones, indices, num_segments=rows)  # (rows,)
    return dense, ops.reshape(count > 0, (rows,) + (1,) * (len(variable.shape) - 1))


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1RMSprop(keras.Optimizer):  # type: ignore[misc]  # Keras ships no annotations
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
        super().__init__(rounded_rate(learning_rate), name=name, **kwargs)
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

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Applies one gradient to one variable and to its slots."""
        index = self._get_variable_index(variable)
        ms, mom = self._velocities[index], self._momentums[index]
        lr, rho, momentum, epsilon = (
            through_float32(value, ms.dtype)
            for value in (learning_rate, self.rho, self.momentum, self.epsilon)
        )
        gradient, touched = summed_gradient(ops.cast(gradient, ms.dtype), variable)

        new_ms = ms + (ops.square(gradient) - ms) * (1 - rho)
        divisor = new_ms + epsilon
        if self.centered:
            mg = self._average_gradients[index]
            new_mg = mg + (gradient - mg) * (1 - rho)
            divisor = new_ms - ops.square(new_mg) + epsilon
            self.assign(mg, ops.where(touched, new_mg, mg))
        new_mom = momentum * mom + lr * gradient / ops.sqrt(divisor)

        self.assign(ms, ops.where(touched, new_ms, ms))
        self.assign(mom, ops.where(touched, new_mom, mom))
        self.assign_sub(variable, ops.where(touched, new_mom, 0))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1Adam(keras.Optimizer):  # type: ignore[misc]  # Keras ships no annotations
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
        super().__init__(rounded_rate(learning_rate), name=name, **kwargs)
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

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Applies one gradient to one variable and to its slots."""
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        lr, beta_1, beta_2, epsilon = (
            through_float32(value, m.dtype)
            for value in (learning_rate, self.beta_1, self.beta_2, self.epsilon)
        )
        beta1_power, beta2_power = (
            ops.cast(power, m.dtype) for power in (self._beta1_power, self._beta2_power)
        )
        gradient, _ = summed_gradient(ops.cast(gradient, m.dtype), variable)

        rate = lr * ops.sqrt(1 - beta2_power) / (1 - beta1_power)
        new_m = m + (gradient - m) * (1 - beta_1)
        new_v = v + (ops.square(gradient) - v) * (1 - beta_2)

        self.assign(m, new_m)
        self.assign(v, new_v)
        self.assign_sub(variable, new_m * rate / (ops.sqrt(new_v) + epsilon))

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
