"""Connected zones of one grey level (GLSZM)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from skimage.measure import label
from torch import Tensor

from .counted import Counted, count
from .neighbours import Levels
from .packing import Packed
from .regions import Region

IntArray = np.ndarray[Any, np.dtype[np.int64]]


def zones(packed: Packed, levels: Levels, regions: Sequence[Region], within: int | None) -> Counted:
    """Count zones by level and size; voxels touch across faces, edges and corners.

    The zones are found on the processor (scikit-image's union of equal neighbours), whatever the
    device of the rest.

    Parameters
    ----------
    packed, levels
        The regions and their levels.
    regions
        The same regions, for their masks.
    within
        The axis across which voxels do not touch (slice by slice), or None.
    """
    ranks = np.split(levels.rank.cpu().numpy(), packed.counts.cumsum(0).cpu().numpy()[:-1])
    found = [
        _zones_of(region.mask, rank, within) for region, rank in zip(regions, ranks, strict=True)
    ]
    owner = np.repeat(np.arange(len(found)), [len(sizes) for _, sizes in found])
    rank, size = (np.concatenate(part) for part in zip(*found, strict=True))
    device = levels.rank.device
    row, level, voxels = (_on(part, device) for part in (owner, rank, size))
    return count(row, level, voxels, len(regions), levels.table)


def _on(part: IntArray, device: torch.device) -> Tensor:
    return torch.from_numpy(part.astype(np.int64)).to(device)


def _zones_of(mask: Any, rank: IntArray, within: int | None) -> tuple[IntArray, IntArray]:
    """Rank and size of each zone of one region."""
    grid = np.zeros(mask.shape, dtype=np.int32)
    grid[mask] = rank
    if within is not None and grid.shape[within] > 1:
        grid = _spread(grid, within)
    flat = grid[0] if grid.shape[0] == 1 else grid
    numbers = label(flat, background=0, connectivity=flat.ndim).ravel()
    inside = np.flatnonzero(numbers)
    sizes = np.bincount(numbers)[1:]
    of_zone = np.zeros(len(sizes), dtype=np.int64)
    of_zone[numbers[inside] - 1] = flat.ravel()[inside]
    return of_zone, sizes


def _spread(grid: Any, axis: int) -> Any:
    """Put an empty slice between slices, so that they do not touch."""
    shape = list(grid.shape)
    shape[axis] = 2 * shape[axis] - 1
    spread = np.zeros(shape, dtype=grid.dtype)
    np.moveaxis(spread, axis, 0)[::2] = np.moveaxis(grid, axis, 0)
    return spread
