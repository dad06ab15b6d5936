"""The one reader of images: every format ends here in (channel, z, y, x) or (channel, y, x).

A path is a file, a folder that holds a DICOM series, or a file or folder with a part of it behind
a `#`: `file.npz#ARRAY:ROW` (one image of an array of images), `file.h5#ARRAY` (one array of an HDF5
file, `file.h5#ARRAY:xyz` where its axes go so), `folder#SERIES` (one of several DICOM series) and
`file.nii.gz#channels` (the fourth axis of this file is known to hold channels).
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from ..errors import LongtailError
from .hostile import reading
from .image_paths import (
    DICOM_SUFFIXES,
    H5_SUFFIXES,
    NUMPY_SUFFIXES,
    RASTER_SUFFIXES,
    VOLUME_SUFFIXES,
    Source,
    image_suffix,
    split_source,
    strip_suffix,
)
from .image_types import AnyArray, Header, Image

__all__ = [
    "RASTER_SUFFIXES",
    "AnyArray",
    "Header",
    "Image",
    "Source",
    "image_suffix",
    "open_lazily",
    "read_channels",
    "read_header",
    "read_image",
    "split_source",
    "strip_suffix",
]


class _Reader(Protocol):
    def read_header(self, source: Source) -> Header: ...
    def read_image(self, source: Source) -> Image: ...


def read_header(path: str) -> Header:
    """Read size, spacing and pixel type of `path` without its pixels.

    Raises
    ------
    LongtailError
        The file is absent, broken, or of a kind that Longtail does not read.
    """
    source = split_source(path)
    with reading(source.path):
        return _reader_of(source.path).read_header(source)


def read_image(path: str) -> Image:
    """Read `path` whole; see `read_header` for what it raises."""
    source = split_source(path)
    with reading(source.path):
        return _reader_of(source.path).read_image(source)


def read_channels(paths: Sequence[str]) -> Image:
    """Read several files that lie on one grid as the channels of one image.

    Raises
    ------
    LongtailError
        The files do not share one grid, or one of them cannot be read.
    """
    images = [read_image(path) for path in paths]
    if len(images) == 1:
        return images[0]
    for path, image in zip(paths[1:], images[1:], strict=True):
        _check_same_grid(paths[0], images[0], path, image)
    notes = tuple(dict.fromkeys(note for image in images for note in image.notes))
    array = np.concatenate([image.array for image in images])
    return Image(array, images[0].geometry, notes=notes)


def open_lazily(path: str) -> Image:
    """Map an uncompressed volume file into memory; read anything else whole.

    The array is read-only; it may be of the file's byte order, and pixels are read from the disk
    when they are looked at.
    """
    from .lazy import map_volume

    source = split_source(path)
    with reading(source.path):
        return map_volume(source) or _reader_of(source.path).read_image(source)


def _reader_of(path: Path) -> _Reader:
    # Imported on first use: SimpleITK and pydicom cost a third of a second, and a window that
    # shows an empty project needs neither.
    return cast("_Reader", import_module(f".{_kind_of(path)}", __package__))


def _kind_of(path: Path) -> str:
    if not path.exists():
        raise LongtailError(
            f"The image {path} is not there.",
            "Check that the disk is connected, or show Longtail the folder it was moved to.",
        )
    if path.is_dir():
        return "dicom"
    suffix = image_suffix(path.name)
    kind = next((kind for kind, suffixes in _KINDS.items() if suffix in suffixes), "")
    return kind or _kind_of_unnamed(path)


def _kind_of_unnamed(path: Path) -> str:
    # DICOM files from scanners and CDs often have no suffix.
    with path.open("rb") as file:
        if file.read(132)[128:] == b"DICM":
            return "dicom"
    raise LongtailError(
        f"Longtail does not read {path.name}.",
        "It reads NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG, TIFF, NumPy and HDF5 files.",
    )


def _check_same_grid(first: str, image: Image, path: str, other: Image) -> None:
    if image.shape != other.shape:
        raise LongtailError(
            f"{Path(first).name} and {Path(path).name} cannot be channels of one image: their "
            f"sizes are {_times(image.shape)} and {_times(other.shape)}.",
            "Resample them to one grid.",
        )
    if image.geometry and other.geometry and not image.geometry.matches(other.geometry):
        raise LongtailError(
            f"{Path(first).name} and {Path(path).name} cannot be channels of one image: they lie "
            "at different places or have different spacings.",
            "Resample them to one grid.",
        )


def _times(shape: Sequence[int]) -> str:
    return " x ".join(str(length) for length in shape)


_KINDS = {
    "volume": VOLUME_SUFFIXES,
    "raster": RASTER_SUFFIXES,
    "dicom": DICOM_SUFFIXES,
    "numpy_file": NUMPY_SUFFIXES,
    "h5_file": H5_SUFFIXES,
}
