"""What a training step of each side costs, by the clock: seconds and peak memory.

Every process is started anew, the engines in turn, so that nothing else of ours runs, the sides
share the hours of the machine, and what a process happens to get (its place in memory, its core)
varies as it does between runs. The fastest step of a few processes is what nothing disturbed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from datasets.dataset import Dataset
from parity import wire
from parity.cases import Request, data_arrays, make_model
from parity.engines import LEADER, Engine
from parity.executor import Executor
from parity.options import Options
from parity.pair import Pair
from parity.plans import make_plan, needed
from parity.process import Progress
from parity.results import Outcome, Timing
from parity.runners.timing import WARM_UP
from parity.sides import Watch

PROCESSES = 3  # of every engine in a round: docs/decisions/0011 tells what they are enough to see
STEPS = 200  # timed in a process at most


def time_pair(
    outcome: Outcome,
    pair: Pair,
    dataset: Dataset,
    logs: Path,
    options: Options,
    watch: Watch = lambda *_: None,
) -> None:
    """Time the training steps of every side of a pair.

    Args:
        outcome: of the pair; it gets the times.
        pair: the pair.
        dataset: its corpus.
        logs: folder for the engines' logs.
        options: of the run: engines, device, threads, seed, and how many rounds.
        watch: called with every step of progress.

    Raises:
        ParityError: an engine could not do its job.
    """
    requests = [_request(pair, dataset, each, options) for each in (*options.references, LEADER)]
    found: dict[str, list[Mapping[str, np.ndarray]]] = {each.engine.name: [] for each in requests}
    for number in range(1, options.rounds + 1):
        for request in requests * PROCESSES:
            name = request.engine.name
            found[name].append(_process(request, logs, options, _progress(watch, name, number)))
    outcome.times = [_timing(name, each) for name, each in found.items()]


def _request(pair: Pair, dataset: Dataset, engine: Engine, options: Options) -> Request:
    """Return the question: the model as users train it, with its own masks and first weights."""
    plan = make_plan(len(dataset.x_train), pair.schedule, options.seed, steps=WARM_UP + STEPS)
    short, plan = needed(dataset, plan, options.seed)
    given = dict(dataset.weights)
    if engine.family != "graph":
        given = pair.layout.gradients_to_keras(given)
    model = make_model(pair, engine, dataset.hyperparameters, seed=options.seed)
    arrays = {**data_arrays(short, pair, engine), **plan.arrays(), **wire.within("given", given)}
    return Request(engine, wire.Job("time", model), arrays)


def _process(
    request: Request, logs: Path, options: Options, progress: Progress
) -> Mapping[str, np.ndarray]:
    with Executor(logs, options.device, options.timeout, 1, options.threads) as executor:
        return executor.submit(request, progress, keep=False).result().arrays


def _timing(engine: str, processes: Sequence[Mapping[str, np.ndarray]]) -> Timing:
    """Return the least of every round; `processes` are those of its rounds one after the other."""
    least = {}
    for name in ("seconds", "processor", "yardstick", "memory"):
        values = np.array([each[name].min() for each in processes]).reshape(-1, PROCESSES)
        least[name] = tuple(values.min(axis=1).tolist())  # (rounds,)
    if not np.isfinite(least["memory"]).all():
        least["memory"] = ()
    return Timing(engine, min(len(each["seconds"]) for each in processes), **least)


def _progress(watch: Watch, engine: str, number: int) -> Progress:
    def show(stage: str, done: int, total: int, _: object) -> None:
        watch(engine, "float32", f"time {number}", done, total)

    return show
