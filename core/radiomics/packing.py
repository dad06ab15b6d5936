"""Regions laid one after another in a line, so that one call meets all."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .regions import Region
from .settings import RadiomicSettings

IntArray = np.ndarray[Any, np.dtype[np.int64]]
Step = tuple[int, int, int]
"""From a voxel to a neighbour: (z, y, x)."""


@dataclass(frozen=True)
class Packed:
    """Boxes of regions in a line: their rows are of one length, and in a volume their planes too.

    After each row (and plane) and before each box there is a rim of nothing. A step to a
    neighbour is then one distance along the line for all of them, and never leads from one box
    into another, nor from one end of a row into the next.

    Parameters
    ----------
    pitch
        Places from a plane to the next and from a row to the next; flat pictures follow each
        other row by row.
    lead
        Places of nothing before the first box and after the last one: the longest step.
    blocks
        (region,) places of each box, with the rim before it.
    voxels
        (voxel,) place of each voxel of a region, region after region.
    within
        (3, voxel) z, y and x of each voxel in its box.
    counts
        (region,) voxels of each region.
    """

    pitch: tuple[int, int]
    lead: int
    blocks: Tensor
    voxels: Tensor
    within: Tensor
    counts: Tensor

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return len(self.counts)

    @cached_property
    def length(self) -> int:
        """Places of the boxes, without the leads."""
        return int(self.blocks.sum())

    @property
    def core(self) -> slice:
        """The line without its leads."""
        return slice(self.lead, self.lead + self.length)

    @cached_property
    def owner(self) -> Tensor:
        """(voxel,) which region each voxel belongs to."""
        numbers = torch.arange(self.regions, device=self.counts.device)
        return numbers.repeat_interleave(self.counts)

    def moved(self, step: Step) -> int:
        """Give how far along the line a step goes."""
        z, y, x = step
        return z * self.pitch[0] + y * self.pitch[1] + x

    def line(self, of_voxels: Tensor) -> Tensor:
        """Lay what voxels hold in the line, 0 elsewhere."""
        return of_voxels.new_zeros(self.length + 2 * self.lead).scatter_(0, self.voxels, of_voxels)

    def grid(self, line: Tensor) -> Tensor:
        """Give the boxes on one grid: (row, x) of flat pictures, (plane, y, x) of volumes."""
        planes = line[self.core]
        if self.pitch[0] == 0:
            return planes.view(-1, self.pitch[1])
        return planes.view(-1, self.pitch[0] // self.pitch[1], self.pitch[1])


def pack(regions: Sequence[Region], rim: int, device: torch.device) -> Packed:
    """Lay regions in a line; `rim` is the longest step that will be taken along an axis."""
    flat = regions[0].flat
    sizes = np.array([region.mask.shape for region in regions])
    high, wide = (int(size) for size in sizes[:, 1:].max(axis=0) + rim)
    pitch = (0, wide) if flat else (high * wide, wide)
    lead = rim * (pitch[0] + pitch[1] + 1)
    blocks = (sizes[:, 1] + rim) * wide if flat else (sizes[:, 0] + rim) * pitch[0]
    first = lead + blocks.cumsum() - blocks + rim * (wide if flat else pitch[0])
    within = [_within(region) for region in regions]
    counts = np.array([part.shape[1] for part in within])
    every = np.concatenate(within, axis=1)
    voxels = first.repeat(counts) + every[0] * pitch[0] + every[1] * wide + every[2]
    parts = (torch.from_numpy(part).to(device) for part in (blocks, voxels, every, counts))
    return Packed(pitch, lead, *parts)


def _within(region: Region) -> IntArray:
    """(3, voxel) z, y and x of each voxel of a region, by division: faster than `nonzero`."""
    _, high, wide = region.mask.shape
    place = np.flatnonzero(region.mask)
    row = place // wide
    plane = row // high
    return np.stack((plane, row - plane * high, place - row * wide))


def narrowest(highest: int) -> torch.dtype:
    """Give the smallest type that holds whole numbers up to it: less memory is less time."""
    return torch.int16 if highest <= torch.iinfo(torch.int16).max else torch.int32


def steps(distances: Sequence[int], settings: RadiomicSettings, *, flat: bool) -> tuple[Step, ...]:
    """Give the steps to neighbours whose longest part is one of `distances`, one of each pair.

    Of a step and its reverse the first in order is kept: 13 in a volume, 4 in a plane for
    distance 1 (PyRadiomics, `generate_angles`).
    """
    reach = range(-max(distances), max(distances) + 1)
    still = 0 if flat else settings.force_2d_axis if settings.force_2d else None
    every = [(z, y, x) for z in reach for y in reach for x in reach if (z, y, x) > (0, 0, 0)]
    return tuple(
        step
        for step in every
        if max(abs(part) for part in step) in distances and (still is None or step[still] == 0)
    )
