"""What a run looks like in the terminal: progress while it works, then verdicts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from datasets.dataset import Origin
from parity.errors import AGREE
from parity.reports import words
from parity.reports.tables import announcement, remarks, verdicts
from parity.results import Outcome, verdict


class Board:
    """Progress bars, one an engine and dtype, that disappear when their pair is done.

    Args:
        console: where to draw; where it is no terminal, only the verdicts are printed.
        brief: of pairs that agree, leave the verdicts to the table of all.
    """

    def __init__(self, console: Console, brief: bool = False) -> None:
        self._console, self._brief = console, brief
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._running: list[str] = []
        self._expected = self._proved = 0
        self._began = self._latest = 0.0
        self._said = ""
        self._told: set[tuple[str, str]] = set()
        self._lock = threading.Lock()  # pairs are proved side by side
        # Rich ends a display with an empty line where there is no terminal, so none is started.
        self._live = (
            Live(console=console, get_renderable=self._show, transient=True)
            if console.is_interactive
            else None
        )

    def __enter__(self) -> Board:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:  # bars that are left would stay as empty lines in a low window
            for title in list(self._tasks):
                self._bars.remove_task(self._tasks.pop(title))
            self._expected, self._said = 0, ""
        if self._live:
            self._live.stop()

    def expect(self, pairs: int) -> None:
        """Show how many of so many pairs have their verdict."""
        self._expected = pairs

    def loaded(self, origin: Origin) -> None:
        """Say where a corpus came from, once, before anything that rests on it."""
        with self._lock:
            if (origin.corpus, origin.detail) in self._told:
                return
            self._told.add((origin.corpus, origin.detail))
            self._console.print(
                announcement(origin), soft_wrap=not self._console.is_terminal, highlight=False
            )

    def begin(self, pair: str) -> None:
        """Show that a pair is being proved."""
        with self._lock:
            self._began = self._began or time.monotonic()
            self._running.append(pair)

    def watch(self, pair: str) -> Callable[[str, str, str, int, int], None]:
        """Return the callback that shows how far each engine of a pair is."""

        def show(engine: str, dtype: str, stage: str, done: int, total: int) -> None:
            self._advance(f"{pair}  {engine:<5} {dtype}", stage, done, total)

        return show

    def say(self, text: str) -> None:
        """Show a line below the bars, in place of the last one."""
        self._said = text

    def measuring(self, title: str) -> Callable[[str, int, int, Mapping[str, float]], None]:
        """Return the callback that shows a measuring, and takes it away when it is done."""

        def show(stage: str, done: int, total: int, metrics: Mapping[str, float]) -> None:
            self._advance(title, "measuring", done, total)
            if done == total:
                self._drop(title)

        return show

    def done(self, title: str, text: str) -> None:
        """Take a bar away, and print what came of it."""
        self._drop(title)
        with self._lock:
            self._console.print(text, soft_wrap=True, highlight=False)

    def training(self, engine: str) -> Callable[[str, int, int, Mapping[str, float]], None]:
        """Return the callback that shows a training and its latest metrics."""

        def show(stage: str, done: int, total: int, metrics: Mapping[str, float]) -> None:
            said = "  ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in metrics.items())
            self._advance(engine, said, done, total)

        return show

    def finish(self, outcome: Outcome) -> None:
        """Remove the bars of a pair; print its verdicts, and a report of every failure."""
        said: list[Any] = []
        if not self._brief or outcome.exit_code != AGREE:
            said += [verdicts(outcome), *remarks(outcome)]
        elif not self._live:  # a log shows that something happens
            said += [Text(f"{outcome.pair}: {verdict(AGREE)}")]
        said += [Text(f"\n{text}") for text in words.explain_all(outcome)]
        with self._lock:
            for title in [t for t in self._tasks if t.startswith(f"{outcome.pair}  ")]:
                self._bars.remove_task(self._tasks.pop(title))
            if outcome.pair in self._running:
                self._running.remove(outcome.pair)
            self._proved += 1
            self._latest = time.monotonic()
            if self._live:
                self._live.refresh()  # or the bars that are gone would be drawn below once more
            # In a file or a log a line stays a line, to be searched for.
            whole = not self._console.is_terminal
            for each in said:
                self._console.print(each, soft_wrap=whole, highlight=False)

    def _drop(self, title: str) -> None:
        with self._lock:
            if title in self._tasks:
                self._bars.remove_task(self._tasks.pop(title))

    def _advance(self, title: str, note: str, done: int, total: int) -> None:
        fields: dict[str, Any] = {"completed": done, "total": total or None, "note": note}
        with self._lock:
            if title not in self._tasks:
                self._tasks[title] = self._bars.add_task(title, total=None, note="")
            self._bars.update(self._tasks[title], **fields)

    def _show(self) -> Group:
        overall = self._overall() or self._said
        line = [Text(overall, no_wrap=True, overflow="ellipsis")] if overall else []
        return Group(*([self._bars] if self._tasks else []), *line)

    def _overall(self) -> str:
        """Return how many pairs are proved, which are running, and how long the rest will take."""
        if not self._expected:
            return ""
        said = [f"pairs proved {self._proved}/{self._expected}"]
        if self._running:
            said.append(f"running {', '.join(self._running)}")
        if self._began and 0 < self._proved < self._expected:
            mean = (self._latest - self._began) / self._proved
            left = self._began + mean * self._expected - time.monotonic()
            if left > 0:  # later than expected: nobody knows
                said.append(f"time left {duration(left)}")
        return " · ".join(said)


def duration(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds: 1:02:03, or 2:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
