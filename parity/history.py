"""The history: every run's figures in one SQLite file that is only ever added to.

A run is a row, each of its figures another. Triggers refuse to change or remove one, and a run is
appended in one transaction, so processes may write at once and may die at any time.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from parity.errors import AGREE, BadInput
from parity.figures import Figure, Proved, Summary

DEFAULT = Path("results/history.sqlite")
APPLICATION = 0x70617269  # "pari": SQLite's own mark of whose file it is
FORMAT = 2
PATIENCE = 60  # seconds that a writer waits for another one

_TABLES = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY, started TEXT NOT NULL, version TEXT NOT NULL, "commit" TEXT NOT NULL,
    python TEXT NOT NULL, machine TEXT NOT NULL, exit_code INTEGER NOT NULL,
    options TEXT NOT NULL, engines TEXT NOT NULL
);
CREATE TABLE proved (
    run INTEGER NOT NULL REFERENCES run, pair TEXT NOT NULL, code INTEGER NOT NULL,
    question TEXT NOT NULL, PRIMARY KEY (run, pair)
);
CREATE TABLE figure (
    run INTEGER NOT NULL REFERENCES run, pair TEXT NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
    value REAL NOT NULL, used REAL, sample TEXT NOT NULL, yardstick TEXT NOT NULL,
    PRIMARY KEY (run, pair, kind, what)
);
"""
_RUN = ("started", "version", "commit", "python", "machine", "exit_code")
_NAMES = ("run", "proved", "figure")


class History:
    """A history file; it is made when the first run is appended.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make sure that a run can be appended, before hours are spent on it.

        Raises:
            BadInput: the file is no history, or cannot be written.
        """
        with self._open(write=True):
            pass

    def append(self, summary: Summary) -> int:
        """Append a run; return its number.

        Raises:
            BadInput: the file is no history, or cannot be written.
        """
        fields = [getattr(summary, name) for name in _RUN]
        fields += [json.dumps(dict(summary.options)), json.dumps(_plain(summary.engines))]
        with self._open(write=True) as file:
            number = file.execute(
                "INSERT INTO run VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", fields
            ).lastrowid
            assert number is not None
            file.executemany(
                "INSERT INTO proved VALUES (?, ?, ?, ?)",
                [(number, pair, p.code, p.question) for pair, p in summary.pairs.items()],
            )
            file.executemany(
                "INSERT INTO figure VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (number, *f.key, f.value, f.used, _packed(f.sample), _packed(f.yardstick))
                    for f in summary.figures
                ],
            )
        return number

    def runs(
        self,
        pairs: Sequence[str] = (),
        last: int | None = None,
        agreed: bool = False,
        commit: str = "",
    ) -> list[Summary]:
        """Return the runs that hold all of some pairs, oldest first.

        Args:
            pairs: names; all runs if empty.
            last: no more than so many, the newest.
            agreed: only runs in which all agreed and nothing was worse.
            commit: whole hash of a commit, if only runs of its unchanged checkout are wanted.

        Raises:
            BadInput: there is no history yet, or the file is none.
        """
        marks = ", ".join("?" * len(pairs))
        wanted = [
            f"(SELECT count(*) FROM proved WHERE run = id AND pair IN ({marks})) = {len(pairs)}"
        ]
        given: list[str | int] = list(pairs)
        if agreed:
            wanted.append(f"exit_code = {AGREE}")
        if commit:  # the history knows how a hash begins; that of a changed checkout ends in "+"
            wanted.append('"commit" <> \'\' AND substr(?, 1, length("commit")) = "commit"')
            given.append(commit)
        query = f"SELECT id FROM run WHERE {' AND '.join(wanted)} ORDER BY id DESC LIMIT ?"
        with self._open() as file:
            found = file.execute(query, [*given, -1 if last is None else last]).fetchall()
            return [_read(file, number) for (number,) in reversed(found)]

    def run(self, number: int) -> Summary | None:
        """Return the run of a number; None if there is no such run, or no history."""
        if not self.path.exists():
            return None
        with self._open() as file:
            known = file.execute("SELECT 1 FROM run WHERE id = ?", [number]).fetchone()
            return _read(file, number) if known else None

    @contextlib.contextmanager
    def _open(self, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend the file inside one transaction, which is undone if the block fails."""
        if not write and not self.path.exists():
            raise BadInput(
                f"there is no history {self.path} yet",
                mend="every `parity run` adds to it; or name another one with --history",
            )
        try:
            if write:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            uri = f"{self.path.resolve().as_uri()}?mode={'rwc' if write else 'ro'}"
            file = sqlite3.connect(uri, timeout=PATIENCE, isolation_level=None, uri=True)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error, write) from error
        with contextlib.closing(file):
            try:
                file.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                self._check(file, write)
                yield file
                file.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._unusable(error, write) from error

    def _check(self, file: sqlite3.Connection, write: bool) -> None:
        """Make sure that the file is a history of this format; make one of an empty file."""
        (mark,), (number,) = (
            file.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (mark, number) == (APPLICATION, FORMAT):
            return
        if mark == APPLICATION:
            raise BadInput(
                f"the history {self.path} has format {number}",
                f"format {FORMAT}",
                "move it away, or begin another with --history",
            )
        if mark or number or tables:
            raise self._stranger("an SQLite file of something else")
        if not write:
            raise BadInput(f"the history {self.path} is empty", mend="`parity run` fills it")
        for statement in _TABLES.split(";"):
            file.execute(statement)
        for name in _NAMES:
            for change in ("UPDATE", "DELETE"):
                file.execute(
                    f"CREATE TRIGGER {name}_{change.lower()} BEFORE {change} ON {name} "
                    "BEGIN SELECT RAISE(ABORT, 'a history is only added to'); END"
                )
        file.execute(f"PRAGMA application_id = {APPLICATION}")
        file.execute(f"PRAGMA user_version = {FORMAT}")

    def _unusable(self, error: Exception, write: bool) -> BadInput:
        if "not a database" in str(error):
            return self._stranger("no SQLite file")
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return BadInput(
            f"cannot {'write to' if write else 'read'} the history {self.path}: {reason}",
            mend="name another one with --history",
        )

    def _stranger(self, what: str) -> BadInput:
        return BadInput(
            f"{self.path} is {what}", "a history of `parity run`", "name another with --history"
        )


def _read(file: sqlite3.Connection, number: int) -> Summary:
    columns = ", ".join(f'"{name}"' for name in _RUN)
    *fields, options, engines = file.execute(
        f"SELECT {columns}, options, engines FROM run WHERE id = ?", [number]
    ).fetchone()
    pairs = file.execute(
        "SELECT pair, code, question FROM proved WHERE run = ? ORDER BY rowid", [number]
    )
    rows = file.execute(
        "SELECT pair, kind, what, value, sample, used, yardstick FROM figure WHERE run = ? "
        "ORDER BY rowid",
        [number],
    )
    return Summary(
        name=f"run {number}",
        **dict(zip(_RUN, fields, strict=True)),
        options=json.loads(options),
        engines=json.loads(engines),
        pairs={pair: Proved(code, question) for pair, code, question in pairs},
        figures=tuple(_figure(*row) for row in rows),
    )


def _figure(
    pair: str, kind: str, what: str, value: float, sample: str, used: float | None, yardstick: str
) -> Figure:
    return Figure(pair, kind, what, value, _unpacked(sample), used, _unpacked(yardstick))


def _packed(values: Sequence[float]) -> str:
    return json.dumps([str(value) for value in values])  # JSON has no infinity


def _unpacked(text: str) -> tuple[float, ...]:
    return tuple(map(float, json.loads(text)))


def _plain(engines: Any) -> dict[str, dict[str, str]]:
    return {name: dict(about) for name, about in engines.items()}
