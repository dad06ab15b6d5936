"""Regions of like size laid one after another in a line, so that one call meets all."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from .regions import Region
from .settings import RadiomicSettings

Step = tuple[int, int, int]
"""From a voxel to a neighbour: (z, y, x)."""


@dataclass(frozen=True)
class Packed:
    """Boxes of regions in a line, all of one size, each with a rim of nothing.

    A step to a neighbour is then one distance along the line for all of them, and never leads
    from one box into the inside of another.

    Parameters
    ----------
    box
        (z, y, x) size of each box with its rim.
    voxels
        (voxel,) place of each voxel of a region, region after region.
    counts
        (region,) voxels of each region.
    """

    box: tuple[int, int, int]
    voxels: Tensor
    counts: Tensor

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return len(self.counts)

    @property
    def box_places(self) -> int:
        """Places of one box."""
        return self.box[0] * self.box[1] * self.box[2]

    @property
    def length(self) -> int:
        """Places of the line."""
        return self.regions * self.box_places

    @cached_property
    def owner(self) -> Tensor:
        """(voxel,) which region each voxel belongs to."""
        numbers = torch.arange(self.regions, device=self.counts.device)
        return numbers.repeat_interleave(self.counts)

    def places_of(self, region: int) -> Tensor:
        """Give z, y and x in the box of each voxel of one region, (3, voxel)."""
        rest = self.voxels[self.owner == region] - region * self.box_places
        _, y, x = self.box
        return torch.stack((rest // (y * x), rest // x % y, rest % x))

    def moved(self, step: Step) -> int:
        """Give how far along the line a step goes."""
        z, y, x = step
        return (z * self.box[1] + y) * self.box[2] + x

    def line(self, of_voxels: Tensor, spare: int = 0) -> Tensor:
        """Lay what voxels hold in the line, 0 elsewhere, with `spare` places before and after."""
        line = of_voxels.new_zeros(self.length + 2 * spare)
        line[self.voxels + spare] = of_voxels
        return line


def pack(regions: Sequence[Region], rim: int, device: torch.device) -> Packed:
    """Lay regions in a line; `rim` is the longest step that will be taken."""
    largest = np.max([region.mask.shape for region in regions], axis=0) + 2 * rim
    high, wide, deep = (int(size) for size in largest)
    voxels = []
    for number, region in enumerate(regions):
        z, y, x = np.nonzero(region.mask)
        place = ((number * high + z + rim) * wide + y + rim) * deep + x + rim
        voxels.append(place)
    return Packed(
        box=(high, wide, deep),
        voxels=torch.from_numpy(np.concatenate(voxels)).to(device),
        counts=torch.tensor([len(one) for one in voxels], device=device),
    )


def narrowest(most: int) -> torch.dtype:
    """Give the smallest type that holds whole numbers up to `most`: less memory is less time."""
    return torch.int16 if most <= torch.iinfo(torch.int16).max else torch.int32


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
