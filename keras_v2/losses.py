"""Losses of TensorFlow 1 that Keras 3 has not."""

from typing import Any

import keras
from keras import ops


def mean_by_nonzero_weights(losses: Any, weights: Any) -> Any:
    r"""Divides the weighted sum by the number of weights that are not zero.

        sum(weights losses) / sum(weights != 0)

    As `tf.losses` reduces by default (SUM_BY_NONZERO_WEIGHTS). Keras divides by the number of all
    losses, those of padding included.

    Args:
        losses: any shape.
        weights: a shape that can be broadcast to it; it counts as if it were.

    Returns:
        A number; zero where all weights are.

    References:
        `compute_weighted_loss` in tensorflow/python/ops/losses/losses_impl.py (TensorFlow 1.15).

    >>> float(mean_by_nonzero_weights(ops.array([1.0, 5.0, 9.0]), ops.array([1.0, 1.0, 0.0])))
    3.0
    """
    weights = ops.broadcast_to(ops.cast(weights, losses.dtype), ops.shape(losses))
    present = ops.sum(ops.cast(weights != 0, losses.dtype))
    return ops.sum(losses * weights) / ops.maximum(present, 1)


@keras.saving.register_keras_serializable(package="keras_v2")  # type: ignore[untyped-decorator]
def summed_binary_crossentropy(y_true: Any, y_pred: Any) -> Any:
    """`BinaryCrossentropy` of logits summed over the last axis, not averaged.

    Args:
        y_true: (..., units), 0 to 1.
        y_pred: (..., units), logits.

    Returns:
        Losses, (...).
    """
    units = y_pred.shape[-1]
    return units * keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)


@keras.saving.register_keras_serializable(package="keras_v2")
class WeightedBinaryCrossentropy(keras.losses.Loss):  # type: ignore[misc]  # Keras is untyped
    r"""`tf.nn.weighted_cross_entropy_with_logits`: what a positive costs is multiplied.

        q y -log(sigmoid(x)) + (1 - y) -log(1 - sigmoid(x))
          = (1 - y) x + (1 + (q - 1) y)(log(1 + exp(-|x|)) + max(-x, 0))

    Args:
        pos_weight: q.
        **kwargs: what every `keras.losses.Loss` takes.

    References:
        `weighted_cross_entropy_with_logits` in tensorflow/python/ops/nn_impl.py (TensorFlow 1.15).

    >>> loss = WeightedBinaryCrossentropy(2.0)(ops.ones((1, 1)), ops.zeros((1, 1)))  # 2 log 2
    >>> round(float(loss), 4)
    1.3863
    """

    def __init__(self, pos_weight: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pos_weight = pos_weight

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the mean over the last axis of labels and logits, (..., units): (...)."""
        weight = 1 + (self.pos_weight - 1) * y_true
        softplus = ops.log1p(ops.exp(-ops.abs(y_pred))) + ops.relu(-y_pred)
        return ops.mean((1 - y_true) * y_pred + weight * softplus, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal loss."""
        config: dict[str, Any] = super().get_config()
        return config | {"pos_weight": self.pos_weight}


@keras.saving.register_keras_serializable(package="keras_v2")
class LogLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras ships no annotations
    r"""`tf.losses.log_loss` of probabilities.

        -y log(p + epsilon) - (1 - y) log(1 - p + epsilon)

    `BinaryCrossentropy` has p between epsilon and 1 - epsilon instead.

    Args:
        epsilon: under the logarithm.
        **kwargs: what every `keras.losses.Loss` takes.

    References:
        `log_loss` in tensorflow/python/ops/losses/losses_impl.py (TensorFlow 1.15).

    >>> round(float(LogLoss()(ops.ones((1, 1)), 0.5 * ops.ones((1, 1)))), 4)
    0.6931
    """

    def __init__(self, epsilon: float = 1e-7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the mean over the last axis of labels and probabilities, (..., units): (...)."""
        positive = -y_true * ops.log(y_pred + self.epsilon)
        negative = (1 - y_true) * ops.log(1 - y_pred + self.epsilon)
        return ops.mean(positive - negative, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal loss."""
        config: dict[str, Any] = super().get_config()
        return config | {"epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="keras_v2")  # type: ignore[untyped-decorator]
def cosine_distance(y_true: Any, y_pred: Any) -> Any:
    """`tf.losses.cosine_distance`: 1 - sum(y x), of vectors that are thought to be normalised.

    `CosineSimilarity` normalises them, and has no 1: it is -1 to 1.

    Args:
        y_true: (..., units).
        y_pred: (..., units).

    Returns:
        Losses, (...).

    References:
        `cosine_distance` in tensorflow/python/ops/losses/losses_impl.py (TensorFlow 1.15).
    """
    return 1 - ops.sum(y_true * y_pred, axis=-1)
