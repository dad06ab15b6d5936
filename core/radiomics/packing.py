"""Regions laid one after another in a line, so that one call meets all."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .regions import Region
from .settings import RadiomicSettings

IntArray = np.ndarray[Any, np.dtype[Any]]
Step = tuple[int, int, int]
"""From a voxel to a neighbour: (z, y, x)."""

INT32_MOST = int(np.iinfo(np.int32).max)
"""Division in 32 bits takes a fifth of the time."""


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
        (3, voxel) int32 z, y and x of each voxel in its box.
    counts
        (region,) voxels of each region.
    values
        (voxel,) float64 what the image holds there.
    longest_side
        Of all boxes: no straight line holds more voxels of a region.
    """

    pitch: tuple[int, int]
    lead: int
    blocks: Tensor
    voxels: Tensor
    within: Tensor
    counts: Tensor
    values: Tensor
    longest_side: int

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
        """(voxel,) int32 which region each voxel belongs to."""
        numbers = torch.arange(self.regions, dtype=torch.int32, device=self.counts.device)
        return numbers.repeat_interleave(self.counts)

    def moved(self, step: Step) -> int:
        """Give how far along the line a step goes."""
        z, y, x = step
        return z * self.pitch[0] + y * self.pitch[1] + x

    def line(self, of_voxels: Tensor, spare: int = 0) -> Tensor:
        """Lay what voxels hold in the line, 0 elsewhere, with `spare` more places at its end."""
        line = of_voxels.new_zeros(self.length + 2 * self.lead + spare)
        return line.scatter_(0, self.voxels, of_voxels)

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
    held = [np.flatnonzero(region.mask) for region in regions]
    counts = np.array([len(one) for one in held])
    voxels, values = np.empty(counts.sum(), dtype=np.int64), np.empty(counts.sum())
    within = np.empty((3, counts.sum()), dtype=np.int32)
    end = 0
    for region, place, start in zip(regions, held, first.tolist(), strict=True):
        part = slice(end, end := end + len(place))
        np.take(region.values, place, out=values[part], mode="clip")  # "raise" would copy
        _lay(place, region.mask.shape, pitch, voxels[part], within[:, part])
        voxels[part] += start
    return Packed(
        pitch=pitch,
        lead=lead,
        blocks=torch.from_numpy(blocks).to(device),
        voxels=torch.from_numpy(voxels).to(device),
        within=torch.from_numpy(within).to(device),
        counts=torch.from_numpy(counts).to(device),
        values=torch.from_numpy(values).to(device),
        longest_side=int(sizes.max()),
    )


def _lay(
    place: IntArray,
    shape: tuple[int, ...],
    pitch: tuple[int, int],
    voxels: IntArray,
    within: IntArray,
) -> None:
    """Write where places in a box lie in the line, and z, y and x: by division, not `nonzero`.

    Region by region, so that what is needed on the way stays in the processor's cache.
    """
    deep, high, wide = shape
    narrow = place.astype(np.int32) if deep * high * wide <= INT32_MOST else place
    row = narrow // wide
    np.subtract(narrow, row * wide, out=within[2], casting="same_kind")
    np.multiply(row, pitch[1] - wide, out=voxels)
    voxels += place
    if deep == 1:
        within[0], within[1] = 0, row
        return
    plane = row // high
    within[0] = plane
    np.subtract(row, plane * high, out=within[1], casting="same_kind")
    voxels += plane.astype(np.int64) * (pitch[0] - high * pitch[1])


def narrowest(highest: int) -> torch.dtype:
    """Give the smallest type that holds whole numbers up to it: less memory is less time."""
    kinds = (torch.uint8, torch.int16, torch.int32)
    return next((kind for kind in kinds if highest <= torch.iinfo(kind).max), torch.int64)


def steps(distances: Sequence[int], settings: RadiomicSettings, *, flat: bool) -> tuple[Step, ...]:
    """Give the steps to neighbours whose longest part is one of `distances`, one of each pair.

    Of a step and its reverse the first in order is kept: 13 in a volume, 4 in a plane for
    distance 1 (PyRadiomics, `generate_angles`).
    """
    still = 0 if flat else settings.force_2d_axis if settings.force_2d else None
    return _steps(tuple(distances), still)


@lru_cache(maxsize=32)
def _steps(distances: tuple[int, ...], still: int | None) -> tuple[Step, ...]:
    reach = range(-max(distances), max(distances) + 1)
    every = [(z, y, x) for z in reach for y in reach for x in reach if (z, y, x) > (0, 0, 0)]
    return tuple(
        step
        for step in every
        if max(abs(part) for part in step) in distances and (still is None or step[still] == 0)
    )
