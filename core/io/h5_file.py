"""HDF5 files: one array by its name, `file.h5#image`; `file.h5#image:xyz` for axes in that order.

The semi-supervised literature keeps its data so: `image` and `label` in one file. Only arrays of
plain numbers that lie in the file itself are read: no links to other files, no virtual arrays.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from ..errors import LongtailError
from .image_paths import Source
from .image_types import Header, Image
from .pixels import finite

DEFAULT_NAME = "image"
TURNED = "xyz"
NAMES_TOLD = 5
MOST_VALUES = 2**31
"""More numbers than any scan has: a file may claim any size."""


def read_header(source: Source) -> Header:
    """Read size and type without the numbers; see `image.read_header`."""
    with _array(source) as (found, turned):
        shape = found.shape[::-1] if turned else found.shape
        return Header(tuple(shape), 1, found.dtype.newbyteorder("=").name, None)


def read_image(source: Source) -> Image:
    """Read one array as an image; see `image.read_image`."""
    with _array(source) as (found, turned):
        whole = np.asarray(found[()])
    native = whole.astype(whole.dtype.newbyteorder("="), copy=False)
    clean, notes = finite(np.ascontiguousarray(native.T if turned else native)[None])
    return Image(clean, None, notes=notes)


@contextmanager
def _array(source: Source) -> Iterator[tuple[Any, bool]]:
    """Open the array that a path names, and tell whether its axes are to be turned."""
    name, turned = _name_and_order(source)
    try:
        # The library locks files, which fails on read-only and network folders.
        with h5py.File(source.path, "r", locking=False) as file:
            found = _find(file, name, source)
            _check(found, name, source)
            yield found, turned
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise LongtailError(
            f"{source.path.name} cannot be read: it is damaged or no HDF5 file.",
            "Copy it again from where it came from.",
        ) from error


def _find(file: Any, name: str, source: Source) -> Any:
    """Walk to an array step by step, so that no step leaves the file."""
    place, path = file, name.strip("/").split("/")
    for step in path:
        link = place.get(step, getlink=True) if isinstance(place, h5py.Group) else None
        if link is None:
            raise LongtailError(
                f"{source.path.name} holds no array called {name}{_held(file)}.",
                "Name an array that it holds, such as file.h5#image.",
            )
        if not isinstance(link, h5py.HardLink):
            raise LongtailError(
                f"In {source.path.name} {step} is a link to elsewhere, which is not followed.",
                "Save the array itself in the file.",
            )
        place = place[step]
    return place


def _held(file: Any) -> str:
    names = [name for name, one in file.items() if isinstance(one, h5py.Dataset)]
    return f", but {', '.join(names[:NAMES_TOLD])}" if names else ""


def _check(found: Any, name: str, source: Source) -> None:
    """Refuse what is not an image's array of plain numbers."""
    file = source.path.name
    if not isinstance(found, h5py.Dataset):
        raise LongtailError(f"In {file} {name} is no array.", "Name an array of the file.")
    if found.external or found.is_virtual:
        raise LongtailError(
            f"The numbers of {name} in {file} lie in another file, which is not opened.",
            "Save the array itself in the file.",
        )
    if found.dtype.kind not in "iuf" or found.dtype.subdtype is not None:
        raise LongtailError(
            f"{name} in {file} holds something other than plain numbers.",
            "Save whole numbers or floating-point numbers.",
        )
    shape = found.shape or ()
    if len(shape) not in (2, 3):
        raise LongtailError(
            f"{file} holds an array of {_times(shape)}, which is not one image.",
            "Save (y, x) or (z, y, x).",
        )
    if math.prod(shape) > MOST_VALUES or not math.prod(shape):
        raise LongtailError(f"{file} claims an array of {_times(shape)}.", "Check the file.")


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def _name_and_order(source: Source) -> tuple[str, bool]:
    """Take `image:xyz` apart."""
    name, _, order = source.part.partition(":")
    if order not in ("", TURNED):
        raise LongtailError(f"Longtail does not know the order of axes {order!r}.")
    return name or DEFAULT_NAME, order == TURNED
