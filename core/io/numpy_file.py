"""NumPy files: one array in an `.npy`, or images in the rows of an array inside an `.npz`."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ..errors import LongtailError
from .image_paths import Source
from .image_types import AnyArray, Header, Image
from .pixels import finite

MEMBERS_KEPT = 3
"""Unpacked members of `.npz` files kept in memory: training asks for their rows one by one."""


class ArrayInfo(NamedTuple):
    """Shape and type of a stored array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_header(source: Source) -> Header:
    """Read shape and type; see `image.read_header`."""
    with numpy_words(source.path):
        info = _info_of(source)
        layout = _layout(info, source.path)
    dtype = "uint8" if info.dtype.kind == "b" else info.dtype.name
    return Header(layout.shape, layout.channels, dtype, None, layout.colour)


def read_image(source: Source) -> Image:
    """Read one image; see `image.read_image`."""
    with numpy_words(source.path):
        array = _array_of(source)
        layout = _layout(ArrayInfo(array.shape, array.dtype), source.path)
    arranged = np.moveaxis(array, -1, 0) if layout.bands_last else array
    whole = arranged[:3] if layout.colour else arranged
    whole = np.array(whole, dtype=whole.dtype.newbyteorder("="), order="C")
    if whole.dtype == bool:
        whole = whole.astype(np.uint8)
    clean, notes = finite(whole.reshape(layout.channels, *layout.shape))
    return Image(clean, None, layout.colour, notes)


def members(path: Path) -> dict[str, ArrayInfo]:
    """List the arrays inside an `.npz` without reading them."""
    with numpy_words(path), zipfile.ZipFile(path) as file:
        names = [name for name in file.namelist() if name.endswith(".npy")]
        return {name[:-4]: _member_info(file, name) for name in names}


def read_member(path: Path, name: str) -> AnyArray:
    """Read an array inside an `.npz`; the last few are kept."""
    with numpy_words(path):
        return _kept_member(str(path), path.stat().st_mtime_ns, name)


@contextmanager
def numpy_words(path: Path) -> Iterator[None]:
    """Turn NumPy's complaint into a sentence."""
    try:
        yield
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        reason = "it is broken, or not what its suffix says"
        if "pickle" in str(error) or "Object" in str(error):
            reason = "it holds Python objects, which may run code and are never opened"
        raise LongtailError(
            f"{path.name} cannot be read: {reason}.", "Save it as a plain array of numbers."
        ) from error


class _Layout(NamedTuple):
    channels: int
    shape: tuple[int, ...]
    colour: bool
    bands_last: bool


def _layout(info: ArrayInfo, path: Path) -> _Layout:
    """Read the axes: (y, x), (y, x, colour), (z, y, x), (z, y, x, colour) or (channel, z, y, x)."""
    shape = info.shape
    if info.dtype.kind not in "buif":
        raise ValueError("Object or complex arrays are not images")
    pictures = info.dtype == np.uint8 and len(shape) in (3, 4) and shape[-1] in (3, 4)
    if pictures:
        return _Layout(3, shape[:-1], True, True)
    if len(shape) in (2, 3):
        return _Layout(1, shape, False, False)
    if len(shape) == 4 and shape[0] <= 8:
        return _Layout(shape[0], shape[1:], False, False)
    raise LongtailError(
        f"{path.name} holds an array of {' x '.join(map(str, shape))}, which is not one image.",
        "Save (y, x), (y, x, 3), (z, y, x) or (channel, z, y, x); many images of one size belong "
        "into an .npz with train_images and train_labels.",
    )


def _info_of(source: Source) -> ArrayInfo:
    if source.path.suffix.lower() == ".npy":
        array = np.load(source.path, mmap_mode="r", allow_pickle=False)
        return ArrayInfo(array.shape, array.dtype)
    member, row = _member_and_row(source)
    with zipfile.ZipFile(source.path) as file:
        info = _member_info(file, f"{member}.npy")
    return info if row is None else ArrayInfo(info.shape[1:], info.dtype)


def _array_of(source: Source) -> AnyArray:
    if source.path.suffix.lower() == ".npy":
        array: AnyArray = np.load(source.path, allow_pickle=False)
        return array
    member, row = _member_and_row(source)
    whole = read_member(source.path, member)
    if row is None:
        return whole
    if not 0 <= row < len(whole):
        raise LongtailError(f"{source.path.name} has no row {row} in {member}.")
    picked: AnyArray = whole[row]
    return picked


def _member_and_row(source: Source) -> tuple[str, int | None]:
    """Take `train_images:17` apart; a lone array needs no name, and no row is the array itself."""
    name, colon, row = source.part.rpartition(":")
    if not colon and not source.part.isdigit():
        name, row = source.part, ""
    if not name:
        with zipfile.ZipFile(source.path) as file:
            names = [entry[:-4] for entry in file.namelist() if entry.endswith(".npy")]
        if len(names) != 1:
            raise LongtailError(
                f"{source.path.name} holds several arrays ({', '.join(names[:6])}).",
                "Import it as a MedMNIST file, or save the image alone.",
            )
        name = names[0]
    return name, int(row) if row else None


def _member_info(file: zipfile.ZipFile, name: str) -> ArrayInfo:
    with file.open(name) as stream:
        return _stream_info(stream)


def _stream_info(stream: IO[bytes]) -> ArrayInfo:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    return ArrayInfo(shape, dtype)


@lru_cache(maxsize=MEMBERS_KEPT)
def _kept_member(path: str, changed_ns: int, name: str) -> AnyArray:
    with np.load(path, allow_pickle=False) as file:
        array: AnyArray = file[name]
    array.setflags(write=False)  # shared by all who ask
    return array
