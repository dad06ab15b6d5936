"""Runs of one grey level along straight lines (GLRLM)."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from .counted import Counted, count
from .neighbours import Levels
from .packing import Packed, Step


def runs(packed: Packed, levels: Levels, steps: Sequence[Step]) -> Counted:
    """Count runs by level and length in each direction.

    Returns
    -------
    Cells with row region x direction. A direction in which no line of a region holds two of its
    voxels has no entries: PyRadiomics takes the region as flat along it.
    """
    table = levels.table
    rows = packed.regions * len(steps)
    parts = list(_every_direction(packed, levels, steps))
    row, rank, length = (torch.cat(part) for part in zip(*parts, strict=True))
    return count(row, rank, length, rows, table)


def _every_direction(
    packed: Packed, levels: Levels, steps: Sequence[Step]
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    grey = packed.line(levels.grey.int())
    for number, step in enumerate(steps):
        moved = packed.moved(step)
        ahead, behind = grey[packed.voxels + moved], grey[packed.voxels - moved]
        own = levels.grey.int()
        begins = (behind != own).nonzero()[:, 0]
        kept = ~_flat_along(packed, step, ahead > 0)
        begins = begins[kept[packed.owner[begins]]]
        goes_on = (ahead == own)[begins]
        length = _lengths(grey, packed.voxels[begins], moved[begins], goes_on)
        yield packed.owner[begins] * len(steps) + number, levels.rank[begins], length


def _lengths(grey: Tensor, first: Tensor, moved: Tensor, goes_on: Tensor) -> Tensor:
    """Follow each run to its end; each round looks only at those that go on."""
    length = torch.ones_like(first)
    on = goes_on.nonzero()[:, 0]
    place, stride = first[on] + moved[on], moved[on]
    while len(on):
        length[on] += 1
        following = place + stride
        same = grey[following] == grey[place]
        on, place, stride = on[same], following[same], stride[same]
    return length


def _flat_along(packed: Packed, step: Step, has_neighbour: Tensor) -> Tensor:
    """Tell which regions have no two voxels on one line along `step`, (region,).

    Voxels side by side settle it; only regions without any are looked at line by line.
    """
    touching = torch.zeros(packed.regions, dtype=torch.bool, device=has_neighbour.device)
    touching[packed.owner[has_neighbour]] = True
    for region in (~touching).nonzero()[:, 0].tolist():
        places = packed.places[:, packed.owner == region]
        touching[region] = _shares_a_line(places, step)
    return ~touching


def _shares_a_line(places: Tensor, step: Step) -> bool:
    """Tell whether two places (3, voxel) lie on one line: sliding back along it they meet."""
    axis = next(axis for axis, part in enumerate(step) if part)
    along = places[axis] * step[axis]
    slid = places - along * torch.tensor(step, device=places.device)[:, None]
    lines = slid.unique(dim=1)  # type: ignore[no-untyped-call]
    return int(lines.shape[1]) < places.shape[1]
