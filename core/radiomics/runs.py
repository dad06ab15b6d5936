"""Runs of one grey level along straight lines (GLRLM)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .counted import Counted, keep_rows, keyed, tally, told
from .neighbours import Levels
from .packing import Packed, Step, narrowest
from .segments import places


def runs(packed: Packed, levels: Levels, steps: Sequence[Step]) -> Counted:
    """Count runs by level and length in each direction.

    Parameters
    ----------
    packed, levels
        The regions and their levels.
    steps
        One of each pair of opposite steps; each to a voxel that touches.

    Returns
    -------
    Cells with row region x direction. A direction in which no line of a region holds two of its
    voxels has no entries: PyRadiomics takes the region as flat along it.
    """
    codes, lengths = levels.table.numel(), packed.longest_side + 2
    moves = [packed.moved(step) for step in steps]
    code = packed.line(levels.code.to(narrowest(codes)), max(moves))
    keys = []
    for number, moved in enumerate(moves):
        of_run, length = _runs_along(code, moved)
        key = keyed(of_run, length.clamp_(max=lengths - 1), lengths, codes * len(steps))
        keys.append(key.add_(number * codes * lengths))
    cells, counts = tally(torch.cat(keys), len(steps) * codes * lengths)
    of_cell = cells // lengths
    direction = of_cell // codes
    of_cell -= direction * codes
    region = of_cell // levels.width
    rank, length = of_cell - region * levels.width, cells % lengths
    inside = places(rank > 0)  # code 0 is outside
    row = region * len(steps) + direction
    row, rank, length, counts = (
        part.index_select(0, inside) for part in (row, rank, length, counts)
    )
    found = told(row, rank, length, counts, levels.table, len(steps))
    return keep_rows(found, _moving(found, packed, code > 0, steps))


def _runs_along(code: Tensor, moved: int) -> tuple[Tensor, Tensor]:
    """Level's code and length of each run of equal codes that stand `moved` places apart.

    Laid in rows of `moved` places and read column by column, the line goes on from each place to
    its neighbour; the leads at both ends part one column from the next. What is outside the
    regions has runs too, of code 0.
    """
    rows = len(code) // moved
    along = code[: rows * moved].view(rows, moved).t().reshape(-1)
    ends = places(along[1:] != along[:-1])
    length = ends.to(torch.int32)
    length[1:] -= length[:-1].clone()
    return along.index_select(0, ends), length


def _moving(found: Counted, packed: Packed, inside: Tensor, steps: Sequence[Step]) -> Tensor:
    """Tell for each row whether some line of the region holds two of its voxels, (row,).

    A run of two voxels settles it, and two voxels that touch; only rows without any are looked at
    line by line.
    """
    long = found.row.index_select(0, places(found.size > 1))
    moving = torch.bincount(long, minlength=packed.regions * len(steps)) > 0
    moving = moving.view(packed.regions, len(steps))
    for number in places(~moving.all(dim=0)).tolist():
        touching = inside.index_select(0, packed.voxels + packed.moved(steps[number]))
        moving[packed.owner[touching], number] = True
        for region in places(~moving[:, number]).tolist():
            within = packed.within[:, packed.owner == region]
            moving[region, number] = _shares_a_line(within, steps[number])
    return moving.view(-1)


def _shares_a_line(within: Tensor, step: Step) -> bool:
    """Tell whether two voxels (3, voxel) lie on one line: sliding back along it they meet."""
    axis = next(axis for axis, part in enumerate(step) if part)
    along = within[axis] * step[axis]
    slid = within - along * torch.tensor(step, device=within.device)[:, None]
    lines = slid.unique(dim=1)  # type: ignore[no-untyped-call]
    return int(lines.shape[1]) < within.shape[1]
