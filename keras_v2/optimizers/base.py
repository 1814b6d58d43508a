"""What optimizers with TensorFlow 1's arithmetic share."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_v2.optimizers import fused


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
    if not fused.is_sparse(gradient):
        return gradient, True
    rows = variable.shape[0]
    indices = gradient.indices  # (n,)
    dense = ops.segment_sum(gradient.values, indices, num_segments=rows)  # (rows, ...)
    ones = ops.ones_like(indices, dtype=dense.dtype)
    count = ops.segment_sum(ones, indices, num_segments=rows)  # (rows,)
    return dense, ops.reshape(count > 0, (rows,) + (1,) * (len(variable.shape) - 1))


class TF1Optimizer(keras.Optimizer):  # type: ignore[misc]  # Keras ships no annotations
    """Applies a gradient by TensorFlow's own kernel where it can, by the formula elsewhere.

    A subclass has its hyperparameters as attributes, makes its slots in `build`, and says in
    `slots_of`, `step` and `apply_kernel` what it does with them. A sparse gradient changes only the
    rows that it names, of the variable and of every slot; repeats are summed first.

    With `use_ema=True` it keeps `tf.compat.v1.train.ExponentialMovingAverage` of each weight:

        average <- average - (average - var) (1 - decay)

    which starts at the weight; Keras's own starts at what the first step makes of it. With
    `ema_num_updates=True`, decay is min(ema_momentum, (1 + n) / (10 + n)) after n steps, as where
    TF1 is given the global step.
    """

    def __init__(
        self, learning_rate: Any, name: str, ema_num_updates: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(rounded_rate(learning_rate), name=name, **kwargs)
        self.ema_num_updates = ema_num_updates

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Any:
        """Creates what belongs to a weight; an average starts at it."""
        if name == "average":

            def initializer(shape: Any, dtype: Any = None) -> Any:
                return ops.convert_to_tensor(reference_variable, dtype)

        return super().add_variable_from_reference(reference_variable, name, initializer)

    def _update_model_variables_moving_average(self, trainable_variables: list[Any]) -> None:
        """Moves the averages; Keras calls it after each step, before it counts the step."""
        decay = ops.convert_to_tensor(self.ema_momentum, dtype="float32")
        if self.ema_num_updates:
            done = ops.cast(self.iterations, "float32") + 1.0
            decay = ops.minimum(decay, (1.0 + done) / (10.0 + done))
        for variable, average in zip(
            trainable_variables, self._model_variables_moving_average, strict=True
        ):
            away = average - variable
            average.assign(average - away * ops.cast(1.0 - decay, variable.dtype))

    def slots_of(self, variable: Any) -> list[Any]:
        """Returns the slots of a variable."""
        raise NotImplementedError

    def step(self, value: Any, slots: list[Any], gradient: Any, rate: Any) -> tuple[Any, list[Any]]:
        """Returns what a dense gradient makes of a value and its slots; changes nothing."""
        raise NotImplementedError

    def apply_kernel(self, variable: Any, slots: list[Any], gradient: Any, rate: Any) -> None:
        """Applies a gradient, dense or sparse, by TensorFlow's kernel."""
        raise NotImplementedError

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Applies one gradient to one variable and to its slots."""
        slots = self.slots_of(variable)
        gradient, rate = (ops.cast(gradient, variable.dtype), self.number(learning_rate, variable))
        if fused.possible(variable, gradient):
            self.apply_kernel(variable, slots, gradient, rate)
            return
        gradient, touched = summed_gradient(gradient, variable)
        value, new_slots = self.step(ops.convert_to_tensor(variable), slots, gradient, rate)
        for held, new in zip([*slots, variable], [*new_slots, value], strict=True):
            self.assign(held, new if touched is True else ops.where(touched, new, held))

    def number(self, hyperparameter: Any, variable: Any) -> Any:
        """Returns a hyperparameter as TensorFlow 1 rounds it, in the dtype of a variable."""
        return through_float32(hyperparameter, variable.dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {"ema_num_updates": self.ema_num_updates}
