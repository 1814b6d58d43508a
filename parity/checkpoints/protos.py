"""The few protocol buffers of TensorFlow's checkpoints, as bytes.

Messages (tensorflow/core/protobuf/tensor_bundle.proto, core/util/saved_tensor_slice.proto,
core/framework/types.proto) are taken apart by field number, which is all that the encoding has
(https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

# Numbers of types.proto -> NumPy's names.
DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    17: "uint16",
    18: "complex128",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
NUMBERS = {name: number for number, name in DTYPES.items()}

Value = int | memoryview
Fields = dict[int, list[Value]]


def varint(number: int) -> bytes:
    """Encode an unsigned number, seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def read_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Return the number that stands at a place, and the place behind it.

    Raises:
        ValueError: the bytes end within it.
    """
    number = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a number without its end")
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, at


def fields(data: bytes | memoryview) -> Fields:
    """Take a message apart: number of a field -> its values, in order; bytes are not copied.

    Raises:
        ValueError: these bytes are no message.
    """
    found: Fields = {}
    data, at = memoryview(data), 0
    while at < len(data):
        tag, at = read_varint(data, at)
        wire, size = tag & 7, 0
        if wire == 0:
            value, at = read_varint(data, at)
            found.setdefault(tag >> 3, []).append(value)
            continue
        if wire == 2:
            size, at = read_varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(wire, -1)
        if size < 0 or at + size > len(data):
            raise ValueError("a field without its end")
        found.setdefault(tag >> 3, []).append(data[at : at + size])
        at += size
    return found


def field(number: int, value: int | bytes) -> bytes:
    """Encode a field: a number, or bytes (a message, a text)."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value & 0xFFFFFFFFFFFFFFFF)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed32(number: int, value: int) -> bytes:
    """Encode a field of four bytes."""
    return varint(number << 3 | 5) + struct.pack("<I", value)


def number_of(message: Fields, field_number: int) -> int:
    """Return a field that is a signed number; 0 where it is left out.

    Raises:
        ValueError: it is no number.
    """
    (value,) = message.get(field_number, [0])[-1:]
    if isinstance(value, memoryview):
        if len(value) != 4:
            raise ValueError("a field of another kind")
        return int(struct.unpack("<I", value)[0])
    return value - (1 << 64) if value >> 63 else value


def bytes_of(message: Fields, field_number: int) -> list[memoryview]:
    """Return a field of bytes as often as it occurs.

    Raises:
        ValueError: it is a number.
    """
    values = message.get(field_number, [])
    found = [value for value in values if isinstance(value, memoryview)]
    if len(found) != len(values):
        raise ValueError("a field of another kind")
    return found


def dtype_of(number: int) -> str:
    """Return NumPy's name of a DataType, or the number as text where NumPy has none."""
    return DTYPES.get(number, f"DataType {number}")


def shape_of(data: memoryview) -> tuple[int, ...]:
    """Return the sizes of a TensorShapeProto."""
    return tuple(number_of(fields(size), 1) for size in bytes_of(fields(data), 2))


def shape_message(shape: Sequence[int]) -> bytes:
    """Encode a TensorShapeProto."""
    return b"".join(field(2, field(1, size) if size else b"") for size in shape)


# Start and length of each axis; None for a whole axis.
Slice = tuple[tuple[int, int] | None, ...]


def slice_of(data: memoryview) -> Slice:
    """Return the extents of a TensorSliceProto."""
    found: list[tuple[int, int] | None] = []
    for extent in bytes_of(fields(data), 1):
        each = fields(extent)
        found.append((number_of(each, 1), number_of(each, 2)) if 2 in each else None)
    return tuple(found)


def whole_slice(rank: int) -> bytes:
    """Encode the TensorSliceProto of a whole tensor."""
    return field(1, b"") * rank


def slice_key(name: str, extents: Slice) -> bytes:
    """Return the key that a part of a variable has: sorted by name, then by place.

    As `EncodeTensorNameSlice` of tensorflow/core/util/saved_tensor_slice_util.cc writes it, with
    the numbers and texts of core/lib/strings/ordered_code.cc.
    """
    text = name.encode().replace(b"\0", b"\0\xff").replace(b"\xff", b"\xff\0")
    key = _unsigned(0) + text + b"\0\x01" + _unsigned(len(extents))
    for extent in extents:
        start, length = extent if extent is not None else (0, -1)
        key += _signed(start) + _signed(length)
    return key


def _unsigned(number: int) -> bytes:
    """Encode a number so that codes sort as numbers do: count of bytes, then the bytes."""
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def _signed(number: int) -> bytes:
    """Encode a number of either sign; the count of bytes stands in the leading bits."""
    magnitude = ~number if number < 0 else number
    if magnitude < 64:
        return bytes([0x80 ^ number & 0xFF])
    size = magnitude.bit_length() // 7 + 1
    header = ((1 << size) - 1) << 16 - size  # as many ones as bytes, in the leading two bytes
    body = number.to_bytes(10, "big", signed=True)[-size:]
    leading = bytes([body[0] ^ header >> 8, body[1] ^ header & 0xFF])
    return leading + body[2:]


# Field of a TensorProto that holds the values of a dtype, and how they are packed.
_FLOATS = {"float32": (5, "<f4"), "float64": (6, "<f8")}
_NUMBERS = {
    **dict.fromkeys(("int32", "int16", "int8", "uint16", "uint8"), 7),
    "int64": 10,
    "bool": 11,
    "float16": 13,
    "uint32": 16,
    "uint64": 17,
}


def values_of(tensor: memoryview, dtype: str) -> np.ndarray:
    """Return the values of a TensorProto as V1 checkpoints hold them, (n,), in a typed field.

    Raises:
        ValueError: they are not there, or of a kind that has no field here.
    """
    message = fields(tensor)
    if dtype in _FLOATS:
        number, packed = _FLOATS[dtype]
        parts = bytes_of(message, number)
        whole = parts[0] if len(parts) == 1 else b"".join(parts)
        return np.frombuffer(whole, packed).astype(dtype, copy=False)
    if dtype not in _NUMBERS:
        raise ValueError(f"values of type {dtype}")
    found: list[int] = []
    for part in message.get(_NUMBERS[dtype], []):
        if isinstance(part, int):
            found.append(part)
            continue
        at = 0
        while at < len(part):
            value, at = read_varint(part, at)
            found.append(value)
    wide = np.array(found, np.uint64)
    if dtype == "float16":
        return wide.astype(np.uint16).view(np.float16)
    return wide.view(np.int64).astype(dtype)


def values_message(value: np.ndarray) -> bytes:
    """Encode the values of an array as a TensorProto, in the typed field of their dtype.

    Raises:
        ValueError: there is no field for that dtype.
    """
    dtype, flat = value.dtype.name, np.ascontiguousarray(value).reshape(-1)
    if dtype in _FLOATS:
        number, packed = _FLOATS[dtype]
        return field(number, flat.astype(packed, copy=False).tobytes())
    if dtype not in _NUMBERS:
        raise ValueError(f"values of type {dtype}")
    wide = flat.view(np.uint16) if dtype == "float16" else flat
    plain = (int(each) & 0xFFFFFFFFFFFFFFFF for each in wide)
    return field(_NUMBERS[dtype], b"".join(map(varint, plain)))
