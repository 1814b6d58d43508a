"""Sorted tables, the container of TensorFlow's checkpoints: keys with values, in blocks.

LevelDB's format, which TensorFlow took over (tensorflow/core/lib/io/format.cc, block.cc,
table_builder.cc):

    block     entries, restart points, their number; a byte for the compression, a masked CRC-32C
    entry     bytes shared with the key before, bytes of its own, bytes of the value; key; value
    index     a block: last key of a block -> its place
    footer    places of an unused block and of the index, padded to 40 bytes, and a magic number
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from parity.checkpoints.crc32c import masked
from parity.checkpoints.protos import read_varint, varint
from parity.checkpoints.stored import damaged

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
TRAILER = 5  # compression and checksum of a block
BLOCK = 1 << 18  # bytes at which a block is closed; one value may be longer

Place = tuple[int, int]  # offset and bytes of a block, without its trailer


def is_table(path: Path) -> bool:
    """Tell whether a file ends as a table does."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < FOOTER:
            return False
        file.seek(size - 8)
        return file.read(8) == struct.pack("<Q", MAGIC)


class Table:
    """A table that is open for reading: its index is in memory, blocks are read as asked for.

    Args:
        path: of the file.

    Raises:
        BadInput: it is no table, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        size = path.stat().st_size
        if size < FOOTER or not is_table(path):
            raise damaged(path, "it does not end as a table does, or is cut off")
        with path.open("rb") as file:
            file.seek(size - FOOTER)
            footer = file.read(FOOTER)
            try:
                *_, place = (p for p, _ in zip(_places(footer), range(2), strict=False))
                index = list(_entries(self._block(file, place)))
                self._index = [(key, next(_places(value))) for key, value in index]
            except ValueError as error:
                raise damaged(path, str(error)) from error

    def __iter__(self) -> Iterator[tuple[bytes, memoryview]]:
        """Return all keys with their values, sorted.

        Raises:
            BadInput: a block is damaged.
        """
        with self._path.open("rb") as file:
            for _, place in self._index:
                yield from self._read(file, place)

    def get(self, key: bytes) -> memoryview | None:
        """Return the value of a key, or None.

        Raises:
            BadInput: its block is damaged.
        """
        place = next((place for last, place in self._index if last >= key), None)
        if place is None:
            return None
        with self._path.open("rb") as file:
            return next((value for k, value in self._read(file, place) if k == key), None)

    def _read(self, file: IO[bytes], place: Place) -> Iterator[tuple[bytes, memoryview]]:
        try:
            yield from _entries(self._block(file, place))
        except ValueError as error:
            raise damaged(self._path, str(error)) from error

    def _block(self, file: IO[bytes], place: Place) -> memoryview:
        offset, size = place
        file.seek(offset)
        data = file.read(size + TRAILER)
        if len(data) != size + TRAILER:
            raise ValueError(f"it ends before byte {offset + size + TRAILER:,}")
        (checksum,) = struct.unpack("<I", data[-4:])
        if masked(memoryview(data)[:-4]) != checksum:
            raise ValueError(f"the checksum of the block at byte {offset:,} is another one")
        if data[size]:
            raise ValueError(f"its blocks are compressed (method {data[size]}): no Saver did that")
        return memoryview(data)[:size]


def write_table(file: IO[bytes], entries: Iterable[tuple[bytes, bytes]]) -> None:
    """Write a table.

    Args:
        file: at its start.
        entries: keys with values, the keys sorted.
    """
    index: list[tuple[bytes, Place]] = []
    pending, size, last = [], 0, b""
    for key, value in entries:
        pending.append((key, value))
        size, last = size + len(key) + len(value), key
        if size >= BLOCK:
            index.append((last, _write_block(file, pending)))
            pending, size = [], 0
    if pending or not index:
        index.append((last, _write_block(file, pending)))
    unused = _write_block(file, [])
    places = [(key, _place(place)) for key, place in index]
    handles = _place(unused) + _place(_write_block(file, places))
    file.write(handles.ljust(FOOTER - 8, b"\0") + struct.pack("<Q", MAGIC))


def _write_block(file: IO[bytes], entries: Iterable[tuple[bytes, bytes]]) -> Place:
    """Write a block whose keys share nothing: each is a restart point."""
    parts, restarts, size = [], [], 0
    for key, value in entries:
        restarts.append(size)
        entry = varint(0) + varint(len(key)) + varint(len(value)) + key
        parts += [entry, value]
        size += len(entry) + len(value)
    restarts = restarts or [0]
    parts.append(struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts)))
    block = b"".join([*parts, b"\0"])  # not compressed
    offset = file.tell()
    file.write(block)
    file.write(struct.pack("<I", masked(block)))
    return offset, len(block) - 1


def _place(place: Place) -> bytes:
    return varint(place[0]) + varint(place[1])


def _places(data: bytes | memoryview) -> Iterator[Place]:
    at = 0
    while at < len(data):
        offset, at = read_varint(data, at)
        size, at = read_varint(data, at)
        yield offset, size


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    if len(block) < 4:
        raise ValueError("a block without an end")
    (restarts,) = struct.unpack("<I", block[-4:])
    end, at, key = len(block) - 4 * (restarts + 1), 0, b""
    if end < 0:
        raise ValueError("a block without an end")
    while at < end:
        shared, at = read_varint(block, at)
        own, at = read_varint(block, at)
        size, at = read_varint(block, at)
        if shared > len(key) or at + own + size > end:
            raise ValueError("an entry without its end")
        key = key[:shared] + bytes(block[at : at + own])
        at += own
        yield key, block[at : at + size]
        at += size
