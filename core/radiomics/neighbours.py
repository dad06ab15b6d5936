"""One walk over all directions: pairs of levels, dependent neighbours, mean of the neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .packing import Packed, Step, narrowest


@dataclass(frozen=True)
class Levels:
    """Grey levels of the voxels of packed regions.

    Parameters
    ----------
    grey
        (voxel,) PyRadiomics' number of the level, from 1.
    rank
        (voxel,) number among the levels that the region has, from 1.
    table
        (region, rank + 1) grey level of each rank as a float, 0 where there is none and at 0.
    counts
        (region, rank + 1) voxels of each rank.
    """

    grey: Tensor
    rank: Tensor
    table: Tensor
    counts: Tensor

    @property
    def width(self) -> int:
        """Ranks of the region with most of them, and one for what is outside."""
        return self.table.shape[1]


@dataclass(frozen=True)
class Neighbourhood:
    """What a walk over the neighbours of every voxel counted.

    Parameters
    ----------
    pairs
        (region, direction, rank, rank) how often a step leads from one level to another.
    dependent
        (voxel,) neighbours whose level is close to the voxel's.
    seen
        (voxel,) neighbours inside the region.
    summed
        (voxel,) sum of their grey levels.
    """

    pairs: Tensor
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
    return Levels(grey, place.view(-1)[key], table, of_rank.to(dtype))


def walk(packed: Packed, levels: Levels, steps: Sequence[Step], alpha: int) -> Neighbourhood:
    """Look from each voxel along each step and its reverse.

    Parameters
    ----------
    packed
        The regions, with a rim of at least the longest step.
    levels
        Their grey levels.
    steps
        One of each pair of opposite steps.
    alpha
        Largest difference at which a neighbour counts as dependent.
    """
    reach = max(packed.moved(step) for step in steps)
    highest = int(levels.table.max())
    grey = packed.line(levels.grey.to(narrowest(2 * len(steps) * highest)), reach)
    inside = (grey > 0).to(torch.uint8)
    rank = packed.line(levels.rank.to(narrowest(levels.width)), reach)
    core = slice(reach, reach + packed.length)
    from_rank = _first_cells(packed, levels.width).add_(rank[core], alpha=levels.width)
    dependent, seen, summed = (torch.zeros_like(one) for one in (inside, inside, grey))
    pairs = []
    for step in steps:
        moved = packed.moved(step)
        ahead = slice(reach + moved, reach + moved + packed.length)
        pairs.append(_pairs(from_rank + rank[ahead], packed.regions, levels.width))
        close = _close(grey[core], grey[ahead], alpha)
        for here, there in ((core, ahead), (ahead, core)):
            dependent[here] += close
            seen[here] += inside[there]
            summed[here] += grey[there]
    found = (part[core][packed.voxels].long() for part in (dependent, seen, summed))
    return Neighbourhood(torch.stack(pairs, dim=1), *found)


def _first_cells(packed: Packed, width: int) -> Tensor:
    """(place,) the first cell of its region's matrix."""
    numbers = torch.arange(packed.regions, dtype=torch.int32, device=packed.voxels.device)
    first = numbers * width**2
    return first.repeat_interleave(packed.box_places)


def _pairs(key: Tensor, regions: int, width: int) -> Tensor:
    """(region, rank, rank) how often each pair of ranks occurs, without what is outside."""
    counts = torch.bincount(key, minlength=regions * width**2)
    return counts.view(regions, width, width)[:, 1:, 1:]


def _close(here: Tensor, there: Tensor, alpha: int) -> Tensor:
    """(place,) 1 where two levels are near; right wherever one of the two is inside."""
    if alpha == 0:
        return (here == there).to(torch.uint8)
    near = ((here - there).abs_() <= alpha) & (here > 0) & (there > 0)
    return near.to(torch.uint8)
