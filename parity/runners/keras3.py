"""Runs a Keras 3 model through its public face: `train_on_batch`, `test_on_batch`, layer outputs.

So a compiled model is judged by the very code path that its users run, on any Keras backend.
"""

import contextlib
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import keras
import numpy as np

from parity.errors import BadInput, did_you_mean, look_up
from parity.runners import describing, keras_file, places
from parity.runners.keras_dropout import Dropout
from parity.runners.keras_training import Training
from parity.runners.layerwise import Layerwise
from parity.runners.protocol import (
    Batch,
    Masks,
    Runner,
    Stepped,
    build,
    card,
    check_fit,
    resolve,
    summed,
)
from parity.wire import FED, Arrays, Model

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
if ON_TENSORFLOW:
    import tensorflow as tf

    # XLA multiplies with 10 bits on a GPU that can, whatever NVIDIA_TF32_OVERRIDE says.
    tf.config.experimental.enable_tensor_float_32_execution(False)


class KerasRunner(Runner):
    """A compiled Keras model."""

    def __init__(self, spec: Model) -> None:
        super().__init__(spec)
        start_afresh(spec)
        if ON_TENSORFLOW:
            # It divides by multiplying with a reciprocal: a decaying rate, which is float32 in a
            # float64 twin as well, would be a rounding off.
            tf.config.optimizer.set_experimental_options({"constant_folding": not spec.twin})
        self.model = built(spec)
        if spec.twin:
            narrow(self.model)
        self._training = Training(self.model, spec)
        self._by_xla = ON_TENSORFLOW and self.model.jit_compile
        taps = [self._tap(name) for name in spec.taps] or self.model.outputs
        self._taps = keras.Model(self.model.input, taps)
        self._forward = compiled(self._taps, self._by_xla)
        self._dropout = Dropout(self.model, spec.seed, spec.twin)
        self._aim = self._find_aim()
        self._apart: Optional[Layerwise] = None
        self._computed: Any = None

    def variables(self) -> Arrays:
        return {v.path: np.array(v) for v in self.model.variables if not is_seed(v)}

    def slots(self) -> Arrays:
        return {name: np.array(v) for name, v in self._training.slots()}

    def set_variables(self, arrays: Arrays) -> None:
        check_fit(self.variables(), arrays, "weights of {}".format(self.spec.pair))
        for variable in self.model.variables:
            if variable.path in arrays:
                variable.assign(arrays[variable.path])

    def set_slots(self, arrays: Arrays) -> None:
        check_fit(self.slots(), arrays, "slots of {}'s optimizer".format(self.spec.pair))
        for name, variable in self._training.slots():
            variable.assign(arrays[name])

    def reset_slots(self) -> None:
        self._training.reset()

    def forward(self, x: Batch, training: bool, step: int, masks: Masks) -> Arrays:
        # Recurrent layers draw masks outside of training as well, and do not use them.
        with self._replayed(x, step, masks) if training else contextlib.nullcontext():
            outputs = keras.tree.flatten(self._forward(x, training=training))
        return {name: np.array(out) for name, out in zip(self.spec.taps, outputs)}

    def evaluate(self, x: Batch, y: Batch) -> Dict[str, float]:
        self._refuse_uncompiled()
        if self.spec.trains and not describing.has_own(self.model, "test_step"):
            raise BadInput(
                "a model with several optimizers has no test_step of its own",
                "one that returns {}".format(", ".join(self.spec.losses)),
            )
        logs = self.model.test_on_batch(x, self._targets(y), return_dict=True)
        if self.spec.trains:
            return summed(self._told("test_step", logs, self.spec.losses))
        return self._told("test_step", logs, self.spec.metrics)

    def gradients(
        self, x: Batch, y: Batch, step: int, masks: Masks
    ) -> Tuple[Dict[str, float], Arrays]:
        self._refuse_uncompiled()
        with self._training.recording():
            losses, _ = self.train_step(x, y, step, masks)
        return losses, self._training.gradients()

    def train_step(self, x: Batch, y: Batch, step: int, masks: Masks) -> Stepped:
        self._refuse_uncompiled()
        with self._replayed(x, step, masks):
            logs = self.model.train_on_batch(x, self._targets(y), return_dict=True)
        carried = {
            name: np.array(look_up("result of train_step", key, logs))
            for name, key in self.spec.carried.items()
        }
        return Stepped(summed(self._told("train_step", logs, self.spec.losses)), carried)

    def masks(self, x: Batch, step: int) -> Masks:
        return self._dropout.masks(compiled(self._taps), x, step, self.spec.dtype)

    def describe(self) -> Dict[str, Any]:
        return describing.describe(self.model, self._training.slots())

    @staticmethod
    def places(spec: Model) -> Tuple[Dict[str, Any], Arrays]:
        start_afresh(spec)
        with places.without_memory():
            model = built(spec)
            if getattr(model, "optimizer", None) is not None:
                model.optimizer.build(model.trainable_variables)
            return places.places(model)

    def whole(self, x: Batch) -> bool:
        return any(each.shape and each.shape[0] is not None for each in self.model.inputs)

    def layers(self, x: Batch) -> Tuple[Arrays, Dict[str, Any]]:
        apart = self._taken_apart()
        outputs = {name: id(self.model.get_layer(name).output) for name in self.spec.taps}
        taps = {n: apart.numbers[each] for n, each in outputs.items() if each in apart.numbers}
        return apart.values(x), {
            "inputs": apart.inputs,
            "outputs": apart.outputs,
            "calls": [call.describe() for call in apart.calls],
            "taps": taps,
        }

    def apply(self, x: Batch, call: int, arrays: List[np.ndarray]) -> List[np.ndarray]:
        apart = self._taken_apart()
        if self._computed is None or self._computed[0] is not x:
            self._computed = x, apart.run(x)  # once for all trials of a question
        return apart.apply(self._computed[1], call, arrays)

    def _taken_apart(self) -> Layerwise:
        if self._apart is None:
            self._apart = Layerwise(self.model, compiled)
        return self._apart

    def about(self) -> Dict[str, str]:
        about = {
            "keras": keras.version(),
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
            "device": "CPU:0",
        }
        if ON_TENSORFLOW:
            about["tensorflow"] = tf.__version__
            if tf.config.list_logical_devices("GPU"):
                about["device"] = "GPU:0"
                about.update(card(tf.config))
            if self._by_xla:
                about["compiler"] = "XLA"
        return about

    def _find_aim(self) -> Optional[str]:
        """Return the output that a loss is taken of, where it is one of several by name."""
        outputs = self.model.output
        if not isinstance(outputs, dict):
            return None
        names = [name for name, aims in zip(sorted(outputs), describing.aimed(self.model)) if aims]
        return names[0] if len(names) == 1 < len(outputs) else None

    @staticmethod
    def _told(step: str, logs: Mapping[str, Any], names: Sequence[str]) -> Dict[str, float]:
        return {name: float(look_up("result of " + step, name, logs)) for name in names}

    def _targets(self, y: Batch) -> Any:
        """Return what is fitted, by name where an output has one; floats as the model computes.

        A model with a `train_step` of its own may take them as they come, and mixes no dtypes.
        """
        if isinstance(y, dict):
            return {name: self._widened(each) for name, each in y.items()} or None
        return self._widened(y) if self._aim is None else {self._aim: self._widened(y)}

    def _widened(self, y: np.ndarray) -> np.ndarray:
        return y.astype(self.spec.dtype) if y.dtype.kind == "f" else y

    def _tap(self, name: str) -> Any:
        """Return the tensor that a layer gives; of a layer that gives an output, that one.

        Raises:
            BadInput: there is no such layer, or it gives several tensors.
        """
        for output in self.model.outputs:
            if output._keras_history.operation.name == name:
                return output
        names = [layer.name for layer in self.model.layers]
        if name not in names:
            raise BadInput(
                "the Keras model has no layer {!r}".format(name),
                "one of {}".format(", ".join(names)),
                did_you_mean(name, names),
            )
        given = self.model.get_layer(name).output
        if isinstance(given, (list, tuple, dict)):
            raise BadInput(
                "the layer {!r} gives {} tensors".format(name, len(given)),
                "one",
                "name a layer behind it, say an Identity",
            )
        return given

    def _refuse_uncompiled(self) -> None:
        if not self._training.optimizers:
            raise BadInput(
                "{} returns a model that is not compiled".format(self.spec.builder),
                "a model that can train",
                "compile it with the loss and optimizer of the graph",
            )

    @contextlib.contextmanager
    def _replayed(self, x: Batch, step: int, masks: Masks) -> Iterator[None]:
        """Make dropout draw, or be fed, the masks of `step` inside the block."""
        if not self.spec.replay:
            yield
        elif self.spec.replay == FED:
            with self._dropout.fed(compiled(self._taps), x, masks):
                yield
        elif self._by_xla:  # which draws others from the same seed
            with self._dropout.fed(compiled(self._taps), x, self.masks(x, step)):
                yield
        else:
            self._dropout.seed(step)
            yield


def start_afresh(spec: Model) -> None:
    """Forget other models: names, dtype and seeds are those of a process that has built none."""
    keras.backend.clear_session()
    keras.config.set_floatx(spec.dtype)
    keras.config.set_dtype_policy(spec.dtype)  # a policy that was read once ignores floatx
    keras.utils.set_random_seed(spec.seed)


def built(spec: Model) -> Any:
    """Return the model that a builder stands for, with another optimizer where the spec has one."""
    if spec.builder.endswith(keras_file.SUFFIX):
        return keras_file.load(spec.builder, spec.dtype)
    if not spec.optimizer:
        return build(spec)
    return build(spec, optimizer=resolve(spec.optimizer)(learning_rate=spec.learning_rate))


def compiled(model: Any, by_xla: bool = False) -> Any:
    """Return a model as its training step runs it, which is faster than step by step.

    A recurrent layer's 1000 steps take 10 s one by one on TensorFlow, and 1 s as a graph. Each call
    of `compiled` gives a graph of its own, made when it is first run.

    Args:
        model: to be called; on other backends than TensorFlow it is returned as it is.
        by_xla: have XLA compile it. On a GPU Keras has it compile a step without being asked, and
            XLA rounds otherwise.
    """
    return tf.function(model, jit_compile=by_xla or None) if ON_TENSORFLOW else model


def narrow(model: Any) -> None:
    """Give norms the constants of a graph in a float64 twin: they were float32 numbers there.

    Of a momentum that is what it leaves: an average moves by 1 - 0.99, as `moving_averages.py` of
    TensorFlow 1.15 has it.
    """
    for layer in model._flatten_layers():
        if isinstance(getattr(layer, "epsilon", None), float):
            layer.epsilon = float(np.float32(layer.epsilon))
        if isinstance(getattr(layer, "momentum", None), float):
            layer.momentum = 1 - float(np.float32(1 - layer.momentum))


def is_seed(variable: Any) -> bool:
    """Tell whether a variable is a seed generator's state rather than a weight."""
    return str(variable.path).endswith("seed_generator_state")
