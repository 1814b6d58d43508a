"""Tells what a Keras model is made of: its layers, their weights, what it drops and trains with."""

from typing import Any, Dict, Iterable, List, Optional, Tuple

import keras
import numpy as np

# What of a layer's configuration a mapping of weights or outputs hangs on.
TOLD = ("activation", "go_backwards", "rate", "reset_after", "units", "use_bias")


def describe(model: Any, slots: Iterable[Tuple[str, Any]]) -> Dict[str, Any]:
    """Return a model as plain JSON types.

    Args:
        model: compiled, its inputs known.
        slots: of its optimizer, with their names.

    Returns:
        ``inputs``, ``outputs``: of each its name, shape and dtype; of an output, whether a loss is
        taken of it. ``layers``: of each that holds
        weights itself, inner ones too, its name, path, class, configuration and weights.
        ``dropout``: names of the layers that drop, in order. ``optimizer``: class, slots, and
        Adam's betas; None if the model is not compiled. ``optimizers``: the same of each other
        attribute that is an optimizer. ``own_step``: whether it has a `train_step` of its own.
    """
    return {
        "inputs": [_tensor(each, each.name) for each in model.inputs],
        "outputs": [
            dict(_output(each), loss=aims) for each, aims in zip(model.outputs, aimed(model))
        ],
        "layers": [
            _layer(part) for layer in model.layers for part in _parts(layer) if own_weights(part)
        ],
        "dropout": [layer.name for layer in model.layers for part in _parts(layer) if drops(part)],
        "optimizer": _optimizer(getattr(model, "optimizer", None), slots),
        "optimizers": {
            name: _optimizer(each, built_slots(each, model))
            for name, each in optimizers(model).items()
        },
        "own_step": has_own(model, "train_step"),
    }


def optimizers(model: Any) -> Dict[str, Any]:
    """Return the optimizers that a model holds besides the one it was compiled with."""
    found = {k: v for k, v in vars(model).items() if isinstance(v, keras.optimizers.Optimizer)}
    return {name: each for name, each in found.items() if name != "optimizer"}


def built_slots(optimizer: Any, model: Any) -> List[Tuple[str, Any]]:
    """Return an optimizer's slots with their names, as if it trained the whole model."""
    optimizer.build(model.trainable_variables)
    return [(variable.path.partition("/")[2], variable) for variable in optimizer.variables]


def has_own(model: Any, name: str) -> bool:
    """Tell whether a model has a `train_step` or `test_step` of its own."""
    return getattr(type(model), name) is not getattr(keras.Model, name)


def aimed(model: Any) -> List[bool]:
    """Tell of which outputs a loss is taken: of all, unless `compile` names some."""
    losses = getattr(model, "loss", None)
    if isinstance(losses, dict) and losses:
        names = sorted(model.output) if isinstance(model.output, dict) else model.output_names
        return [name in losses for name in names]
    if isinstance(losses, (list, tuple)):
        return [loss is not None for loss in losses]
    return [True] * len(model.outputs)


def own_weights(layer: Any) -> List[Any]:
    """Return the weights that a layer holds itself: not those of a layer inside it, no seeds."""
    inner = {id(v) for part in _parts(layer)[1:] for v in part.variables}
    return [
        v for v in layer.variables if id(v) not in inner and not v.path.endswith("generator_state")
    ]


def drops(layer: Any) -> bool:
    """Tell whether a layer draws dropout masks."""
    rates = [getattr(layer, name, 0) for name in ("rate", "dropout", "recurrent_dropout")]
    return getattr(layer, "seed_generator", None) is not None and any(
        isinstance(rate, float) and rate > 0 for rate in rates
    )


def _optimizer(optimizer: Any, slots: Iterable[Tuple[str, Any]]) -> Optional[Dict[str, Any]]:
    if optimizer is None:
        return None
    betas = [getattr(optimizer, name, None) for name in ("beta_1", "beta_2")]
    return {
        "class": type(optimizer).__name__,
        "slots": sorted(name for name, _ in slots),
        "betas": [float(beta) for beta in betas if beta is not None],
    }


def _parts(layer: Any) -> List[Any]:
    """Return a layer and all that are inside it, itself first."""
    return list(layer._flatten_layers())


def _layer(layer: Any) -> Dict[str, Any]:
    config = layer.get_config()
    return {
        "name": layer.name,
        "class": type(layer).__name__,
        "config": {name: config[name] for name in TOLD if name in config},
        "weights": [
            {"path": v.path, "shape": list(v.shape), "trainable": bool(v.trainable)}
            for v in own_weights(layer)
        ],
    }


def _tensor(tensor: Any, name: str) -> Dict[str, Any]:
    return {"name": name, "shape": list(tensor.shape), "dtype": np.dtype(tensor.dtype).name}


def _output(tensor: Any) -> Dict[str, Any]:
    """Describe an output by the layer that gives it."""
    layer = tensor._keras_history.operation
    config = layer.get_config() if hasattr(layer, "get_config") else {}
    activation = config.get("activation", type(layer).__name__.lower())
    return dict(_tensor(tensor, layer.name), activation=activation)
