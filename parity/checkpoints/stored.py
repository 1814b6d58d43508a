"""What every file of variables can do, whoever wrote it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from parity.errors import BadInput


@dataclasses.dataclass(frozen=True)
class Stored:
    """A variable in a file.

    Args:
        dtype: NumPy's name of its dtype, or ``string``.
        shape: its sizes.
        note: what else is to be known of it, such as the parts that it is stored in.
    """

    dtype: str
    shape: tuple[int, ...]
    note: str = ""

    @property
    def size(self) -> int:
        """Bytes of its value; 0 for text."""
        if self.dtype == "string":
            return 0
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


class Reader(Protocol):
    """A file that is open for reading."""

    @property
    def kind(self) -> str:
        """What it is, for people."""
        ...

    @property
    def variables(self) -> Mapping[str, Stored]:
        """All that is in it, by name."""
        ...

    def read(self, name: str) -> np.ndarray:
        """Return one variable, freshly read.

        Raises:
            BadInput: it is damaged, or is text.
        """
        ...


class Writer(Protocol):
    """A file that is being written, one variable after the other."""

    def write(self, name: str, value: np.ndarray) -> None:
        """Write one variable."""
        ...


def damaged(path: Path | str, what: str) -> BadInput:
    """Return the error of a file that is cut off or was altered."""
    return BadInput(
        f"{path} is damaged: {what}",
        "the file as it was written",
        "copy it anew, or take an older one",
    )


@contextlib.contextmanager
def beside(*paths: Path) -> Iterator[list[Path]]:
    """Lend paths to write to, beside where the files shall be; they are moved there at the end.

    So a file is there whole or not at all. Of several, the last one makes the others count: it is
    taken away before the first is replaced.

    Raises:
        BadInput: the folder cannot be written.
    """
    parts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths]
    try:
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        yield parts
        if len(paths) > 1:
            paths[-1].unlink(missing_ok=True)
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    except OSError as error:
        raise BadInput(f"{paths[0]} cannot be written: {error}") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
