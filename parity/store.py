"""Engines' answers, kept under the digest of their question: an unchanged run asks nobody twice.

An entry is one file, ``DIGEST.npz``: the arrays, uncompressed and without pickles, and beside them
``about.json``. A file appears whole or not at all, and its checksums are verified before anything
of it is used; so processes may share a folder, and may die at any time.

What has to stay the same, so that an answer still holds, is told by `parity.provenance`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datasets.sources import cache_folder

FORMAT = 1
LIMIT = 4 << 30  # bytes
_IN_MEMORY = 4 << 20  # bytes; an entry up to this size is read at once and keeps no file open
_ABANDONED = 3600  # seconds after which an unfinished file belongs to a process that died
_ABOUT = "about.json"
_ENTRY = re.compile(r"[0-9a-f]{64}\.npz")
_UNFINISHED = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{32}\.part")


@dataclass(frozen=True)
class Kept:
    """An answer that was kept.

    Args:
        about: all of it but arrays, plain JSON.
        arrays: the arrays by name, in the order in which they were saved. Each is read when it is
            asked for, and read anew when it is asked for again.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]


class Store:
    """A folder of answers. Threads may share a store, and processes its folder.

    Args:
        folder: where the answers are; it is made when the first one is saved.
        limit: bytes that they may take together; those used longest ago go first.

    Attributes:
        hits: answers that were there.
        misses: answers that were not, damaged ones among them.
        damaged: answers that were there and not in order.
        notes: what a user should know of: one line each.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.limit = folder, limit
        self.hits = self.misses = self.damaged = 0
        self.notes: list[str] = []
        self._lock = threading.Lock()

    def load(self, digest: str) -> Kept | None:
        """Return the answer to the question with this digest, or None.

        A damaged entry is removed, counted and noted. All of an entry is checked here, a small
        part of the time that reading it takes, since whoever reads an array later cannot go back
        and have it computed anew.
        """
        path = self._path(digest)
        kept = self._verified(path, digest)
        with self._lock:
            self.hits += kept is not None
            self.misses += kept is None
        if kept is not None:
            with contextlib.suppress(OSError):  # evicted meanwhile, or not ours to touch
                os.utime(path)
        return kept

    def save(self, digest: str, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Keep an answer, then let go of those used longest ago, down to the limit.

        A folder that cannot be written and an answer larger than the limit are noted, no error.

        Raises:
            TypeError: `about` is not plain JSON.
            ValueError: `about` holds a number that is not finite, or an array holds objects.
        """
        values = {name: np.asanyarray(value) for name, value in arrays.items()}
        header = {"format": FORMAT, "digest": digest, "arrays": list(values), "about": dict(about)}
        text = json.dumps(header, allow_nan=False)
        if sum(value.nbytes for value in values.values()) > self.limit:
            self._note(f"an answer is larger than the {self.limit} bytes of the store: not kept")
            return
        unfinished = self.folder / f".{digest}.{uuid.uuid4().hex}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(unfinished, text, values)
            os.replace(unfinished, self._path(digest))
        except OSError as error:
            self._note(
                f"answers cannot be kept in {self.folder} ({_why(error)}): the next run computes "
                "them anew; make room there, or let PARITY_CACHE_DIR name a folder to write to"
            )
        finally:
            _remove(unfinished)
        self._make_room()

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}.npz"

    def _verified(self, path: Path, digest: str) -> Kept | None:
        try:
            path.open("rb").close()  # a file that may not be opened is not a damaged one
        except FileNotFoundError:
            return None
        except OSError as error:
            self._note(
                f"answers in {self.folder} cannot be read ({_why(error)}): they are computed anew"
            )
            return None
        try:
            return _read(path, digest)
        except FileNotFoundError:  # evicted this moment
            return None
        except Exception as error:  # a broken file makes zipfile raise nearly anything
            self._note(f"{path} is damaged ({_why(error)}): its answer is computed anew")
        with self._lock:
            self.damaged += 1
        _remove(path)
        return None

    def _make_room(self) -> None:
        entries, now = [], time.time()
        for path, status in _files(self.folder):
            if _ENTRY.fullmatch(path.name):
                entries.append((status.st_mtime_ns, path, status.st_size))
            elif _UNFINISHED.fullmatch(path.name) and now - status.st_mtime > _ABANDONED:
                _remove(path)
        total = sum(size for _, _, size in entries)
        for _, path, size in sorted(entries):
            if total <= self.limit:
                break
            # Where a reader has it open, as Windows sees it, it stays for the next time.
            total -= size if _remove(path) else 0

    def _note(self, text: str) -> None:
        """Note something once; what is wrong with a folder is wrong with every entry."""
        with self._lock:
            if text not in self.notes:
                self.notes.append(text)


class _Arrays(Mapping[str, np.ndarray]):
    """The arrays of an open archive. It stays readable when its file is removed or replaced."""

    def __init__(self, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
        self._archive = archive
        self._names = dict.fromkeys(names)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        with self._archive.open(_member(name)) as file:
            value: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._names  # what Mapping does instead would read the array

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def default_folder() -> Path:
    """Return where answers are kept: ``answers`` in the cache that also holds the corpora."""
    return cache_folder() / "answers"


def _read(path: Path, digest: str) -> Kept | None:
    """Return a verified entry, or None if another version of this file's format wrote it."""
    small = path.stat().st_size <= _IN_MEMORY
    archive = zipfile.ZipFile(io.BytesIO(path.read_bytes()) if small else path)
    try:
        broken = archive.testzip()
        if broken is not None:
            raise ValueError(f"the checksum of {broken} is wrong")
        header = json.loads(archive.read(_ABOUT))
        if header["format"] != FORMAT:
            archive.close()
            return None
        if header["digest"] != digest:
            raise ValueError(f"it answers the question {header['digest']}")
        names = header["arrays"]
        if {_ABOUT, *map(_member, names)} != set(archive.namelist()):
            raise ValueError("it does not hold the arrays that it lists")
        return Kept(dict(header["about"]), _Arrays(archive, names))
    except BaseException:
        archive.close()
        raise


def _write(path: Path, about: str, arrays: Mapping[str, np.ndarray]) -> None:
    # Not np.savez: there an array cannot be called `file`, and objects would be pickled.
    with zipfile.ZipFile(path, "x") as archive:
        archive.writestr(_ABOUT, about)
        for name, value in arrays.items():
            with archive.open(_member(name), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, value, allow_pickle=False)


def _member(name: str) -> str:
    return name + ".npy"


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what is in a folder; what vanishes meanwhile is left out."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                yield Path(entry.path), entry.stat()


def _remove(path: Path) -> bool:
    """Remove a file; True if it is gone, by whoever's hand."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _why(error: Exception) -> str:
    # The whole text of an OSError would repeat the path, or name an unfinished file.
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return reason or type(error).__name__
