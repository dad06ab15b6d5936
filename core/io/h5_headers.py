"""How an HDF5 file describes what it holds: the part of the format that h5py writes by default.

Read by ourselves: the files come from strangers, and the library follows their links to other
files, runs filters out of plug-ins and has a long history of memory errors. Here an offset outside
of the file is an error, links are not followed, and only plain numbers are arrays. The format is
the HDF5 File Format Specification, version 3.0: superblocks 0 to 3 (II.A, II.B) and object headers
1 and 2 (IV.A.1).
"""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import LongtailError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
BLOCKS_AT_MOST = 64

CONTINUED = 0x10
SHARED = 0x02
"""Flag of a message that stands elsewhere."""

BASE_AND_ROOT = {0: (24, 64), 1: (28, 68), 2: (12, 36), 3: (12, 36)}
"""Where each version of the superblock says at which byte it begins, and where its root is."""


class H5Bytes:
    """The bytes of a file, with an end."""

    def __init__(self, path: Path, file: io.BufferedReader) -> None:
        self.path, self._file = path, file
        self.size = path.stat().st_size

    def read(self, offset: int, count: int) -> bytes:
        """Read `count` bytes.

        Raises
        ------
        LongtailError
            The file ends before.
        """
        if not 0 <= offset <= self.size - count:
            raise LongtailError(
                f"{self.path.name} is cut off: it names a place behind its end.",
                "Copy or download it again.",
            )
        self._file.seek(offset)
        return self._file.read(count)


def unread(file: H5Bytes, why: str) -> LongtailError:
    """Say that the file uses what Longtail does not read."""
    return LongtailError(
        f"{file.path.name} cannot be read: {why}.",
        "Save it again with h5py as plain arrays of numbers (create_dataset with gzip or nothing).",
    )


class Message(NamedTuple):
    """A part of a description."""

    kind: int
    shared: bool
    body: bytes


def root_address(file: H5Bytes) -> int:
    """Give the address of the group that holds all else.

    Raises
    ------
    LongtailError
        It is no HDF5 file, or of a form that is not read.
    """
    head = file.read(0, 16)
    version = head[8]
    if head[:8] != SIGNATURE or version not in BASE_AND_ROOT:
        raise unread(file, "it is no HDF5 file, or of a form that is not known")
    sizes = (head[13], head[14]) if version < 2 else (head[9], head[10])
    base_at, root_at = BASE_AND_ROOT[version]
    (base,) = struct.unpack("<Q", file.read(base_at, 8))
    if sizes != (8, 8) or base != 0:
        raise unread(file, "it does not begin at its first byte, or its addresses are unusual")
    return int(struct.unpack("<Q", file.read(root_at, 8))[0])


def messages(file: H5Bytes, address: int) -> Iterator[Message]:
    """Give the parts of the description at `address`, also where it goes on elsewhere."""
    newer = file.read(address, 4) == b"OHDR"
    blocks, extra = _first_block(file, address) if newer else _first_old_block(file, address)
    for place, size in blocks:
        for message in _in_block(file.read(place, size), newer=newer, extra=extra):
            if message.kind == CONTINUED:
                offset, length = struct.unpack("<QQ", message.body[:16])
                # The newer form frames what goes on elsewhere: OCHK before, a checksum behind.
                blocks.append((offset + 4, length - 8) if newer else (offset, length))
            else:
                yield message
        if len(blocks) > BLOCKS_AT_MOST:
            raise unread(file, "it leads in circles")


def _first_old_block(file: H5Bytes, address: int) -> tuple[list[tuple[int, int]], int]:
    head = file.read(address, 16)
    if head[0] != 1:
        raise unread(file, "the description of an array is damaged")
    return [(address + 16, struct.unpack("<I", head[8:12])[0])], 0


def _first_block(file: H5Bytes, address: int) -> tuple[list[tuple[int, int]], int]:
    version, flags = file.read(address + 4, 2)
    if version != 2:
        raise unread(file, "the description of an array is damaged")
    at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(file.read(at, width), "little")
    return [(at + width, size)], 2 if flags & 0x04 else 0


def _in_block(block: bytes, *, newer: bool, extra: int) -> Iterator[Message]:
    form = "<BHB" if newer else "<HHB"
    head = (4 if newer else 8) + extra
    at = 0
    while at + head <= len(block):
        kind, length, flags = struct.unpack_from(form, block, at)
        yield Message(kind, bool(flags & SHARED), block[at + head : at + head + length])
        at += head + length
