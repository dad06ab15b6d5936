"""Boxes of one image pasted into another, with their labels: CutMix and copy-paste."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor


def box_masks(
    batch: int, size: Sequence[int], generator: Generator, least: float = 0.25, most: float = 0.5
) -> Tensor:
    """One random box an image, (batch, *size), True inside.

    Its share of the volume is drawn from `least` ... `most`, within the rounding to whole pixels;
    its sides vary, and it lies whole inside.
    """
    share = least + (most - least) * _uniform(batch, 1, generator)
    split = 0.5 + _uniform(batch, len(size), generator)
    wanted = share ** (split / split.sum(1, keepdim=True))
    return _boxes(_whole_sides(wanted, share, size), size, generator)


def _whole_sides(wanted: Tensor, share: Tensor, size: Sequence[int]) -> Tensor:
    """Sides in pixels, (batch, axis): the last makes up for the rounding of the others."""
    lengths = torch.tensor(size)
    sides = (wanted * lengths).round().clamp_min(1)
    others = (sides / lengths)[:, :-1].prod(1, keepdim=True)
    sides[:, -1:] = (share / others * lengths[-1]).round().clamp_min(1)
    return sides.minimum(lengths.to(sides))


def border_kept_masks(
    batch: int, size: Sequence[int], generator: Generator, side_share: float = 2 / 3
) -> Tensor:
    """One box an image at a random place, (batch, *size), True inside; outside the border stays.

    Bai et al., "Bidirectional copy-paste", CVPR 2023: each side of the box is `side_share` of
    the image's.
    """
    sides = (side_share * torch.tensor(size, dtype=torch.float64)).round().clamp_min(1)
    return _boxes(sides.expand(batch, -1), size, generator)


def _boxes(sides: Tensor, size: Sequence[int], generator: Generator) -> Tensor:
    """Boxes with these sides (batch, axis) at random places."""
    room = torch.tensor(size) - sides + 1
    first = (_uniform(len(sides), len(size), generator) * room).floor()
    mask = torch.ones(len(sides), *size, dtype=torch.bool)
    for axis, length in enumerate(size):
        at = torch.arange(length)
        start, side = first[:, axis : axis + 1], sides[:, axis : axis + 1]
        inside = (at >= start) & (at < start + side)
        mask &= inside.reshape(len(sides), *(-1 if k == axis else 1 for k in range(len(size))))
    return mask


def _uniform(rows: int, columns: int, generator: Generator) -> Tensor:
    """Draw (row, column) from 0 ... 1."""
    return torch.rand(rows, columns, generator=generator, dtype=torch.float64)


def mix(first: Tensor, second: Tensor, mask: Tensor) -> Tensor:
    """`second` where the mask is True, else `first`.

    Parameters
    ----------
    first, second
        Images (batch, channel, *space), or labels and confidences (batch, *space).
    mask
        (batch, *space).
    """
    chosen = mask.to(first.device)
    return torch.where(chosen if first.ndim == mask.ndim else chosen.unsqueeze(1), second, first)
