"""Judges two sides: compares them, and measures rounding where it must.

The bounds are lazy. A tensor within the general bound of its rung needs no more; where one is
beyond it, the reference's own rounding on that very rung is measured (`parity.rounding`), and where
even that does not explain a curve, anchors decide: short runs from the reference's own states.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from parity import comparing, goldens, keys, rounding
from parity.comparing import Difference, Measured, Recording
from parity.engines import find
from parity.errors import EngineFailed, ParityError
from parity.keys import RUNGS, Key
from parity.pair import Pair
from parity.plans import anchored
from parity.results import RECORDED, Anchor, Comparison
from parity.rounding import MOST_TWINS, TWINS
from parity.sides import Live, Recorded, Side
from parity.tolerances import tolerance

ANCHOR_STEPS = 5  # few enough that rounding has no time to grow
MOST_ANCHORS = 40  # of a long curve; a shorter one is covered whole
# Rungs at which rounding may excuse a difference. In float64 it is a thousand times below the
# general bound, unless training amplifies it, or it is all that there is of a gradient: that of a
# bias before a batch norm is zero by algebra.
MEASURED = {"float32": RUNGS[1:], "float64": ("gradients", "update", "curve")}
CANDIDATE = 2  # the third and last measuring: the candidate's own twins
FORKS = ("gradients", "update", "curve")  # at a kink, a rounding may decide for another branch


def compare_two(
    pair: Pair,
    reference: Side,
    candidate: Side,
    rungs: tuple[str, ...] = RUNGS,
    twin: Comparison | None = None,
    anchors: bool = True,
    measure: bool = False,
) -> Comparison:
    """Compare a candidate with a reference, rung by rung, and measure where it must.

    Args:
        pair: the pair.
        reference: who is right.
        candidate: who is to agree.
        rungs: that both were asked for.
        twin: the same engines in float64: what differs there is no rounding.
        anchors: whether anchors may decide about a curve.
        measure: measure own rounding everywhere, not only where a bound needs it.
    """
    found = Comparison(pair.name, reference.case.dtype, reference.name, candidate.name, rungs=rungs)
    try:
        return _judged(found, pair, reference, candidate, twin, anchors, measure)
    except ParityError as error:
        return dataclasses.replace(found, problem=str(error))


def _judged(
    found: Comparison,
    pair: Pair,
    reference: Side,
    candidate: Side,
    twin: Comparison | None,
    anchors: bool,
    measure: bool,
) -> Comparison:
    measured: dict[str, Measured] = {}
    lines = {
        side.name: {k: v for k, v in side.recording().items() if keys.parse(k).is_line}
        for side in (reference, candidate)
    }
    found = dataclasses.replace(
        found, curves=lines, differences=differences(reference, candidate, measured)
    )
    found = dataclasses.replace(found, **_elements(pair, reference, candidate))
    try:
        for rung in found.rungs:
            passed = all(d.passed for d in found.rung(rung))
            if passed and not (
                measure and found.dtype == "float32" and rung in MEASURED["float32"]
            ):
                continue
            if rung not in MEASURED[found.dtype] or _differs(twin, rung):
                break
            excused = False
            for stage, bounds in enumerate(_measurings(pair, reference, candidate, rung, anchors)):
                measured.update(bounds)
                found = dataclasses.replace(
                    found,
                    differences=differences(reference, candidate, measured),
                    own={k: v.own for k, v in measured.items() if keys.parse(k).is_line},
                )
                if all(d.passed for d in found.rung(rung)):
                    excused = stage == CANDIDATE
                    break
            if rung == "curve" and anchors:
                found = _anchored(found, reference, candidate, excused)
            if found.failed_rung == rung:
                break
    except ParityError as error:  # what could not be measured is not decided
        found = dataclasses.replace(found, problem=str(error))
    return found


def _anchored(found: Comparison, reference: Side, candidate: Side, excused: bool) -> Comparison:
    """Let anchors decide about a curve where its bounds do not, or say too little.

    Args:
        found: the comparison, with its bounds measured.
        reference: who is right.
        candidate: who is to agree.
        excused: whether nothing but the candidate's own rounding explains the difference.

    Raises:
        ParityError: anchors are needed and cannot be run, so nothing is decided.
    """
    failed = found.failed_rung == "curve"
    if isinstance(reference, Live) and isinstance(candidate, Live):
        if failed or excused or found.chaotic:
            return dataclasses.replace(found, anchors=_anchors(found, reference, candidate))
    elif (failed and _rounded(found)) or found.chaotic_loss:
        where = f" from step {found.parted}" if found.parted else ""
        raise EngineFailed(
            f"the curve parts{where} as far as TensorFlow 1.15.5 was seen to part from itself, or "
            "further, and a recording cannot hand over its state",
            "a live TensorFlow 1.15.5 to decide",
            "run `tox -e oracle`",
        )
    return found


def _rounded(found: Comparison) -> bool:
    """Tell whether rounding may explain every failure: it was measured, and nothing is missing."""
    return all(d.runs and np.isfinite(d.error) for d in found.failures)


def differences(
    reference: Side, candidate: Side, measured: Mapping[str, Measured]
) -> tuple[Difference, ...]:
    """Compare two recordings under the bounds that are known so far."""
    expected, actual = _alike(reference, candidate)
    dtype = reference.case.dtype
    if not isinstance(reference, Recorded):
        return tuple(comparing.compare(expected, actual, dtype, measured=measured))
    golden = reference.golden
    differences = comparing.compare(expected, actual, dtype, golden.largest, measured)
    return tuple(comparing.of_whole(d, golden.shapes.get(d.key, d.shape)) for d in differences)


def _alike(reference: Side, candidate: Side) -> tuple[Recording, Recording]:
    """Return what both answered; of the candidate no more than was recorded of the reference."""
    expected, actual = reference.recording(), candidate.recording()
    if not isinstance(reference, Recorded):
        return expected, actual
    golden = reference.golden
    shared = goldens.over(actual, golden.steps, golden.ends, golden.tested)
    return expected, comparing.sample(shared, golden.shapes)


def _elements(pair: Pair, reference: Side, candidate: Side) -> dict[str, Any]:
    """Return what pictures need of single elements: the outputs, and differences in last places."""
    recordings = _alike(reference, candidate)
    output = f"forward/eval/{list(pair.wiring.taps)[-1]}"
    sampled = [comparing.sample({output: each[output]}) for each in recordings if output in each]
    flat = [np.ravel(each[output]) for each in sampled]
    alike = len(flat) == 2 and flat[0].shape == flat[1].shape
    outputs = dict(zip(("expected", "actual"), flat, strict=True)) if alike else {}
    return {"outputs": outputs, "ulps": comparing.ulps(*recordings, reference.case.dtype)}


def _measurings(
    pair: Pair, reference: Side, candidate: Side, rung: str, free: bool
) -> Iterator[dict[str, Measured]]:
    """Yield the bounds of a rung, each wider than the last: a few twins, many, the candidate's.

    At an anchor, which is not `free`, the candidate's own rounding excuses nothing; nor does it in
    a float64 gradient, where rounding explains no more than what vanishes.
    """
    floor = _floor(pair, reference, candidate)
    if rung == "gradients" and reference.case.dtype == "float64":
        if vanishing := _vanishing(reference):
            own, runs = reference.own(rung, MOST_TWINS)
            own = {name: size for name, size in own.items() if name in vanishing}
            yield rounding.bounds(own, runs, floor)
        return
    own, runs = reference.own(rung, TWINS)
    yield rounding.bounds(own, runs, floor)
    if rung not in FORKS or not own:
        return
    own, runs = reference.own(rung, MOST_TWINS)
    yield rounding.bounds(own, runs, floor)
    if not free:
        return
    also, more = candidate.own(rung, MOST_TWINS, truth=False)
    yield rounding.bounds(rounding.larger(own, also), runs + more, floor)


def _vanishing(reference: Side) -> set[str]:
    """Return the gradients that are zero beside the largest one, within the general bound."""
    names = [name for name in reference.recording() if keys.parse(name).rung == "gradients"]
    sizes = {name: _size(reference, name) for name in names}
    largest = max(sizes.values(), default=0.0)
    return {
        name
        for name, size in sizes.items()
        if size <= largest * tolerance(keys.parse(name), "float64").bound
    }


def _size(reference: Side, name: str) -> float:
    """Return the largest magnitude of a tensor as a whole, of which a recording keeps a sample."""
    whole = reference.golden.largest if isinstance(reference, Recorded) else {}
    return whole.get(name) or comparing.magnitude(np.asarray(reference.recording()[name]))


def _floor(pair: Pair, reference: Side, candidate: Side) -> Callable[[Key], float]:
    """Return the floor of the representation of a tensor, in units of its largest value.

    Only Keras keeps constants inside weights; between two graphs there is no floor.
    """
    case = reference.case
    keras = {"keras3"} & {find(s.name).family for s in (reference, candidate) if s.name != RECORDED}

    def floor(key: Key) -> float:
        if not keras or not key.is_weight:
            return 0.0
        unit = _size(reference, str(key)) or 1.0
        steps = key.step - case.start if key.step else case.plan.steps
        return rounding.floor_of(pair.layout.held(key.name), steps, unit, case.dtype)

    return floor


def _anchors(found: Comparison, reference: Live, candidate: Live) -> tuple[Anchor, ...]:
    """Give the candidate the reference's state every few steps; stop where it then differs.

    Raises:
        ParityError: an anchor could not be run, so nothing is decided.
    """
    pair, case = reference.desk.pair, reference.case
    starts = anchored(case.plan.steps, ANCHOR_STEPS, MOST_ANCHORS, found.parted)
    states = reference.snapshots(starts)
    questions = []
    for after in starts:
        sides = [
            Live(s.desk, s.engine, s.case.segment(after, ANCHOR_STEPS, states), ("curve",))
            for s in (reference, candidate)
        ]
        questions.append((after, sides[0].case.plan.steps, sides))
    anchors: list[Anchor] = []
    for after, steps, (left, right) in questions:
        judged = compare_two(pair, left, right, ("curve",), anchors=False)
        if judged.problem or judged.chaotic_loss:
            why = judged.problem or f"rounding alone parts {reference.name} from itself there"
            raise EngineFailed(f"the anchor after step {after} decides nothing: {why}")
        anchors.append(Anchor(after, steps, judged.differences))
        if not anchors[-1].passed:
            break
    for _, _, sides in questions[len(anchors) :]:
        for side in sides:
            side.drop()
    return tuple(anchors)


def _differs(twin: Comparison | None, rung: str) -> bool:
    """Tell whether float64 differs at a rung or below: then no rounding has to be measured."""
    return bool(twin and twin.failed_rung and RUNGS.index(twin.failed_rung) <= RUNGS.index(rung))
