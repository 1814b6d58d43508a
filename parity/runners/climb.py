"""The rungs inside an engine: variables, forward, loss, gradients, update, curve.

Generic over runners: the same lines drive TensorFlow 1.15.5, tf.compat.v1 and Keras, so that two
engines cannot be asked two different questions. A question's arrays are

    x_train, y_train, x_test, y_test    what is trained and tested on
    x_validation, y_validation          what is tested on besides, where it was held out
    order, sizes                        rows of all steps, (rows,), and of each batch, (steps,)
    tested                              numbers of the steps after which metrics are read, (epochs,)
    weights/NAME, slots/NAME            where to start; slots are fresh where none are given
    masks/STEP/SITE                     dropout masks, unless the engine draws them itself
"""

from typing import Any, Callable, Dict, List, Mapping

import numpy as np

from parity import keys, wire
from parity.errors import BadInput
from parity.runners.protocol import Batch, Masks, Runner, count, named, part_of, take
from parity.wire import Arrays, Job

HELD_OUT = ("test", "validation")
UPDATE_STEPS = 2  # the first step starts the slots, the second one uses them
EVALUATED = 2**17  # numbers of input evaluated at a time: bounds memory, not the result

Progress = Callable[[str, int, int, Mapping[str, float]], None]


class Climb:
    """One question about one model, rung by rung.

    Args:
        runner: the model.
        job: what is asked.
        arrays: the question's arrays.
        progress: called with every step.
    """

    def __init__(self, runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> None:
        self._runner, self._job, self._arrays, self._progress = runner, job, arrays, progress
        self._steps = wire.batches(arrays["order"], arrays["sizes"])
        self._differentiated: Any = None
        self._carried: Arrays = {}

    def lead(self) -> Arrays:
        """Return the model's variables and the dropout masks of every training step.

        Arrays named ``variables/<name>`` and ``masks/<step>/<site>``.
        """
        results = wire.within("variables", self._runner.variables())
        for step, rows in enumerate(self._steps):
            masks = self._runner.masks(self._part("x_train", rows), step)
            results.update(wire.within("masks/{}".format(step), masks))
            self._progress("masks", step + 1, len(self._steps), {})
        return results

    def climb(self) -> Arrays:
        """Climb the rungs that are asked for; return what each one saw, named by rung."""
        results: Arrays = {}
        for rung in self._job.rungs:
            self._progress(rung, 0, len(self._steps), {})
            self._restart()
            results.update(getattr(self, "_" + rung)())
        return results

    def train(self) -> Arrays:
        """Train from where the model stands; read metrics after the steps that `tested` names.

        Returns:
            ``step_loss`` (steps,): the loss of each batch before its update; ``step_<loss>`` of
            each where there are several. ``train_<metric>`` (epochs,): read after the update on the
            last batch, with dropout off. ``test_<metric>`` (epochs,), and ``validation_<metric>``
            where rows were held out for it. ``step N/...`` for every snapshot, and
            ``final/weights/<name>`` and ``final/slots/<name>``.
        """
        runner, arrays = self._runner, self._arrays
        losses: Dict[str, List[float]] = {}
        history: Dict[str, Any] = {}
        results: Arrays = {}
        for i, rows in enumerate(self._steps):
            number = self._job.start + i
            x, y = self._part("x_train", rows), self._part("y_train", rows)
            for name, loss in self._train_step(x, y, number).items():
                losses.setdefault("step_" + name, []).append(loss)
            if number in arrays["tested"]:
                read = {"train": runner.evaluate(x, y)}
                for split in HELD_OUT:
                    x, y = part_of(arrays, "x_" + split), part_of(arrays, "y_" + split)
                    if len(x):
                        read[split] = evaluate(runner, x, y)
                for split, metrics in read.items():
                    for name, value in metrics.items():
                        history.setdefault("{}_{}".format(split, name), []).append(value)
            if number in self._job.snapshots:
                results.update(wire.within(keys.step(number + 1), state(runner)))
            latest = {name: values[-1] for name, values in history.items()}
            self._progress("curve", i + 1, len(self._steps), latest)
        results.update({name: np.asarray(v, np.float64) for name, v in history.items()})
        results.update({name: np.asarray(v, np.float64) for name, v in losses.items()})
        results.update(wire.within("final", state(runner)))
        return results

    def _restart(self) -> None:
        self._carried = {}
        self._runner.set_variables(wire.under(self._arrays, "weights"))
        self._runner.reset_slots()
        slots = wire.under(self._arrays, "slots")
        if slots:
            self._runner.set_slots(slots)

    def _first(self) -> Any:
        """Return the first batch, the number of its step and its masks."""
        rows, number = self._steps[0], self._job.start
        x, y = self._part("x_train", rows), self._part("y_train", rows)
        return x, y, number, self._masks(number)

    def _variables(self) -> Arrays:
        return wire.within("variables", self._runner.variables())

    def _forward(self) -> Arrays:
        x, _, number, masks = self._first()
        found = wire.within("forward/eval", self._runner.forward(x, False, number, {}))
        if not self._job.quiet:
            loud = self._runner.forward(x, True, number, masks)
            found.update(wire.within("forward/train", loud))
        return found

    def _loss(self) -> Arrays:
        x, y, _, _ = self._first()
        quiet = wire.within("loss/eval", as_arrays(self._runner.evaluate(x, y)))
        losses, _ = self._differentiate()
        return dict(quiet, **wire.within("loss/train", as_arrays(losses)))

    def _gradients(self) -> Arrays:
        _, gradients = self._differentiate()
        return wire.within("gradients", gradients)

    def _differentiate(self) -> Any:
        """Return the first batch's training losses and gradients; two rungs look at them."""
        if self._differentiated is None:
            self._differentiated = self._runner.gradients(*self._first())
        return self._differentiated

    def _update(self) -> Arrays:
        results: Arrays = {}
        for i, rows in enumerate(self._steps[:UPDATE_STEPS]):
            number = self._job.start + i
            x, y = self._part("x_train", rows), self._part("y_train", rows)
            losses = self._train_step(x, y, number)
            found = dict(state(self._runner), **wire.within("loss", as_arrays(losses)))
            results.update(wire.within("update/" + keys.step(number + 1), found))
        return results

    def _curve(self) -> Arrays:
        return wire.within("curve", self.train())

    def _train_step(self, x: Batch, y: Batch, number: int) -> Dict[str, float]:
        """Take a step, and keep what the next one is fed of it; return the losses."""
        losses, self._carried = self._runner.train_step(x, y, number, self._masks(number))
        return losses

    def _part(self, name: str, rows: np.ndarray) -> Batch:
        part = take(part_of(self._arrays, name), rows)
        if not self._carried or name != "x_train":
            return part
        for fed, value in self._carried.items():
            if value.shape != part[fed].shape:
                raise BadInput(
                    "the next step's {} would be {}, and was {}".format(
                        fed, value.shape, part[fed].shape
                    ),
                    "what is carried to have the shape of what it takes the place of",
                    "carry another tensor, or give batches of one size",
                )
        return dict(part, **self._carried)

    def _masks(self, step: int) -> Masks:
        """Return the masks that `step` replays; none where the runner draws its own."""
        return wire.under(self._arrays, "masks/{}".format(step))


def evaluate(runner: Runner, x: Batch, y: Batch) -> Dict[str, float]:
    """Return the mean of every metric over all rows, dropout off."""
    sums: Dict[str, float] = {}
    for rows in portions(x):
        part = take(x, rows)
        for name, value in runner.evaluate(part, take(y, rows)).items():
            sums[name] = sums.get(name, 0.0) + value * count(part)
    return {name: value / count(x) for name, value in sums.items()}


def predict(runner: Runner, x: Batch) -> np.ndarray:
    """Return the model's output, the last tap, for every row of `x`."""
    last = runner.spec.taps[-1]
    return np.concatenate(
        [runner.forward(take(x, rows), False, 0, {})[last] for rows in portions(x)]
    )


def portions(x: Batch) -> List[slice]:
    """Split the rows of `x` for evaluation: fewer at a time where a row is long."""
    row = sum(value[:1].size for value in named("x", x).values())
    rows = max(1, EVALUATED // max(1, row))
    size = 2 ** int(np.log2(rows))  # a row count that fits others, too
    return [slice(start, start + size) for start in range(0, count(x), size)]


def state(runner: Runner) -> Arrays:
    """Return weights and slots, named ``weights/<name>`` and ``slots/<name>``."""
    return dict(wire.within("weights", runner.variables()), **wire.within("slots", runner.slots()))


def as_arrays(values: Mapping[str, float]) -> Arrays:
    """Return each number as an array of rank 0."""
    return {name: np.asarray(value) for name, value in values.items()}
