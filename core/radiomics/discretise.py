"""Grey levels: the values of a region in steps, numbered from 1."""

import torch
from torch import Tensor

from .segments import places, spread
from .settings import RadiomicSettings

NEAR = 1e-6
"""Of a level's width; rounding is far less for up to 10,000 levels."""


def levels(
    values: Tensor, low: Tensor, high: Tensor, counts: Tensor, settings: RadiomicSettings
) -> Tensor:
    """Grey level of each voxel from 1, (voxel,) int32, as PyRadiomics numbers them.

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
    part = (values - spread(start, counts)).div_(spread(step, counts))
    below = part.floor()
    part -= below
    # The division may round across an edge; near one the edge itself decides.
    near = places((part < NEAR) | (part > 1 - NEAR))
    if len(near):
        owner = torch.searchsorted(counts.cumsum(0), near, right=True)
        below[near] = _by_edge(values[near], start[owner], step[owner], below[near])
    return below.int() + 1


def _by_edge(values: Tensor, start: Tensor, step: Tensor, below: Tensor) -> Tensor:
    below = below + (start + (below + 1) * step <= values)
    return below - (start + below * step > values).to(below.dtype)
