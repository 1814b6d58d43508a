"""BERT's Adam with weight decay."""

import re
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_v2.optimizers.base import rounded_rate, summed_gradient

EXCLUDED = ("layer_normalization", "bias", "beta", "gamma")


@keras.saving.register_keras_serializable(package="keras_v2")
class AdamWeightDecay(keras.Optimizer):  # type: ignore[misc]  # Keras ships no annotations
    r"""Adam without bias correction, whose decay is added to the update, as BERT trains.

    With a gradient g and the running means m (`momentum`) and v (`velocity`):

        m      <- beta_1 m + (1 - beta_1) g
        v      <- beta_2 v + (1 - beta_2) g^2
        update <- m / (sqrt(v) + epsilon) + weight_decay var        no decay where excluded
        var    <- var - lr update

    `keras.optimizers.AdamW` corrects the means for their start at zero, so that its first step is
    sqrt(1 - beta_2) / (1 - beta_1), 0.32, of this one; and its epsilon is 1e-7. Gradients of an
    embedding are dense here, as they are in BERT: all rows decay.

    Args:
        learning_rate: step size, a float or a `keras.optimizers.schedules.LearningRateSchedule`.
        weight_decay: TF1's `weight_decay_rate`.
        beta_1: decay of the mean gradient.
        beta_2: decay of the mean square.
        epsilon: added to the root.
        exclude: regular expressions; a variable whose path has one of them does not decay. BERT
            excludes LayerNorm and biases, which have these names in Keras.
        name: prefix of the slots' paths.
        **kwargs: what every `keras.Optimizer` takes; BERT clips by `global_clipnorm=1.0`.

    References:
        `AdamWeightDecayOptimizer` in optimization.py of google-research/bert.
        Loshchilov and Hutter, Decoupled Weight Decay Regularization.

    >>> AdamWeightDecay(2e-5, weight_decay=0.01).epsilon
    1e-06
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        weight_decay: float = 0.0,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        exclude: Sequence[str] = EXCLUDED,
        name: str = "adam_weight_decay",
        **kwargs: Any,
    ) -> None:
        super().__init__(rounded_rate(learning_rate), name=name, **kwargs)
        self.decay_rate = weight_decay  # Keras's own `weight_decay` is another
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.exclude = tuple(exclude)

    def build(self, variables: list[Any]) -> None:
        """Creates the running means."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )

    def decays(self, path: str) -> bool:
        """Tells whether the variable of a path decays."""
        return not any(re.search(each, path) for each in self.exclude)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Applies one gradient to one variable and to its slots."""
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        gradient, _ = summed_gradient(ops.cast(gradient, variable.dtype), variable)
        # Python numbers times tensors: BERT rounds none of them to float32 first.
        self.assign(m, self.beta_1 * m + (1.0 - self.beta_1) * gradient)
        self.assign(v, self.beta_2 * v + (1.0 - self.beta_2) * ops.square(gradient))
        update = m / (ops.sqrt(v) + self.epsilon)
        if self.decays(self._trainable_variables[index].path):
            update = update + self.decay_rate * variable
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * update)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal optimizer, without its slots."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "weight_decay": self.decay_rate,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "exclude": list(self.exclude),
        }
