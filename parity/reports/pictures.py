"""The pictures of a run, drawn side by side by several processes; what is drawn already is kept."""

from __future__ import annotations

import dataclasses
import functools
import gc
import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib import metadata
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from parity import wire
from parity.reports import curves, differences, elements, weights
from parity.reports.plots import STYLE, Numbers, save
from parity.results import Outcome, to_plain

STAMP = "drawn.json"  # in a pair's folder: of what its pictures were drawn


@dataclasses.dataclass(frozen=True)
class Picture:
    """One kind of picture of a pair.

    Args:
        name: of its file, without ``.png``.
        caption: says what to look for.
        draw: returns the figure, or None where there is nothing to see.
        numbers: returns the table behind it, or None.
    """

    name: str
    caption: str
    draw: Callable[[Outcome], Figure | None]
    numbers: Callable[[Outcome], Numbers | None]


def _curves(dtype: str) -> Picture:
    return Picture(
        f"curves-{dtype}",
        "Above, the training curves of every engine, one on the other. Below, how far each is from "
        "the judge at every step, on a logarithmic axis, with the bound that was applied and, "
        "where it was measured, the judge's own rounding.",
        functools.partial(curves.draw, dtype=dtype),
        functools.partial(curves.numbers, dtype=dtype),
    )


PICTURES = (
    _curves("float32"),
    _curves("float64"),
    Picture(
        "differences",
        "Every tensor that was compared, a row a kind. The strong mark is the worst tensor of its "
        "row; the bar of the same colour is the bound.",
        differences.draw,
        differences.numbers,
    ),
    Picture(
        "weights",
        "What the first training steps do to every weight, as shares of the bound.",
        weights.draw,
        weights.numbers,
    ),
    Picture(
        "elements",
        "Left, the outputs of both sides against each other: on the line they are the same. Right, "
        "how many elements of all tensors differ by how many units in the last place of their "
        "tensor's largest value.",
        elements.draw,
        elements.numbers,
    ),
)


def write(
    folder: Path, outcomes: Sequence[Outcome], watch: Callable[[int, int], None] = lambda *_: None
) -> list[Path]:
    """Draw what is not drawn yet of every pair into ``folder/PAIR/``; return all paths.

    Args:
        folder: of the run's results.
        outcomes: what was found; their pairs have different names.
        watch: called with the number of pairs that are done, and of all.
    """
    digests = {each.pair: _digest(each) for each in outcomes}
    stale = [each for each in outcomes if not _kept(folder / each.pair, digests[each.pair])]
    watch(len(outcomes) - len(stale), len(outcomes))
    questions = [(folder / each.pair, each, digests[each.pair]) for each in stale]
    for done, _ in enumerate(_drawn(questions), len(outcomes) - len(stale)):
        watch(done + 1, len(outcomes))
    return [path for each in outcomes for path in _kept(folder / each.pair, digests[each.pair])]


def _drawn(questions: Sequence[tuple[Path, Outcome, str]]) -> Iterator[str]:
    """Draw the pictures of some pairs; yield the name of every pair that is done."""
    if len(questions) < 2:  # quicker than a new process
        for each in questions:
            yield _write_pair(*each)
        return
    # Fresh processes: Matplotlib's locks and an engine's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(len(questions), os.cpu_count() or 1), context, _begin)
    try:
        for future in as_completed([pool.submit(_write_pair, *each) for each in questions]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C, which every process of a terminal gets, to the one that waits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # or every figure has all that was imported searched for garbage


def _write_pair(folder: Path, outcome: Outcome, digest: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    with plt.rc_context(STYLE):
        for picture in PICTURES:
            path = folder / f"{picture.name}.png"
            figure = picture.draw(outcome)
            if figure is not None:
                drawn.append(save(figure, path))
            else:
                path.unlink(missing_ok=True)  # of a run before
    stamp = {"of": digest, "pictures": [path.name for path in drawn]}
    wire.write_text(folder / STAMP, json.dumps(stamp))
    return outcome.pair


def _kept(folder: Path, digest: str) -> list[Path]:
    """Return the pictures that were drawn of the very same; nothing if one of them is gone."""
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
        paths = [folder / name for name in stamp["pictures"]]
        same = stamp["of"] == digest and all(path.is_file() for path in paths)
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return paths if same else []


def _digest(outcome: Outcome) -> str:
    """Return what names all that a pair's pictures are drawn from, and the code that draws."""
    shown = dataclasses.replace(outcome, jobs=[], notes=[], engines={}, started="", seconds=0.0)
    digest = hashlib.sha256(json.dumps(to_plain(shown)).encode())
    digest.update(_code())
    return digest.hexdigest()


@functools.cache
def _code() -> bytes:
    """Return the sources that draw, and the version of what they draw with."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return metadata.version("matplotlib").encode() + b"".join(map(Path.read_bytes, files))
