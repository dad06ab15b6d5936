"""Paths of images: their suffixes, and the part of a file that stands behind a `#`."""

import os
from pathlib import Path
from typing import NamedTuple

VOLUME_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr", ".img")
RASTER_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
NUMPY_SUFFIXES = (".npy", ".npz")
H5_SUFFIXES = (".h5", ".hdf5")
"""Opened by the name of an array; a plain folder import does not take them for images."""

IMAGE_SUFFIXES = VOLUME_SUFFIXES + RASTER_SUFFIXES + DICOM_SUFFIXES + NUMPY_SUFFIXES

_SUFFIXES = frozenset(IMAGE_SUFFIXES + H5_SUFFIXES)


class Source(NamedTuple):
    """A path taken apart: the file or folder, and the part of it behind the `#`."""

    path: Path
    part: str


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
