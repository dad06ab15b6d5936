"""Neighbours in all directions: pairs of levels, dependent ones, the sum of their levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from .packing import Packed, Step, narrowest


@dataclass(frozen=True)
class Levels:
    """Grey levels of the voxels of packed regions.

    Parameters
    ----------
    grey
        (voxel,) int32 PyRadiomics' number of the level, from 1.
    code
        (voxel,) int32 region x width + number among the levels that the region has, from 1.
    table
        (region, rank + 1) grey level of each rank as a float, 0 where there is none and at 0.
    counts
        (region, rank + 1) voxels of each rank.
    """

    grey: Tensor
    code: Tensor
    table: Tensor
    counts: Tensor

    @property
    def width(self) -> int:
        """Ranks of the region with most of them, and one for what is outside."""
        return self.table.shape[1]

    @cached_property
    def highest(self) -> int:
        """Highest grey level of all."""
        return int(self.table.max())


@dataclass(frozen=True)
class Neighbourhood:
    """What stands around each voxel, in narrow whole numbers.

    Parameters
    ----------
    dependent
        (voxel,) neighbours whose level is close to the voxel's.
    seen
        (voxel,) neighbours inside the region.
    summed
        (voxel,) sum of their grey levels.
    """

    dependent: Tensor
    seen: Tensor
    summed: Tensor


def rank_levels(grey: Tensor, owner: Tensor, regions: int, dtype: torch.dtype) -> Levels:
    """Count the levels that each region has, and number them in order."""
    highest = int(grey.max()) + 1
    key = owner * highest + grey
    counts = torch.bincount(key, minlength=regions * highest).view(regions, highest)
    ranks = (counts > 0).long().cumsum(dim=1)
    width = int(ranks[:, -1].max()) + 1
    place = torch.where(counts > 0, ranks, 0)
    numbers = torch.arange(highest, device=grey.device).expand(regions, -1)
    table = torch.zeros(regions, width, dtype=dtype, device=grey.device)
    table.scatter_(1, place, torch.where(counts > 0, numbers, 0).to(dtype))
    of_rank = torch.zeros(regions, width, dtype=torch.long, device=grey.device)
    of_rank.scatter_add_(1, place, counts)
    table[:, 0] = 0
    first = torch.arange(regions, device=grey.device)[:, None] * width
    code = (first + place).to(torch.int32).view(-1).index_select(0, key)
    return Levels(grey, code, table, of_rank.to(dtype))


def pairs_along(packed: Packed, levels: Levels, steps: Sequence[Step]) -> Tensor:
    """Count which levels each step leads from and to, (region, direction, rank, rank).

    Parameters
    ----------
    packed
        The regions, with a rim of at least the longest step.
    levels
        Their grey levels.
    steps
        One of each pair of opposite steps.
    """
    width = levels.width
    rank = packed.line(levels.code - packed.owner * width)
    start = levels.code * width
    found = []
    for step in steps:
        ahead = rank.index_select(0, packed.voxels + packed.moved(step))
        found.append(torch.bincount(ahead.add_(start), minlength=packed.regions * width**2))
    pairs = torch.stack(found).view(len(steps), packed.regions, width, width)
    return pairs.transpose(0, 1)[:, :, 1:, 1:]


def look_around(packed: Packed, levels: Levels, steps: Sequence[Step], alpha: int) -> Neighbourhood:
    """Look from each voxel along each step and its reverse.

    Parameters
    ----------
    packed, levels, steps
        As for `pairs_along`.
    alpha
        Largest difference of levels at which a neighbour counts as dependent.
    """
    each_way = 2 * len(steps)
    kind = narrowest(each_way * levels.highest)
    signed = torch.int16 if alpha and kind == torch.uint8 else kind  # differences are taken
    grey = packed.line(levels.grey.to(signed))
    inside = (grey > 0).to(narrowest(each_way))
    dependent, seen, summed = (torch.zeros_like(one) for one in (inside, inside, grey))
    core = packed.core
    for step in steps:
        moved = packed.moved(step)
        ahead = slice(core.start + moved, core.stop + moved)
        close = _close(grey[core], grey[ahead], alpha)
        for here, there in ((core, ahead), (ahead, core)):
            dependent[here] += close
            seen[here] += inside[there]
            summed[here] += grey[there]
    parts = (part.index_select(0, packed.voxels) for part in (dependent, seen, summed))
    return Neighbourhood(*parts)


def _close(here: Tensor, there: Tensor, alpha: int) -> Tensor:
    """(place,) 1 where two levels are near; right wherever one of the two is inside."""
    if alpha == 0:
        return (here == there).view(torch.uint8)
    near = ((here - there).abs_() <= alpha) & (here > 0) & (there > 0)
    return near.view(torch.uint8)
