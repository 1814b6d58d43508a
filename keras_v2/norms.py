"""Normalisation as TensorFlow 1 has it, where stock Keras has another."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras is untyped
    """Batch normalisation that trains on in TensorFlow 1's way.

    With the mean and the variance of a batch of n numbers a channel, and the momentum m::

        y = gamma (x - mean) / sqrt(variance + epsilon) + beta
        moving_mean     = m moving_mean     + (1 - m) mean
        moving_variance = m moving_variance + (1 - m) variance n / (n - 1)

    Stock `BatchNormalization` of Keras 3 differs:

    - it keeps the variance as it is: n / (n - 1) is what TensorFlow 1's fused kernel hands out;
    - it has no `zero_debias_moving_mean`, which keeps a biased mean as well, and divides it by
      1 - m^t after t steps;
    - `trainable = False` has it use the moving averages. Here, as in `tf.layers`, the batch is
      normalised by its own moments all the same; gamma, beta and the averages stay;
    - ``training=False`` in its call, by which TensorFlow 1 has gamma and beta learn over moving
      averages that stay, does not reach it in a functional model: `fit` passes its own (seen with
      Keras 3.15). Here, `inference_mode` does that.

    Args:
        fused: keep the variance times n / (n - 1). TensorFlow 1 does so for images in
            `tf.layers.batch_normalization`, for images and rows in `tf.contrib.layers.batch_norm`
            and `slim.batch_norm`.
        zero_debias_moving_mean: as the argument of that name of `tf.contrib.layers.batch_norm`.
        inference_mode: use the moving averages in training as well.
        **kwargs: what `keras.layers.BatchNormalization` takes; renorm and synchronized excepted.
            contrib and slim default to ``momentum=0.999, scale=False``.

    Raises:
        ValueError: renorm or synchronized is asked for, or there is a mask in a call: none of them
            is in the kernel.

    Example:
    >>> layer = TF1BatchNormalization(momentum=0.5)
    >>> _ = layer(np.array([[1.0], [2.0], [3.0]]), training=True)  # variance 2/3, unbiased 1
    >>> np.round(layer.moving_variance, 3)
    array([1.], dtype=float32)

    References:
        `BatchNormalization._fused_batch_norm` in tensorflow/python/keras/layers/normalization.py
        and `batch_norm` in tensorflow/contrib/layers/python/layers/layers.py (TensorFlow 1.15).
    """

    def __init__(
        self,
        *,
        fused: bool = True,
        zero_debias_moving_mean: bool = False,
        inference_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if self.renorm or self.synchronized:
            raise ValueError(
                f"renorm={self.renorm}, synchronized={self.synchronized}: expected neither; "
                "use keras.layers.BatchNormalization"
            )
        self.fused = fused
        self.zero_debias_moving_mean = zero_debias_moving_mean
        self.inference_mode = inference_mode

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the variables for inputs of a shape (batch, ..., channels)."""
        super().build(input_shape)
        if self.zero_debias_moving_mean:
            options = {"initializer": "zeros", "trainable": False, "autocast": False}
            shape = (input_shape[self.axis],)
            self.biased = self.add_weight(shape=shape, name="biased", **options)
            self.local_step = self.add_weight(shape=(), name="local_step", **options)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Returns the inputs normalised, in their shape."""
        if mask is not None:
            raise ValueError(f"mask of shape {mask.shape}: expected none, the kernel has no mask")
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        if training and not self.inference_mode:
            axes = [axis for axis in range(len(x.shape)) if axis != self.axis % len(x.shape)]
            mean, variance = ops.moments(x, axes)  # (channels,) each
            if self.trainable:
                self._keep(mean, variance, ops.cast(ops.size(x) // ops.size(mean), x.dtype))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        outputs = ops.batch_normalization(
            x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon
        )
        return ops.cast(outputs, self.compute_dtype)

    def _keep(self, mean: Any, variance: Any, count: Any) -> None:
        """Moves the averages by a batch with so many numbers a channel."""
        if self.fused:
            variance = variance * (count / (count - 1.0))
        self._move(self.moving_variance, variance)
        if not self.zero_debias_moving_mean:
            self._move(self.moving_mean, mean)
            return
        self._move(self.biased, mean)
        self.local_step.assign_add(1.0)
        kept = ops.power(ops.cast(self.momentum, self.local_step.dtype), self.local_step)
        self.moving_mean.assign(self.biased / (1.0 - kept))

    def _move(self, average: Any, value: Any) -> None:
        average.assign(average * self.momentum + value * (1.0 - self.momentum))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer."""
        config: dict[str, Any] = super().get_config()
        for name in "renorm", "renorm_clipping", "renorm_momentum":
            config.pop(name, None)
        return config | {
            "fused": self.fused,
            "zero_debias_moving_mean": self.zero_debias_moving_mean,
            "inference_mode": self.inference_mode,
        }


@keras.saving.register_keras_serializable(package="keras_v2")
class L2Normalization(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped
    """Divides by the Euclidean norm, as `tf.nn.l2_normalize` of TensorFlow 1 does.

    y = x / sqrt(max(sum(x^2), epsilon)). The bound is one of the squared norm: with 1e-12, vectors
    shorter than 1e-6 do not come to length one. Stock `UnitNormalization` bounds the norm itself by
    1e-12; so shorter vectors differ, and the gradient at a vector of zeros is 1e12 times that of
    the output in place of 1e6 times.

    Args:
        axis: or axes that a vector lies along.
        epsilon: least squared norm.
        **kwargs: what every `keras.layers.Layer` takes.

    Example:
    >>> np.round(L2Normalization()(np.array([[3.0, 4.0], [3e-7, 4e-7]])), 3)
    array([[0.6, 0.8],
           [0.3, 0.4]], dtype=float32)

    References:
        `l2_normalize_v2` in tensorflow/python/ops/nn_impl.py (TensorFlow 1.15).
    """

    def __init__(
        self, axis: int | tuple[int, ...] = -1, epsilon: float = 1e-12, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def call(self, inputs: Any) -> Any:
        """Returns vectors of length one, but for short ones, in the shape of the inputs."""
        squared = ops.sum(ops.square(inputs), axis=self.axis, keepdims=True)
        return inputs * ops.rsqrt(ops.maximum(squared, self.epsilon))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer."""
        config: dict[str, Any] = super().get_config()
        return config | {"axis": self.axis, "epsilon": self.epsilon}
