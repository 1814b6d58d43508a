"""Runs a graph-mode model: on TensorFlow 1.15.5, and on tf.compat.v1 of the installed TensorFlow.

Whatever the graph comes from, its handles are placeholders ``x`` and ``y``, one more for each value
that a feed names (``keep_prob``), ``train_op``, one scalar a metric, and the taps.
"""

import os
from typing import Any, Dict, Iterable, List, Mapping, Optional, Set, Tuple

# Before TensorFlow is imported: its RNN cells and layers refuse to work with Keras 3.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf.config_pb2 import CallableOptions

from parity import wire
from parity.errors import BadInput, EngineFailed
from parity.runners import between
from parity.runners.protocol import (
    Batch,
    Masks,
    Runner,
    Stepped,
    card,
    check_fit,
    count,
    densify,
    named,
    summed,
)
from parity.runners.sources import Gradient, Step, source_of
from parity.runners.watching import ancestors
from parity.wire import Arrays, Model

# A uniform draw of almost one keeps a value, a draw of zero drops it: TensorFlow 1 keeps where
# floor(keep_prob + u) is 1, TensorFlow 2 where u >= 1 - keep_prob.
KEEP = 1.0 - 2.0**-24
DROP = 0.0

tf.logging.set_verbosity(tf.logging.ERROR)
if hasattr(tf.config.experimental, "enable_tensor_float_32_execution"):  # not in TensorFlow 1
    tf.config.experimental.enable_tensor_float_32_execution(False)


class GraphRunner(Runner):
    """A model in a graph of its own, with a session of its own."""

    def __init__(self, spec: Model) -> None:
        super().__init__(spec)
        self._source = source_of(spec)
        self._session = tf.Session(graph=self._source.graph, config=session_config())
        self._source.initialise(self._session)
        self._train_ops: Dict[str, Any] = {}  # loss -> what lowers it, in their order
        steps: List[Step] = []
        if self._source.trains:
            ops = [*spec.trains] or [("loss", "train_op")]
            self._train_ops = {loss: self._source.tensor(op) for loss, op in ops}
            behind = run_by([getattr(op, "op", op) for op in self._train_ops.values()])
            steps = [step for step in self._source.steps if step.train_op in behind]
        self._gradients = merged([step.gradients for step in steps])
        slots = {name for step in self._source.steps for name in step.slots}
        self._slot_names = [n for n in self._source.variables if n in slots]
        self._weight_names = [n for n in self._source.variables if n not in slots]
        self._shapes = {name: value.shape for name, value in self.variables().items()}
        self._fresh_slots = self.slots()
        replays = spec.replay and self._source.trains
        self._uniforms = self._find_uniforms() if replays else {}
        self._callables: Dict[Any, Any] = {}

    def variables(self) -> Arrays:
        return self._source.read(self._session, self._weight_names)

    def slots(self) -> Arrays:
        return self._source.read(self._session, self._slot_names)

    def set_variables(self, arrays: Arrays) -> None:
        check_fit(self.variables(), arrays, "weights of {}".format(self.spec.pair))
        self._source.write(self._session, arrays)

    def set_slots(self, arrays: Arrays) -> None:
        check_fit(self.slots(), arrays, "slots of {}'s optimizer".format(self.spec.pair))
        self._source.write(self._session, arrays)

    def reset_slots(self) -> None:
        averages = {name for step in self._source.steps for name in step.averages}
        weights = self.variables() if averages else {}  # where each starts
        starts = {name: weights[name.rpartition("/")[0]] for name in averages}
        self._source.write(self._session, dict(self._fresh_slots, **starts))

    def forward(self, x: Batch, training: bool, step: int, masks: Masks) -> Arrays:
        return self._run(self._tensors(self.spec.taps), self._feed(x, None, training, masks))

    def evaluate(self, x: Batch, y: Batch) -> Dict[str, float]:
        names = self.spec.losses if self.spec.trains else self.spec.metrics
        values = self._run(self._tensors(names), self._feed(x, y, False, {}))
        found = {name: float(value) for name, value in values.items()}
        return summed(found) if self.spec.trains else found

    def gradients(
        self, x: Batch, y: Batch, step: int, masks: Masks
    ) -> Tuple[Dict[str, float], Arrays]:
        if not self._gradients:
            raise EngineFailed(
                "no gradients to look at: the model trains without `apply_gradients` of a "
                "tf.train.Optimizer",
                "its train_op to come from one, say by `minimize`",
            )
        fetches = self._tensors(self.spec.losses)
        for name, gradient in self._gradients.items():
            for part, tensor in zip(("values/", "indices/"), gradient or ()):
                if tensor is not None:
                    fetches[part + name] = tensor
        found = self._run(fetches, self._feed(x, y, True, masks))
        dense = {}
        for name in self._gradients:
            shape = self._shapes[name]
            if "values/" + name in found:
                values, indices = found["values/" + name], found.get("indices/" + name)
                dense[name] = densify(values, indices, shape)
            else:  # the loss does not depend on it
                dense[name] = np.zeros(shape, self.spec.dtype)
        return summed({name: float(found[name]) for name in self.spec.losses}), dense

    def train_step(self, x: Batch, y: Batch, step: int, masks: Masks) -> Stepped:
        feed = self._feed(x, y, True, masks)
        carried = {name: self._source.tensor(each) for name, each in self.spec.carried.items()}
        losses = {}
        for name, train_op in self._train_ops.items():  # each sees what the one before it changed
            fetches = dict(wire.within("carried", carried), loss=self._source.tensor(name))
            found = self._run(fetches, feed, train_op)
            losses[name] = float(found["loss"])
        return Stepped(summed(losses), wire.under(found, "carried"))

    def masks(self, x: Batch, step: int) -> Masks:
        raise EngineFailed(
            "a graph engine was asked to lead", "a Keras engine, whose masks a graph can be fed"
        )

    def whole(self, x: Batch) -> bool:
        shapes = [self._source.tensor(name).shape for name in named("x", x)]
        return any(shape.ndims and shape.as_list()[0] is not None for shape in shapes)

    def tensors(self, x: Batch) -> Tuple[Arrays, Dict[str, Any]]:
        taps = self._tensors(self.spec.taps)
        inputs = [self._source.tensor(name) for name in named("x", x)]
        feed = self._feed(x, None, False, {})

        def run(fetches: Mapping[str, Any]) -> Arrays:
            return self._run(fetches, feed)

        dtype = tf.as_dtype(self.spec.dtype)
        found, description = between.collect(run, inputs, list(taps.values()), dtype, count(x))
        return dict(wire.within("tensors", found), **wire.within("taps", run(taps))), description

    def about(self) -> Dict[str, str]:
        devices = [d for d in self._session.list_devices() if "XLA" not in d.name]
        names = [d.name.rsplit("/device:", 1)[-1] for d in devices]
        gpus = [name for name in names if name.startswith("GPU")]
        return {
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
            "device": (gpus or names)[0],
            **(card(tf.config) if gpus else {}),
        }

    def _tensors(self, names: Iterable[str]) -> Dict[str, Any]:
        return {name: self._source.tensor(name) for name in names}

    def _feed(self, x: Batch, y: Any, training: bool, masks: Masks) -> Dict[Any, Any]:
        values: Dict[str, Any] = dict(named("x", x), **(named("y", y) if y is not None else {}))
        values.update(self.spec.feeds.get("train" if training else "eval", {}))
        feed = {self._source.tensor(name): value for name, value in values.items()}
        for site, mask in masks.items():
            uniform = self._uniforms[site]
            feed[uniform] = np.where(fit(mask, uniform.shape, site), KEEP, DROP)
        return feed

    def _run(
        self, fetches: Mapping[str, Any], feed: Mapping[Any, Any], target: Any = None
    ) -> Arrays:
        """Run the graph once; return the value of every fetch under its name.

        Not with `Session.run`, which holds a feed to the static shape of its tensor. The shape of a
        `DropoutWrapper`'s mask, with `variational_recurrent`, is (1, units): one for the whole
        batch. The graph multiplies by a mask for each row just as well.
        """
        tensors = [tensor.name for tensor in fetches.values()]
        feeds = [tensor.name for tensor in feed]
        key = (tuple(tensors), tuple(feeds), target)
        if key not in self._callables:
            options = CallableOptions(fetch=tensors, feed=feeds)
            if target is not None:
                options.target.append(target.name)
            self._callables[key] = self._session._make_callable_from_options(options)
        values = self._callables[key](
            *(np.asarray(value, tensor.dtype.as_numpy_dtype) for tensor, value in feed.items())
        )
        return dict(zip(fetches, values))

    def _find_uniforms(self) -> Dict[str, Any]:
        """Return the random draw behind each dropout site: its output can be fed.

        Only draws that the loss depends on are dropout; an initializer's are not.
        """
        draws = [
            op
            for op in ancestors([loss.op for loss in self._tensors(self.spec.losses).values()])
            if op.type == "RandomUniform"
        ]
        found = {}
        for site, prefix in self.spec.sites.items():
            named = [op for op in draws if op.name.startswith(prefix + "/")]
            if len(named) != 1:
                raise EngineFailed(
                    "dropout site {!r} has {} random ops under {!r}: {}".format(
                        site, len(named), prefix, [op.name for op in named]
                    ),
                    "one of those that the loss depends on: {}".format([op.name for op in draws]),
                    "mend the site in the pair's wiring",
                )
            found[site] = named[0].outputs[0]
        covered = {tensor.op.name for tensor in found.values()}
        loose = [op.name for op in draws if op.name not in covered]
        if loose:
            raise EngineFailed(
                "the loss depends on random ops that no dropout site covers: {}".format(loose),
                mend="add them to the pair's wiring",
            )
        return found


def run_by(train_ops: Iterable[Any]) -> Set[Any]:
    """Return the ops that a training step runs.

    Raises:
        BadInput: one of several train ops runs another, which would take two steps then.
    """
    behind = {op: ancestors([op]) for op in train_ops}
    for op, own in behind.items():
        for other in behind:
            if other is not op and other in own:
                raise BadInput(
                    "{} runs {} as well, which would take two steps then".format(
                        op.name, other.name
                    ),
                    "train ops that do not depend on each other",
                    "make them so in the script: they are run one after the other here",
                )
    return set().union(*behind.values())


def merged(steps: List[Mapping[str, Optional[Gradient]]]) -> Dict[str, Optional[Gradient]]:
    """Return the gradients of several optimizers, each with variables of its own.

    Raises:
        EngineFailed: two train the same variable.
    """
    found: Dict[str, Optional[Gradient]] = {}
    for gradients in steps:
        for name, gradient in gradients.items():
            if name in found:
                raise EngineFailed(
                    "two optimizers train {!r}".format(name),
                    "one, whose gradient can be compared with that of the Keras model",
                )
            found[name] = gradient
    return found


def fit(mask: np.ndarray, shape: Any, site: str) -> np.ndarray:
    """Give a mask the rank of the random draw that it replaces.

    Keras draws a mask that holds for every time step as (batch, units), or as (batch, 1, units)
    where a `Dropout` has a noise shape; a graph may draw it as either, or as (1, units) for the
    whole batch.

    Raises:
        EngineFailed: the shapes do not go together.
    """
    if shape.ndims is None:
        return mask
    sizes, fitted = shape.as_list(), mask
    steps = [axis for axis in range(1, mask.ndim) if mask.shape[axis] == 1]
    if mask.ndim == len(sizes) + 1 and steps:
        fitted = mask = np.squeeze(mask, steps[0])
    singles = [axis for axis, size in enumerate(sizes) if size == 1]
    if mask.ndim + len(singles) == len(sizes):
        for axis in singles:
            fitted = np.expand_dims(fitted, axis)
    if fitted.ndim != len(sizes) or any(
        size not in (None, 1, given) for size, given in zip(sizes, fitted.shape)
    ):
        raise EngineFailed(
            "dropout site {!r} has masks of shape {}, but the graph draws {} there".format(
                site, mask.shape, tuple(sizes)
            ),
            "the pair's wiring to name the op that draws them",
        )
    return fitted


def session_config() -> Any:
    """Return how sessions run: on the threads that TensorFlow 2 would use, without Grappler.

    TensorFlow 1 does not know the environment variables. Grappler, which rewrites a graph before it
    is first run, takes half a minute for an unrolled one and saves nothing in a run.
    """
    config = tf.ConfigProto(
        intra_op_parallelism_threads=int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0)),
        inter_op_parallelism_threads=int(os.environ.get("TF_NUM_INTEROP_THREADS", 0)),
    )
    config.gpu_options.allow_growth = True
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config
