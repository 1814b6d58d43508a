"""What a run has found: the facts of every verdict, and nothing of how they are shown.

Plain data. `to_json` and `from_json` carry all of it both ways, so that what was found on one
machine can be shown, or held against another run, on another one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import cattrs
import numpy as np

from datasets.dataset import Origin
from parity.comparing import Difference
from parity.errors import AGREE, DIFFERENCE, ENGINE_FAILED, BadInput
from parity.keys import RUNGS
from parity.rounding import CHAOTIC
from parity.segments import Segments
from parity.wire import Arrays

SCHEMA = 4
T = TypeVar("T")
RECORDED = "recorded"  # TensorFlow 1.15.5, from the recordings in the repository
JUDGES = (RECORDED, "tf1")
STEP_LOSS = "curve/step_loss"
WORDS = {AGREE: "agree", DIFFERENCE: "differ", ENGINE_FAILED: "not compared"}


@dataclasses.dataclass(frozen=True)
class Anchor:
    """A short run of the candidate that starts from the reference's weights and slots.

    Args:
        after: training steps that the reference had taken when its state was handed over.
        steps: steps that both then took.
        differences: an account of every tensor of that short run.
    """

    after: int
    steps: int
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """True if something was compared and all of it is within its bound."""
        return bool(self.differences) and all(d.passed for d in self.differences)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A candidate engine against a reference, on one case, rung by rung.

    Args:
        pair: name of the pair.
        dtype: of the whole computation.
        reference: name of the engine that is right by definition.
        candidate: name of the engine under test.
        differences: an account of every tensor, in the order of the climb.
        rungs: those that were asked for; one of which nothing was compared is no agreement.
        curves: engine -> its lines over the training run.
        own: line -> the reference's own rounding at every point, where it was measured.
        anchors: short runs from the reference's states, where they decide about the curve.
        outputs: the model's outputs on the first batch, ``expected`` and ``actual``, (elements,):
            all of them, or as many as `parity.comparing.SAMPLE`.
        ulps: rung -> number of elements in each class of `parity.comparing.ULPS`.
        problem: why nothing could be compared, or empty.
        repeats: rung -> its largest error in every rounding twin, where they were asked for.
        segments: which layers of Keras are wrong, where that was looked for.
    """

    pair: str
    dtype: str
    reference: str
    candidate: str
    differences: tuple[Difference, ...] = ()
    rungs: tuple[str, ...] = RUNGS
    curves: Mapping[str, Arrays] = dataclasses.field(default_factory=dict)
    own: Arrays = dataclasses.field(default_factory=dict)
    anchors: tuple[Anchor, ...] = ()
    outputs: Arrays = dataclasses.field(default_factory=dict)
    ulps: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    problem: str = ""
    repeats: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    segments: Segments | None = None

    @property
    def failed_rung(self) -> str:
        """The first rung with a difference, or empty; the rungs above it are not judged.

        Where anchors were run, they decide about the curve: but what is missing, has another shape
        or is not finite is no rounding.
        """
        failed = {d.rung for d in self.differences if not d.passed}
        if self.anchors:
            anchored = all(anchor.passed for anchor in self.anchors)
            excusable = all(d.passed or np.isfinite(d.error) for d in self.rung("curve"))
            failed = failed - {"curve"} if anchored and excusable else failed | {"curve"}
        return next((rung for rung in RUNGS if rung in failed), "")

    @property
    def exit_code(self) -> int:
        """0 if all agree, 1 on a difference, 3 if something was not compared."""
        if self.failed_rung and not self.problem:
            return DIFFERENCE
        compared = {d.rung for d in self.differences} == set(self.rungs)
        return AGREE if compared and not self.problem else ENGINE_FAILED

    @property
    def failures(self) -> list[Difference]:
        """Every tensor of the first failed rung that is beyond its bound, in order."""
        rung = self.failed_rung
        if rung == "curve" and not all(anchor.passed for anchor in self.anchors):
            return [d for a in self.anchors for d in a.differences if not d.passed]
        return [d for d in self.rung(rung) if not d.passed]

    @property
    def parted(self) -> int:
        """The step from which the free runs are further apart than any bound, or 0."""
        return min((d.first for d in self.rung("curve") if d.first), default=0)

    @property
    def chaotic(self) -> bool:
        """True if the reference's own rounding moves its curve so far that a free run says little.

        A property of the model and its schedule, not of either engine.
        """
        sizes = [float(np.max(line, initial=0.0)) for line in self.own.values()]
        sizes += [d.own for d in self.rung("curve") if d.own is not None]
        return max(sizes, default=0.0) > CHAOTIC

    @property
    def chaotic_loss(self) -> bool:
        """True if that holds for its loss, and not only for the state that it ends in."""
        return float(np.max(self.own.get(STEP_LOSS, ()), initial=0.0)) > CHAOTIC

    def rung(self, name: str) -> list[Difference]:
        """Return the accounts of one rung's tensors."""
        return [d for d in self.differences if d.rung == name]

    def largest(self, rung: str) -> Difference | None:
        """Return the account with the largest error, whatever its bound."""
        return max(self.rung(rung), key=lambda d: d.error, default=None)

    def nearest(self, rung: str) -> Difference | None:
        """Return the account that uses most of its bound, or is furthest beyond it."""
        return max(self.rung(rung), key=lambda d: (not d.passed, d.used), default=None)

    def deciding(self, rung: str) -> list[Difference]:
        """Return the accounts that decide about a rung; of a curve, the anchors' if they do."""
        if rung == "curve" and self.anchors:
            return [d for anchor in self.anchors for d in anchor.differences]
        return self.rung(rung)

    def share(self, rung: str) -> float | None:
        """Return the largest share of its bound that any tensor uses; None if not judged."""
        if self.status(rung) == "not judged":
            return None
        return max((d.used for d in self.deciding(rung)), default=None)

    def measured(self, rung: str) -> Difference | None:
        """Return, of the tensors whose bound was measured, the one with the largest error."""
        return max((d for d in self.rung(rung) if d.runs), key=lambda d: d.error, default=None)

    def status(self, rung: str) -> str:
        """Return ``passed``, ``failed`` or ``not judged`` for one rung."""
        failed = self.failed_rung
        if self.problem or not self.rung(rung):
            return "not judged"
        if failed and RUNGS.index(rung) > RUNGS.index(failed):
            return "not judged"
        return "failed" if rung == failed else "passed"


@dataclasses.dataclass(frozen=True)
class StockLane:
    """What the optimizer that a rewrite would pick does differently.

    Args:
        optimizer: its name in Keras.
        dtype: that it was trained in.
        losses: of every step, (steps,).
        gap: largest per-step difference from the exact lane.
        expected: largest one that the known causes explain.
        cause: those causes.
    """

    optimizer: str
    dtype: str
    losses: np.ndarray
    gap: float
    expected: float
    cause: str


@dataclasses.dataclass(frozen=True)
class JobRecord:
    """One question that was put to an engine.

    Args:
        engine: its name.
        what: the question in a word or two.
        started: when, ISO 8601 in UTC.
        seconds: how long the engine worked.
        kept: True if the answer was one kept from an earlier run.
    """

    engine: str
    what: str
    started: str
    seconds: float
    kept: bool


@dataclasses.dataclass(frozen=True)
class Timing:
    """What an engine's training steps cost, in rounds of a few fresh processes each.

    Args:
        engine: its name.
        steps: training steps that were timed in every process, or more.
        seconds: of the fastest step of every round by the wall clock, (rounds,).
        processor: seconds of processor time of the step that took least of it, (rounds,).
        yardstick: seconds of a fixed piece of work between steps, the fastest of every round,
            (rounds,).
        memory: peak of resident memory in bytes, the least of every round, (rounds,); empty where
            nobody counts it.
    """

    engine: str
    steps: int
    seconds: tuple[float, ...]
    processor: tuple[float, ...]
    yardstick: tuple[float, ...]
    memory: tuple[float, ...]


@dataclasses.dataclass
class Outcome:
    """What a run has found about one pair so far; it is filled as it goes.

    Args:
        pair: name of the pair.
        origin: the corpus it runs on.
        comparisons: every reference and candidate, in both dtypes.
        stock: the stock Keras optimizer, or None if it was not run.
        paths: tensor of the reference -> what it is called in Keras.
        engines: engine -> its versions and device.
        jobs: every question that was put.
        notes: what was left out, and why.
        started: when, ISO 8601 in UTC.
        seconds: from the first question to the verdict.
        finished: False while running, and for ever if interrupted.
        times: what a training step costs, an entry an engine, where it was asked for.
    """

    pair: str
    origin: Origin
    comparisons: list[Comparison] = dataclasses.field(default_factory=list)
    stock: StockLane | None = None
    paths: dict[str, str] = dataclasses.field(default_factory=dict)
    engines: dict[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    jobs: list[JobRecord] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    started: str = ""
    seconds: float = 0.0
    finished: bool = False
    times: list[Timing] = dataclasses.field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The verdict on the pair: a difference weighs more than an engine that failed.

        A pair that was not finished is never called agreement.
        """
        codes = [c.exit_code for c in self.comparisons]
        if not codes or not self.finished:
            codes.append(ENGINE_FAILED)
        return gravest(codes)

    @property
    def judged(self) -> bool:
        """True if TensorFlow 1.15.5 itself, live or recorded, was at the table."""
        return any(c.reference in JUDGES and not c.problem for c in self.comparisons)

    def twin_of(self, comparison: Comparison) -> Comparison | None:
        """Return the comparison of the same engines in the other dtype."""
        engines = (comparison.reference, comparison.candidate)
        for other in self.comparisons:
            same = (other.reference, other.candidate) == engines
            if same and other.dtype != comparison.dtype:
                return other
        return None


@dataclasses.dataclass
class Run:
    """All that one call of the command has found.

    Args:
        outcomes: one a pair.
        version: of tf-parity.
        commit: of the checkout that ran, with ``+`` if it was changed since; empty if installed.
        python: version of the interpreter.
        machine: processor and instruction set.
        started: when, ISO 8601 in UTC.
        seconds: until the end.
        exit_code: what the command ended with.
        notes: what does not belong to one pair.
        options: what was asked for, option -> value.
    """

    outcomes: list[Outcome]
    version: str = ""
    commit: str = ""
    python: str = ""
    machine: str = ""
    started: str = ""
    seconds: float = 0.0
    exit_code: int = ENGINE_FAILED
    notes: list[str] = dataclasses.field(default_factory=list)
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def verdict(self) -> int:
        """The gravest verdict on a pair; a run of no pair is no agreement."""
        return gravest([outcome.exit_code for outcome in self.outcomes] or [ENGINE_FAILED])

    @property
    def unjudged(self) -> list[str]:
        """Names of the pairs that met no TensorFlow 1.15.5, live or recorded."""
        return [outcome.pair for outcome in self.outcomes if not outcome.judged]


def gravest(codes: Sequence[int]) -> int:
    """Return the exit code of several: a difference weighs more than an engine that failed."""
    return DIFFERENCE if DIFFERENCE in codes else max(codes)


def verdict(code: int) -> str:
    """Return the word for an exit code; what was not compared is never called agreement."""
    return WORDS.get(code, WORDS[ENGINE_FAILED])


def to_json(run: Run) -> dict[str, Any]:
    """Return a run as plain JSON types; ``docs/results.schema.json`` describes them."""
    return {"schema": SCHEMA, **to_plain(run)}


def from_json(document: Mapping[str, Any]) -> Run:
    """Return the run that `to_json` described.

    Raises:
        BadInput: the document has another schema, or does not follow it.
    """
    fields = dict(document)
    if fields.pop("schema", None) != SCHEMA:
        raise BadInput(
            f"these results have schema {document.get('schema')!r}",
            f"schema {SCHEMA}",
            "run `parity run` again with this version",
        )
    return from_plain(fields, Run)


def to_plain(found: Any) -> dict[str, Any]:
    """Return a dataclass of this module as plain JSON types."""
    plain: dict[str, Any] = _converter().unstructure(found)
    return plain


def from_plain(fields: Mapping[str, Any], kind: type[T]) -> T:
    """Return the dataclass that `to_plain` was given.

    Raises:
        BadInput: the fields are not those of `kind`.
    """
    try:
        return _converter().structure(fields, kind)
    except Exception as error:  # cattrs groups what it finds; any of it means the same
        raise BadInput(
            f"these results cannot be read: {error}", "what `parity run` writes"
        ) from error


def _converter() -> cattrs.Converter:
    """Return what turns dataclasses into JSON types and back; JSON has no NaN and no arrays."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(float, _number)
    converter.register_structure_hook(float, lambda value, _: float(value))
    converter.register_unstructure_hook(
        np.ndarray, lambda array: [_number(float(value)) for value in np.ravel(array)]
    )
    converter.register_structure_hook(
        np.ndarray, lambda values, _: np.array([float(value) for value in values])
    )
    return converter


def _number(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)
