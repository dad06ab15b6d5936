"""What a group of an HDF5 file holds, by name: symbol tables (III) and compact links (IV.A.2.g)."""

import struct
from collections.abc import Iterator

from .h5_headers import H5Bytes, messages, root_address, unread
from .h5_index import leaves

NOWHERE = (1 << 64) - 1
HEAP_BYTES_AT_MOST = 1 << 20
LINK_INFO, LINK, TABLE = 0x02, 0x06, 0x11
SOFT_LINK = 2
HARD = 0


def find_address(file: H5Bytes, path: str) -> int:
    """Give the address of what is called `path`: a name, or names of groups joined by `/`.

    Raises
    ------
    LongtailError
        There is nothing of that name, or only a link to elsewhere.
    """
    address = root_address(file)
    for name in path.split("/"):
        there = dict(_entries(file, address))
        if name not in there:
            told = ", ".join(sorted(there)[:6]) or "nothing"
            raise unread(file, f"it holds no array called {name}, but {told}")
        address = there[name]
        if address == NOWHERE:
            raise unread(file, f"{name} is a link to elsewhere, and links are not followed")
    return address


def _entries(file: H5Bytes, address: int) -> Iterator[tuple[str, int]]:
    """Give name and address of all that a group holds; NOWHERE for a link."""
    for message in messages(file, address):
        if message.kind == TABLE:
            tree, heap = struct.unpack("<QQ", message.body[:16])
            yield from _in_table(file, tree, heap)
        elif message.kind == LINK:
            yield _link(file, message.body)
        elif message.kind == LINK_INFO and _is_dense(message.body):
            raise unread(file, "it holds more arrays than Longtail looks through")


def _in_table(file: H5Bytes, tree: int, heap: int) -> Iterator[tuple[str, int]]:
    names = _names(file, heap)
    for leaf in leaves(file, tree, kind=0, key_bytes=8):
        head = file.read(leaf.address, 8)
        if head[:4] != b"SNOD":
            raise unread(file, "its list of arrays is damaged")
        (count,) = struct.unpack("<H", head[6:8])
        table = file.read(leaf.address + 8, 40 * count)
        for name_at, address, kind in struct.iter_unpack("<QQI20x", table):
            end = names.index(b"\x00", name_at)
            name = names[name_at:end].decode("utf-8", errors="replace")
            yield name, NOWHERE if kind == SOFT_LINK else address


def _names(file: H5Bytes, heap: int) -> bytes:
    head = file.read(heap, 32)
    size, _, place = struct.unpack("<QQQ", head[8:32])
    if head[:4] != b"HEAP" or size > HEAP_BYTES_AT_MOST:
        raise unread(file, "its list of names is damaged")
    return file.read(place, size)


def _link(file: H5Bytes, body: bytes) -> tuple[str, int]:
    version, flags = body[0], body[1]
    if version != 1:
        raise unread(file, "its list of arrays is damaged")
    kind = body[2] if flags & 0x08 else HARD
    at = 2 + (1 if flags & 0x08 else 0) + (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(body[at : at + width], "little")
    end = at + width + length
    name = body[at + width : end].decode("utf-8", errors="replace")
    return name, struct.unpack("<Q", body[end : end + 8])[0] if kind == HARD else NOWHERE


def _is_dense(body: bytes) -> bool:
    """Tell whether a group keeps its links in a heap, which it does with more than eight."""
    at = 2 + (8 if body[1] & 1 else 0)
    return bool(struct.unpack("<Q", body[at : at + 8])[0] != NOWHERE)
