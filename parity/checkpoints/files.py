"""Tells what a file is, and opens it."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py

from parity.checkpoints.keras_files import KerasReader
from parity.checkpoints.stored import Reader
from parity.checkpoints.tables import is_table
from parity.checkpoints.tensorflow_files import V1Reader, V2Reader
from parity.errors import BadInput

STATE = "checkpoint"  # the text file in which `Saver` notes the latest one


@contextlib.contextmanager
def open_file(path: Path) -> Iterator[Reader]:
    """Lend a reader of a file of variables.

    Args:
        path: of a Keras file; of a V1 checkpoint; of a V2 checkpoint with or without its
            ``.index``; or of the folder of a `Saver`, whose latest checkpoint is meant.

    Raises:
        BadInput: there is none, it is of another kind, or damaged.
    """
    path = latest(path) if path.is_dir() else path
    if path.suffix == ".index":
        path = path.with_suffix("")
    if path.with_name(path.name + ".index").is_file():
        yield V2Reader(path)
    elif not path.is_file():
        raise BadInput(f"there is no checkpoint and no file {path}", *_expected(path))
    elif zipfile.is_zipfile(path) or h5py.is_hdf5(path):
        with KerasReader(path) as reader:
            yield reader
    elif is_table(path):
        yield V1Reader(path)
    else:
        raise BadInput(f"{path} is no checkpoint and no Keras file, or is cut off", KINDS)


KINDS = (
    "a TensorFlow 1 checkpoint (its prefix, such as model.ckpt-50, or its folder), or a file "
    ".weights.h5 or .keras of Keras 3"
)


def latest(folder: Path) -> Path:
    """Return the prefix of the latest checkpoint that `Saver` noted in a folder.

    Raises:
        BadInput: it noted none.
    """
    state = folder / STATE
    text = state.read_text("utf-8", "replace") if state.is_file() else ""
    noted = re.search(r'^model_checkpoint_path: "(.*)"$', text, re.MULTILINE)
    if noted is None:
        raise BadInput(f"{folder} is a folder in which no Saver noted a checkpoint", KINDS)
    return folder / noted[1]  # an absolute path stays as it is


def step_in_name(path: Path) -> int | None:
    """Return the training step that `Saver` put into a name, ``model.ckpt-50``, or None."""
    path = latest(path) if path.is_dir() else path
    found = re.search(r"-(\d+)$", path.name.removesuffix(".index"))
    return int(found[1]) if found else None


def _expected(path: Path) -> tuple[str, str]:
    near = sorted({each.name.removesuffix(".index") for each in path.parent.glob("*.index")})
    return KINDS, f"there are {', '.join(near)}" if near else ""
