"""What lies far off: by the median and its deviations, which outliers cannot move."""

from typing import Any

import numpy as np

TO_DEVIATION = 1.4826
"""From the median of absolute deviations to a standard deviation, for normal values."""

DEVIATIONS = 8.0

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]


def far_off(values: FloatArray, least: float, deviations: float = DEVIATIONS) -> BoolArray:
    """Tell which values are off the median of their column, by `least` and by many deviations.

    Parameters
    ----------
    values
        (case,) or (case, column).
    least
        Nearer ones never count, however alike the rest are.
    """
    off = np.abs(values - np.median(values, axis=0))
    usual = TO_DEVIATION * np.median(off, axis=0)
    return np.asarray((off > least) & (off > deviations * usual))
