"""The numbers of an array in an HDF5 file, in one piece or in chunks."""

import math
import struct
import zlib

import numpy as np

from ..errors import LongtailError
from .h5_arrays import CHECKSUM, DEFLATE, SHUFFLE, StoredArray
from .h5_groups import NOWHERE
from .h5_headers import H5Bytes, unread
from .h5_index import Leaf, leaves
from .image_types import AnyArray

BYTES_AT_MOST = 1 << 32
RATIO_AT_MOST = 1100
"""Deflate cannot pack tighter than about 1032 to 1."""

CHECKSUM_BYTES = 4


def read_array(file: H5Bytes, array: StoredArray) -> AnyArray:
    """Read all numbers of an array, in this machine's byte order.

    Raises
    ------
    LongtailError
        The array is larger than its file can hold, or parts of it are missing or damaged.
    """
    _check_size(file, array)
    stored = _in_chunks(file, array) if array.chunk else _in_one_piece(file, array)
    native: AnyArray = stored.astype(array.dtype.newbyteorder("="), copy=False)
    return native


def _check_size(file: H5Bytes, array: StoredArray) -> None:
    packed = DEFLATE in array.filters
    room = file.size * (RATIO_AT_MOST if packed else 1)
    needed = math.prod(array.shape) * array.dtype.itemsize
    one_chunk = math.prod(array.chunk) * array.dtype.itemsize if array.chunk else 0
    if needed == 0 or max(needed, one_chunk) > min(room, BYTES_AT_MOST):
        raise LongtailError(
            f"{file.path.name} says that its image is {' x '.join(map(str, array.shape))}, which "
            "it cannot hold.",
            "Copy or download it again.",
        )


def _in_one_piece(file: H5Bytes, array: StoredArray) -> AnyArray:
    count = math.prod(array.shape) * array.dtype.itemsize
    if not array.inline and array.address == NOWHERE:
        raise _incomplete(file)
    raw = array.inline or file.read(array.address, count)
    return np.frombuffer(raw, array.dtype, count=math.prod(array.shape)).reshape(array.shape).copy()


def _in_chunks(file: H5Bytes, array: StoredArray) -> AnyArray:
    whole: AnyArray = np.zeros(array.shape, array.dtype)
    if array.address == NOWHERE:
        raise _incomplete(file)
    axes = len(array.shape)
    wanted = math.prod(
        -(-length // step) for length, step in zip(array.shape, array.chunk, strict=True)
    )
    seen: set[tuple[int, ...]] = set()
    for leaf in leaves(file, array.address, kind=1, key_bytes=8 + 8 * (axes + 1)):
        start = struct.unpack_from(f"<{axes}Q", leaf.key, 8)
        off = any(place % step for place, step in zip(start, array.chunk, strict=True))
        outside = any(place >= length for place, length in zip(start, array.shape, strict=True))
        if off or outside or start in seen:
            raise unread(file, "its index is damaged")
        seen.add(start)
        room = whole[tuple(map(slice, start, np.add(start, array.chunk)))]
        room[...] = _chunk(file, array, leaf)[tuple(map(slice, room.shape))]
    if len(seen) < wanted:
        raise _incomplete(file)
    return whole


def _chunk(file: H5Bytes, array: StoredArray, leaf: Leaf) -> AnyArray:
    size, skipped = struct.unpack_from("<II", leaf.key)
    raw = file.read(leaf.address, size)
    wanted = math.prod(array.chunk) * array.dtype.itemsize
    for place, number in reversed(list(enumerate(array.filters))):
        if not skipped >> place & 1:
            raw = _undone(file, number, raw, wanted, array.dtype.itemsize)
    if len(raw) != wanted:
        raise unread(file, "a part of it has the wrong size")
    return np.frombuffer(raw, array.dtype).reshape(array.chunk)


def _undone(file: H5Bytes, number: int, raw: bytes, wanted: int, itemsize: int) -> bytes:
    if number == CHECKSUM:
        return raw[:-CHECKSUM_BYTES]
    if number == SHUFFLE:
        return np.frombuffer(raw, np.uint8).reshape(itemsize, -1).T.tobytes()
    try:
        return zlib.decompressobj().decompress(raw, wanted + CHECKSUM_BYTES)
    except zlib.error as error:
        raise unread(file, "its compressed data are broken") from error


def _incomplete(file: H5Bytes) -> LongtailError:
    return LongtailError(
        f"{file.path.name} is not whole: parts of its image were never written.",
        "Copy or download it again.",
    )
