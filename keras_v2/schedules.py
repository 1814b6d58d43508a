"""Learning rates of TensorFlow 1 that Keras 3 has not.

Keras has exponential, piecewise constant, polynomial, inverse time and cosine decay, with the
formulas of TensorFlow 1. Each schedule here is called with Keras's iteration, which is 0 at the
first step, as TensorFlow 1's global step is; and computes in float32, whatever the model does, as
both frameworks do with a rate that is a number of Python.
"""

import math
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

Rate = Any  # a schedule, or a number


class _Schedule(LearningRateSchedule):  # type: ignore[misc]  # Keras ships no annotations
    """Keeps the arguments that make it, in `arguments`."""

    arguments: dict[str, Any]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal schedule."""
        return dict(self.arguments)


def _float32(value: Any) -> Any:
    return ops.cast(value, "float32")


@keras.saving.register_keras_serializable(package="keras_v2")
class NaturalExpDecay(_Schedule):
    r"""`tf.compat.v1.train.natural_exp_decay`.

        rate(step) = rate exp(-decay_rate)^p,  p = step / decay_steps, whole if staircase

    `ExponentialDecay` has decay_rate^p in its place: exp(-0.5) is 0.61 after a decay step, not 0.5.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: steps that a decay takes.
        decay_rate: of the exponent.
        staircase: whether to decay at whole intervals.

    References:
        tensorflow/python/keras/optimizer_v2/legacy_learning_rate_decay.py (TensorFlow 1.15).

    >>> round(float(NaturalExpDecay(1.0, 10, 0.5)(10)), 4)
    0.6065
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
    ) -> None:
        super().__init__()
        self.arguments = {
            "initial_learning_rate": initial_learning_rate,
            "decay_steps": decay_steps,
            "decay_rate": decay_rate,
            "staircase": staircase,
        }

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step."""
        given = self.arguments
        passed = _float32(step) / _float32(given["decay_steps"])
        if given["staircase"]:
            passed = ops.floor(passed)
        kept = ops.exp(_float32(-given["decay_rate"]))  # rounded, before it is raised to a power
        return given["initial_learning_rate"] * ops.power(kept, passed)


@keras.saving.register_keras_serializable(package="keras_v2")
class LinearCosineDecay(_Schedule):
    r"""`tf.compat.v1.train.linear_cosine_decay`.

        p          = min(step, decay_steps) / decay_steps
        rate(step) = rate ((alpha + 1 - p) (1 + cos(2 pi num_periods p)) / 2 + beta)

    Args:
        initial_learning_rate: at step 0, where alpha and beta are 0.
        decay_steps: steps until the decay ends.
        num_periods: periods of the cosine until then.
        alpha: added to the linear part.
        beta: added to the product.

    References:
        tensorflow/python/keras/optimizer_v2/legacy_learning_rate_decay.py (TensorFlow 1.15).
        Bello et al., Neural Optimizer Search with Reinforcement Learning.

    >>> float(LinearCosineDecay(1.0, 10, alpha=0.0, beta=0.0)(10))
    0.0
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        num_periods: float = 0.5,
        alpha: float = 0.0,
        beta: float = 0.001,
    ) -> None:
        super().__init__()
        self.arguments = {
            "initial_learning_rate": initial_learning_rate,
            "decay_steps": decay_steps,
            "num_periods": num_periods,
            "alpha": alpha,
            "beta": beta,
        }

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step."""
        given = self.arguments
        steps = _float32(given["decay_steps"])
        done = ops.minimum(_float32(step), steps)
        wave = 0.5 * (1.0 + ops.cos(math.pi * (given["num_periods"] * 2.0 * (done / steps))))
        decayed = (given["alpha"] + (steps - done) / steps) * wave + given["beta"]
        return given["initial_learning_rate"] * decayed


@keras.saving.register_keras_serializable(package="keras_v2")
class LinearWarmup(_Schedule):
    r"""A rate that rises in a line before it follows another schedule, as BERT's does.

        rate(step) = init step / warmup_steps      while step < warmup_steps
                     schedule(step)                from then on: its own steps count from 0

    Args:
        schedule: a schedule, or a rate.
        initial_learning_rate: that the line would reach.
        warmup_steps: steps that it rises.

    References:
        `create_optimizer` in optimization.py of google-research/bert.

    >>> float(LinearWarmup(1.0, 1.0, warmup_steps=4)(1))
    0.25
    """

    def __init__(self, schedule: Rate, initial_learning_rate: float, warmup_steps: int) -> None:
        super().__init__()
        self.schedule = schedule
        self.arguments = {
            "initial_learning_rate": initial_learning_rate,
            "warmup_steps": warmup_steps,
        }

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step."""
        given = self.arguments
        done, steps = _float32(step), _float32(given["warmup_steps"])
        rising = given["initial_learning_rate"] * (done / steps)
        follows = self.schedule(step) if callable(self.schedule) else self.schedule
        return ops.where(done < steps, rising, _float32(follows))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal schedule."""
        schedule = self.schedule
        if callable(schedule):
            schedule = keras.saving.serialize_keras_object(schedule)
        return {"schedule": schedule, **self.arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LinearWarmup":
        """Returns the schedule that a configuration makes."""
        schedule = config["schedule"]
        if isinstance(schedule, dict):
            schedule = keras.saving.deserialize_keras_object(schedule)
        return cls(**{**config, "schedule": schedule})


@keras.saving.register_keras_serializable(package="keras_v2")
class NoamDecay(_Schedule):
    r"""The rate of the transformer, as tensor2tensor's users write it by hand.

        rate(step) = rate size^-1/2 min(s^-1/2, s warmup_steps^-3/2),  s = step + 1

    Args:
        initial_learning_rate: a factor.
        size: units of the model.
        warmup_steps: steps that the rate rises.

    References:
        Vaswani et al., Attention Is All You Need, section 5.3.

    >>> rate = NoamDecay(1.0, size=4, warmup_steps=4)
    >>> float(rate(3))
    0.25
    """

    def __init__(self, initial_learning_rate: float, size: int, warmup_steps: int) -> None:
        super().__init__()
        self.arguments = {
            "initial_learning_rate": initial_learning_rate,
            "size": size,
            "warmup_steps": warmup_steps,
        }

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step."""
        given = self.arguments
        number = _float32(step) + 1.0
        rising = number * given["warmup_steps"] ** -1.5
        scale = given["initial_learning_rate"] * given["size"] ** -0.5
        return scale * ops.minimum(ops.rsqrt(number), rising)
