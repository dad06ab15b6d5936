"""Pixels that are no numbers."""

import numpy as np

from ..errors import LongtailError
from .image_types import AnyArray


def finite(array: AnyArray) -> tuple[AnyArray, tuple[str, ...]]:
    """Replace what is not a number by the least finite value, and infinities by the extremes.

    Outside of the field of view writers put NaN, and there the least value is air.

    Returns
    -------
    array
        The same array where all pixels are finite.
    notes
        A sentence that counts the pixels replaced, if any.
    """
    if array.dtype.kind != "f":
        return array, ()
    good = np.isfinite(array)
    if good.all():
        return array, ()
    if not good.any():
        raise LongtailError(
            "The image holds not a single number: all pixels are NaN or infinite.",
            "Export it again from where it came.",
        )
    least, most = array[good].min(), array[good].max()
    whole = np.nan_to_num(array, nan=least, posinf=most, neginf=least)
    count = int(array.size - np.count_nonzero(good))
    return whole, (f"{count} pixels without a number were set to the least value",)
