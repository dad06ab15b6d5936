"""Small pictures of cases: the middle slice, in a window that outliers cannot spoil."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from .image import open_lazily
from .image_types import AnyArray, Image

UInt8Array = np.ndarray[Any, np.dtype[np.uint8]]

LOW_PERCENT, HIGH_PERCENT = 1.0, 99.0


def thumbnail(channels: Sequence[str], size: int = 44) -> UInt8Array:
    """Draw the middle slice of a case, uint8 (size, size, 3), in its true proportions on black.

    Raises
    ------
    LongtailError
        The image cannot be read.
    """
    image = open_lazily(channels[0])
    return picture_of(image, size)


def picture_of(image: Image, size: int) -> UInt8Array:
    """Draw an image that is already open; see `thumbnail`."""
    plane = _middle_plane(image.array)
    grey = not image.colour
    shown = _windowed(plane[:1]) if grey else plane[:3].astype(np.uint8)
    rgb = np.repeat(shown, 3, axis=0) if grey else shown
    height_mm, width_mm = _extent(image)
    scale = size / max(height_mm, width_mm)
    height, width = (max(1, round(length * scale)) for length in (height_mm, width_mm))
    small = PillowImage.fromarray(np.ascontiguousarray(np.moveaxis(rgb, 0, -1)))
    small = small.resize((width, height), PillowImage.Resampling.BOX, reducing_gap=2.0)
    canvas: UInt8Array = np.zeros((size, size, 3), dtype=np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    canvas[top : top + height, left : left + width] = np.asarray(small)
    return canvas


def _middle_plane(array: AnyArray) -> AnyArray:
    """Take the middle z of (channel, z, y, x); a picture has only one plane."""
    plane: AnyArray = array if array.ndim == 3 else array[:, array.shape[1] // 2]
    return plane


def _extent(image: Image) -> tuple[float, float]:
    spacing = image.geometry.spacing_mm if image.geometry else (1.0, 1.0)
    height, width = image.array.shape[-2:]
    return height * spacing[-2], width * spacing[-1]


def _windowed(plane: AnyArray) -> UInt8Array:
    values = plane.astype(np.float32)
    good = values[np.isfinite(values)]
    if not good.size:
        return np.zeros(plane.shape, dtype=np.uint8)
    low, high = np.percentile(good, [LOW_PERCENT, HIGH_PERCENT])
    if high <= low:
        low, high = float(good.min()), float(good.max())
    shown = np.nan_to_num((values - low) / max(high - low, 1e-6))
    pixels: UInt8Array = (np.clip(shown, 0, 1) * 255).astype(np.uint8)
    return pixels
