"""What a run is held against: a folder, an entry of the history, or the results of a git ref."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from parity.errors import BadInput
from parity.figures import Summary, summarize
from parity.history import History
from parity.reports import files

LAST = "last"

Way = Callable[[], Summary] | None  # reads a baseline, where a text names one


def find(text: str, history: History, output: Path, pairs: Sequence[str] = ()) -> Summary:
    """Return the run that `text` names, with all the pairs that are to be held against it.

    Args:
        text: a folder of results; ``last``, or the number of a run in the history; or a git ref.
        history: the history.
        output: where results of a run go: those of a git ref are looked for there.
        pairs: names.

    Raises:
        BadInput: it names nothing, or more than one thing, or a run that lacks a pair; or a folder
            that this run would overwrite.
    """
    if text == LAST:
        return _last(history, pairs)
    ways = {
        "a folder": _folder(text, output),
        "a run of the history": _numbered(text, history),
        "a git ref": _ref(text, history, output, pairs),
    }
    known = [what for what, way in ways.items() if way]
    if len(known) > 1:
        raise BadInput(
            f"the baseline {text!r} is {' and '.join(known)}",
            "one of them",
            f"write ./{text} for the folder, refs/heads/{text} for the ref",
        )
    way = ways[known[0]] if known else None
    if way is None:
        raise BadInput(
            f"there is no baseline {text!r}",
            f"a folder of results, {LAST!r}, the number of a run in {history.path}, or a git ref",
        )
    found = way()
    missing = [pair for pair in pairs if pair not in found.pairs]
    if missing:
        raise BadInput(
            f"the baseline {found.name} is without {', '.join(missing)}",
            "a run of every pair that is held against it",
            "name the pairs to run, or record a baseline with all of them",
        )
    return found


def _last(history: History, pairs: Sequence[str]) -> Summary:
    """Return the newest run that ended well; after a worsening the baseline stays where it was."""
    found = history.runs(pairs, last=1, agreed=True)
    if not found:
        raise BadInput(
            f"no run of {', '.join(pairs) or 'any pair'} in {history.path} ended with exit code 0",
            "one to hold others against",
            "run `parity run` first, or name a run by its number",
        )
    return found[0]


def _folder(text: str, output: Path) -> Way:
    folder = Path(text)
    if not folder.is_dir():
        return None
    if folder.resolve() == output.resolve():
        raise BadInput(
            f"this run would overwrite its own baseline {text}",
            "another folder",
            f"choose another --output, or --against {LAST}",
        )
    return lambda: summarize(files.read(folder), text)


def _numbered(text: str, history: History) -> Way:
    found = history.run(int(text)) if text.isdecimal() else None
    return (lambda: found) if found else None


def _ref(text: str, history: History, output: Path, pairs: Sequence[str]) -> Way:
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    return (lambda: _of_commit(text, commit.strip(), history, output, pairs)) if commit else None


def _of_commit(
    text: str, commit: str, history: History, output: Path, pairs: Sequence[str]
) -> Summary:
    """Return the newest run of a commit that the history knows, else the results kept in it."""
    known = history.runs(pairs, 1, commit=commit) if history.path.exists() else []
    if known:
        return known[0]
    name = f"{text} ({commit[:8]})"
    kept = _git("show", f"{commit}:./{(output / 'results.json').as_posix()}")
    if kept is None:
        raise BadInput(
            f"{name} has no run in {history.path} and no {output}/results.json",
            "results of that commit",
            "check it out and run `parity run`, or name a folder of results",
        )
    return summarize(files.parse(kept, f"{output}/results.json of {name}"), name)


def _git(*arguments: str) -> str | None:
    """Return what git says in this folder, or None if it knows no answer."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
