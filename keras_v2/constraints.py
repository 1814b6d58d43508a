"""What weights are held to after each step."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_v2")
class ClipByValue(keras.constraints.Constraint):  # type: ignore[misc]  # Keras ships no annotations
    """Cuts weights, as the critic of a Wasserstein GAN is cut.

    In TensorFlow 1 an `assign` of `clip_by_value` follows the training step; here, Keras applies a
    layer's constraint after each step of the optimizer.

    Args:
        limit: weights stay from -limit to limit.

    References:
        Arjovsky et al., Wasserstein GAN, algorithm 1.

    >>> ClipByValue(0.5)(keras.ops.array([-2.0, 0.25])).numpy().tolist()
    [-0.5, 0.25]
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit

    def __call__(self, w: Any) -> Any:
        """Returns the weights, cut."""
        return ops.clip(w, -self.limit, self.limit)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make an equal constraint."""
        return {"limit": self.limit}
