"""CRC-32C (Castagnoli, RFC 3720), which TensorFlow's files keep of every tensor and block.

In NumPy, at some hundred megabytes a second: the bytes are cut into lanes of equal length that are
worked on side by side. A checksum is linear over GF(2), so those of two neighbours make that of
both.
"""

from __future__ import annotations

import functools

import numpy as np

POLYNOMIAL = 0x82F63B78  # reflected
LANES = 1 << 13  # side by side, at most
CHUNK = 1 << 24  # bytes that are cut into lanes at a time
SHORT = 256  # bytes below which lanes are not worth their cost
MASK_DELTA = 0xA282EAD8


def crc32c(data: bytes | memoryview) -> int:
    """Return the checksum of bytes."""
    values = np.frombuffer(data, np.uint8) if len(data) else np.empty(0, np.uint8)
    state = 0xFFFFFFFF
    while len(values) >= SHORT:
        taken = min(len(values), CHUNK)
        lanes = min(LANES, 1 << (taken // 64).bit_length() - 1)
        words = taken // lanes // 4
        part, values = values[: lanes * words * 4], values[lanes * words * 4 :]
        state = _shifted(state, len(part)) ^ _lanes(part.view("<u4").reshape(lanes, words))
    for byte in values.tolist():
        state = int(_TABLE[(state ^ byte) & 0xFF]) ^ (state >> 8)
    return state ^ 0xFFFFFFFF


def masked(data: bytes | memoryview) -> int:
    """Return the checksum as TensorFlow stores it (tensorflow/core/lib/hash/crc32c.h).

    A checksum of bytes that hold their own checksum is weak, so it is rotated and moved.
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def _lanes(rows: np.ndarray) -> int:
    """Return the state after all bytes, from a state of zero.

    Args:
        rows: the bytes as little-endian words, (lanes, words); lanes is a power of two.
    """
    low, high = _word_tables()
    state = np.zeros(len(rows), np.uint32)  # (lanes,)
    for column in np.ascontiguousarray(rows.T):  # (lanes,), once a word
        state ^= column
        state = low[state & 0xFFFF] ^ high[state >> 16]
    length = rows.shape[1] * 4  # bytes of a lane
    while len(state) > 1:
        state = _advance(state[0::2], length) ^ state[1::2]
        length *= 2
    return int(state[0])


def _shifted(state: int, length: int) -> int:
    """Return a state after `length` bytes of zero."""
    found = np.array([state], np.uint32)
    for power in range(length.bit_length()):
        if length >> power & 1:
            found = _advance(found, 1 << power)
    return int(found[0])


def _advance(states: np.ndarray, length: int) -> np.ndarray:
    """Return states, (n,), each after `length` bytes of zero."""
    tables = _zeros(length)
    found: np.ndarray = tables[0][states & 0xFF]
    for place in (1, 2, 3):
        found = found ^ tables[place][states >> 8 * place & 0xFF]
    return found


@functools.lru_cache(maxsize=256)
def _zeros(length: int) -> np.ndarray:
    """Return what each byte of a state becomes after `length` bytes of zero, (4, 256)."""
    bytes_ = np.arange(256, dtype=np.uint32)
    states = np.stack([bytes_ << 8 * place for place in range(4)])  # (4, 256)
    if length == 1:
        return np.asarray(_TABLE[states & 0xFF] ^ states >> 8)
    half = _advance(states.ravel(), length // 2)
    half = _advance(half, length // 2)
    whole: np.ndarray = _advance(half, 1) if length % 2 else half
    return whole.reshape(4, 256)


@functools.lru_cache(maxsize=1)
def _word_tables() -> tuple[np.ndarray, np.ndarray]:
    """Return what the halves of a word become after the word's four bytes, (65536,) each."""
    halves = np.arange(1 << 16, dtype=np.uint32)
    return _advance(halves, 4), _advance(halves << 16, 4)


def _byte_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(POLYNOMIAL), table >> 1)
    return table


_TABLE = _byte_table()
