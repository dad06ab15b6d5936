"""How the grey values of a region are distributed, wherever they lie."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .segments import places, spread, starts, total

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
EPSILON = float(torch.finfo(torch.float64).eps)
"""PyRadiomics adds it inside logarithms, in double precision."""


@dataclass(frozen=True)
class Distinct:
    """The values that occur in regions, each once: in pictures of 8 bits few beside the voxels.

    Parameters
    ----------
    value, times
        (entry,) region after region: a value and how many voxels have it.
    entries
        (region,) how many different values there are.
    voxels
        (region,)
    """

    value: Tensor
    times: Tensor
    entries: Tensor
    voxels: Tensor

    def mean(self, of_value: Tensor) -> Tensor:
        """Mean over the voxels of what (entry,) holds for their values, (region,)."""
        return total(of_value * self.times, self.entries) / self.voxels

    def away_from(self, centre: Tensor) -> Tensor:
        """Give the values less their region's (region,) centre, (entry,)."""
        return self.value - spread(centre, self.entries)


def distinct(values: Tensor, counts: Tensor) -> Distinct:
    """Put equal values together; they stand in order within each region."""
    last = torch.ones_like(values, dtype=torch.bool)
    torch.ne(values[1:], values[:-1], out=last[:-1])
    ends = counts.cumsum(0)
    last[ends - 1] = True
    held = places(last)
    times = held.diff(prepend=held.new_full((1,), -1)).to(values.dtype)
    entries = torch.searchsorted(held, ends).diff(prepend=ends.new_zeros(1))
    return Distinct(values.index_select(0, held), times, entries, counts)


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
    every = distinct(values, counts)
    square = every.mean((every.value + shift).square_())
    energy = square * counts
    return {
        **_moments(every),
        **_of_histogram(histogram.to(values.dtype)),
        "Energy": energy,
        "TotalEnergy": energy * voxel_mm3,
        "RootMeanSquared": square.sqrt(),
        "Minimum": low,
        "Maximum": high,
        "Range": high - low,
        "10Percentile": tenth,
        "90Percentile": ninth,
        "Median": median,
        "InterquartileRange": third - quarter,
        "RobustMeanAbsoluteDeviation": _robust_deviation(every, tenth, ninth),
    }


def _quantile(values: Tensor, first: Tensor, counts: Tensor, share: float) -> Tensor:
    """Value below which a share of each region's voxels lies, linear between values."""
    place = share * (counts - 1).to(values.dtype)
    below = place.floor()
    lower = values[first + below.long()]
    upper = values[first + place.ceil().long()]
    return lower + (upper - lower) * (place - below)


def _moments(every: Distinct) -> dict[str, Tensor]:
    centre = every.mean(every.value)
    apart = every.away_from(centre)
    square = apart * apart
    variance = torch.where(every.entries == 1, 0, every.mean(square))
    safe = torch.where(variance == 0, 1, variance)
    return {
        "Mean": centre,
        "Variance": variance,
        "Skewness": every.mean(square * apart) / safe**1.5,
        "Kurtosis": every.mean(square * square) / safe**2,
        "MeanAbsoluteDeviation": every.mean(apart.abs_()),
    }


def _of_histogram(histogram: Tensor) -> dict[str, Tensor]:
    share = histogram / histogram.sum(dim=1, keepdim=True)
    return {
        "Entropy": -(share * (share + EPSILON).log2()).sum(dim=1),
        "Uniformity": (share * share).sum(dim=1),
    }


def _robust_deviation(every: Distinct, low: Tensor, high: Tensor) -> Tensor:
    """Mean absolute deviation of the values between the 10th and the 90th percentile."""
    kept = every.away_from(low) >= 0
    kept &= every.away_from(high) <= 0
    inside = kept.to(every.value.dtype)
    share = every.mean(inside)
    middle = every.mean(every.value * inside) / share
    return every.mean(every.away_from(middle).abs_().mul_(inside)) / share
