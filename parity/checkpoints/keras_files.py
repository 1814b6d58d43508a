"""Keras 3 files: `.weights.h5`, and `.keras`, a zip of such a file and the model's configuration.

A weight has no name in them: it has a place, such as ``layers/dense/vars/0`` or
``optimizer/vars/3``, that follows from the model's structure. What lies where, the model says
(`parity.runners.places`).
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from parity.checkpoints.stored import Stored, beside, damaged
from parity.errors import BadInput

WEIGHTS, CONFIG, METADATA = "model.weights.h5", "config.json", "metadata.json"


class KerasReader:
    """A `.weights.h5` or `.keras` file; close it when it is no longer needed.

    Nothing of a `.keras` file is built: its configuration is text.

    Args:
        path: of the file.

    Raises:
        BadInput: it is no such file, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._stack = path, contextlib.ExitStack()
        self.kind = "Keras weights"
        self.config: dict[str, Any] = {}
        try:
            weights = path
            if zipfile.is_zipfile(path):
                self.kind = "Keras model"
                weights = self._unpacked(path)
            self._file = self._stack.enter_context(h5py.File(weights, "r"))
            self.variables: Mapping[str, Stored] = self._listed()
        except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            self.close()
            raise damaged(path, f"{error}") from error

    def __enter__(self) -> KerasReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._stack.close()

    def read(self, name: str) -> np.ndarray:
        """Return what lies at a place."""
        try:
            return np.asarray(self._file[name][()])
        except (OSError, RuntimeError) as error:
            raise damaged(self._path, f"{name} cannot be read ({error})") from error

    def layer_names(self) -> dict[str, str]:
        """Return the name that Keras noted beside a group of places, where it did."""
        found = {}
        for name in self.variables:
            group = self._file[name].parent
            if isinstance(noted := group.attrs.get("name"), str):
                found[name.rpartition("/vars/")[0]] = noted
        return found

    def _unpacked(self, path: Path) -> Path:
        """Return the weights of a `.keras` file as a file of their own, until this is closed."""
        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-"))
        with zipfile.ZipFile(path) as archive:
            self.config = json.loads(archive.read(CONFIG))
            with archive.open(WEIGHTS) as packed, Path(folder, WEIGHTS).open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)  # zip's own checksum is verified
        return Path(folder, WEIGHTS)

    def _listed(self) -> dict[str, Stored]:
        found: dict[str, Stored] = {}

        def visit(name: str, node: Any) -> None:
            if isinstance(node, h5py.Dataset):
                if node.dtype.hasobject or node.external or node.is_virtual:
                    raise ValueError(f"{name} is no plain array")
                found[name] = Stored(node.dtype.name, tuple(node.shape))

        self._file.visititems(visit)
        return found


class KerasWriter:
    """A file of weights that is being written; `writing` lends one.

    Args:
        file: the HDF5 file.
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file

    def write(self, name: str, value: np.ndarray) -> None:
        """Write what lies at a place."""
        self._file.create_dataset(name, data=value)

    def note(self, name: str, layer: str) -> None:
        """Note the name of the layer that a group of places is of, as Keras does."""
        self._file.require_group(f"{name}/vars".lstrip("/")).attrs["name"] = layer


@contextlib.contextmanager
def writing(path: Path, config: str = "", metadata: str = "") -> Iterator[KerasWriter]:
    """Lend a writer; when the block ends without an error, the file is there, whole.

    Args:
        path: ends in ``.weights.h5`` or in ``.keras``.
        config: of a `.keras` file, the model's configuration as JSON.
        metadata: of a `.keras` file, who wrote it, as JSON.

    Raises:
        BadInput: the path has another ending, or cannot be written.
    """
    if not is_keras(path):
        raise BadInput(f"{path} is no name of a Keras file", "one ending in .weights.h5 or .keras")
    with beside(path) as (part,), contextlib.ExitStack() as stack:
        weights = part
        if path.suffix == ".keras":
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix=".parity-", dir=path.parent)
            )
            weights = Path(folder, WEIGHTS)
        with h5py.File(weights, "w") as file:
            yield KerasWriter(file)
        if path.suffix == ".keras":
            with zipfile.ZipFile(part, "w") as archive:  # stored, as Keras does
                archive.writestr(METADATA, metadata)
                archive.writestr(CONFIG, config)
                archive.write(weights, WEIGHTS)


def is_keras(path: Path) -> bool:
    """Tell whether a path is that of a Keras file, by its ending."""
    return path.name.endswith((".weights.h5", ".keras"))
