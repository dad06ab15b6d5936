"""Features of many boxes on a batch of grey images, for loops that train: one call, no mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import fast
from .extraction import ONE_LEVEL, ONE_VALUE
from .names import CLASSES
from .regions import Region
from .settings import RadiomicSettings

WITHOUT_SHAPE = RadiomicSettings(classes=tuple(one for one in CLASSES if one != "shape"))
"""PyRadiomics' defaults; the shape of a box is its width and height and nothing more."""

SIDE_LEAST = 2
"""Pixels along each side: a line has no texture in a plane."""


@dataclass(frozen=True)
class BoxFeatures:
    """What was measured of boxes.

    Parameters
    ----------
    values
        (box, feature) float; NaN where there is no value.
    names
        (feature,) PyRadiomics' full names, in the order of the columns.
    """

    values: Tensor
    names: tuple[str, ...]


def measure_boxes(
    images: Tensor,
    boxes: Tensor,
    settings: RadiomicSettings = WITHOUT_SHAPE,
    image_of: Tensor | None = None,
    dtype: torch.dtype = torch.float32,
) -> BoxFeatures:
    """Measure the pixels inside boxes, without the features of shape (93 by default).

    A step of training calls this once for its batch::

        found = measure_boxes(images, boxes, RadiomicSettings(bin_width=25, classes=...))
        features = found.values.nan_to_num(0)  # (box, feature), columns as found.names

    Parameters
    ----------
    images
        (image, height, width) or (image, 1, height, width) grey values as the bins are meant for
        (0 to 255 for the default width of 25), on any device; no gradient flows.
    boxes
        (box, 4) x, y, width, height in whole pixels of these images (fractions are rounded); what
        lies outside the image is cut off.
    settings
        What is measured; the class `shape` is left out.
    image_of
        (box,) which image each box is of; None: one box an image, in order.
    dtype
        Of the values. They are computed in float64.

    Returns
    -------
    The values on the images' device. A box of less than 2 pixels along a side, or with a value
    that is not finite, is NaN in every feature; a box of equal values or of one grey level is NaN
    in those that would be nothing over nothing (as in `extraction.extract`).
    """
    kept = tuple(one for one in settings.classes if one != "shape")
    settings = settings.model_copy(update={"classes": kept})
    names = settings.names(flat=True)
    pictures = images.detach().reshape(-1, *images.shape[-2:]).to("cpu", torch.float64).numpy()
    owners = np.arange(len(boxes)) if image_of is None else image_of.cpu().numpy()
    cut = [_cut(pictures[n], box) for n, box in zip(owners, boxes.cpu().tolist(), strict=True)]
    values = torch.full((len(cut), len(names)), torch.nan, dtype=torch.float64)
    sound = [number for number, pixels in enumerate(cut) if _sound(pixels)]
    if sound:
        regions = [_region(cut[number]) for number in sound]
        values[sound] = _blank(fast.measure(regions, settings), regions, settings, names)
    return BoxFeatures(values.to(images.device, dtype), names)


def _cut(picture: fast.Array, box: Sequence[float]) -> fast.Array:
    x, y, width, height = (round(part) for part in box)
    return picture[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]


def _sound(pixels: fast.Array) -> bool:
    return min(pixels.shape) >= SIDE_LEAST and bool(np.isfinite(pixels).all())


def _region(pixels: fast.Array) -> Region:
    mask = np.ones((1, *pixels.shape), dtype=np.bool_)
    return Region(1, np.ascontiguousarray(pixels[None]), mask, (1.0, 1.0, 1.0), True)


def _blank(
    values: Tensor, regions: Sequence[Region], settings: RadiomicSettings, names: tuple[str, ...]
) -> Tensor:
    """NaN where a box of equal values or of one level has no value."""
    low = np.array([region.values.min() for region in regions])
    high = np.array([region.values.max() for region in regions])
    same = low == high
    within = high - (low - np.remainder(low, settings.bin_width)) < settings.bin_width
    one = np.full_like(same, True) if settings.bin_count == 1 else same
    one = one if settings.bin_count else within
    for rows, missing in ((same, ONE_VALUE), (one, ONE_LEVEL)):
        columns = torch.tensor([name in missing for name in names])
        values[torch.from_numpy(rows)[:, None] & columns] = torch.nan
    return values
