"""How long a training step takes inside an engine, and how much memory its process has used.

A question's arrays are those of a training (`climb`). What is timed is the step that users take:
the model draws its own dropout masks, and nothing is read back but the loss.
"""

import sys
import time
from typing import Any, Callable, List, Tuple

import numpy as np

from parity import wire
from parity.runners.climb import Progress
from parity.runners.protocol import Runner, part_of, take
from parity.wire import Arrays, Job

WARM_UP = 3  # steps in which frameworks trace, compile and allocate
FEWEST, BUDGET = 10, 3.0  # steps that are timed at least; seconds after which they are enough
# Four megabytes: what a busy neighbour takes away is cache and memory (docs/decisions/0011).
YARDSTICK = np.linspace(-1, 1, 2**20, dtype=np.float32)


def time_steps(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Time training steps, each followed by a fixed piece of work that no model knows of.

    Returns:
        ``seconds`` (steps,) of every step after the warm-up by the wall clock, ``processor``
        (steps,) by the processor time of all threads, ``yardstick`` (steps,): seconds of the fixed
        work beside it, ``memory``: the process's peak in bytes, NaN where nobody counts it.
    """
    runner.set_variables(dict(runner.variables(), **wire.under(arrays, "given")))
    steps = wire.batches(arrays["order"], arrays["sizes"])
    found: List[Tuple[float, float, float]] = []
    begun = time.perf_counter()
    for number, rows in enumerate(steps):
        if number == WARM_UP:
            begun = time.perf_counter()
        if number >= WARM_UP + FEWEST and time.perf_counter() - begun > BUDGET:
            break
        x, y = (take(part_of(arrays, name), rows) for name in ("x_train", "y_train"))
        found.append(clocked(runner.train_step, x, y, number, {}) + clocked(work)[:1])
        progress("time", number + 1, len(steps), {})
    seconds, processor, yardstick = np.array(found[WARM_UP:]).T
    return {
        "seconds": seconds,
        "processor": processor,
        "yardstick": yardstick,
        "memory": np.asarray(peak_memory()),
    }


def clocked(call: Callable[..., Any], *arguments: Any) -> Tuple[float, float]:
    """Return the seconds that a call takes, by the wall clock and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    call(*arguments)
    return time.perf_counter() - wall, time.process_time() - processor


def work() -> None:
    """Do the fixed piece of work: what a slower hour of the machine does to it, it does to all."""
    (YARDSTICK * YARDSTICK).sum()  # no product of matrices: NumPy would use threads for it


def peak_memory() -> float:
    """Return the peak of the process's resident memory in bytes, or NaN."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)
