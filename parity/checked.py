"""What a check of a graph file against a Keras model came to."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parity import pairtoml, results, runs
from parity.asking import Asked
from parity.errors import AGREE, DIFFERENCE, BadInput, EngineFailed, ParityError
from parity.pairfile import Proposed
from parity.pairtoml import PairFile
from parity.reports import files, page, words
from parity.results import Outcome, Run, gravest


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """What a check came to. It is true if all agree.

    Args:
        run: all that was found, as ``results.json`` holds it.
        proposed: which variable is which weight, what is fed, and why.
        notes: what was written of it, and where.
    """

    run: Run
    proposed: Proposed
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.agrees

    @property
    def agrees(self) -> bool:
        """True if all rungs were compared, on every engine, and all is within its bounds.

        Of a Keras model that is not compiled these are variables and forward; `report` says so.
        """
        return self.exit_code == AGREE

    @property
    def exit_code(self) -> int:
        """The command's: 0 all agree, 1 a difference, 3 an engine could not do its job."""
        return self.run.exit_code

    @property
    def outcome(self) -> Outcome:
        """Every comparison of the pair, tensor by tensor."""
        return self.run.outcomes[0]

    @property
    def report(self) -> str:
        """What was found, as text: first rung, first tensor and worst element where they differ."""
        said = [words.sentence(self.run), *words.explain_all(self.outcome)]
        notes = [*dict.fromkeys(self.outcome.notes), *self.run.notes, *self.remarks]
        return "\n\n".join([*said, *(f"note: {note}" for note in notes)])

    @property
    def remarks(self) -> list[str]:
        """What the proof makes of what shapes alone did not pair, and what was written."""
        if self.exit_code not in (AGREE, DIFFERENCE):
            return [*self.notes]
        return [*self._unsure(), *self.notes]

    def _unsure(self) -> list[str]:
        weights = self.proposed.weights
        entries = weights.open if self.agrees else weights.unsure
        found = []
        if self.proposed.several and not self.agrees:
            found.append(
                "inputs and outputs were paired by size and name, dropout by order; if that is "
                "wrong, the models may be the same: say --fed TENSOR=NAME or --tensor TENSOR=LAYER"
            )
        if not entries:
            return found
        said = "these were paired by order alone, and the proof confirms it"
        if not self.agrees:
            said = (
                "these were paired by name or order, not by shape; if one of them is wrong, the "
                "models may still be the same: say --weight VARIABLE=PATH"
            )
        names = ", ".join(name for entry in entries for name in entry.tf1)
        return [*found, f"{said}: {names}"]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types, as ``docs/results.schema.json`` describes them."""
        return results.to_json(self.run)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``results.json``, ``junit.xml``, ``summary.md`` and the page; return its path.

        Raises:
            BadInput: the folder cannot be written.
        """
        return save(self.run, Path(folder))


def require(result: CheckResult) -> CheckResult:
    """Return a result that agrees.

    Raises:
        AssertionError: it is a difference.
        EngineFailed: something was not compared.
    """
    __tracebackhide__ = True  # pytest shows the test, not this
    if result.exit_code == DIFFERENCE:
        raise AssertionError(result.report)
    if not result.agrees:
        raise EngineFailed(result.report)
    return result


def with_draft(
    question: Asked, asked: PairFile, save_pair: str | os.PathLike[str] | None, folder: Path | None
) -> BadInput:
    """Return what is asked, with a pair file to answer in, where there is a place for it.

    Args:
        question: what could not be told.
        asked: of the check.
        save_pair: path of that file, as a user has named it.
        folder: where it goes otherwise.
    """
    if not any(question.choices.values()) or (save_pair is None and folder is None):
        return question
    asked = dataclasses.replace(asked, said=question.known)
    if save_pair is None:
        assert folder is not None
        path = pairtoml.draft(folder, asked, question.choices)
    else:
        path = Path(save_pair)
        pairtoml.write(path, asked, question.choices)
    mend = f"{question.mend}; or choose in {path}, where all else is filled in, and run: "
    return BadInput(question.received, question.expected, f"{mend}parity check {path}")


def keep(
    run: Run,
    proposed: Proposed,
    asked: PairFile,
    save_pair: str | os.PathLike[str] | None,
    folder: Path | None,
) -> tuple[str, ...]:
    """Write the pair file that a check came to; return what to say of it.

    Args:
        run: what was found.
        proposed: what was decided.
        asked: of the check.
        save_pair: path of the file, if what agrees is to be kept.
        folder: where one goes in which to choose what order alone had paired, and wrongly.
    """
    asked = dataclasses.replace(asked, said=proposed.said)
    if run.exit_code == AGREE and save_pair is not None:
        pairtoml.write(save_pair, asked)
        return (f"wrote {os.fspath(save_pair)}: `parity check` of it asks all this again",)
    notes = []
    if save_pair is not None:
        notes.append(f"{os.fspath(save_pair)} was not written: only what agrees is kept")
    if run.exit_code == DIFFERENCE and proposed.choices["weights"] and folder is not None:
        path = pairtoml.draft(folder, asked, proposed.choices)
        notes.append(
            f"what order alone paired is to be chosen in {path}, where all else is filled in; "
            f"then run: parity check {path}"
        )
    return tuple(notes)


def refused(error: ParityError) -> Run:
    """Return a run in which a check could not be made."""
    run = runs.begun()
    run.notes.append(f"a check could not be made: {error}")
    run.exit_code = error.exit_code
    return run


def merged(found: Sequence[Run]) -> Run:
    """Return several runs as one; pairs of one name are told apart by a number."""
    whole = runs.begun()
    if not found:
        return whole
    taken: set[str] = set()
    for run in found:
        for outcome in run.outcomes:
            numbered = (f"{outcome.pair}_{n}" for n in itertools.count(2))
            names = itertools.chain([outcome.pair], numbered)
            name = next(each for each in names if each not in taken)
            taken.add(name)
            comparisons = [dataclasses.replace(c, pair=name) for c in outcome.comparisons]
            renamed = dataclasses.replace(outcome, pair=name, comparisons=comparisons)
            whole.outcomes.append(renamed)
    whole.started = min(run.started for run in found)
    whole.seconds = round(sum(run.seconds for run in found), 1)
    whole.notes = list(dict.fromkeys(note for run in found for note in run.notes))
    whole.options = found[0].options
    whole.exit_code = gravest([whole.verdict, *(run.exit_code for run in found)])
    return whole


def save(run: Run, folder: Path) -> Path:
    """Write all that the command writes of a run into a folder; return the path of its page.

    Raises:
        BadInput: the folder cannot be written.
    """
    runs.writable(folder)
    files.write(folder, run)
    path, _ = page.write(folder, run)
    return path
