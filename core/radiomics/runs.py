"""Runs of one grey level along straight lines (GLRLM)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .counted import Counted, keep_rows, told
from .neighbours import Levels
from .packing import Packed, Step, narrowest


def runs(packed: Packed, levels: Levels, steps: Sequence[Step]) -> Counted:
    """Count runs by level and length in each direction.

    Returns
    -------
    Cells with row region x direction. A direction in which no line of a region holds two of its
    voxels has no entries: PyRadiomics takes the region as flat along it.
    """
    narrow = narrowest(max(levels.width, *packed.box))
    grey = packed.line(levels.rank.to(narrow)).view(packed.regions, *packed.box)
    parts = []
    for number, step in enumerate(steps):
        axis = _first_axis(step)
        # The first moving axis leads; a neighbour one plane on is `slid` places along it.
        planes = grey.movedim(axis + 1, 0)
        rest = [size for place, size in enumerate(packed.box) if place != axis]
        still = [part for place, part in enumerate(step) if place != axis]
        flat = planes.reshape(planes.shape[0], packed.regions, -1)
        counts = _counted(flat, still[0] * rest[1] + still[1], levels.width)
        parts.append(_cells(counts, number, len(steps)))
    row, rank, length, counts = (torch.cat(part) for part in zip(*parts, strict=True))
    found = told(row, rank, length, counts, levels.table, len(steps))
    return keep_rows(found, _moving(found, packed, steps))


def _first_axis(step: Step) -> int:
    return next(axis for axis, part in enumerate(step) if part)


def _counted(planes: Tensor, slid: int, width: int) -> Tensor:
    """Count runs of one direction, (region, rank, length); rank 0 is what is outside.

    Parameters
    ----------
    planes
        (plane, region, place) ranks, with a rim of 0 all around each region.
    slid
        How many places further on in the next plane the line goes on.
    width
        Ranks and 1.
    """
    count_planes, regions, places = planes.shape
    spare = abs(slid)
    wide = torch.nn.functional.pad(planes.reshape(count_planes, -1), (spare, spare))
    core = slice(spare, spare + regions * places)
    onward = slice(core.start + slid, core.stop + slid)
    here = wide[:-1, core]
    goes_on = (here == wide[1:, onward]).to(planes.dtype)
    cell = here.to(torch.int32, memory_format=torch.contiguous_format, copy=True)
    cell *= count_planes
    cell += _lengths(goes_on, count_planes, core, onward, spare)
    first = torch.arange(regions, dtype=torch.int32, device=planes.device) * (width * count_planes)
    cell += first.repeat_interleave(places)
    cell *= 1 - goes_on  # only where a run ends; what is outside is rank 0 and left out later
    found = torch.bincount(cell.view(-1), minlength=regions * width * count_planes)
    return found.view(regions, width, count_planes)


def _lengths(goes_on: Tensor, count_planes: int, core: slice, onward: slice, spare: int) -> Tensor:
    """How long the run is that has come to each place, (plane, place), plane after plane."""
    length = goes_on.new_ones(count_planes, goes_on.shape[1] + 2 * spare)
    for plane in range(count_planes - 1):
        length[plane + 1, onward] += length[plane, core] * goes_on[plane]
    return length[:-1, core]


def _cells(counts: Tensor, number: int, steps: int) -> tuple[Tensor, ...]:
    region, rank, length = counts.nonzero(as_tuple=True)
    kept = rank > 0  # the rest is outside, or no end
    region, rank, length = region[kept], rank[kept], length[kept]
    return region * steps + number, rank, length, counts[region, rank, length]


def _moving(found: Counted, packed: Packed, steps: Sequence[Step]) -> Tensor:
    """Tell for each row whether some line of the region holds two of its voxels, (row,).

    A run of two voxels settles it; only rows without any are looked at line by line.
    """
    rows = packed.regions * len(steps)
    moving = torch.zeros(rows, dtype=torch.bool, device=found.row.device)
    moving[found.row[found.size > 1]] = True
    for row in (~moving).nonzero()[:, 0].tolist():
        places = packed.places_of(row // len(steps))
        moving[row] = _shares_a_line(places, steps[row % len(steps)])
    return moving


def _shares_a_line(places: Tensor, step: Step) -> bool:
    """Tell whether two places (3, voxel) lie on one line: sliding back along it they meet."""
    axis = _first_axis(step)
    along = places[axis] * step[axis]
    slid = places - along * torch.tensor(step, device=places.device)[:, None]
    lines = slid.unique(dim=1)  # type: ignore[no-untyped-call]
    return int(lines.shape[1]) < places.shape[1]
