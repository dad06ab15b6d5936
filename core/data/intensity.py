"""Which intensity rule fits a project: Hounsfield units, photographs, or units without meaning."""

from collections.abc import Sequence

import numpy as np

from ..io.image import AnyArray, Image
from .preprocessing import (
    COLOUR_DEVIATION,
    COLOUR_MEAN,
    GREY_DEVIATION,
    GREY_MEAN,
    Intensity,
)

AIR_HU = -500
DENSE_HU = 200
WINDOW_PERCENTILES = (0.5, 99.5)
VALUES_A_CASE = 50_000


def picture_intensity(channel_count: int) -> Intensity:
    """Give the rule for photographs and X-rays, with the means of the usual encoders."""
    if channel_count == 3:
        return Intensity("unit", mean=COLOUR_MEAN, deviation=COLOUR_DEVIATION)
    return Intensity(
        "unit", mean=GREY_MEAN * channel_count, deviation=GREY_DEVIATION * channel_count
    )


def fit_intensity(images: Sequence[Image], foreground: Sequence[AnyArray | None]) -> Intensity:
    """Choose the rule from some training images.

    Parameters
    ----------
    foreground
        For each image where its classes are, (*space) bool, or None where nobody knows.
    """
    channels = images[0].array.shape[0]
    if all(image.colour for image in images):
        return picture_intensity(channels)
    if all(_is_hounsfield(image.array) for image in images):
        return _window(images, foreground)
    return Intensity("zscore")


def _is_hounsfield(array: AnyArray) -> bool:
    return array.shape[0] == 1 and bool(array.min() <= AIR_HU and array.max() >= DENSE_HU)


def _window(images: Sequence[Image], foreground: Sequence[AnyArray | None]) -> Intensity:
    """Clip at the percentiles of the classes' voxels, as is usual for computed tomography."""
    pooled = np.concatenate(
        [_values(image.array[0], where) for image, where in zip(images, foreground, strict=True)]
    )
    low, high = np.percentile(pooled, WINDOW_PERCENTILES)
    clipped = np.clip(pooled, low, high)
    return Intensity(
        "window",
        low=float(low),
        high=float(high),
        mean=(float(clipped.mean()),),
        deviation=(max(float(clipped.std()), 1e-6),),
    )


def _values(array: AnyArray, where: AnyArray | None) -> AnyArray:
    values = array[where] if where is not None and where.any() else array[array > AIR_HU]
    values = values.reshape(-1)
    step = max(1, len(values) // VALUES_A_CASE)
    return np.asarray(values[::step], np.float64)
