"""Proves one pair: puts one question to every engine, and has every two of them judged."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from datasets.dataset import Dataset
from parity import goldens, wire
from parity.cases import DTYPES, Case, make_case, path_of
from parity.engines import LEADER, Engine, find
from parity.errors import ParityError
from parity.executor import Answer, Executor
from parity.judging import compare_two
from parity.keys import RUNGS
from parity.locating import Found, with_layers
from parity.pair import Pair, Stock
from parity.results import (
    RECORDED,
    STEP_LOSS,
    Comparison,
    Outcome,
    StockLane,
)
from parity.rounding import MOST_TWINS
from parity.sides import Desk, Live, Recorded, Side, Watch

STOCK_STEPS = 10  # enough to show the gap, which is largest where slots start


def prove(
    outcome: Outcome,
    pair: Pair,
    dataset: Dataset,
    executor: Executor,
    references: Sequence[Engine],
    dtypes: Sequence[str] = DTYPES,
    steps: int | None = None,
    seed: int = 0,
    stock: bool = True,
    measure: bool = False,
    watch: Watch = lambda *_: None,
) -> None:
    """Prove that the sides of a pair are one model, or find where they part.

    Args:
        outcome: is filled with what is found, as it is found.
        pair: the pair.
        dataset: its corpus.
        executor: runs the engines.
        references: graph engines, each of which is right by definition.
        dtypes: ``float32``, ``float64``, or both.
        steps: training steps of the curve; the row's own number if None, all if 0.
        seed: seed of weights, order and masks.
        stock: also train with the stock Keras optimizer, to show the gap.
        measure: measure own rounding everywhere, not only where a bound needs it.
        watch: called with every step of progress.
    """
    desk = Desk(pair, executor, outcome, watch)
    try:
        _prove(outcome, desk, pair, dataset, references, dtypes, steps, seed, stock, measure)
    finally:
        desk.account()
    outcome.finished = True


def _prove(
    outcome: Outcome,
    desk: Desk,
    pair: Pair,
    dataset: Dataset,
    references: Sequence[Engine],
    dtypes: Sequence[str],
    steps: int | None,
    seed: int,
    stock: bool,
    measure: bool,
) -> None:
    try:
        case = lead(desk, make_case(pair, "float32", dataset, steps, seed))
    except ParityError as error:
        outcome.comparisons += [
            Comparison(pair.name, dtype, engine.name, LEADER.name, problem=str(error))
            for dtype in dtypes
            for engine in references
        ]
        return
    table = _seated(desk, case, references, dtypes)
    lane = desk.put(case.stock(LEADER, STOCK_STEPS), "stock") if stock and pair.stock else None
    if pair.rungs != RUNGS:
        outcome.notes.append(f"only {' and '.join(pair.rungs)} were asked for: nothing of training")
    if len(dtypes) == 1:
        outcome.notes.append(
            f"only {dtypes[0]} was run: the other dtype tells rounding from a difference in meaning"
        )
    known: Found = {}
    for dtype in sorted(dtypes, reverse=True):  # float64 first: it tells whether to measure
        sides = [*_recorded(outcome, case.in_dtype(dtype)), *table.pop(dtype)]
        for i, reference in enumerate(sides):
            for candidate in sides[i + 1 :]:
                twin = _same_engines(outcome.comparisons, reference, candidate)
                found = compare_two(
                    pair, reference, candidate, pair.rungs, twin=twin, measure=measure
                )
                outcome.comparisons.append(found)
                outcome.comparisons[-1] = with_layers(found, reference, candidate, known)
                names = (d.key for d in found.differences)
                outcome.paths.update({n: p for n in names if (p := path_of(pair, n))})
    outcome.comparisons.sort(key=lambda c: dtypes.index(c.dtype))
    if lane is not None and pair.stock is not None:
        _add_stock(outcome, pair.stock, lane, case)


def _seated(
    desk: Desk, case: Case, references: Sequence[Engine], dtypes: Sequence[str]
) -> dict[str, list[Live]]:
    """Ask every engine, in every dtype; return who sits at the table, candidates last.

    The leader is asked first: it has built its model already.
    """
    table = {
        dtype: {
            engine.name: Live(desk, engine, case.in_dtype(dtype), case.pair.rungs)
            for engine in (LEADER, *references)
        }
        for dtype in sorted(dtypes)
    }
    for name, side in table.get("float32", {}).items():
        side.truth = table.get("float64", {}).get(name)
    order = [*(engine.name for engine in references), LEADER.name]
    return {dtype: [sides[name] for name in order] for dtype, sides in table.items()}


def lead(desk: Desk, case: Case) -> Case:
    """Let the leading engine draw the masks; return the case with them and with weights."""
    return case.led(desk.put(case.lead(LEADER), "lead").result().arrays)


def _same_engines(
    comparisons: Sequence[Comparison], reference: Side, candidate: Side
) -> Comparison | None:
    names = (reference.name, candidate.name)
    return next((c for c in comparisons if (c.reference, c.candidate) == names), None)


def _recorded(outcome: Outcome, case: Case) -> list[Side]:
    """Return the recording of TensorFlow 1.15.5 for this very case, if there is one."""
    try:
        golden = goldens.load(case)
    except ParityError as error:
        outcome.comparisons.append(
            Comparison(outcome.pair, case.dtype, RECORDED, LEADER.name, problem=str(error))
        )
        return []
    note = golden.note if golden else ""
    if golden is None and goldens.files(case.pair):
        note = (
            "no recording of TensorFlow 1.15.5 fits this run: they are of seed 0 and one corpus; "
            "`tox -e oracle` compares with the live engine"
        )
    if note and note not in outcome.notes:
        outcome.notes.append(note)
    return [Recorded(case, golden)] if golden else []


def _add_stock(outcome: Outcome, stock: Stock, lane: Future[Answer], case: Case) -> None:
    """Add what the stock optimizer does differently in its first steps, or why it is not known."""
    exact = next(
        (
            c.curves[LEADER.name]
            for c in outcome.comparisons
            if LEADER.name in c.curves and c.dtype == case.dtype
        ),
        None,
    )
    try:
        losses = wire.under(lane.result().arrays, "curve")["step_loss"]
    except ParityError as error:
        outcome.notes.append(f"the stock optimizer could not be run: {error}")
        return
    if exact is None:
        return
    gap = float(np.max(np.abs(losses - exact[STEP_LOSS][: len(losses)])))
    name = stock.optimizer.rpartition(":")[2]
    outcome.stock = StockLane(name, case.dtype, losses, gap, stock.largest, stock.cause)


def record(pair: Pair, dtype: str, dataset: Dataset, executor: Executor, watch: Watch) -> str:
    """Let TensorFlow 1.15.5 climb a pair's case and measure its rounding; return the path."""
    desk = Desk(pair, executor, Outcome(pair.name, dataset.origin), watch)
    tf1 = find("tf1")
    case = lead(desk, make_case(pair, "float32", dataset)).in_dtype(dtype)
    asked = (
        [case]
        if dtype == "float64"
        else [case, case.in_dtype("float64"), *(case.twin(n) for n in range(1, MOST_TWINS + 1))]
    )
    futures = [desk.put(each.climb(tf1, pair.rungs), f"run {i}") for i, each in enumerate(asked)]
    first, *others = (desk.shared(tf1, future) for future in futures)
    return str(goldens.save(case, first, others, futures[0].result().about))
