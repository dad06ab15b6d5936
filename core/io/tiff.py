"""TIFF through tifffile: several pages are the slices of a volume."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image as PillowImage

from ..errors import LongtailError
from .image_paths import Source
from .image_types import AnyArray, Header, Image
from .picture_words import picture_words
from .pixels import finite

SUFFIXES = (".tif", ".tiff")
SLICE_AXES = "ZIQR"
"""Depth, and pages without a meaning of their own."""

BYTES_AT_MOST = 1 << 31
RATIO_AT_MOST = 1100


def read_header(source: Source) -> Header:
    """Read size and kind without the pixels; see `image.read_header`."""
    with _series_of(source.path) as (page, series):
        layout = _Layout(series.axes, series.shape, source.path)
        colour = layout.colour or page.photometric == tifffile.PHOTOMETRIC.PALETTE
        dtype = "uint8" if series.dtype.kind == "b" else series.dtype.name
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
            dtype = "uint8"
    return Header(layout.shape, 3 if colour else layout.channels, dtype, None, colour)


def read_image(source: Source) -> Image:
    """Read all pages; see `image.read_image`."""
    with _series_of(source.path) as (page, series):
        layout = _Layout(series.axes, series.shape, source.path)
        stored = _pixels(source.path, series)
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
            return Image(_coloured(layout.arrange(stored)[0], page.colormap), None, True)
        array = layout.arrange(stored)
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            array = _inverted(array, page.bitspersample)
    whole, notes = finite(array)
    if layout.colour and len(whole) > 3:
        whole, notes = whole[:3], (*notes, "transparency was left out")
    return Image(whole, None, layout.colour, notes)


def read_indices(path: Path) -> AnyArray:
    """Read a label map: palette indices stay numbers, (z, y, x), (y, x) or (y, x, 3)."""
    with _series_of(path) as (_, series):
        layout = _Layout(series.axes, series.shape, path)
        array = layout.arrange(_pixels(path, series))
    return array[0] if len(array) == 1 else np.moveaxis(array, 0, -1)


class _Layout:
    """How the axes of a series map to channel, z, y, x."""

    def __init__(self, axes: str, sizes: tuple[int, ...], path: Path) -> None:
        lengths = dict(zip(axes, sizes, strict=True))
        if lengths.get("T", 1) > 1:
            raise LongtailError(
                f"{path.name} holds a series of {lengths['T']} points in time, and Longtail does "
                "not read time series yet.",
                "Save the one that you want to work on as a file of its own.",
            )
        self._slices = [axis for axis in axes if axis in SLICE_AXES]
        self._bands = [axis for axis in axes if axis in "CS"]
        unknown = set(axes) - set(SLICE_AXES + "CSYXT")
        if any(lengths[axis] > 1 for axis in unknown) or not {"X", "Y"} <= lengths.keys():
            raise LongtailError(
                f"{path.name} has axes that Longtail does not know ({axes}).",
                "Save it as a TIFF with one page for each slice.",
            )
        self._axes, self._lengths = axes, lengths
        depth = int(np.prod([lengths[axis] for axis in self._slices]))
        plane = (lengths["Y"], lengths["X"])
        self.shape = (depth, *plane) if self._slices and depth > 1 else plane
        self.channels = int(np.prod([lengths[axis] for axis in self._bands]))
        self.colour = lengths.get("S", 1) in (3, 4) and lengths.get("C", 1) == 1

    def arrange(self, array: AnyArray) -> AnyArray:
        """Give the pixels as (channel, z, y, x) or (channel, y, x)."""
        known = [*self._bands, *self._slices, "Y", "X"]
        gone = [axis for axis in self._axes if axis not in known]
        order = [self._axes.index(axis) for axis in [*gone, *known]]
        moved = np.transpose(array, order).reshape(self.channels, *self.shape)
        if moved.dtype == bool:
            moved = moved.astype(np.uint8) * np.uint8(255)
        whole: AnyArray = np.ascontiguousarray(moved, dtype=moved.dtype.newbyteorder("="))
        return whole


@contextmanager
def _series_of(path: Path) -> Iterator[tuple[Any, Any]]:
    with picture_words(path), tifffile.TiffFile(path) as file:
        series = file.series[0]
        too_large = series.nbytes > BYTES_AT_MOST and (
            series.nbytes > path.stat().st_size * RATIO_AT_MOST
        )
        if too_large:
            raise LongtailError(
                f"{path.name} unpacks to {series.nbytes >> 20} MB, far more than its size allows.",
                "Check where the file comes from.",
            )
        yield series.keyframe, series


def _pixels(path: Path, series: Any) -> AnyArray:
    try:
        array: AnyArray = series.asarray()
    except (ValueError, ImportError) as error:
        # tifffile needs another package for LZW and JPEG; Pillow brings both.
        if "imagecodecs" not in str(error):
            raise
        array = _pillow_pages(path).reshape(series.shape)
    return array


def _pillow_pages(path: Path) -> AnyArray:
    pages = []
    with PillowImage.open(path, formats=("TIFF",)) as picture:
        for index in range(getattr(picture, "n_frames", 1)):
            picture.seek(index)
            pages.append(np.array(picture))
    return np.stack(pages)


def _coloured(indices: AnyArray, colour_map: AnyArray) -> AnyArray:
    """Look palette indices up; TIFF palettes have 16 bits a colour."""
    return np.ascontiguousarray((np.asarray(colour_map)[:, indices] >> 8).astype(np.uint8))


def _inverted(array: AnyArray, bits: int) -> AnyArray:
    top = 2**bits - 1 if array.dtype.kind == "u" else array.max() + array.min()
    inverted: AnyArray = (top - array).astype(array.dtype)
    return inverted
