"""Verdicts of earlier runs, kept under the digest of all that they rest on.

A verdict rests on the question, on what decides the engines' answers, on the recordings, and on the
code that compares. Where none of it has changed, nobody is asked and nothing is compared again.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from datasets.dataset import Dataset
from parity import checks, goldens, provenance
from parity.cases import data_arrays, make_case
from parity.engines import LEADER, ROOT
from parity.errors import ENGINE_FAILED
from parity.executor import Executor
from parity.options import Options
from parity.pair import Pair
from parity.results import Outcome, from_plain, to_plain
from parity.store import Store


def digest(pair: Pair, dataset: Dataset, executor: Executor, options: Options) -> str:
    """Return what names a verdict on a pair."""
    case = make_case(pair, "float32", dataset, options.steps, options.seed)
    recordings = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in goldens.files(pair, goldens.FOLDER)
    }
    document = {
        "pair": repr(pair),
        "corpus": dataclasses.asdict(dataset.origin),
        "hyperparameters": dict(dataset.hyperparameters),
        "dtypes": list(options.dtypes),
        "steps": case.plan.steps,
        "seed": options.seed,
        "stock": options.stock,
        "measure": options.measure,
        "engines": [executor.circumstances(each, pair.graph) for each in options.references],
        "leader": executor.circumstances(LEADER, *_of_keras(pair)),
        "recordings": recordings,
        "harness": provenance.sources(f"{checks.__name__}:prove", [ROOT]),
    }
    data = data_arrays(case.dataset, pair, options.references[0])
    arrays = {**data, **case.plan.arrays(), **dataset.weights}
    return provenance.digest(document, arrays)


def prepare(pairs: Sequence[Pair], executor: Executor, options: Options) -> None:
    """Read the sources of all pairs, before threads work side by side.

    Python 3.11 cannot build syntax trees in two threads at once (`parity.provenance`), and plots
    are drawn in others. What was read once is not parsed again.
    """
    provenance.sources(f"{checks.__name__}:prove", [ROOT])
    for pair in pairs:
        executor.circumstances(LEADER, *_of_keras(pair))
        for engine in options.references:
            executor.circumstances(engine, pair.graph)


def _of_keras(pair: Pair) -> list[str]:
    return [pair.keras, *([pair.stock.optimizer] if pair.stock else [])]


def load(kept: Store, name: str) -> Outcome | None:
    """Return the verdict of that name, or None; all its questions count as answered before."""
    found = kept.load(name)
    if found is None:
        return None
    outcome = from_plain(found.about, Outcome)
    outcome.jobs = [dataclasses.replace(job, kept=True) for job in outcome.jobs]
    return outcome


def save(kept: Store, name: str, outcome: Outcome) -> None:
    """Keep a verdict; one of which an engine's failure left anything open is not kept."""
    codes = [outcome.exit_code, *(c.exit_code for c in outcome.comparisons)]
    failed = any("could not be run" in note for note in outcome.notes)  # the stock lane
    failed |= any(c.segments is not None and c.segments.problem for c in outcome.comparisons)
    if ENGINE_FAILED not in codes and not failed:
        kept.save(name, to_plain(outcome), {})
