"""Differences of a pair, measured again on rounding twins: the noise of a difference.

An unchanged run gives the same bits, so repeating it tells nothing. What is arbitrary in a
difference is rounding: from initial weights that are moved by at most one unit in the last place,
both sides of a pair answer the same question again, and each twin gives another value of the same
figure.
"""

from __future__ import annotations

import dataclasses

from datasets.dataset import Dataset
from parity import checks, goldens, judging
from parity.cases import Case, make_case
from parity.engines import LEADER
from parity.executor import Executor
from parity.options import Options
from parity.pair import Pair
from parity.results import RECORDED, Outcome
from parity.sides import Desk, Live, Recorded, Side, Watch


def repeat(
    outcome: Outcome,
    pair: Pair,
    dataset: Dataset,
    executor: Executor,
    options: Options,
    number: int,
    watch: Watch = lambda *_: None,
) -> None:
    """Measure every difference of a proved pair again, so that each has `number` values in all.

    A recording cannot be asked anew: against it the candidate's twins alone vary.

    Args:
        outcome: of the pair; its comparisons are replaced by ones with repeats.
        pair: the pair.
        dataset: its corpus.
        executor: runs the engines.
        options: of the run that proved it.
        number: values in all, the one of the proof among them.
        watch: called with every step of progress.

    Raises:
        ParityError: an engine could not answer, so the noise is not known.
    """
    desk = Desk(pair, executor, outcome, watch)
    try:
        asked = make_case(pair, "float32", dataset, options.steps, options.seed)
        case = checks.lead(desk, asked)
        for dtype in options.dtypes:
            for twin in range(1, number):  # one by one: memory would not hold all answers
                _add(outcome, case.in_dtype(dtype), twin, desk, options)
    finally:
        desk.account()


def _add(outcome: Outcome, case: Case, twin: int, desk: Desk, options: Options) -> None:
    """Add what one rounding twin finds to every comparison of its dtype."""
    sides: dict[str, Side] = {
        engine.name: Live(desk, engine, case.twin(twin)) for engine in (LEADER, *options.references)
    }
    if golden := goldens.load(case):
        sides[RECORDED] = Recorded(case, golden)
    for index, found in enumerate(outcome.comparisons):
        if found.dtype != case.dtype or found.problem:
            continue
        errors: dict[str, float] = {}
        for difference in judging.differences(sides[found.reference], sides[found.candidate], {}):
            errors[difference.rung] = max(errors.get(difference.rung, 0.0), difference.error)
        repeats = {rung: (*found.repeats.get(rung, ()), each) for rung, each in errors.items()}
        outcome.comparisons[index] = dataclasses.replace(found, repeats=repeats)
