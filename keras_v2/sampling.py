"""Losses over a sample of the classes, as tf.nn has them."""

from typing import Any

import keras
from keras import layers, ops


class _Sampled(layers.Layer):  # type: ignore[misc]  # Keras ships no annotations
    """A matrix and a bias of all classes, of which a sample is looked at."""

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, hidden_shape: Any, *_: Any) -> None:
        self.kernel = self.add_weight(shape=(self.classes, hidden_shape[-1]), name="kernel")
        self.bias = self.add_weight(shape=(self.classes,), name="bias", initializer="zeros")

    def scores(self, hidden: Any, true: Any, sampled: Any, expected: Any) -> tuple[Any, Any]:
        """Returns scores of the true class (batch,) and of the samples (batch, samples).

        Each is less by the logarithm of how often its class is expected among the samples. A
        sample that is the true class counts for nothing.
        """
        expected = ops.log(ops.convert_to_tensor(expected, dtype=hidden.dtype))  # (classes,)
        of_true = ops.sum(hidden * ops.take(self.kernel, true, axis=0), axis=-1)
        of_true += ops.take(self.bias, true) - ops.take(expected, true)
        vectors = ops.take(self.kernel, sampled, axis=0)  # (samples, features)
        of_sampled = ops.matmul(hidden, ops.transpose(vectors)) + ops.take(self.bias, sampled)
        of_sampled -= ops.take(expected, sampled)
        return of_true, of_sampled

    def call(self, hidden: Any) -> Any:
        """Returns scores of all classes, (batch, classes), as they are used once trained."""
        return ops.matmul(hidden, ops.transpose(self.kernel)) + self.bias

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().get_config()
        return config | {"classes": self.classes}


HIT = -3.4028235e38  # the least float32: what is added to a sample that is the true class


@keras.saving.register_keras_serializable(package="keras_v2")
class SampledSoftmax(_Sampled):
    r"""`tf.nn.sampled_softmax_loss`: a softmax over the true class and a sample of the others.

        -log softmax(x . w + b - log(expected))[true]   over true class and samples

    Args:
        classes: how many there are.
        **kwargs: what every `keras.layers.Layer` takes.

    References:
        `sampled_softmax_loss` and `_compute_sampled_logits` in tensorflow/python/ops/nn_impl.py
        (TensorFlow 1.15).
    """

    def loss(self, hidden: Any, true: Any, sampled: Any, expected: Any) -> Any:
        """Returns losses, (batch,).

        Args:
            hidden: (batch, features).
            true: the classes, integers (batch,).
            sampled: the samples, integers (samples,); TF1 draws them, and can be asked for them.
            expected: how often each class is expected among the samples, (classes,).
        """
        of_true, of_sampled = self.scores(hidden, true, sampled, expected)
        classes = ops.cast(true, "int32")[:, None]
        hits = ops.cast(classes == ops.convert_to_tensor(sampled, dtype="int32"), hidden.dtype)
        scores = ops.concatenate([of_true[:, None], of_sampled + hits * HIT], axis=1)
        return ops.logsumexp(scores, axis=1) - of_true


@keras.saving.register_keras_serializable(package="keras_v2")
class NoiseContrastive(_Sampled):
    r"""`tf.nn.nce_loss`: tells the true class from each sample by itself.

        -log sigmoid(true) - sum log(1 - sigmoid(sample))   of x . w + b - log(expected)

    A sample that is the true class counts like any other, as in `tf.nn.nce_loss` by default.

    Args:
        classes: how many there are.
        **kwargs: what every `keras.layers.Layer` takes.

    References:
        `nce_loss` in tensorflow/python/ops/nn_impl.py (TensorFlow 1.15).
    """

    def loss(self, hidden: Any, true: Any, sampled: Any, expected: Any) -> Any:
        """Returns losses, (batch,); arguments as `SampledSoftmax.loss` takes them."""
        of_true, of_sampled = self.scores(hidden, true, sampled, expected)
        return ops.softplus(-of_true) + ops.sum(ops.softplus(of_sampled), axis=1)
