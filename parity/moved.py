"""What moved between two runs, and whether it moved beyond the noise.

Figures of two runs are two samples. An exact rank test (Mann and Whitney 1947) asks how often
samples that large would be as far apart if nothing had changed: it knows no distribution, so it
assumes none, and values that are equal count against the alarm. Holm's correction (1979) holds the
chance of any false alarm in the whole comparison at `ERROR_RATE`. Costs drift with the machine: a
time has to grow by the clock and by the yardstick, and by more than the yardstick did; a memory has
to leave the range of the baseline far behind. See docs/decisions/0011.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED
from parity.figures import DIFFERENCE as ERROR
from parity.figures import MEMORY, Figure, Summary

ERROR_RATE = 1e-3  # chance of any false alarm in one comparison of two runs
REPEATS = 16  # values a sample: docs/decisions/0011 tells what they are enough to see
SAME, WORSE, BETTER, UNKNOWN = "the same", "worse", "better", "cannot be told"


@dataclasses.dataclass(frozen=True)
class Move:
    """One figure in two runs.

    Args:
        before: of the baseline.
        now: of the other run.
        verdict: `SAME`, `WORSE`, `BETTER` or `UNKNOWN`.
        why: what the verdict rests on.
        chance: how often chance alone would do that to any figure of the comparison, where a test
            says so.
    """

    before: Figure
    now: Figure
    verdict: str
    why: str
    chance: float | None = None

    @property
    def factor(self) -> float:
        """How many times its old size the figure has; times are compared by the yardstick."""
        before, now = np.median(self.before.sample), np.median(self.now.sample)
        if before == now:
            return 1.0
        return float(now / before) if before else math.inf

    @property
    def grew(self) -> bool:
        """True if the figure itself is larger, whatever the noise."""
        return self.now.value > self.before.value


@dataclasses.dataclass(frozen=True)
class Moved:
    """All that moved between two runs.

    Args:
        before: the baseline.
        now: the other run.
        moves: every figure that both have, of pairs that were asked the same.
        verdicts: pair -> exit codes of both, where they differ.
        apart: what cannot be held against the baseline, and why, a line each.
        absent: pairs of the baseline that are not in the other run.
    """

    before: Summary
    now: Summary
    moves: tuple[Move, ...]
    verdicts: Mapping[str, tuple[int, int]]
    apart: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 on a worsening; 3 if nothing was held against another, or a growth cannot be told."""
        fell = any(now != AGREE for _, now in self.verdicts.values())
        if fell or self.named(WORSE):
            return DIFFERENCE
        untold = any(m.grew and m.now.kind == ERROR for m in self.named(UNKNOWN))
        return ENGINE_FAILED if untold or self.apart or not self.moves else AGREE

    def named(self, verdict: str) -> list[Move]:
        """Return the moves with a verdict, the largest factor first."""
        found = [move for move in self.moves if move.verdict == verdict]
        return sorted(found, key=lambda move: -abs(math.log(move.factor or math.inf)))

    @property
    def versions(self) -> dict[str, tuple[str, str]]:
        """Whatever ran with another version: name -> before and now; empty where it was not."""
        before, now = self.before.versions, self.now.versions
        return {
            name: (before.get(name, ""), now.get(name, ""))
            for name in {**before, **now}
            if before.get(name) != now.get(name)
        }


def compare(before: Summary, now: Summary) -> Moved:
    """Tell what moved from `before` to `now`."""
    same_machine = before.machine == now.machine
    shared = [pair for pair in now.pairs if pair in before.pairs]
    apart = [f"{pair}: not in {before.name}" for pair in now.pairs if pair not in before.pairs]
    known = {figure.key: figure for figure in now.figures}
    both: list[tuple[Figure, Figure]] = []
    for pair in shared:
        asked, other = before.pairs[pair].question, now.pairs[pair].question
        if asked != other:
            apart.append(f"{pair}: another question: {asked} before, {other} now")
            continue
        lost = []
        for figure in before.of(pair):
            if figure.key in known:
                both.append((figure, known[figure.key]))
            elif same_machine or figure.kind == ERROR:
                lost.append(figure)
        if lost:
            such = f"{lost[0].kind} of {lost[0].what}"
            apart.append(f"{pair}: {len(lost)} figures were not measured now, such as the {such}")
    codes = {pair: (before.pairs[pair].code, now.pairs[pair].code) for pair in shared}
    return Moved(
        before,
        now,
        judge(both, same_machine),
        {pair: (old, new) for pair, (old, new) in codes.items() if old != new},
        tuple(apart),
        tuple(pair for pair in before.pairs if pair not in now.pairs),
    )


def grown(before: Summary, now: Summary) -> list[str]:
    """Return the pairs of which a difference has grown: their noise has to be known."""
    moves = compare(before, now).moves
    return sorted({m.now.pair for m in moves if m.now.kind == ERROR and m.grew})


def judge(both: Sequence[tuple[Figure, Figure]], same_machine: bool = True) -> tuple[Move, ...]:
    """Judge figures of two runs; the chance of any false alarm is at most `ERROR_RATE`.

    Args:
        both: every figure before and now.
        same_machine: whether times and memory may be compared.
    """
    changed = [
        (before, now)
        for before, now in both
        if before.sample != now.sample and (same_machine or now.kind == ERROR)
    ]
    worse = dict(zip(map(_key, changed), holm([p_larger(b, n) for b, n in changed]), strict=True))
    better = dict(zip(map(_key, changed), holm([p_larger(n, b) for b, n in changed]), strict=True))
    return tuple(
        _judged(before, now, same_machine, len(changed), worse, better) for before, now in both
    )


def p_larger(before: Figure, now: Figure) -> float:
    """Return how often chance alone would put samples as far above others as those of `now` are.

    A time has two units and has to have grown in both, so the larger chance counts (Berger 1982,
    Multiparameter hypothesis testing and acceptance sampling). Equal values count as if `before`
    were the larger: figures of rounding size have few values, and an exact test without them would
    promise too much.
    """
    return max(_p_larger(*both) for both in zip(before.samples, now.samples, strict=True))


def _p_larger(before: Sequence[float], now: Sequence[float]) -> float:
    from scipy.stats import mannwhitneyu, rankdata  # here: it takes half a second to import

    below, above = np.split(rankdata([*before, *now], method="dense"), [len(before)])
    return float(mannwhitneyu(above, below + 0.5, alternative="greater", method="exact").pvalue)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, so that each may be held against one error rate.

    Sture Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(np.argsort(values, kind="stable")):
        largest = max(largest, min(1.0, values[index] * (len(values) - rank)))
        adjusted[index] = largest
    return adjusted


def _key(both: tuple[Figure, Figure]) -> tuple[str, str, str]:
    return both[1].key


def _judged(
    before: Figure,
    now: Figure,
    same_machine: bool,
    tested: int,
    worse: Mapping[tuple[str, str, str], float],
    better: Mapping[tuple[str, str, str], float],
) -> Move:
    if before.sample == now.sample or (before.value == now.value and now.kind == ERROR):
        return Move(before, now, SAME, "to the last bit")
    if now.key not in worse:
        return Move(before, now, UNKNOWN, "measured on another machine")
    sizes = f"{len(before.sample)} against {len(now.sample)} values"
    for verdict, chance in ((WORSE, worse[now.key]), (BETTER, better[now.key])):
        if chance <= ERROR_RATE:
            if _drifted(before, now):
                kept = SAME if now.kind == MEMORY else UNKNOWN
                return Move(before, now, kept, "no more than the machine itself changed")
            return Move(before, now, verdict, sizes, chance)
    orders = math.comb(len(before.sample) + len(now.sample), len(now.sample))
    if tested / orders <= ERROR_RATE:
        return Move(before, now, SAME, f"within the noise; {sizes}")
    if _overlap(before.sample, now.sample):
        return Move(before, now, SAME, f"in the range of the repeats; {sizes}")
    return Move(before, now, UNKNOWN, f"the noise is not known; {sizes}")


def _drifted(before: Figure, now: Figure) -> bool:
    """Tell whether a cost moved by no more than the machine may have.

    Rounds are minutes apart, two runs are days, so no test of rounds can know. Of a time the
    yardstick tells: what it corrects may be wrong by as much as it corrects. Nothing stands beside
    a memory: its median has to lie beyond the values of the baseline by more than all their range.
    Bits do not drift.
    """
    if now.kind == MEMORY:
        least, most = min(before.sample), max(before.sample)
        return 2 * least - most <= float(np.median(now.sample)) <= 2 * most - least
    if not now.yardstick:
        return False
    if not (np.median(before.sample) and np.median(now.sample)):
        return True  # the clock is too coarse for such a step
    machine = abs(_growth(before.yardstick, now.yardstick))
    return abs(_growth(before.sample, now.sample)) <= machine


def _growth(before: Sequence[float], now: Sequence[float]) -> float:
    """Return the logarithm of how many times as large the median is."""
    return float(np.log(np.median(now) / np.median(before)))


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return min(one) <= max(other) and min(other) <= max(one)
