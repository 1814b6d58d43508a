"""What a model gives layer by layer, and what one layer makes of arrays that it is fed.

A question is that of a climb (`parity.runners.climb`), of whose first batch some rows are taken,
in evaluation mode, and

    rows                        at least so many rows, (); all, where the model takes no fewer
    calls                       of ``apply``: number of the call in every trial, (trials,)
    given/TRIAL/INPUT           of ``apply``: what that call is fed
"""

import json
from typing import Any, Dict, List, Mapping

import numpy as np

from parity import wire
from parity.runners.climb import Progress
from parity.runners.protocol import Batch, Runner, count, part_of, take
from parity.wire import Arrays, Job

SAME = 1e-9  # of a tensor's largest value: two float64 values that differ by less are the same


def tensors(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Return every tensor of a graph between its inputs and its taps, and the taps.

    Returns:
        ``tensors/NAME``, ``taps/TAP``, ``rows``; ``description``: as `described` reads it, see
        `Runner.tensors`.
    """
    x = _rows(runner, arrays)
    found, description = runner.tensors(x)
    return dict(found, rows=np.asarray(count(x)), description=_bytes(description))


def layers(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Return what every layer of a Keras model gives.

    Returns:
        ``values/NUMBER``, ``rows``; ``description``: as `described` reads it, see `Runner.layers`.
    """
    x = _rows(runner, arrays)
    found, description = runner.layers(x)
    return dict(found, rows=np.asarray(count(x)), description=_bytes(description))


def apply(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Return what single calls of layers make of the arrays that they are fed.

    Returns:
        ``TRIAL/OUTPUT``; nothing of a trial whose arrays the layer cannot take.
    """
    x = _rows(runner, arrays)
    results: Arrays = {}
    for trial, call in enumerate(arrays["calls"]):
        given = wire.under(arrays, "given/{}".format(trial))
        outputs = runner.apply(x, int(call), [given[str(i)] for i in range(len(given))])
        results.update(wire.within(str(trial), {str(i): v for i, v in enumerate(outputs)}))
        progress("apply", trial + 1, len(arrays["calls"]), {})
    return results


def described(arrays: Mapping[str, np.ndarray]) -> Dict[str, Any]:
    """Return the description that came with an answer."""
    found: Dict[str, Any] = json.loads(arrays["description"].tobytes().decode())
    return found


def telling(value: np.ndarray) -> bool:
    """Tell whether a value can prove anything: finite numbers, of which two at least differ.

    A tensor that is all zero, as a ReLU's may be, is found in any graph.
    """
    if not value.size or not np.issubdtype(value.dtype, np.floating):
        return False
    low, high = float(np.min(value)), float(np.max(value))
    return bool(np.isfinite([low, high]).all()) and high - low > SAME * max(abs(low), abs(high))


def _rows(runner: Runner, arrays: Arrays) -> Batch:
    """Set the weights; return the rows that the model is asked about."""
    runner.set_variables(wire.under(arrays, "weights"))
    rows: List[int] = list(wire.batches(arrays["order"], arrays["sizes"])[0])
    x = part_of(arrays, "x_train")
    return take(x, rows if runner.whole(x) else rows[: int(arrays["rows"])])


def _bytes(description: Dict[str, Any]) -> np.ndarray:
    return np.frombuffer(json.dumps(description).encode(), np.uint8)
