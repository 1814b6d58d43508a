"""A Keras model taken apart into calls of single layers, each of which can be fed from outside.

Models inside of it are opened, so that one of their layers can be named; what a layer holds inside
(a cell, a wrapped layer) stays in it.
"""

import inspect
from typing import Any, Callable, Dict, List, Tuple

import keras
import numpy as np
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask

from parity.errors import EngineFailed
from parity.runners.protocol import Batch, named
from parity.wire import Arrays

Compile = Callable[[Any], Any]


class Call:
    """A layer, or an operation, called once.

    Attributes:
        name: of the layer, after those of the models that it is in; a second call is numbered.
        node: Keras's account of the call.
        inputs, outputs: numbers of the values that it takes and gives.
        run: takes tensors and their masks, returns tensors and their masks.
    """

    def __init__(self, name: str, node: Any, inputs: List[int], outputs: List[int]) -> None:
        self.name, self.node, self.inputs, self.outputs = name, node, inputs, outputs
        self.run: Any = None

    def compute(self, tensors: List[Any], masks: List[Any]) -> Tuple[List[Any], List[Any]]:
        """Call the layer, not training."""
        operation, table = self.node.operation, {}
        for symbol, tensor, mask in zip(self.node.input_tensors, tensors, masks):
            if mask is not None:
                set_keras_mask(tensor, mask)
            table[id(symbol)] = tensor
        args, kwargs = self.node.arguments.fill_in(table)
        if "training" in inspect.signature(operation.call).parameters:
            kwargs["training"] = False
        outputs = keras.tree.flatten(operation(*args, **kwargs))
        return outputs, [get_keras_mask(each) for each in outputs]

    def describe(self) -> Dict[str, Any]:
        """Return the call as plain JSON types."""
        weights = bool(getattr(self.node.operation, "weights", ()))
        said = {"name": self.name, "inputs": self.inputs, "outputs": self.outputs}
        return dict(said, weights=weights)


class Layerwise:
    """The calls of a model, in the order of their computation.

    Args:
        model: a functional or sequential one.
        compiled: returns a function as the backend runs it fast: a recurrent layer step by step
            takes ten times as long.

    Raises:
        EngineFailed: the model is neither.
    """

    def __init__(self, model: Any, compiled: Compile) -> None:
        functional = functional_of(model)
        if functional is None:
            raise EngineFailed(
                "{} is a {}, whose layers cannot be called one by one".format(
                    model.name, type(model).__name__
                ),
                "a functional or a sequential model",
            )
        self.calls: List[Call] = []
        self._count = 0
        self._symbols = functional.inputs
        self.inputs = [self._number() for _ in functional.inputs]
        self.numbers = dict(zip(map(id, functional.inputs), self.inputs))
        self._open(functional, self.numbers, "")
        self.outputs = [self.numbers[id(each)] for each in functional.outputs]
        for call in self.calls:
            call.run = compiled(call.compute)

    def run(self, x: Batch) -> Dict[int, Any]:
        """Return every value as (tensor, mask), by its number."""
        given = named(self._symbols[0].name, x)
        if len(self._symbols) == 1:
            given = {self._symbols[0].name: next(iter(given.values()))}
        found: Dict[int, Any] = {}
        for number, symbol in zip(self.inputs, self._symbols):
            found[number] = as_tensor(given[symbol.name], symbol), None
        for call in self.calls:
            found.update(zip(call.outputs, zip(*self.call(call, [found[i] for i in call.inputs]))))
        return found

    def call(self, call: Call, inputs: List[Any]) -> Tuple[List[Any], List[Any]]:
        """Return what a call makes of (tensor, mask)s."""
        outputs, masks = call.run([each[0] for each in inputs], [each[1] for each in inputs])
        return list(outputs), list(masks)

    def values(self, x: Batch) -> Arrays:
        """Return every value, ``values/NUMBER``."""
        found = self.run(x)
        return {"values/{}".format(i): np.array(value) for i, (value, _) in found.items()}

    def apply(self, computed: Dict[int, Any], number: int, arrays: List[np.ndarray]) -> List[Any]:
        """Return what a call makes of arrays; nothing, if it cannot take arrays of such shapes.

        Masks are those that the model itself has there: they come from its inputs.

        Args:
            computed: what `run` returned.
            number: of the call.
            arrays: one an input.
        """
        call = self.calls[number]
        own = [computed[i] for i in call.inputs]
        inputs = [
            (keras.ops.convert_to_tensor(array, dtype=tensor.dtype), mask)
            for array, (tensor, mask) in zip(arrays, own)
        ]
        strange = any(tuple(a.shape) != tuple(t.shape) for a, (t, _) in zip(arrays, own))
        try:
            outputs, _ = self.call(call, inputs)
        except Exception:
            # Whatever a layer raises at a shape that it was not built for, it cannot take it.
            if not strange:
                raise
            return []
        return [np.array(each) for each in outputs]

    def _open(self, functional: Any, numbers: Dict[int, int], prefix: str) -> None:
        """Number the values of a model, given those of its inputs."""
        depths = functional._nodes_by_depth
        for node in [node for depth in sorted(depths, reverse=True) for node in depths[depth]]:
            symbols = node.input_tensors
            if node.is_input or any(id(each) not in numbers for each in symbols):
                continue
            inputs = [numbers[id(each)] for each in symbols]
            inner, name = functional_of(node.operation), prefix + node.operation.name
            # Masks, which Keras hands over as further arguments, come with their tensors.
            taken = keras.tree.flatten(node.arguments.args[:1])
            if inner is not None and len(inner.inputs) == len(taken):
                within = {id(s): numbers[id(t)] for s, t in zip(inner.inputs, taken)}
                self._open(inner, within, name + "/")
                outputs = [within[id(each)] for each in inner.outputs]
            else:
                outputs = [self._number() for _ in node.outputs]
                self.calls.append(Call(self._free(name), node, inputs, outputs))
            numbers.update(zip(map(id, node.outputs), outputs))

    def _number(self) -> int:
        self._count += 1
        return self._count - 1

    def _free(self, name: str) -> str:
        known, number = {call.name for call in self.calls}, 1
        while (name if number == 1 else "{} (call {})".format(name, number)) in known:
            number += 1
        return name if number == 1 else "{} (call {})".format(name, number)


def functional_of(operation: Any) -> Any:
    """Return the graph of layers that an operation is, or None: a model with a call of its own."""
    functional = getattr(operation, "_functional", None) or operation
    if not isinstance(functional, keras.Model) or not hasattr(functional, "_nodes_by_depth"):
        return None
    own = type(functional).call.__module__.partition(".")[0]
    return functional if own == "keras" else None


def as_tensor(value: np.ndarray, symbol: Any) -> Any:
    """Return an input in the dtype and rank that the model takes: Keras adds a last axis of one."""
    if value.ndim + 1 == len(symbol.shape) and symbol.shape[-1] == 1:
        value = value[..., None]
    return keras.ops.convert_to_tensor(value, dtype=symbol.dtype)
