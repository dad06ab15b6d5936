"""Features of matrices that count things by grey level and size: runs, zones, dependences."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .firstorder import EPSILON
from .segments import places

DENSE_MOST = 1 << 24
"""Up to this many cells are counted in place; beyond, only those that occur."""


@dataclass(frozen=True)
class Counted:
    """Cells of matrices that are not 0.

    Parameters
    ----------
    row
        (cell,) which matrix.
    rank
        (cell,) number of the grey level within its region.
    grey
        (cell,) the grey level.
    size
        (cell,) length of a run, voxels of a zone, or dependent voxels.
    count
        (cell,) how many there are.
    """

    row: Tensor
    rank: Tensor
    grey: Tensor
    size: Tensor
    count: Tensor


def count(code: Tensor, size: Tensor, table: Tensor) -> Counted:
    """Count things of equal region, level and size.

    Parameters
    ----------
    code
        (thing,) region x width + rank, as in `Levels`.
    size
        (thing,) whole numbers from 1.
    table
        (region, width) the grey level of each rank.
    """
    sizes = int(size.max()) + 1
    cells, counts = tally(keyed(code, size, sizes, table.numel()), table.numel() * sizes)
    level = cells // sizes
    row = level // table.shape[1]
    return told(row, level - row * table.shape[1], cells - level * sizes, counts, table, 1)


def keyed(code: Tensor, size: Tensor, sizes: int, codes: int) -> Tensor:
    """One number for a code and a size below `sizes`, in 32 bits where these do."""
    wide = torch.int64 if codes * sizes > torch.iinfo(torch.int32).max else torch.int32
    return (code.to(wide) * sizes).add_(size)


def told(
    row: Tensor, rank: Tensor, size: Tensor, counts: Tensor, table: Tensor, rows_each: int
) -> Counted:
    """Give cells their grey levels; `rows_each` rows follow each region of `table`."""
    grey = table[row // rows_each, rank]
    return Counted(row, rank, grey, size.to(table.dtype), counts.to(table.dtype))


def keep_rows(counted: Counted, kept: Tensor) -> Counted:
    """Keep the cells of the rows that `kept` (row,) holds."""
    if kept.all():
        return counted
    cells = places(kept.index_select(0, counted.row))
    parts = (counted.row, counted.rank, counted.grey, counted.size, counted.count)
    return Counted(*(part.index_select(0, cells) for part in parts))


def tally(key: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Count whole numbers below `cells`: those that occur, in order, and how often."""
    if cells <= DENSE_MOST:
        counts = torch.bincount(key, minlength=cells)
        found = places(counts > 0)
        return found, counts.index_select(0, found)
    found, counts = key.unique(return_counts=True)  # type: ignore[no-untyped-call]
    return found, counts


def emphasis(counted: Counted, rows: int) -> dict[str, Tensor]:
    """Measure matrices by grey level and size; (row,) by a name in words of size.

    The sixteen sums of run-length, size-zone and dependence matrices (PyRadiomics' `glrlm`,
    `glszm`, `gldm`) are one set of formulas; a row without entries is NaN.
    """
    number = _by_row(counted.count, counted, rows)
    number = torch.where(number == 0, torch.nan, number)
    share = counted.count / number[counted.row]
    grey2, size2 = counted.grey**2, counted.size**2
    weights = {
        "small": 1 / size2,
        "large": size2,
        "low": 1 / grey2,
        "high": grey2,
        "small_low": 1 / (size2 * grey2),
        "small_high": grey2 / size2,
        "large_low": size2 / grey2,
        "large_high": size2 * grey2,
    }
    empty = number * 0  # 0, and NaN where there is nothing
    sums = {name: _by_row(share * weight, counted, rows) for name, weight in weights.items()}
    return {
        **{name: found + empty for name, found in sums.items()},
        **_uniformity("grey", counted.rank, counted, number),
        **_uniformity("size", counted.size.long(), counted, number),
        "grey_variance": _variance(counted.grey, share, counted, rows) + empty,
        "size_variance": _variance(counted.size, share, counted, rows) + empty,
        "entropy": -_by_row(share * (share + EPSILON).log2(), counted, rows) + empty,
        "percentage": number / _by_row(counted.count * counted.size, counted, rows),
    }


def _by_row(values: Tensor, counted: Counted, rows: int) -> Tensor:
    return values.new_zeros(rows).index_add_(0, counted.row, values)


def _uniformity(name: str, part: Tensor, counted: Counted, number: Tensor) -> dict[str, Tensor]:
    """Sum over levels (or sizes) of the square of how many there are, over how many in all."""
    most = int(part.max()) + 1
    keys = counted.row * most + part
    if len(number) * most <= DENSE_MOST:
        there = torch.bincount(keys, counted.count, minlength=len(number) * most)
        squares = there.view(len(number), most).square().sum(dim=1).to(number.dtype)
    else:
        key, place = keys.unique(return_inverse=True)  # type: ignore[no-untyped-call]
        there = counted.count.new_zeros(len(key)).index_add_(0, place, counted.count)
        squares = torch.zeros_like(number).index_add_(0, key // most, there * there)
    return {f"{name}_uniformity": squares / number, f"{name}_share": squares / number**2}


def _variance(values: Tensor, share: Tensor, counted: Counted, rows: int) -> Tensor:
    centre = _by_row(share * values, counted, rows)
    return _by_row(share * (values - centre[counted.row]) ** 2, counted, rows)
