"""Grey levels: the values of a region in steps, numbered from 1."""

import torch
from torch import Tensor

from .segments import spread
from .settings import RadiomicSettings


def levels(
    values: Tensor, low: Tensor, high: Tensor, counts: Tensor, settings: RadiomicSettings
) -> Tensor:
    """Grey level of each voxel from 1, (voxel,) int64, as PyRadiomics numbers them.

    A level of fixed width starts at a multiple of the width (PyRadiomics, `getBinEdges`): level 1
    holds the region's smallest value. The edges are the very floating-point numbers that NumPy's
    `arange` and `linspace` give, so that a value on an edge falls on the same side.

    Parameters
    ----------
    values
        (voxel,) float64, region after region.
    low, high, counts
        (region,) smallest and largest value and voxels of each region.
    settings
        Width or number of the levels.
    """
    if settings.bin_count is None:
        start = low - torch.remainder(low, settings.bin_width)
        step = (start + settings.bin_width) - start
        return _digitised(values, start, step, counts)
    flat = high == low  # NumPy's histogram gives one value a range of 1 around it
    start = torch.where(flat, low - 0.5, low)
    width = torch.where(flat, torch.ones_like(low), high - low)
    found = _digitised(values, start, width / settings.bin_count, counts)
    return found.clamp(max=settings.bin_count)


def _digitised(values: Tensor, start: Tensor, step: Tensor, counts: Tensor) -> Tensor:
    start, step = spread(start, counts), spread(step, counts)
    below = ((values - start) / step).floor_()
    # The division may round across an edge; the edge itself decides.
    below.add_(start + (below + 1) * step <= values)
    below.sub_((start + below * step > values).to(below.dtype))
    return below.long() + 1
