"""How the grey values of a region are distributed, wherever they lie."""

import torch
from torch import Tensor

from .discretise import least, mean, most, total

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
        (voxel,) region after region.
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
    tenth, quarter, median, third, ninth = quantiles(values, counts)
    low, high = least(values, counts), most(values, counts)
    energy = total((values + shift) ** 2, counts)
    return {
        **_moments(values, counts),
        **_of_histogram(histogram),
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


def quantiles(values: Tensor, counts: Tensor) -> tuple[Tensor, ...]:
    """Give the five quantiles `SHARES` of each region, (region,) each, linear between values."""
    ordered = _ordered(values, counts)
    last = (counts - 1).to(values.dtype)
    return tuple(_at(ordered, share * last) for share in SHARES)


def _ordered(values: Tensor, counts: Tensor) -> Tensor:
    """Values in order, (region, voxel), filled up with infinity."""
    rows = torch.nn.utils.rnn.pad_sequence(
        list(torch.split_with_sizes(values, counts.tolist())),
        batch_first=True,
        padding_value=torch.inf,
    )
    return rows.sort(dim=1).values


def _at(ordered: Tensor, place: Tensor) -> Tensor:
    below = place.floor()
    part = place - below
    first = ordered.gather(1, below.long()[:, None])[:, 0]
    second = ordered.gather(1, place.ceil().long()[:, None])[:, 0]
    return first + (second - first) * part


def _moments(values: Tensor, counts: Tensor) -> dict[str, Tensor]:
    centre = mean(values, counts)
    apart = values - centre.repeat_interleave(counts)
    square = apart * apart
    variance = mean(square, counts)
    safe = torch.where(variance == 0, 1, variance)
    return {
        "Mean": centre,
        "Variance": variance,
        "Skewness": mean(square * apart, counts) / safe**1.5,
        "Kurtosis": mean(square * square, counts) / safe**2,
        "MeanAbsoluteDeviation": mean(apart.abs(), counts),
    }


def _of_histogram(histogram: Tensor) -> dict[str, Tensor]:
    share = histogram / histogram.sum(dim=1, keepdim=True)
    return {
        "Entropy": -(share * (share + EPSILON).log2()).sum(dim=1),
        "Uniformity": (share * share).sum(dim=1),
    }


def _robust_deviation(values: Tensor, counts: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Mean absolute deviation of the values between the 10th and the 90th percentile."""
    kept = values >= low.repeat_interleave(counts)
    kept &= values <= high.repeat_interleave(counts)
    kept_counts = total(kept.to(values.dtype), counts)
    middle = total(values * kept, counts) / kept_counts
    apart = (values - middle.repeat_interleave(counts)).abs() * kept
    return total(apart, counts) / kept_counts
