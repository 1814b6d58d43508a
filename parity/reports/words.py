"""Tells in words what was found: where two engines part, and why a parting is no difference."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from parity import keys
from parity.comparing import Difference
from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED
from parity.keys import RUNGS
from parity.reports import layers
from parity.results import STEP_LOSS, WORDS, Anchor, Comparison, Outcome, Run, verdict
from parity.tolerances import tolerance

LABEL = 16  # columns of a report's left side


def sentence(run: Run) -> str:
    """Return the verdict on a whole run in one sentence."""
    agree, differ, others = (
        [o for o in run.outcomes if verdict(o.exit_code) == WORDS[code]]
        for code in (AGREE, DIFFERENCE, ENGINE_FAILED)
    )
    if not run.outcomes:
        return "Nothing was compared."
    said = []
    if agree:
        all_agree = len(agree) == len(run.outcomes)
        every = "all " if all_agree and len(agree) > 1 else ""
        said.append(f"{every}{_count(agree)} agree{'s' if len(agree) == 1 else ''}")
    if differ:
        where = [f"{o.pair} at {_first_rung(o)}" for o in differ]
        word = "differs" if len(differ) == 1 else "differ"
        said.insert(0, f"{_count(differ)} {word}: {_few(where)}")
    if others:
        said.append(f"{_count(others)} not compared: {_few([o.pair for o in others])}")
    text = "; ".join(said)
    if len(said) == 1 and agree:
        text += f": {_extent(run)} Keras computes what TensorFlow 1 computes"
    return f"{text[0].upper()}{text[1:]}."


def _extent(run: Run) -> str:
    """Tell how far a run that agrees was compared: a model that cannot train has no rungs above."""
    asked = {comparison.rungs for outcome in run.outcomes for comparison in outcome.comparisons}
    if asked == {RUNGS}:
        return "at every rung"
    return f"as far as {min(asked, key=len)[-1]}, and nothing of training was compared,"


def explain(comparison: Comparison, outcome: Outcome) -> str:
    """Tell where two engines part: the failing report.

    Args:
        comparison: one that did not agree.
        outcome: the pair's, which knows the float64 twin and how Keras calls a tensor.
    """
    head = f"{comparison.pair}  {engines(comparison)}  {comparison.dtype}"
    if comparison.problem:
        return f"{head}  could not be compared\n  {comparison.problem}"
    if not comparison.failures:
        missing = [rung for rung in comparison.rungs if not comparison.rung(rung)]
        missing += [f"the anchor after step {a.after}" for a in comparison.anchors if not a.passed]
        return f"{head}  nothing was compared at: {', '.join(missing)}"
    rung, failures = comparison.failed_rung, comparison.failures
    first, place = failures[0], RUNGS.index(rung) + 1
    anchor = _failed_anchor(comparison)
    lines = [f"{head}  differs at rung {place} of {len(RUNGS)}: {rung}", ""]
    if anchor:
        lines += _handed_over(anchor, comparison)
    lines.append(_line("first tensor", f"{first.key}  {first.shape}"))
    if path := keras_path(first.key, outcome):
        lines.append(_line("", f"in Keras: {path}"))
    lines += _account(first, comparison, anchor)
    lines.append(_line("float64 twin", _twin(first, comparison, outcome, anchor)))
    lines += _layers(comparison, outcome)
    if len(failures) > 1:
        others = ", ".join(f"{d.key} {figure(d.error)}" for d in failures[1:3])
        more = f" and {len(failures) - 3} more" if len(failures) > 3 else ""
        lines.append(_line("also", others + more))
    if hint := _hint(rung, failures):
        lines.append(_line("look at", hint))
    if place < len(RUNGS):
        lines.append(_line("not judged", f"{', '.join(RUNGS[place:])}, above this rung"))
    return "\n".join(lines)


def _hint(rung: str, failures: Sequence[Difference]) -> str:
    """Return where to look first, as far as what agrees leaves little else."""
    if rung == "forward" and {keys.parse(d.key).part for d in failures} == {"train"}:
        return "dropout and its rate, or what else knows of training: outside of it all agrees"
    if rung == "loss":
        return "a penalty, and how the loss is averaged: what it is taken of agrees"
    return ""


def explain_all(outcome: Outcome) -> list[str]:
    """Return a report of every failure of a pair; what fails alike is told once."""
    alike: dict[tuple[str, ...], list[Comparison]] = {}
    for comparison in outcome.comparisons:
        if comparison.exit_code != AGREE:
            failures = comparison.failures
            first = (comparison.candidate, failures[0].key if failures else "")
            kind = ("", comparison.problem) if comparison.problem else first
            alike.setdefault(kind, []).append(comparison)
    texts = []
    for comparison, *others in alike.values():
        text = explain(comparison, outcome)
        same = ", ".join(f"{engines(c)} {c.dtype}" for c in others)
        texts.append(text + ("\n" + _line("the same in", same) if same else ""))
    return texts


def parting(comparison: Comparison, outcome: Outcome) -> str:
    """Tell why engines agree though their free runs parted; empty if there is nothing to tell.

    Says only what was measured: the reference's own rounding where it was, float64 where it agrees.
    """
    told = comparison.anchors and comparison.parted
    if comparison.exit_code != AGREE or not (told or comparison.chaotic):
        return ""
    said = ["agree"]
    if comparison.parted and comparison.anchors:
        said.append(_free_run(comparison))
    if comparison.chaotic:
        said.append(_chaos(comparison))
    if comparison.anchors:
        steps = {anchor.steps for anchor in comparison.anchors}
        few = f"{min(steps)}" if len(steps) == 1 else f"{min(steps)} to {max(steps)}"
        next_steps = "step" if steps == {1} else f"{few} steps"
        said.append(
            f"from its state at each of {len(comparison.anchors)} steps {comparison.candidate} "
            f"takes the same next {next_steps}"
        )
    twin = outcome.twin_of(comparison)
    if twin and twin.dtype == "float64" and twin.exit_code == AGREE and not twin.parted:
        steps_of_twin = _steps(twin)
        word = "all" if steps_of_twin >= _steps(comparison) else "its"
        said.append(f"float64 agrees over {word} {steps_of_twin} steps")
    return "; ".join(said)


def bounded(difference: Difference) -> str:
    """Tell how a bound was arrived at: ``general``, or measured, and by how many runs."""
    if not difference.runs or difference.own is None:
        return "general"
    return f"measured: own rounding {figure(difference.own)}, {difference.runs} runs"


def figure(value: float) -> str:
    """Return an error as people quote it: two digits and the exponent."""
    if not math.isfinite(value):
        return "not finite"
    return f"{value:.1e}" if value else "0"


def engines(comparison: Comparison) -> str:
    """Return who was compared with whom."""
    return f"{comparison.reference} -> {comparison.candidate}"


def keras_path(key: str, outcome: Outcome) -> str:
    """Return what a tensor of the reference is called in Keras, or nothing.

    A tensor of an anchor's short run is called as the same tensor of any other step.
    """
    if key in outcome.paths:
        return outcome.paths[key]
    wanted = keys.parse(key)
    for known, path in outcome.paths.items():
        other = keys.parse(known)
        if wanted.kind and (other.kind, other.name) == (wanted.kind, wanted.name):
            return path
    return ""


def _line(label: str, text: str) -> str:
    return f"  {label:<{LABEL}}{text}"


def _layers(comparison: Comparison, outcome: Outcome) -> list[str]:
    """Tell which layers are wrong; of a recording, what a live engine says about the same ones."""
    if comparison.failed_rung != "forward":
        return []
    others = [c for c in outcome.comparisons if c.candidate == comparison.candidate]
    found = next((c for c in (comparison, *others) if c.segments), None)
    if found is None or found.segments is None:
        return []
    lines = layers.told(found.segments)
    if found is not comparison:
        lines.append(f"(fed by {found.reference})")
    return [_line("" if i else "layers", each) for i, each in enumerate(lines)]


def without_a_gradient(outcome: Outcome) -> str:
    """Tell which gradients are nothing but rounding, and passed as such; empty if none is.

    Of those in float64 no others have their rounding measured.
    """
    names = dict.fromkeys(
        keys.parse(d.key).name
        for comparison in outcome.comparisons
        if comparison.dtype == "float64"
        for d in comparison.rung("gradients")
        if d.own is not None and d.passed
    )
    if not names:
        return ""
    return (
        f"rounding is all there is of the gradient of {', '.join(names)}: by algebra it is zero, "
        "as that of a bias before a batch norm"
    )


def _failed_anchor(comparison: Comparison) -> Anchor | None:
    """Return the anchor that holds the first failure; None where the free run decided."""
    if comparison.failed_rung != "curve":
        return None
    return next((a for a in comparison.anchors if not a.passed), None)


def _handed_over(anchor: Anchor, comparison: Comparison) -> list[str]:
    """Tell where the candidate was given the reference's state, and how it got there."""
    before = sum(each.passed for each in comparison.anchors)
    taken = f"{anchor.steps} more step" + ("s" if anchor.steps != 1 else "")
    also = f"; {before} other{'s agree' if before > 1 else ' agrees'}" if before else ""
    state = f"weights and slots of {comparison.reference} after step {anchor.after}"
    lines = [_line("handed over", f"{state}, then {taken}{also}")]
    if comparison.parted:
        lines.append(_line("free run", _free_run(comparison)))
    if comparison.chaotic:
        lines.append(_line("", _chaos(comparison)))
    return lines


def _account(first: Difference, comparison: Comparison, anchor: Anchor | None) -> list[str]:
    if first.note and not first.compared:
        return [_line("", first.note)]
    lines = []
    if first.first:
        lines.append(_line("first step", _first_step(first, comparison, anchor)))
    found = f"{first.expected:.9g} expected, {first.actual:.9g} found"
    beyond = f"{round(first.share * first.compared):,} of {first.compared:,} elements"
    # The bound of a line may grow from step to step: then it is the worst element's that counts.
    there = first.used * first.bound if first.bound and math.isfinite(first.used) else first.error
    larger = "" if math.isclose(there, first.error) else f"; largest error {figure(first.error)}"
    lines += [
        _line("worst element", f"{list(first.worst)}  {found}"),
        _line("beyond bound", beyond),
        _line(
            "would pass at",
            f"{figure(there)}; the bound is {figure(first.bound)} (unit: {first.unit}){larger}",
        ),
        _line("bound", bounded(first)),
    ]
    return lines


def _first_step(first: Difference, comparison: Comparison, anchor: Anchor | None) -> str:
    key = keys.parse(first.key)
    if not key.is_line:
        return str(first.first)
    if anchor:  # a line of the short run counts its own steps
        return f"{anchor.after + first.first}, number {first.first} from there"
    return f"{first.first} of {_steps(comparison)}"


def _twin(
    first: Difference, comparison: Comparison, outcome: Outcome, anchor: Anchor | None
) -> str:
    twin = outcome.twin_of(comparison)
    if twin is None:
        return "was not run"
    if twin.problem:
        return f"could not be compared: {twin.problem}"
    if anchor:
        return _twin_of_anchor(first, comparison, twin, anchor)
    other = next((d for d in twin.differences if d.key == first.key), None)
    if other is None:
        return "could not be compared: the tensor is missing"
    if comparison.dtype == "float64":
        return f"is this one; in {twin.dtype} it is {figure(other.error)}"
    if other.passed:
        return f"{figure(other.error)}: it passes, so what is left here is rounding"
    return f"{figure(other.error)}: it fails too, so this is not rounding"


def _twin_of_anchor(
    first: Difference, comparison: Comparison, twin: Comparison, anchor: Anchor
) -> str:
    """Tell about the same anchor of the twin; where it needed none, about its free run."""
    if comparison.dtype == "float64":
        return f"is this one; the curve in {twin.dtype}: {twin.status('curve')}"
    same = [a for a in twin.anchors if a.after == anchor.after]
    other = next((d for a in same for d in a.differences if d.key == first.key), None)
    if other is None:
        return f"had no anchor there; its curve of {_steps(twin)} steps: {twin.status('curve')}"
    verdict = "passes" if other.passed else "fails too, so this is not rounding"
    return f"{figure(other.error)}: it {verdict}"


def _free_run(comparison: Comparison) -> str:
    """Tell where the free runs part, and how far the reference parts from itself there."""
    step, own = comparison.parted, comparison.own.get(STEP_LOSS)
    runs = f"the {comparison.dtype} runs part"
    if own is None or not np.size(own):
        return f"{runs} from step {step}"
    there = float(np.ravel(own)[min(step, np.size(own)) - 1])
    if there > tolerance(keys.parse(STEP_LOSS), comparison.dtype).bound:
        why = f"{comparison.reference} parts from itself there: own rounding {figure(there)}"
        by = " by rounding" if comparison.exit_code == AGREE else ""
        return f"{runs}{by} from step {step} ({why})"
    return f"{runs} from step {step} ({comparison.reference}'s own rounding there: {figure(there)})"


def _chaos(comparison: Comparison) -> str:
    if comparison.anchors:
        return "a free run proves nothing here; the anchors decide"
    sizes = [float(np.max(line)) for line in comparison.own.values()]
    sizes += [d.own for d in comparison.rung("curve") if d.own is not None]
    moved = f"{comparison.reference}'s own rounding moves it by {figure(max(sizes))}"
    return f"this says little about where a free run ends: {moved}"


def _steps(comparison: Comparison) -> int:
    """Return the number of training steps of the curve."""
    lengths = (len(lines.get(STEP_LOSS, ())) for lines in comparison.curves.values())
    return max(lengths, default=0)


def _count(outcomes: Sequence[Outcome]) -> str:
    return f"{len(outcomes)} pair{'' if len(outcomes) == 1 else 's'}"


def _few(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _first_rung(outcome: Outcome) -> str:
    """Return the lowest rung at which any two engines of a pair differ."""
    failed = {c.failed_rung for c in outcome.comparisons if c.exit_code == DIFFERENCE}
    return min(failed, key=RUNGS.index)
