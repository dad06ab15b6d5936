"""An array in an HDF5 file: its size, the kind of its numbers, and where they lie (IV.A.2)."""

import struct
from dataclasses import dataclass, replace

import numpy as np

from .h5_groups import NOWHERE, find_address
from .h5_headers import H5Bytes, messages, unread

AXES_AT_MOST = 8
SPACE, TYPE, EXTERNAL, LAYOUT, FILTERS = 0x01, 0x03, 0x07, 0x08, 0x0B
COMPACT, CONTIGUOUS, CHUNKED = 0, 1, 2
DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3
INTEGER, FLOAT = 0, 1
FLOAT_BITS = {2: (10, 5), 4: (23, 8), 8: (52, 11)}
"""Bits of mantissa and exponent of IEEE numbers by their bytes."""


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array and where its bytes lie.

    `chunk` is the shape of its chunks, and `address` then leads to their index; without chunks
    `address` is that of its first byte, and `inline` holds the bytes of a very small one.
    `filters` are what was done to the bytes of each chunk, in this order.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    address: int = NOWHERE
    chunk: tuple[int, ...] = ()
    filters: tuple[int, ...] = ()
    inline: bytes = b""


def find_array(file: H5Bytes, name: str) -> StoredArray:
    """Find the array `name`.

    Raises
    ------
    LongtailError
        There is none of that name, it is no plain array of numbers, or the file is damaged.
    """
    listed = list(messages(file, find_address(file, name)))
    found = {message.kind: message.body for message in listed}
    if EXTERNAL in found:
        raise unread(file, f"the numbers of {name} lie in another file, which is not opened")
    if not {SPACE, TYPE, LAYOUT} <= found.keys():
        raise unread(file, f"{name} is no array")
    if any(each.shared and each.kind in (SPACE, TYPE, LAYOUT, FILTERS) for each in listed):
        raise unread(file, f"the kind of {name} is described elsewhere")
    shape, dtype = _shape(file, found[SPACE]), _dtype(file, found[TYPE])
    filters = _filters(file, found[FILTERS]) if FILTERS in found else ()
    return _placed(file, found[LAYOUT], StoredArray(shape, dtype, filters=filters))


def _shape(file: H5Bytes, body: bytes) -> tuple[int, ...]:
    version, axes = body[0], body[1]
    if version not in (1, 2) or not 1 <= axes <= AXES_AT_MOST:
        raise unread(file, "its arrays have no size")
    return struct.unpack_from(f"<{axes}Q", body, 8 if version == 1 else 4)


def _dtype(file: H5Bytes, body: bytes) -> np.dtype[np.generic]:
    kind, flags, sign_at = body[0] & 0x0F, body[1], body[2]
    (size,) = struct.unpack("<I", body[4:8])
    order = ">" if flags & 1 else "<"
    if kind == INTEGER and size in (1, 2, 4, 8) and _is_whole(body, size):
        return np.dtype(f"{order}{'i' if flags & 8 else 'u'}{size}")
    if kind == FLOAT and size in FLOAT_BITS and _is_whole(body, size) and sign_at == 8 * size - 1:
        mantissa, exponent = FLOAT_BITS[size]
        if tuple(body[12:16]) == (mantissa, exponent, 0, mantissa):
            return np.dtype(f"{order}f{size}")
    raise unread(file, "it holds something other than plain numbers")


def _is_whole(body: bytes, size: int) -> bool:
    """Tell whether a number fills all bits of its bytes."""
    start, precision = struct.unpack("<HH", body[8:12])
    return bool(start == 0 and precision == 8 * size)


def _filters(file: H5Bytes, body: bytes) -> tuple[int, ...]:
    version, count = body[0], body[1]
    at = 8 if version == 1 else 2
    found = []
    for _ in range(count):
        (number,) = struct.unpack_from("<H", body, at)
        named = version == 1 or number >= 256
        length = struct.unpack_from("<H", body, at + 2)[0] if named else 0
        at += 4 if named else 2
        _, values = struct.unpack_from("<HH", body, at)
        padded = values + values % 2 if version == 1 else values
        at += 4 + length + 4 * padded
        if number not in (DEFLATE, SHUFFLE, CHECKSUM):
            raise unread(file, "its numbers are packed in a way other than gzip")
        found.append(number)
    return tuple(found)


def _placed(file: H5Bytes, body: bytes, array: StoredArray) -> StoredArray:
    """Add to an array where its bytes lie."""
    version, kind = body[0], body[1]
    if version != 3 or kind not in (COMPACT, CONTIGUOUS, CHUNKED):
        raise unread(file, "it was written in the newest form of HDF5 (libver='latest')")
    if kind == COMPACT:
        (size,) = struct.unpack("<H", body[2:4])
        return replace(array, inline=body[4 : 4 + size])
    if kind == CONTIGUOUS:
        return replace(array, address=struct.unpack("<Q", body[2:10])[0], filters=())
    axes, address = struct.unpack("<BQ", body[2:11])
    chunk = struct.unpack_from(f"<{axes}I", body, 11)
    if axes != len(array.shape) + 1 or chunk[-1] != array.dtype.itemsize or 0 in chunk:
        raise unread(file, "its chunks do not fit its array")
    return replace(array, address=address, chunk=chunk[:-1])
