"""What trains a Keras 3 model: its optimizer, or several that step in turn, and their slots."""

import contextlib
from typing import Any, Dict, Iterator, List, Tuple

import keras
import numpy as np

from parity.errors import BadInput, look_up
from parity.runners import describing
from parity.wire import Arrays, Model

RATE, ITERATION = "learning_rate", "iteration"


class RecordGradients(keras.optimizers.Optimizer):  # type: ignore[misc]  # Keras is untyped
    """Keeps each gradient in a slot, clipped if it clips, and leaves the weights alone.

    Works on every backend, because it asks nothing of one: no tape, no `value_and_grad`.
    """

    def build(self, variables: Any) -> None:
        if not self.built:
            super().build(variables)
            self._gradients = self.add_optimizer_variables(variables, "gradient")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        slot = self._gradients[self._get_variable_index(variable)]
        if hasattr(gradient, "indices"):  # tf.IndexedSlices: sum the rows that occur twice
            gradient = keras.ops.segment_sum(
                gradient.values, gradient.indices, num_segments=variable.shape[0]
            )
        self.assign(slot, gradient)

    def found(self) -> Arrays:
        """Return every gradient by the path of its weight; nothing if it was never used."""
        if not self.built:
            return {}
        return {v.path: np.array(g) for v, g in zip(self._trainable_variables, self._gradients)}


class Training:
    """The optimizers of a model, each with the weights that it trains.

    Args:
        model: compiled, or there are none.
        spec: what was asked for.

    Raises:
        BadInput: the model has no such optimizer, or no such weight.
    """

    def __init__(self, model: Any, spec: Model) -> None:
        self._model = model
        self._weights: Dict[str, List[Any]] = {}  # attribute -> weights that its optimizer trains
        own = getattr(model, "optimizer", None)
        if spec.trains:
            known = {v.path: v for v in model.trainable_variables}
            self.optimizers = {}
            for _, attribute, *paths in spec.trains:
                optimizers = describing.optimizers(model)
                self.optimizers[attribute] = look_up("optimizer", attribute, optimizers)
                self._weights[attribute] = [look_up("trained weight", p, known) for p in paths]
        else:
            self.optimizers = {} if own is None else {"optimizer": own}
            self._weights = dict.fromkeys(self.optimizers, model.trainable_variables)
        self._several = bool(spec.trains)
        self._recorders = {
            name: RecordGradients(learning_rate=0.0, **clipping(each))
            for name, each in self.optimizers.items()
        }
        self._steps: Dict[bool, Any] = {}  # whether it records -> its compiled training step
        for name, each in self.optimizers.items():
            each.build(self._weights[name])
            rate = each._learning_rate
            if spec.twin and isinstance(rate, keras.Variable):  # and no schedule
                rate.assign(np.float32(rate))
        self._fresh = [np.array(v) for v in self._variables()]

    def slots(self) -> List[Tuple[str, Any]]:
        """Return every slot with its name.

        Of several optimizers all count the same steps; another slot that belongs to no weight, such
        as a power of beta, has the optimizer's attribute before its name.
        """
        found = []
        for attribute, optimizer in self.optimizers.items():
            prefixes = tuple(flat(v) + "_" for v in self._weights[attribute])
            for variable in optimizer.variables:
                name = variable.path.partition("/")[2]
                apart = self._several and name != ITERATION and not name.startswith(prefixes)
                if name != RATE:
                    found.append(("{}/{}".format(attribute, name) if apart else name, variable))
        return found

    def reset(self) -> None:
        """Set all optimizers back to where they stood before their first step."""
        for variable, value in zip(self._variables(), self._fresh):
            variable.assign(value)
        slots = dict(self.slots())
        for weight in (weight for weights in self._weights.values() for weight in weights):
            average = slots.get(flat(weight) + "_average")
            if average is not None:  # it starts at what the weight is
                average.assign(weight)

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Have gradients kept inside the block, and no weight moved."""
        if not self._several:
            self._recorders["optimizer"].build(self._weights["optimizer"])
        self._use(self._recorders, True)
        try:
            yield
        finally:
            self._use(self.optimizers, False)

    def gradients(self) -> Arrays:
        """Return what was recorded.

        Raises:
            BadInput: one of several optimizers was handed other weights than it is to train.
        """
        found: Arrays = {}
        for attribute, recorder in self._recorders.items():
            gradients = recorder.found()
            wanted = {v.path for v in self._weights[attribute]}
            if wanted != set(gradients):
                besides = ", ".join(sorted(set(gradients) - wanted)) or "nothing"
                without = ", ".join(sorted(wanted - set(gradients))) or "nothing"
                raise BadInput(
                    "train_step has {} train {} besides, and leaves out {}".format(
                        attribute, besides, without
                    ),
                    "what its train op in the graph trains: {}".format(", ".join(sorted(wanted))),
                    "mend the train_step, or name another optimizer for that train op",
                )
            found.update(gradients)
        return found

    def _variables(self) -> List[Any]:
        return [v for optimizer in self.optimizers.values() for v in optimizer.variables]

    def _use(self, optimizers: Dict[str, Any], records: bool) -> None:
        """Train with other optimizers; a step that was compiled for those before is kept."""
        self._steps[not records] = self._model.train_function
        for attribute, optimizer in optimizers.items():
            setattr(self._model, attribute, optimizer)
        self._model.train_function = self._steps.get(records)


def clipping(optimizer: Any) -> Dict[str, Any]:
    """Return how an optimizer clips gradients, as the arguments that make another do so."""
    names = ("clipnorm", "clipvalue", "global_clipnorm")
    return {name: getattr(optimizer, name, None) for name in names}


def flat(weight: Any) -> str:
    """Return a weight's path as names of slots have it."""
    return str(weight.path).replace("/", "_")
