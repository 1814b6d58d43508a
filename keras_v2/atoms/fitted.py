"""The model around an atom: compiled, so that it trains."""

from typing import Any

import keras


def fitted(
    inputs: Any,
    outputs: Any,
    optimizer: keras.Optimizer | None = None,
    loss: Any = "mean_squared_error",
    metrics: list[Any] | None = None,
) -> keras.Model:
    """Compiles a model that fits an output to a target.

    Args:
        inputs: an input, or several by name.
        outputs: what is computed from them.
        optimizer: by default gradient descent by an eighth of the gradient.
        loss: as `compile` takes it.
        metrics: as `compile` takes them.
    """
    model = keras.Model(inputs, outputs)
    optimizer = optimizer or keras.optimizers.SGD(learning_rate=0.125)
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics)
    return model
