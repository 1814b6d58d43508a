"""Tells in words which layers are wrong on right input."""

from __future__ import annotations

from collections.abc import Sequence

from parity.segments import OPEN, RIGHT, WRONG, Segment, Segments

NAMED = 6  # layers named in one line


def told(segments: Segments) -> list[str]:
    """Return a few lines: every wrong layer, what cannot be told, and what of the rest."""
    if segments.problem:
        return [f"could not be looked at one by one: {segments.problem}"]
    wrong, open_still = segments.verdicts(WRONG), segments.verdicts(OPEN)
    lines = [_wrong(each) for each in wrong]
    lines += [_open(each) for each in open_still]
    lines.append(_others(segments))
    how = f"(float64, {segments.rows} row{'s' if segments.rows != 1 else ''}, outside of training"
    left = segments.left_out
    how += f"; {left} tensors of the graph were too large to look at" if left else ""
    return [*lines, how + ")"]


def _wrong(segment: Segment) -> str:
    said = f"`{segment.layer}` is wrong on right input"
    if segment.stops:
        return f"{said}: it gives {segment.stops}, the graph goes on with {segment.tensor}"
    if segment.tensor and segment.error is not None:
        return f"{said}: {_share(segment.error)} off {segment.tensor}"
    if segment.tensor:
        return f"{said}: the graph has {segment.tensor} there, of another size"
    return f"{said}: what it should give is not told by what follows"


def _open(segment: Segment) -> str:
    if not segment.tried:
        return f"`{segment.layer}` cannot be told: no tensor of the graph fits its input"
    return (
        f"`{segment.layer}` cannot be told: no tensor of the graph at its input makes it right "
        f"({segment.tried} tried)"
    )


def _others(segments: Segments) -> str:
    """Tell about the layers that are right, those after the first wrong one above all."""
    layers = segments.layers
    wrong = [i for i, each in enumerate(layers) if each.verdict != RIGHT]
    if not layers:
        return "no layer gives floating point numbers"
    if not wrong:
        return "every layer is right on right input"
    after = [each for each in layers[wrong[0] + 1 :] if each.verdict == RIGHT]
    if len(wrong) == 1 and after:
        return "everything after it is right on right input"
    if all(layers[i].verdict == WRONG for i in wrong) and len(wrong) < len(layers):
        return "everything else is right on right input"
    right = [each.layer for each in layers if each.verdict == RIGHT]
    return f"right on right input: {_few(right)}" if right else "no layer is right on right input"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _share(error: float) -> str:
    return f"{error:.1e}"
