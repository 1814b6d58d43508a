"""The rungs inside an engine: variables, forward, loss, gradients, update, curve.

Generic over runners: the same lines drive TensorFlow 1.15.5, tf.compat.v1 and Keras, so that two
engines cannot be asked two different questions.
"""

from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

import numpy as np

from parity import wire
from parity.runners.protocol import Masks, Runner
from parity.wire import Arrays, Job

UPDATE_STEPS = 2  # the first step starts the slots, the second one uses them
EVALUATED = 2**17  # numbers of input evaluated at a time: bounds memory, not the result

Progress = Callable[[str, int, int, Mapping[str, float]], None]


def lead(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Return the model's variables and, if masks are replayed, those of every training step.

    Arrays named ``variables/<name>`` and ``masks/<step>/<site>``.
    """
    results = wire.within("variables", runner.variables())
    if job.replay:
        for step, rows in training_rows(job, arrays):
            masks = runner.masks(arrays["x_train"][rows], step)
            results.update(wire.within("masks/{}".format(step), masks))
            progress("masks", step + 1, 0, {})
    return results


def climb(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Climb all rungs from the given weights; return what each one saw, named by rung."""
    weights = wire.under(arrays, "weights")
    steps = list(training_rows(job, arrays))
    _, rows = steps[0]
    x, y = arrays["x_train"][rows], arrays["y_train"][rows]
    masks = masks_of(arrays, 0)

    runner.set_variables(weights)
    results = wire.within("variables", runner.variables())
    progress("forward", 0, len(steps), {})
    results.update(wire.within("forward/eval", runner.forward(x, False, 0, {})))
    results.update(wire.within("forward/train", runner.forward(x, True, 0, masks)))
    results.update(wire.within("loss/eval", as_arrays(runner.evaluate(x, y))))
    progress("gradients", 0, len(steps), {})
    loss, gradients = runner.gradients(x, y, 0, masks)
    results["loss/train/loss"] = np.asarray(loss)
    results.update(wire.within("gradients", gradients))

    runner.reset_slots()
    for step, rows in steps[:UPDATE_STEPS]:
        runner.train_step(
            arrays["x_train"][rows], arrays["y_train"][rows], step, masks_of(arrays, step)
        )
        results.update(wire.within("update/step {}".format(step + 1), state(runner)))

    runner.set_variables(weights)
    runner.reset_slots()
    results.update(wire.within("curve", train(runner, job, arrays, progress)))
    return results


def train(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Train over the whole schedule; evaluate on the test rows after each epoch.

    Returns:
        ``step_loss`` (steps,): the loss of each batch before its update. ``train_<metric>``
        (epochs,): read after the update on the epoch's last batch, with dropout off.
        ``test_<metric>`` (epochs,). ``final/weights/<name>`` and ``final/slots/<name>``.
    """
    order = arrays["order"]  # (epochs, rows)
    slices = wire.batches(order.shape[1], job.batch_size, job.drop_remainder)
    total = len(order) * len(slices)
    losses = []
    history: Dict[str, Any] = {}
    for step, rows in training_rows(job, arrays):
        x, y = arrays["x_train"][rows], arrays["y_train"][rows]
        losses.append(runner.train_step(x, y, step, masks_of(arrays, step)))
        if (step + 1) % len(slices) == 0:
            for name, value in runner.evaluate(x, y).items():
                history.setdefault("train_" + name, []).append(value)
            for name, value in evaluate(runner, arrays["x_test"], arrays["y_test"]).items():
                history.setdefault("test_" + name, []).append(value)
        progress("curve", step + 1, total, {name: values[-1] for name, values in history.items()})
    results = {name: np.asarray(values, np.float64) for name, values in history.items()}
    results["step_loss"] = np.asarray(losses, np.float64)
    results.update(wire.within("final", state(runner)))
    return results


def evaluate(runner: Runner, x: np.ndarray, y: np.ndarray) -> Dict[str, float]:
    """Return the mean of every metric over all rows, dropout off."""
    sums: Dict[str, float] = {}
    for rows in portions(x):
        for name, value in runner.evaluate(x[rows], y[rows]).items():
            sums[name] = sums.get(name, 0.0) + value * (rows.stop - rows.start)
    return {name: value / len(x) for name, value in sums.items()}


def predict(runner: Runner, x: np.ndarray) -> np.ndarray:
    """Return the model's output, the last tap, for every row of `x`."""
    parts = [runner.forward(x[rows], False, 0, {})[runner.job.taps[-1]] for rows in portions(x)]
    return np.concatenate(parts)


def portions(x: np.ndarray) -> List[slice]:
    """Split the rows of `x` for evaluation: fewer at a time where a row is long."""
    rows = max(1, EVALUATED // max(1, x[:1].size))
    return wire.batches(len(x), 2 ** int(np.log2(rows)))  # a row count that fits others, too


def state(runner: Runner) -> Arrays:
    """Return weights and slots, named ``weights/<name>`` and ``slots/<name>``."""
    return dict(wire.within("weights", runner.variables()), **wire.within("slots", runner.slots()))


def training_rows(job: Job, arrays: Arrays) -> Iterator[Tuple[int, np.ndarray]]:
    """Yield each step's number and the rows of its batch, over all epochs of ``order``."""
    step = 0
    for epoch in arrays["order"]:
        for rows in wire.batches(len(epoch), job.batch_size, job.drop_remainder):
            yield step, epoch[rows]
            step += 1


def masks_of(arrays: Arrays, step: int) -> Masks:
    """Return the masks that `step` replays; none where the runner draws its own."""
    return wire.under(arrays, "masks/{}".format(step))


def as_arrays(values: Mapping[str, float]) -> Arrays:
    """Return each number as an array of rank 0."""
    return {name: np.asarray(value) for name, value in values.items()}
