"""What Keras 3 lacks for masks."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_v2")
class Unmasked(keras.Layer):  # type: ignore[misc]  # Keras is untyped
    """Lets its input through, and ends its mask: a loss then averages over all steps.

    A mask of steps goes with the outputs of a recurrent layer, through any layer that knows masks,
    into the loss: it leaves out what is masked, and divides by what is left. `reduce_mean` of
    TensorFlow 1 has no mask: what is past the end of a row counts, as the 0 that `dynamic_rnn` has
    there.

        outputs = keras.layers.LSTM(64, return_sequences=True)(x, mask=mask)
        outputs = Unmasked()(outputs)

    Args:
        **kwargs: what every `keras.Layer` takes.

    References:
        `Loss.__call__` in keras/src/losses/loss.py (Keras 3).
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # says that the mask is not lost by mistake

    def call(self, inputs: Any) -> Any:
        """Returns a tensor of its own: the mask is an attribute of the input."""
        return ops.copy(inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Returns none, whatever came before."""
