"""The index of an HDF5 file: version 1 B-trees (III.A.1), of groups and of chunks."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from .h5_headers import H5Bytes, unread

NODES_AT_MOST = 100_000


class Leaf(NamedTuple):
    """An entry at the bottom of an index, with its key."""

    key: bytes
    address: int


def leaves(file: H5Bytes, root: int, *, kind: int, key_bytes: int) -> Iterator[Leaf]:
    """Walk an index (a version 1 B-tree) to its entries.

    Parameters
    ----------
    kind
        0 for a group, 1 for the chunks of an array.
    key_bytes
        Length of a key.

    Raises
    ------
    LongtailError
        The index is damaged.
    """
    waiting = [(root, -1)]
    for number, (address, level) in enumerate(waiting):
        head = file.read(address, 24)
        own, (count,) = head[5], struct.unpack("<H", head[6:8])
        # Each level lies one below the last, so that a damaged index cannot lead in circles.
        sound = head[:4] == b"TREE" and head[4] == kind and level in (-1, own)
        if not sound or number > NODES_AT_MOST:
            raise unread(file, "its index is damaged")
        step = key_bytes + 8
        body = file.read(address + 24, count * step)
        for at in range(0, count * step, step):
            (child,) = struct.unpack_from("<Q", body, at + key_bytes)
            if own:
                waiting.append((child, own - 1))
            else:
                yield Leaf(body[at : at + key_bytes], child)
