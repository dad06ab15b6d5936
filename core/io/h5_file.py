"""HDF5 files: one array by its name, `file.h5#image`; `file.h5#image:xyz` for axes in that order.

The semi-supervised literature keeps its data so: `image` and `label` in one file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..errors import LongtailError
from .h5_arrays import find_array
from .h5_headers import H5Bytes
from .h5_pixels import read_array
from .image_paths import Source
from .image_types import Header, Image
from .pixels import finite

DEFAULT_NAME = "image"
TURNED = "xyz"


def read_header(source: Source) -> Header:
    """Read size and type without the numbers; see `image.read_header`."""
    name, turned = _name_and_order(source)
    with _opened(source.path) as file:
        array = find_array(file, name)
    shape = array.shape[::-1] if turned else array.shape
    _check_axes(source, shape)
    return Header(shape, 1, array.dtype.newbyteorder("=").name, None)


def read_image(source: Source) -> Image:
    """Read one array as an image; see `image.read_image`."""
    name, turned = _name_and_order(source)
    with _opened(source.path) as file:
        array = find_array(file, name)
        _check_axes(source, array.shape)
        whole = read_array(file, array)
    clean, notes = finite(np.ascontiguousarray(whole.T if turned else whole)[None])
    return Image(clean, None, notes=notes)


@contextmanager
def _opened(path: Path) -> Iterator[H5Bytes]:
    with path.open("rb") as file:
        yield H5Bytes(path, file)


def _name_and_order(source: Source) -> tuple[str, bool]:
    """Take `image:xyz` apart."""
    name, _, order = source.part.partition(":")
    if order not in ("", TURNED):
        raise LongtailError(f"Longtail does not know the order of axes {order!r}.")
    return name or DEFAULT_NAME, order == TURNED


def _check_axes(source: Source, shape: tuple[int, ...]) -> None:
    if len(shape) not in (2, 3):
        raise LongtailError(
            f"{source.path.name} holds an array of {' x '.join(map(str, shape))}, which is not one "
            "image.",
            "Save (y, x) or (z, y, x).",
        )
