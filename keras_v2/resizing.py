"""Resizing of images as TensorFlow 1 did it."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_v2")
class TF1Resizing(layers.Layer):  # type: ignore[misc]  # Keras ships no annotations
    r"""`tf.image.resize_bilinear` and `resize_nearest_neighbor`, whose pixels are points.

    A pixel o of `size` answers to the place of the image's own pixels

        p = o image / size                       or, with align_corners, o (image - 1) / (size - 1)

    where `Resizing` has p = (o + 1/2) image / size - 1/2: half a pixel apart. Nearest takes the
    pixel before p, with align_corners the nearest one; bilinear mixes the two around p, along the
    width and then along the height, in float32 whatever it is given, as TensorFlow's kernel does.

    Args:
        height: of what is given.
        width: of what is given.
        interpolation: `bilinear` or `nearest`.
        align_corners: whether the last pixels answer to each other.

    Raises:
        ValueError: there is no such interpolation.

    References:
        resize_bilinear_op.cc, resize_nearest_neighbor_op.cc and image_resizer_state.h in
        tensorflow/core/kernels (TensorFlow 1.15).

    >>> row = keras.ops.array([[[[0.0], [8.0]]]])  # (batch, height, width, channels)
    >>> TF1Resizing(1, 4)(row).numpy().ravel().tolist()
    [0.0, 4.0, 8.0, 8.0]
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        align_corners: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if interpolation not in ("bilinear", "nearest"):
            raise ValueError(f"interpolation is bilinear or nearest, not {interpolation!r}")
        self.height, self.width = height, width
        self.interpolation, self.align_corners = interpolation, align_corners

    def call(self, images: Any) -> Any:
        """Resizes images, (batch, height, width, channels)."""
        down = self._places(images.shape[1], self.height)  # (height,)
        along = self._places(images.shape[2], self.width)  # (width,)
        if self.interpolation == "nearest":
            rows = ops.take(images, self._nearest(down, images.shape[1]), axis=1)
            return ops.take(rows, self._nearest(along, images.shape[2]), axis=2)
        mixed = _mixed(ops.cast(images, "float32"), along, axis=2)
        return ops.cast(_mixed(mixed, down, axis=1), images.dtype)

    def _places(self, image: int, size: int) -> np.ndarray:
        """Returns where each pixel is among the image's, (size,)."""
        aligned = self.align_corners and size > 1
        scale = np.float32((image - 1) / (size - 1) if aligned else image / size)
        return np.arange(size, dtype=np.float32) * scale

    def _nearest(self, places: np.ndarray, image: int) -> np.ndarray:
        chosen = np.floor(places + 0.5) if self.align_corners else np.floor(places)
        return np.minimum(chosen, image - 1).astype(np.int32)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Returns (batch, height, width, channels)."""
        return (input_shape[0], self.height, self.width, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal layer."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "align_corners": self.align_corners,
        }


def _mixed(images: Any, places: np.ndarray, axis: int) -> Any:
    """Mixes the two pixels around each place, along an axis."""
    before = np.floor(places).astype(np.int32)
    after = np.minimum(before + 1, images.shape[axis] - 1)
    shape = [1] * len(images.shape)
    shape[axis] = len(places)
    share = np.reshape(places - before, shape).astype(np.float32)
    first = ops.take(images, before, axis=axis)
    return first + (ops.take(images, after, axis=axis) - first) * share
