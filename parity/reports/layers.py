"""Tells in words which layers are wrong on right input."""

from __future__ import annotations

from collections.abc import Sequence

from parity.segments import RIGHT, WRONG, Segment, Segments

NAMED = 6  # layers, or tensors, named in one line


def told(segments: Segments) -> list[str]:
    """Return a few lines: every wrong layer, what cannot be told apart, and the rest."""
    if segments.problem:
        return [f"could not be looked at one by one: {segments.problem}"]
    lines = [_wrong(each) for each in segments.verdicts(WRONG)]
    lines += [_run(each) for each in segments.runs]
    lines.append(_others(segments))
    how = f"(float64, {segments.rows} row{'s' if segments.rows != 1 else ''}, outside of training"
    left = segments.left_out
    if left:
        many = f"{left} tensors of the graph were" if left > 1 else "1 tensor of the graph was"
        how += f"; {many} too large to look at"
    return [*lines, how + ")"]


def _wrong(segment: Segment) -> str:
    said = f"`{segment.layer}` is wrong on right input"
    wanted = _few(segment.tensors, " or ")
    if segment.stops:
        return f"{said}: it gives {segment.stops}, the graph goes on with {wanted}"
    if segment.error is None:
        return f"{said}: the graph has {wanted} there, of another size"
    return f"{said}: {segment.error:.1e} off {wanted}"


def _run(run: Sequence[Segment]) -> str:
    names = _few([f"`{each.layer}`" for each in run], ", ")
    if len(run) == 1:
        return f"{names} cannot be told: the graph has nothing to hold it against"
    return f"one at least of {names} is wrong: the graph has nothing to tell them apart by"


def _others(segments: Segments) -> str:
    """Tell about the layers that are right, those after the first wrong one above all."""
    layers = segments.layers
    right = [each.layer for each in layers if each.verdict == RIGHT]
    wrong = [i for i, each in enumerate(layers) if each.verdict != RIGHT]
    if not right:
        return "no layer is right on right input"
    if not wrong:
        return "every layer is right on right input"
    after = layers[wrong[0] + 1 :]
    if len(wrong) == 1 and after:
        return "everything after it is right on right input"
    return "everything else is right on right input"


def _few(names: Sequence[str], between: str) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return between.join(names[:NAMED]) + more
