"""Regions: what a label map cuts out of an image, one a label."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import LongtailError
from ..io.geometry import plain_geometry
from ..io.image_types import AnyArray, Image
from ..io.labelmap import whole_numbers
from .settings import RadiomicSettings

BoolArray = np.ndarray[Any, np.dtype[np.bool_]]
FloatArray = np.ndarray[Any, np.dtype[np.float64]]

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601, as Pillow's mode L)."""

LEVELS_MOST = 10_000
"""More grey levels than this are a mistake in the width of a level, not a texture."""

LABELS_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Region:
    """A box of an image and which of its voxels belong to the region.

    Parameters
    ----------
    label
        Its number in the label map.
    values
        (z, y, x) float64; a flat picture has one slice.
    mask
        (z, y, x).
    spacing_mm
        (z, y, x); 1 for z in a flat picture.
    flat
        It comes from a 2D picture.
    """

    label: int
    values: FloatArray
    mask: BoolArray
    spacing_mm: tuple[float, float, float]
    flat: bool


def regions_of(
    image: Image, labels: Image, settings: RadiomicSettings, margin: int = 0
) -> tuple[Region, ...]:
    """Cut the region of each label out of an image.

    Parameters
    ----------
    image
        Colours become grey; of several other channels `settings.channel` is taken.
    labels
        One channel of whole numbers on the same grid; 0 is background, and the largest number of
        its type (255, 65535) is *not labelled*.
    margin
        Voxels kept around each region, within the image.

    Raises
    ------
    LongtailError
        The two do not lie on one grid, or there is no such channel.
    """
    numbers = _numbers(labels)
    if numbers.shape != image.shape:
        raise LongtailError(
            f"The mask is {_times(numbers.shape)} but its image is {_times(image.shape)}.",
            "Draw or resample the mask on the grid of the image.",
        )
    if image.geometry and labels.geometry and not image.geometry.matches(labels.geometry):
        raise LongtailError(
            "The mask lies elsewhere than its image: spacing, origin or direction differ.",
            "Resample the mask to the grid of the image.",
        )
    return tuple(_cut(image, numbers, settings, margin))


def problem_of(region: Region, settings: RadiomicSettings) -> str | None:
    """Say why nothing can be measured of a region, or None."""
    inside = region.values[region.mask]
    if not len(inside):
        return "The region is empty."
    if not np.isfinite(inside).all():
        return "The region holds voxels whose value is not a number."
    if len(inside) == 1:
        return "The region is a single voxel."
    if (axes := _axes(region.mask)) < settings.minimum_dimensions:
        return (
            f"The region extends along {axes} of the {settings.minimum_dimensions} axes needed: "
            "it is a line or a thin sheet."
        )
    if settings.minimum_size is not None and len(inside) <= settings.minimum_size:
        return f"The region has {len(inside)} voxels, and more than {settings.minimum_size} count."
    return _too_many_levels(inside, settings)


def _too_many_levels(inside: FloatArray, settings: RadiomicSettings) -> str | None:
    width = settings.bin_width
    levels = settings.bin_count or float(np.ptp(inside)) / width + 1
    if levels <= LEVELS_MOST:
        return None
    return f"The region has {levels:.0f} grey levels of width {width:g}: choose a larger width."


def _cut(
    image: Image, numbers: AnyArray, settings: RadiomicSettings, margin: int
) -> Iterator[Region]:
    from scipy.ndimage import find_objects  # late: the command line starts without it

    flat = numbers.ndim == 2
    grey = _grey(image, settings.channel)
    geometry = image.geometry or plain_geometry((1.0,) * numbers.ndim)
    spacing = ((1.0,) if flat else ()) + tuple(geometry.spacing_mm)
    if flat:
        grey, numbers = grey[None], numbers[None]
    for label, box in enumerate(find_objects(numbers), start=1):
        if box is None:
            continue
        wide = tuple(_widened(one, margin, n) for one, n in zip(box, numbers.shape, strict=True))
        values = np.ascontiguousarray(grey[wide], dtype=np.float64)
        yield Region(label, values, numbers[wide] == label, spacing, flat)  # type: ignore[arg-type]


def _widened(box: slice, margin: int, size: int) -> slice:
    return slice(max(box.start - margin, 0), min(box.stop + margin, size))


def _grey(image: Image, channel: int) -> AnyArray:
    if image.colour:
        grey: AnyArray = np.tensordot(GREY, image.array[:3].astype(np.float64), axes=1)
        return grey
    if channel >= len(image.array):
        raise LongtailError(
            f"The image has {len(image.array)} channels, so there is no channel {channel}.",
            "Channels are counted from 0.",
        )
    one: AnyArray = image.array[channel]
    return one


def _numbers(labels: Image) -> AnyArray:
    if len(labels.array) != 1:
        raise LongtailError(
            f"The mask has {len(labels.array)} channels, but each voxel can have one class only.",
            "Save one mask with a number for each class.",
        )
    numbers = whole_numbers(labels.array[0], "given")
    if numbers.size and int(numbers.min()) < 0:
        raise LongtailError("The mask holds negative numbers.", "Number the regions from 1.")
    if numbers.size and int(numbers.max()) > LABELS_MOST:
        raise LongtailError(
            f"The mask holds the number {int(numbers.max())}, which is no number of a region.",
            f"Number the regions from 1 to at most {LABELS_MOST}.",
        )
    unlabelled = {1: 255, 2: 65535}.get(numbers.dtype.itemsize)
    kept = numbers if unlabelled is None else np.where(numbers == unlabelled, 0, numbers)
    return kept.astype(np.int32)


def _axes(mask: BoolArray) -> int:
    return sum(
        int(np.ptp(np.flatnonzero(mask.any(axis=tuple(o for o in range(3) if o != axis)))) > 0)
        for axis in range(3)
    )


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)
