"""How the grey values of a region are distributed, wherever they lie."""

import torch
from torch import Tensor

from .segments import mean, spread, starts, total

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
EPSILON = float(torch.finfo(torch.float64).eps)
"""PyRadiomics adds it inside logarithms, in double precision."""


def first_order(
    values: Tensor, counts: Tensor, histogram: Tensor, voxel_mm3: Tensor, shift: float
) -> dict[str, Tensor]:
    """Measure the values of regions; definitions as in PyRadiomics' `firstorder`.

    Parameters
    ----------
    values
        (voxel,) float64, region after region, in order of size within each: sums of powers
        cancel, so these are never computed in single precision.
    counts
        (region,) voxels of each region.
    histogram
        (region, level) voxels of each grey level.
    voxel_mm3
        (region,) volume of a voxel (area of a pixel).
    shift
        Added to the values in the energies.

    Returns
    -------
    (region,) by short name; Skewness and Kurtosis of equal values are 0.
    """
    first = starts(counts)
    tenth, quarter, median, third, ninth = (_quantile(values, first, counts, q) for q in SHARES)
    low, high = values[first], values[first + counts - 1]
    energy = total((values + shift).square_(), counts)
    return {
        **_moments(values, counts),
        **_of_histogram(histogram.to(values.dtype)),
        "Energy": energy,
        "TotalEnergy": energy * voxel_mm3,
        "RootMeanSquared": (energy / counts).sqrt(),
        "Minimum": low,
        "Maximum": high,
        "Range": high - low,
        "10Percentile": tenth,
        "90Percentile": ninth,
        "Median": median,
        "InterquartileRange": third - quarter,
        "RobustMeanAbsoluteDeviation": _robust_deviation(values, counts, tenth, ninth),
    }


def _quantile(values: Tensor, first: Tensor, counts: Tensor, share: float) -> Tensor:
    """Value below which a share of each region's voxels lies, linear between values."""
    place = share * (counts - 1).to(values.dtype)
    below = place.floor()
    lower = values[first + below.long()]
    upper = values[first + place.ceil().long()]
    return lower + (upper - lower) * (place - below)


def _moments(values: Tensor, counts: Tensor) -> dict[str, Tensor]:
    centre = mean(values, counts)
    apart = values - spread(centre, counts)
    square = apart * apart
    variance = mean(square, counts)
    safe = torch.where(variance == 0, 1, variance)
    return {
        "Mean": centre,
        "Variance": variance,
        "Skewness": mean(square * apart, counts) / safe**1.5,
        "Kurtosis": mean(square * square, counts) / safe**2,
        "MeanAbsoluteDeviation": mean(apart.abs_(), counts),
    }


def _of_histogram(histogram: Tensor) -> dict[str, Tensor]:
    share = histogram / histogram.sum(dim=1, keepdim=True)
    return {
        "Entropy": -(share * (share + EPSILON).log2()).sum(dim=1),
        "Uniformity": (share * share).sum(dim=1),
    }


def _robust_deviation(values: Tensor, counts: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Mean absolute deviation of the values between the 10th and the 90th percentile."""
    kept = values >= spread(low, counts)
    kept &= values <= spread(high, counts)
    inside = kept.to(values.dtype)
    kept_counts = total(inside, counts)
    middle = total(values * inside, counts) / kept_counts
    apart = (values - spread(middle, counts)).abs_().mul_(inside)
    return total(apart, counts) / kept_counts
