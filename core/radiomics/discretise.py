"""Grey levels: the values of a region in steps, numbered from 1; and sums over regions."""

import torch
from torch import Tensor

from .settings import RadiomicSettings


def total(values: Tensor, counts: Tensor) -> Tensor:
    """Sum of each region's values, (region,); voxels (voxel,) stand region after region."""
    return torch.segment_reduce(values, "sum", lengths=counts)


def mean(values: Tensor, counts: Tensor) -> Tensor:
    """Mean of each region's values, (region,)."""
    return total(values, counts) / counts


def least(values: Tensor, counts: Tensor) -> Tensor:
    """Smallest value of each region, (region,)."""
    return torch.segment_reduce(values, "min", lengths=counts)


def most(values: Tensor, counts: Tensor) -> Tensor:
    """Largest value of each region, (region,)."""
    return torch.segment_reduce(values, "max", lengths=counts)


def levels(values: Tensor, counts: Tensor, settings: RadiomicSettings) -> Tensor:
    """Grey level of each voxel from 1, (voxel,) int64, as PyRadiomics numbers them.

    A level of fixed width starts at a multiple of the width (PyRadiomics, `getBinEdges`): level 1
    holds the region's smallest value. The edges are the very floating-point numbers that NumPy's
    `arange` and `linspace` give, so that a value on an edge falls on the same side.
    """
    low, high = least(values, counts), most(values, counts)
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
    start, step = start.repeat_interleave(counts), step.repeat_interleave(counts)
    below = ((values - start) / step).floor()
    # The division may round across an edge; the edge itself decides.
    below = below + (start + (below + 1) * step <= values).to(below.dtype)
    below = below - (start + below * step > values).to(below.dtype)
    return below.long() + 1
