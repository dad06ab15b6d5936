"""PNG, JPEG and BMP through Pillow, TIFF through tifffile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from ..errors import LongtailError
from . import tiff
from .image_paths import Source, image_suffix
from .image_types import AnyArray, Header, Image
from .picture_words import picture_words
from .pixels import finite

PIXELS_AT_MOST = 150_000_000
"""A picture beyond this many pixels is refused before it is unpacked."""

FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
"""By content, whatever the suffix says: Pillow would hand other formats to other programs."""

TURNED = (5, 6, 7, 8)
"""EXIF orientations that swap height and width."""

ORIENTATION_TAG = 0x0112
SINGLE = {"1": "uint8", "L": "uint8", "I;16": "uint16", "I;16B": "uint16", "I": "int32"}
SINGLE |= {"I;16L": "uint16", "I;16N": "uint16", "F": "float32", "LA": "uint8"}


def read_header(source: Source) -> Header:
    """Read size and kind of a picture; see `image.read_header`."""
    if image_suffix(source.path.name) in tiff.SUFFIXES:
        return tiff.read_header(source)
    with _opened(source.path) as picture:
        width, height = picture.size
        if picture.getexif().get(ORIENTATION_TAG) in TURNED:
            width, height = height, width
        dtype = SINGLE.get(picture.mode)
        colour = dtype is None and not _is_grey_palette(picture)
    return Header((height, width), 3 if colour else 1, dtype or "uint8", None, colour)


def read_image(source: Source) -> Image:
    """Read a picture upright, without transparency and palette; see `image.read_image`."""
    if image_suffix(source.path.name) in tiff.SUFFIXES:
        return tiff.read_image(source)
    with _opened(source.path) as picture:
        return picture_to_image(picture)


def read_indices(path: Path) -> AnyArray:
    """Read a picture as a label map holds it: palette indices stay numbers, (y, x) or (y, x, 3)."""
    if image_suffix(path.name) in tiff.SUFFIXES:
        return tiff.read_indices(path)
    with _opened(path) as picture:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode == "P":
            return np.array(upright)
        return np.moveaxis(picture_to_image(picture).array, 0, -1)


def picture_to_image(picture: PillowImage.Image) -> Image:
    """Turn an open Pillow picture into (channel, y, x)."""
    upright = ImageOps.exif_transpose(picture)
    plain, notes = _without_alpha(upright)
    plain = _without_palette(plain)
    array = np.array(plain)
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.ndim == 2:
        whole, changed = finite(array[None])
        return Image(whole, None, notes=(*notes, *changed))
    return Image(np.ascontiguousarray(np.moveaxis(array, -1, 0)), None, True, notes)


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse a picture that would fill the memory when unpacked."""
    if width * height > PIXELS_AT_MOST:
        raise LongtailError(
            f"{path.name} has {width} x {height} pixels, more than Longtail opens as one picture.",
            "Cut it into tiles or scale it down.",
        )


@contextmanager
def _opened(path: Path) -> Iterator[PillowImage.Image]:
    with picture_words(path), PillowImage.open(path, formats=FORMATS) as picture:
        check_size(path, *picture.size)
        yield picture


def _without_alpha(picture: PillowImage.Image) -> tuple[PillowImage.Image, tuple[str, ...]]:
    """Lay transparent parts on black."""
    if picture.mode not in ("LA", "La", "PA", "RGBA", "RGBa") and not _has_clear_palette(picture):
        return picture, ()
    clear = picture.convert("RGBA")
    opaque = clear.getchannel("A").getextrema() == (255, 255)
    if not opaque:
        clear = PillowImage.alpha_composite(PillowImage.new("RGBA", clear.size, "black"), clear)
    plain = clear.convert("L" if picture.mode in ("LA", "La") else "RGB")
    return plain, () if opaque else ("transparent parts were laid on black",)


def _has_clear_palette(picture: PillowImage.Image) -> bool:
    return picture.mode == "P" and "transparency" in picture.info


def _without_palette(picture: PillowImage.Image) -> PillowImage.Image:
    if picture.mode in ("1", "F", "I", "L", "RGB") or picture.mode.startswith("I;16"):
        return picture
    return picture.convert("L" if _is_grey_palette(picture) else "RGB")


def _is_grey_palette(picture: PillowImage.Image) -> bool:
    """Tell whether all colours of the palette are greys; scanners store X-rays so."""
    palette: Any = picture.getpalette("RGB") if picture.mode == "P" else None
    if not palette or _has_clear_palette(picture):
        return False
    colours = np.reshape(palette, (-1, 3))
    return bool((colours == colours[:, :1]).all())
