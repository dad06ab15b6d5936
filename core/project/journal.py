"""Strokes that no label map holds yet: an append-only file a case, safe against a sudden end.

A record is its length and its CRC32 (each 4 bytes, little-endian), then a zlib stream of one
stroke: the number of axes (1 byte), the number of voxels (4 bytes), int32 indices axis by axis,
and one uint8 value a voxel. A record that does not check ends the file: what follows was never
promised to anyone.
"""

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import LongtailError
from ..files import replacing, writing_failed

MAGIC = b"LTJ1"
FRAME = struct.Struct("<II")
HEAD = struct.Struct("<BI")
MOST_AXES = 4

Indices = tuple[np.ndarray[Any, Any], ...]
LabelArray = np.ndarray[Any, np.dtype[np.uint8]]


class StrokeJournal:
    """The strokes of one case that wait to be folded into its label map.

    Parameters
    ----------
    path
        The journal's file; absent while nothing waits.
    writable
        False refuses `append` and `clear`.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self._writable = writable
        self._lock = threading.RLock()
        self._end: int | None = None

    @property
    def pending(self) -> int:
        """How many whole strokes wait."""
        return sum(1 for _ in self._records())

    def append(self, indices: Indices, values: Any) -> None:
        """Keep a stroke; when this returns it is on the disk.

        Parameters
        ----------
        indices
            One array an axis, as `np.nonzero` gives them.
        values
            uint8 label of each voxel, or one for all.

        Raises
        ------
        LongtailError
            The disk is full or the project is open for reading only; earlier strokes are kept.
        """
        self._require_writable()
        record = _pack(indices, values)
        with self._lock:
            try:
                self._write(FRAME.pack(len(record), zlib.crc32(record)) + record)
            except OSError as error:
                raise writing_failed(self.path, error) from error

    def mark(self) -> int:
        """Give the place behind the last stroke, for `clear` after these strokes were saved."""
        with self._lock:
            return self._whole_length()

    def apply(self, array: LabelArray) -> None:
        """Repeat the strokes on a label map, in place.

        Raises
        ------
        LongtailError
            A stroke lies outside of the map: the image was exchanged for another.
        """
        for indices, values in self._strokes():
            if not _fits(indices, array.shape):
                raise LongtailError(
                    f"Strokes in {self.path.name} do not fit the image: it has another size now.",
                    f"Put the former image back, or delete {self.path} to give the strokes up.",
                )
            array[indices] = values

    def clear(self, mark: int | None = None) -> None:
        """Forget the strokes up to a mark, or all of them: a saved label map holds them now."""
        self._require_writable()
        with self._lock:
            rest = b"" if mark is None else self._after(mark)
            if rest:
                with replacing(self.path) as aside:
                    aside.write_bytes(MAGIC + rest)
            else:
                self.path.unlink(missing_ok=True)
            self._end = None

    def _require_writable(self) -> None:
        if not self._writable:
            raise LongtailError(
                "The project is open for reading only, so strokes cannot be kept.",
                "Close it where it is open for writing and open it again.",
            )

    def _write(self, frame: bytes) -> None:
        end = self._whole_length()
        mode = "r+b" if self.path.exists() else "w+b"
        with self.path.open(mode) as file:
            # A torn tail would hide all that follows it.
            file.truncate(end)
            file.seek(end)
            self._end = None
            file.write((b"" if end else MAGIC) + frame)
            file.flush()
            os.fsync(file.fileno())
            self._end = file.tell()

    def _whole_length(self) -> int:
        size = self.path.stat().st_size if self.path.exists() else 0
        if self._end != size:
            self._end = _whole_length(self._read())
        return self._end

    def _after(self, mark: int) -> bytes:
        # A mark taken while nothing waited is 0, before the magic.
        return self._read()[max(mark, len(MAGIC)) : self._whole_length()]

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    def _records(self) -> Iterator[bytes]:
        content = self._read()
        for start, end in _frames(content):
            yield content[start:end]

    def _strokes(self) -> Iterator[tuple[Indices, LabelArray]]:
        for record in self._records():
            yield _unpack(record, self.path)


def _pack(indices: Indices, values: Any) -> bytes:
    count = np.size(indices[0])
    axes = [np.ascontiguousarray(axis, dtype="<i4").ravel().tobytes() for axis in indices]
    labels = np.broadcast_to(np.asarray(values, dtype=np.uint8), np.shape(indices[0]))
    return zlib.compress(HEAD.pack(len(axes), count) + b"".join(axes) + labels.tobytes(), 1)


def _unpack(record: bytes, path: Path) -> tuple[Indices, LabelArray]:
    try:
        reader = zlib.decompressobj()
        axes, count = HEAD.unpack(reader.decompress(record, HEAD.size))
        wanted = count * (4 * axes + 1)
        plain = reader.decompress(reader.unconsumed_tail, wanted) if wanted else b""
        if not 1 <= axes <= MOST_AXES or len(plain) != wanted:
            raise ValueError
    except (zlib.error, struct.error, ValueError) as error:
        raise LongtailError(
            f"The journal {path.name} holds a record that Longtail did not write.",
            f"Delete {path} to go on without the strokes in it.",
        ) from error
    places = np.frombuffer(plain, dtype="<i4", count=axes * count).reshape(axes, count)
    return tuple(places), np.frombuffer(plain, dtype=np.uint8, offset=4 * axes * count)


def _fits(indices: Indices, shape: tuple[int, ...]) -> bool:
    if len(indices) != len(shape):
        return False
    return all(
        axis.size == 0 or (0 <= axis.min() and axis.max() < size)
        for axis, size in zip(indices, shape, strict=True)
    )


def _frames(content: bytes) -> Iterator[tuple[int, int]]:
    """Give start and end of each whole record, up to the first that does not check."""
    place = len(MAGIC)
    if content[:place] != MAGIC:
        return
    while place + FRAME.size <= len(content):
        length, checksum = FRAME.unpack_from(content, place)
        start, end = place + FRAME.size, place + FRAME.size + length
        if end > len(content) or zlib.crc32(content[start:end]) != checksum:
            return
        yield start, end
        place = end


def _whole_length(content: bytes) -> int:
    if content[: len(MAGIC)] != MAGIC:
        return 0
    return max((end for _, end in _frames(content)), default=len(MAGIC))
