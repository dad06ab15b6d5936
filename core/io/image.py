"""The one reader of images: every format ends here in (channel, z, y, x) or (channel, y, x).

A path is a file, a folder that holds a DICOM series, or a file or folder with a part of it behind
a `#`: `file.npz#ARRAY:ROW` (one image of an array of images), `folder#SERIES` (one of several DICOM
series) and `file.nii.gz#channels` (the fourth axis of this file is known to hold channels).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from ..errors import LongtailError
from .geometry import Geometry
from .hostile import reading

VOLUME_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr", ".img")
RASTER_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
NUMPY_SUFFIXES = (".npy", ".npz")
IMAGE_SUFFIXES = VOLUME_SUFFIXES + RASTER_SUFFIXES + DICOM_SUFFIXES + NUMPY_SUFFIXES

AnyArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of an image without its pixels.

    `shape` is (z, y, x) or (y, x), without the channel; `dtype` is NumPy's name of the pixel type
    after rescaling; `geometry` is None where the file gives no spacing; `colour` says that the
    three channels are red, green and blue.
    """

    shape: tuple[int, ...]
    channel_count: int
    dtype: str
    geometry: Geometry | None
    colour: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """An image in memory, or a view of its file.

    Parameters
    ----------
    array
        (channel, z, y, x) or (channel, y, x), in the order of the file.
    geometry
        None where the file gives no spacing.
    colour
        The three channels are red, green and blue.
    notes
        Sentences on what was changed when reading: transparency laid on black, not-a-number
        voxels replaced.
    """

    array: AnyArray
    geometry: Geometry | None
    colour: bool = False
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """(z, y, x) or (y, x), without the channel."""
        shape: tuple[int, ...] = self.array.shape
        return shape[1:]


class Source(NamedTuple):
    """A path taken apart: the file or folder, and the part of it behind the `#`."""

    path: Path
    part: str


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


def split_source(path: str) -> Source:
    """Take `path` apart at its last `#`, unless a file of that very name exists."""
    whole = Path(path)
    if "#" not in path or whole.exists():
        return Source(whole, "")
    file, _, part = path.rpartition("#")
    return Source(Path(file), part)


def image_suffix(name: str) -> str:
    """Give the suffix of an image file name in lower case, `.nii.gz` in one; empty if unknown."""
    lower = name.lower()
    if lower.endswith(".nii.gz"):
        return ".nii.gz"
    suffix = lower[lower.rfind(".") :] if "." in lower else ""
    return suffix if suffix in _SUFFIXES else ""


def is_inside(path: Path, folder: Path) -> bool:
    """Tell whether a path that a file names stays in `folder`.

    By its words: a link that the user laid inside of the folder may lead elsewhere.
    """
    return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder))


def strip_suffix(name: str) -> str:
    """Give a file name without its image suffix."""
    suffix = image_suffix(name)
    return name[: -len(suffix)] if suffix else name


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
        "It reads NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG, TIFF and NumPy files.",
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


_SUFFIXES = frozenset(IMAGE_SUFFIXES)
_KINDS = {
    "volume": VOLUME_SUFFIXES,
    "raster": RASTER_SUFFIXES,
    "dicom": DICOM_SUFFIXES,
    "numpy_file": NUMPY_SUFFIXES,
}
