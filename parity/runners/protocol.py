"""What every runner can do. `climb.py` knows a model only through these methods."""

import importlib
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from parity import wire
from parity.errors import BadInput, EngineFailed, ParityError
from parity.wire import Arrays, Model

# What a model is fed, or is to say: an array, or several by the names of its inputs or targets.
Batch = Union[np.ndarray, Arrays]
Send = Callable[..., None]  # tells the process that waits of an event
Masks = Mapping[str, np.ndarray]  # dropout site -> (batch, ...) bool, True where a value is kept


class Stepped(NamedTuple):
    """What a training step leaves behind, besides the model's new state.

    Args:
        losses: of the batch, each as it was before its own update.
        carried: what the next step is fed, by the names of inputs.
    """

    losses: Dict[str, float]
    carried: Arrays


class Runner:
    """One model inside one framework, in that framework's own names and layout.

    A runner builds what its `spec` says and holds it until it is dropped. Arrays in and out are
    NumPy arrays; names are those of the framework (`rnn/basic_rnn_cell/kernel`, `rnn/kernel`).
    """

    def __init__(self, spec: Model) -> None:
        self.spec = spec

    def variables(self) -> Arrays:
        """Return the trainable and frozen weights of the model by name."""
        raise NotImplementedError

    def slots(self) -> Arrays:
        """Return the optimizer's slots by name."""
        raise NotImplementedError

    def set_variables(self, arrays: Arrays) -> None:
        """Set every weight, strictly: names, shapes and dtypes must be exactly the model's."""
        raise NotImplementedError

    def set_slots(self, arrays: Arrays) -> None:
        """Set every slot, strictly: names, shapes and dtypes must be exactly the optimizer's."""
        raise NotImplementedError

    def reset_slots(self) -> None:
        """Set the optimizer back to where it stood before its first step."""
        raise NotImplementedError

    def forward(self, x: Batch, training: bool, step: int, masks: Masks) -> Arrays:
        """Return the output at every tap, in the order of `spec.taps`."""
        raise NotImplementedError

    def evaluate(self, x: Batch, y: Batch) -> Dict[str, float]:
        """Return every metric over one batch, with dropout off."""
        raise NotImplementedError

    def gradients(
        self, x: Batch, y: Batch, step: int, masks: Masks
    ) -> Tuple[Dict[str, float], Arrays]:
        """Return the training losses and the dense gradient by every trainable weight.

        Of several losses each is differentiated by the weights that its optimizer trains, all of
        them where the weights are before any update.
        """
        raise NotImplementedError

    def train_step(self, x: Batch, y: Batch, step: int, masks: Masks) -> Stepped:
        """Update the weights once, by each optimizer in turn."""
        raise NotImplementedError

    def masks(self, x: Batch, step: int) -> Masks:
        """Return the dropout masks that training step `step` uses on batch `x`."""
        raise NotImplementedError

    def describe(self) -> Dict[str, Any]:
        """Return what the model is made of, as plain JSON types."""
        raise EngineFailed("this engine cannot describe a model", "a Keras engine")

    @staticmethod
    def places(spec: Model) -> Tuple[Dict[str, Any], Arrays]:
        """Return where a model's weights and slots lie in its files; see `parity.runners.places`.

        The model is not run, and has no memory for its weights.
        """
        raise EngineFailed("this engine's models have no places in files", "a Keras engine")

    def whole(self, x: Batch) -> bool:
        """Tell whether the model takes batches of one size only."""
        return False

    def tensors(self, x: Batch) -> Tuple[Arrays, Dict[str, Any]]:
        """Return ``tensors/NAME`` between the inputs and the taps, and ``taps/TAP``.

        The description has ``parents``: name -> the nearest tensors that it is computed from; and
        ``left_out``: number of tensors that were too large.
        """
        raise EngineFailed("this engine has no graph to fetch tensors from", "a graph engine")

    def layers(self, x: Batch) -> Tuple[Arrays, Dict[str, Any]]:
        """Return ``values/NUMBER`` of every value that a layer takes or gives.

        The description has ``inputs`` and ``outputs``: their numbers; ``calls``: of each layer's
        call, in order, its ``name``, ``inputs``, ``outputs``, and whether it has ``weights``;
        ``taps``: tap -> number.
        """
        raise EngineFailed("this engine cannot call single layers", "a Keras engine")

    def apply(self, x: Batch, call: int, arrays: List[np.ndarray]) -> List[np.ndarray]:
        """Return what a call of `layers` makes of arrays; nothing if it cannot take their shapes.

        Args:
            x: what the model itself is fed, where the masks of its layers come from.
            call: its number.
            arrays: one an input.
        """
        raise EngineFailed("this engine cannot call single layers", "a Keras engine")

    def about(self) -> Dict[str, str]:
        """Return the versions and the device that this runner runs on."""
        raise NotImplementedError


def summed(losses: Mapping[str, float]) -> Dict[str, float]:
    """Return losses with ``loss``, which is the sum of several."""
    return dict({"loss": float(sum(losses.values()))}, **losses)


def refuse(send: Send, error: ParityError) -> None:
    """Tell the process that waits what went wrong."""
    said = {"received": error.received, "expected": error.expected, "mend": error.mend}
    send("failed", exit_code=error.exit_code, **said)


def part_of(arrays: Arrays, name: str) -> Batch:
    """Return what stands under `name` in a question: an array, or several as ``name/INPUT``."""
    return arrays[name] if name in arrays else wire.under(arrays, name)


def take(batch: Batch, rows: Any) -> Batch:
    """Return some rows of a batch."""
    if isinstance(batch, dict):
        return {name: value[rows] for name, value in batch.items()}
    part: np.ndarray = batch[rows]
    return part


def count(batch: Batch) -> int:
    """Return the number of rows of a batch."""
    return len(next(iter(batch.values())) if isinstance(batch, dict) else batch)


def named(name: str, batch: Batch) -> Arrays:
    """Return a batch by names; an array alone is called `name`."""
    return batch if isinstance(batch, dict) else {name: batch}


def build(spec: Model, **extra: Any) -> Any:
    """Call the model's builder with its hyperparameters."""
    builder = resolve(spec.builder)
    return builder(**dict(spec.hyperparameters, **extra))


def resolve(path: str) -> Callable[..., Any]:
    """Return the object that ``module:attribute`` names.

    Raises:
        EngineFailed: there is no such module or attribute in this engine.
    """
    module, _, attribute = path.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        return found
    except (ImportError, AttributeError) as error:
        raise EngineFailed(
            "{!r} cannot be had in this engine: {}".format(path, error), "'module:attribute'"
        ) from error


def check_fit(expected: Arrays, received: Arrays, what: str) -> None:
    """Make sure that `received` fits the model leaf by leaf, with nothing missing or left over.

    Raises:
        BadInput: lists every missing, unknown and misshapen name, and every other dtype.
    """
    wrong = ["missing: {} {}".format(n, expected[n].shape) for n in expected if n not in received]
    wrong += ["unknown: {} {}".format(n, received[n].shape) for n in received if n not in expected]
    for name in expected:
        if name not in received:
            continue
        if expected[name].dtype != received[name].dtype:
            wrong.append(
                "wrong dtype: {} is {}, the model has {}".format(
                    name, received[name].dtype, expected[name].dtype
                )
            )
        if expected[name].shape != received[name].shape:
            wrong.append(
                "wrong shape: {} is {}, the model has {}".format(
                    name, received[name].shape, expected[name].shape
                )
            )
    if wrong:
        raise BadInput("these are not the {}:\n  {}".format(what, "\n  ".join(wrong)))


def densify(values: np.ndarray, indices: Optional[np.ndarray], shape: Tuple[int, ...]) -> Any:
    """Return a gradient as a dense array; rows that occur twice in `indices` are summed."""
    if indices is None:
        return values
    dense = np.zeros(shape, values.dtype)  # (rows, ...)
    np.add.at(dense, indices, values)
    return dense


def card(config: Any) -> Dict[str, str]:
    """Return the first graphics card by name, where `tf.config` tells it: not in TensorFlow 1."""
    details = getattr(config.experimental, "get_device_details", None)
    name = details(config.list_physical_devices("GPU")[0]).get("device_name") if details else None
    return {"card": name} if name else {}
