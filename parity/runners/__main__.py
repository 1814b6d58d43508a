"""An engine: reads job folders from standard input, one a line, and answers in JSON lines.

    python -m parity.runners graph|keras3

A job folder holds what `parity.wire.save(folder, "job", ...)` wrote; the answer is written beside
it as "result". Events on standard output: ready, progress, done, failed.
"""

import importlib
import json
import os
import sys
import traceback
from typing import Any, Callable, Dict, Mapping, Optional, Type

import numpy as np

from parity import wire
from parity.errors import ParityError, look_up
from parity.runners import climb, segments, timing
from parity.runners.climb import Climb, Progress
from parity.runners.protocol import Runner, Send, part_of, refuse
from parity.wire import Arrays, Job

FAMILIES = {
    "graph": "parity.runners.graph:GraphRunner",
    "keras3": "parity.runners.keras3:KerasRunner",
}


class Server:
    """Answers one job after the other, and keeps the last model built for the next question.

    Args:
        family: class of runners.
    """

    def __init__(self, family: Type[Runner]) -> None:
        self._family = family
        self._runner: Optional[Runner] = None

    def serve(self, folder: str, send: Send) -> Dict[str, str]:
        """Run the job in `folder` and write its result beside it."""
        document, arrays = wire.load(folder, "job")
        job = Job.from_json(document)

        def progress(stage: str, done: int, total: int, metrics: Mapping[str, float]) -> None:
            send("progress", stage=stage, done=done, total=total, metrics=metrics)

        progress("model", 0, 0, {})
        if job.kind == "places":  # of a model that is not run
            description, values = self._family.places(job.model)
            values = dict(wire.within("values", values), description=as_bytes(description))
            wire.save(folder, "result", {}, values)
            return {}
        runner = self._built(job)
        results = KINDS[job.kind](runner, job, arrays, progress)
        about = runner.about()
        wire.save(folder, "result", about, results)
        return about

    def _built(self, job: Job) -> Runner:
        """Return a runner of the job's model; training starts from fresh weights, so anew."""
        kept = self._runner
        if kept is None or kept.spec != job.model or job.kind in ("train", "time"):
            self._runner = kept = None  # one model at a time is in memory
            self._runner = kept = self._family(job.model)
        return kept


def train(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Train from the model's own initial weights, but for those that the corpus gives."""
    runner.set_variables(dict(runner.variables(), **wire.under(arrays, "given")))
    return Climb(runner, job, arrays, progress).train()


def evaluate(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Return every metric over all rows."""
    runner.set_variables(wire.under(arrays, "weights"))
    x, y = part_of(arrays, "x"), part_of(arrays, "y")
    return climb.as_arrays(climb.evaluate(runner, x, y))


def predict(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Return the model's output for every row."""
    runner.set_variables(wire.under(arrays, "weights"))
    return {"output": climb.predict(runner, part_of(arrays, "x"))}


def describe(runner: Runner, job: Job, arrays: Arrays, progress: Progress) -> Arrays:
    """Return what the model is made of: JSON in UTF-8, as bytes."""
    return {"description": as_bytes(runner.describe())}


def as_bytes(description: Mapping[str, Any]) -> np.ndarray:
    """Return plain JSON types as an array of bytes."""
    return np.frombuffer(json.dumps(description).encode(), np.uint8)


KINDS: Dict[str, Callable[[Runner, Job, Arrays, Progress], Arrays]] = {
    "lead": lambda *question: Climb(*question).lead(),
    "climb": lambda *question: Climb(*question).climb(),
    "train": train,
    "evaluate": evaluate,
    "predict": predict,
    "time": timing.time_steps,
    "describe": describe,
    "tensors": segments.tensors,
    "layers": segments.layers,
    "apply": segments.apply,
}


def main() -> None:
    """Serve jobs until standard input closes."""
    # Frameworks print what they like: standard output is kept for events alone.
    events = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def send(event: str, **fields: Any) -> None:
        events.write(json.dumps(dict(fields, event=event)) + "\n")

    module, _, name = look_up("family of engines", sys.argv[1], FAMILIES).partition(":")
    server = Server(getattr(importlib.import_module(module), name))
    send("ready", python=sys.version.split()[0])

    for line in sys.stdin:
        try:
            send("done", about=server.serve(line.rstrip("\n"), send))
        except ParityError as error:
            refuse(send, error)
        except Exception as error:
            traceback.print_exc()
            refuse(send, ParityError("{}: {}".format(type(error).__name__, error)))


if __name__ == "__main__":
    main()
