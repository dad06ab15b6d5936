"""Regions of different size laid one after another in a line, so that one call meets all."""

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
    """Boxes of regions in a line, each with a rim of nothing, so that no step leaves its box.

    Parameters
    ----------
    length
        Places in the line.
    voxels
        (voxel,) place of each voxel of a region, region after region.
    counts
        (region,) voxels of each region.
    strides
        (region, 3) places between neighbours along (z, y, x).
    boxes
        (region, 3) size of each box with its rim.
    starts
        (region,) first place of each box.
    """

    length: int
    voxels: Tensor
    counts: Tensor
    strides: Tensor
    boxes: Tensor
    starts: Tensor

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return len(self.counts)

    @cached_property
    def owner(self) -> Tensor:
        """(voxel,) which region each voxel belongs to."""
        numbers = torch.arange(self.regions, device=self.counts.device)
        return numbers.repeat_interleave(self.counts)

    @cached_property
    def places(self) -> Tensor:
        """(3, voxel) z, y and x of each voxel in its box."""
        rest = self.voxels - self.starts[self.owner]
        strides = self.strides[self.owner]
        z = rest // strides[:, 0]
        rest = rest - z * strides[:, 0]
        y = rest // strides[:, 1]
        return torch.stack((z, y, rest - y * strides[:, 1]))

    def moved(self, step: Step) -> Tensor:
        """(voxel,) how far along the line a step goes."""
        along = self.strides @ torch.tensor(step, device=self.strides.device)
        return along.repeat_interleave(self.counts)

    def line(self, of_voxels: Tensor) -> Tensor:
        """(place,) what the voxels hold, and 0 everywhere else."""
        line = of_voxels.new_zeros(self.length)
        line[self.voxels] = of_voxels
        return line


def pack(regions: Sequence[Region], rim: int, device: torch.device) -> Packed:
    """Lay regions in a line; `rim` is the longest step that will be taken."""
    boxes = np.array([region.mask.shape for region in regions], dtype=np.int64) + 2 * rim
    starts = np.concatenate([[0], np.cumsum(boxes.prod(axis=1))])
    voxels = [_inside(region, rim) + start for region, start in zip(regions, starts, strict=False)]
    strides = np.stack([boxes[:, 1] * boxes[:, 2], boxes[:, 2], np.ones(len(boxes), int)], axis=1)
    spare = int(strides.sum(axis=1).max())  # the far corner of a cube at the last place
    return Packed(
        length=int(starts[-1]) + spare,
        voxels=torch.from_numpy(np.concatenate(voxels)).to(device),
        counts=torch.tensor([len(one) for one in voxels], device=device),
        strides=torch.from_numpy(strides).to(device),
        boxes=torch.from_numpy(boxes).to(device),
        starts=torch.from_numpy(starts[:-1]).to(device),
    )


def _inside(region: Region, rim: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    padded = np.pad(region.mask, rim)
    return np.flatnonzero(padded)


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
