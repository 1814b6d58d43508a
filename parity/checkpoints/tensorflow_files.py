"""Checkpoints of `tf.train.Saver`: names of variables -> values, in either of two formats.

V2, since TensorFlow 0.12, is a table ``PREFIX.index`` of where each variable lies in
``PREFIX.data-00000-of-0000N`` (tensorflow/core/util/tensor_bundle). V1 is one table that holds the
values themselves (tensorflow/core/util/tensor_slice_writer.h). In both, a partitioned variable is
stored in parts, and read here as the whole that it is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from parity.checkpoints import protos
from parity.checkpoints.crc32c import masked
from parity.checkpoints.protos import NUMBERS, Slice, bytes_of, field, fields, number_of
from parity.checkpoints.stored import Stored, beside, damaged
from parity.checkpoints.tables import Table, write_table
from parity.errors import BadInput

VERSION = field(1, 1)  # VersionDef.producer, of both formats


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where a value lies in the data files of a V2 checkpoint."""

    shard: int
    offset: int
    size: int
    checksum: int


class V2Reader:
    """A V2 checkpoint.

    Args:
        prefix: its path as `Saver` is given it, without ``.index``.

    Raises:
        BadInput: its index is damaged, or a data file is missing or too short.
    """

    kind = "TensorFlow checkpoint, V2"

    def __init__(self, prefix: Path) -> None:
        index = prefix.with_name(prefix.name + ".index")
        self._prefix, self._shards = prefix, 1
        self._places: dict[str, _Place] = {}
        self._parts: dict[str, list[tuple[Slice, _Place]]] = {}
        raw = {}
        try:
            for key, value in Table(index):
                raw[key] = value
            header = fields(raw.pop(b""))
            if number_of(header, 2):
                raise BadInput(f"{prefix} was written on a big-endian machine", "little-endian")
            self._shards = number_of(header, 1)
            self.variables: Mapping[str, Stored] = {
                key.decode(): self._entry(key, fields(value), raw)
                for key, value in raw.items()
                if not key.startswith(b"\0")
            }
        except (KeyError, ValueError) as error:
            raise damaged(index, f"it is a table, but not of a checkpoint ({error})") from error
        self._check_sizes()

    def read(self, name: str) -> np.ndarray:
        """Return one variable, its checksum verified."""
        stored = self.variables[name]
        if stored.dtype not in NUMBERS or stored.dtype == "string":
            raise BadInput(f"{self._prefix}: {name} holds {stored.dtype}", "numbers")
        if name in self._places:
            value = self._value(name, self._places[name], stored.dtype)
            if value.size != _count(stored.shape):
                raise damaged(self._prefix, f"{name} has {value.size} values, not {stored.shape}")
            return value.reshape(stored.shape)
        parts = (
            (part, self._value(name, place, stored.dtype)) for part, place in self._parts[name]
        )
        return assembled(stored, parts)

    def _entry(self, key: bytes, entry: protos.Fields, raw: Mapping[bytes, memoryview]) -> Stored:
        name, dtype = key.decode(), protos.dtype_of(number_of(entry, 1))
        shape = protos.shape_of(bytes_of(entry, 2)[0]) if 2 in entry else ()
        slices = [protos.slice_of(each) for each in bytes_of(entry, 7)]
        if not slices:
            self._places[name] = _place(entry)
            return Stored(dtype, shape)
        self._parts[name] = [
            (part, _place(fields(raw[protos.slice_key(name, part)]))) for part in slices
        ]
        return Stored(dtype, shape, f"in {len(slices)} parts")

    def _check_sizes(self) -> None:
        places = [*self._places.values(), *(p for parts in self._parts.values() for _, p in parts)]
        for shard in range(self._shards):
            path = data_path(self._prefix, shard, self._shards)
            end = max((p.offset + p.size for p in places if p.shard == shard), default=0)
            if not path.is_file():
                raise BadInput(
                    f"{path} is missing, and {self._prefix.name}.index names it",
                    "both, side by side",
                    "copy the data file as well",
                )
            if path.stat().st_size < end:
                raise damaged(path, f"it has {path.stat().st_size:,} of {end:,} bytes")

    def _value(self, name: str, place: _Place, dtype: str) -> np.ndarray:
        path = data_path(self._prefix, place.shard, self._shards)
        with path.open("rb") as file:
            file.seek(place.offset)
            data = np.fromfile(file, np.uint8, place.size)
        if len(data) != place.size:
            raise damaged(path, f"it ends within {name}")
        if masked(data.data) != place.checksum:
            raise damaged(path, f"the checksum of {name} is another one")
        return _as(data, dtype, f"{path}: {name}")


class V1Reader:
    """A V1 checkpoint: one file.

    Args:
        path: of that file.

    Raises:
        BadInput: it is no such checkpoint, or damaged.
    """

    kind = "TensorFlow checkpoint, V1"

    def __init__(self, path: Path) -> None:
        self._path, self._table = path, Table(path)
        self._slices: dict[str, list[Slice]] = {}
        variables: dict[str, Stored] = {}
        self.variables: Mapping[str, Stored] = variables
        try:
            first = self._table.get(b"")
            meta = fields(bytes_of(fields(first if first is not None else b""), 1)[0])
            for each in map(fields, bytes_of(meta, 1)):
                name = bytes(bytes_of(each, 1)[0]).decode()
                self._slices[name] = [protos.slice_of(part) for part in bytes_of(each, 4)]
                parts = len(self._slices[name])
                variables[name] = Stored(
                    protos.dtype_of(number_of(each, 3)),
                    protos.shape_of(bytes_of(each, 2)[0]) if 2 in each else (),
                    f"in {parts} parts" if parts > 1 else "",
                )
        except (IndexError, ValueError) as error:
            raise damaged(path, "it is a table, but not of a checkpoint") from error

    def read(self, name: str) -> np.ndarray:
        """Return one variable, the checksum of its block verified."""
        stored = self.variables[name]
        return assembled(stored, ((part, self._part(name, part)) for part in self._slices[name]))

    def _part(self, name: str, part: Slice) -> np.ndarray:
        value = self._table.get(protos.slice_key(name, part))
        try:
            if value is None:
                raise ValueError("a part of it is missing")
            saved = fields(bytes_of(fields(value), 2)[0])
            return protos.values_of(bytes_of(saved, 3)[0], self.variables[name].dtype)
        except (IndexError, ValueError) as error:
            raise damaged(self._path, f"{name} cannot be read: {error}") from error


class TensorFlowWriter:
    """A V2 checkpoint that is being written; `writing` lends one.

    Values go to the data file in the order in which they come.

    Args:
        data: the data file.
    """

    def __init__(self, data: IO[bytes]) -> None:
        self._data = data
        self._entries: dict[str, bytes] = {}

    def write(self, name: str, value: np.ndarray) -> None:
        """Write one variable.

        Raises:
            BadInput: its dtype is none of a checkpoint.
        """
        if value.dtype.name not in NUMBERS:
            raise BadInput(f"{name} is {value.dtype}", f"one of {', '.join(NUMBERS)}")
        raw = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
        offset = self._data.tell()
        raw.tofile(self._data)
        self._data.seek(0, 2)  # `tofile` writes past Python's own position
        self._entries[name] = (
            field(1, NUMBERS[value.dtype.name])
            + field(2, protos.shape_message(value.shape))
            + (field(4, offset) if offset else b"")
            + (field(5, raw.size) if raw.size else b"")
            + protos.fixed32(6, masked(raw.data))
        )

    def index(self) -> Iterator[tuple[bytes, bytes]]:
        """Return the entries of the index, sorted."""
        yield b"", field(1, 1) + field(3, VERSION)
        for name in sorted(self._entries, key=str.encode):
            yield name.encode(), self._entries[name]


@contextlib.contextmanager
def writing(prefix: Path) -> Iterator[TensorFlowWriter]:
    """Lend a writer; when the block ends without an error, a V2 checkpoint is there, whole.

    Args:
        prefix: its path as `Saver.restore` is given it.
    """
    with beside(data_path(prefix, 0, 1), prefix.with_name(f"{prefix.name}.index")) as parts:
        with parts[0].open("wb") as data:
            writer = TensorFlowWriter(data)
            yield writer
        with parts[1].open("wb") as file:
            write_table(file, writer.index())


@contextlib.contextmanager
def writing_v1(path: Path) -> Iterator[TensorFlowWriter]:
    """Lend a writer; when the block ends without an error, a V1 checkpoint is there, whole.

    A V1 checkpoint is sorted by name. The values come in any order, so they lie in a V2 checkpoint
    until all are there.
    """
    with (
        beside(path) as (part,),
        tempfile.TemporaryDirectory(prefix=".parity-", dir=path.parent) as folder,
    ):
        with writing(Path(folder, "v2")) as writer:
            yield writer
        with part.open("wb") as file:
            write_table(file, _v1_entries(V2Reader(Path(folder, "v2"))))


def _v1_entries(reader: V2Reader) -> Iterator[tuple[bytes, bytes]]:
    names = sorted(reader.variables, key=str.encode)
    metas = []
    for name in names:
        stored = reader.variables[name]
        metas.append(
            field(1, name.encode())
            + field(2, protos.shape_message(stored.shape))
            + field(3, NUMBERS[stored.dtype])
            + field(4, protos.whole_slice(len(stored.shape)))
        )
    meta = b"".join(field(1, each) for each in metas) + field(2, VERSION)
    yield b"", field(1, meta)
    for name in names:
        rank, value = len(reader.variables[name].shape), reader.read(name)
        saved = field(1, name.encode()) + field(2, protos.whole_slice(rank))
        saved += field(3, protos.values_message(value))
        yield protos.slice_key(name, (None,) * rank), field(2, saved)


def data_path(prefix: Path, shard: int, shards: int) -> Path:
    """Return the path of a data file of a V2 checkpoint."""
    return prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{shards:05}")


def assembled(stored: Stored, parts: Iterable[tuple[Slice, np.ndarray]]) -> np.ndarray:
    """Return a variable that was stored in parts.

    Args:
        stored: the whole.
        parts: where each lies, and its values, (n,).

    Raises:
        BadInput: a part does not fit, or they are not the whole.
    """
    whole, filled = np.empty(0, stored.dtype), 0
    for extents, value in parts:
        if all(extent is None for extent in extents) and value.size == _count(stored.shape):
            return value.reshape(stored.shape)
        whole = whole if filled else np.zeros(stored.shape, stored.dtype)
        where = tuple(
            slice(None) if extent is None else slice(extent[0], sum(extent)) for extent in extents
        )
        if whole[where].size != value.size:
            raise BadInput(f"a part {extents} of {value.size} values", "as many as its extents say")
        whole[where] = value.reshape(whole[where].shape)
        filled += value.size
    if filled != _count(stored.shape):
        raise BadInput(f"parts of {filled} values", f"the {_count(stored.shape)} of {stored.shape}")
    return whole


def _count(shape: Sequence[int]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _place(entry: protos.Fields) -> _Place:
    shard, offset, size, checksum = (number_of(entry, number) for number in (3, 4, 5, 6))
    return _Place(shard, offset, size, checksum)


def _as(data: np.ndarray, dtype: str, what: str) -> np.ndarray:
    try:
        return data.view(np.dtype(dtype).newbyteorder("<")).astype(dtype, copy=False)
    except ValueError as error:
        raise BadInput(f"{what} has {data.size} bytes", f"whole numbers of {dtype}") from error
