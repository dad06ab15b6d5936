"""How much voxels differ from the mean of their neighbours (NGTDM)."""

import torch
from torch import Tensor

from .neighbours import Levels, Neighbourhood

COARSENESS_OF_NOTHING = 1e6
"""PyRadiomics' coarseness where no voxel differs from its neighbours."""


def grey_tone_difference(levels: Levels, around: Neighbourhood, regions: int) -> dict[str, Tensor]:
    """Measure differences to the neighbourhood; definitions as in PyRadiomics' `ngtdm`.

    A voxel without neighbours counts with a difference of 0, as in PyRadiomics (IBSI leaves it
    out).
    """
    share = levels.counts[:, 1:] / levels.counts[:, 1:].sum(dim=1, keepdim=True)
    apart = _apart(levels, around, regions)
    grey, number = levels.table[:, 1:], levels.counts[:, 1:].sum(dim=1)
    there = share > 0
    both = there[:, :, None] & there[:, None, :]
    between = grey[:, :, None] - grey[:, None, :]
    shares = share[:, :, None] + share[:, None, :]
    uneven = (share * apart).sum(dim=1)
    weighted = grey * share
    swing = ((weighted[:, :, None] - weighted[:, None, :]).abs() * both).sum(dim=(1, 2))
    parts = share * apart
    mixed = (parts[:, :, None] + parts[:, None, :]) / torch.where(both, shares, 1) * both
    strength = (shares * between**2 * both).sum(dim=(1, 2))
    spread = (share[:, :, None] * share[:, None, :] * between**2).sum(dim=(1, 2))
    kinds = there.sum(dim=1)
    return {
        "Coarseness": _over(torch.ones_like(uneven), uneven, COARSENESS_OF_NOTHING),
        "Busyness": _over(uneven, swing, 0.0),
        "Complexity": (between.abs() * mixed).sum(dim=(1, 2)) / number,
        "Strength": _over(strength, apart.sum(dim=1), 0.0),
        "Contrast": _over(spread * apart.sum(dim=1) / number, kinds * (kinds - 1), 0.0),
    }


def _apart(levels: Levels, around: Neighbourhood, regions: int) -> Tensor:
    """(region, rank) sum of the differences of each level's voxels to their neighbours' mean."""
    seen = around.seen.to(torch.float64)
    # |grey - sum / seen|, and 0 where nothing was seen
    apart = (levels.grey * seen).sub_(around.summed).abs_().div_(seen.clamp_(min=1))
    found = torch.bincount(levels.code, apart, minlength=regions * levels.width)
    return found.view(regions, -1)[:, 1:].to(levels.table.dtype)


def _over(top: Tensor, bottom: Tensor, otherwise: float) -> Tensor:
    return torch.where(bottom == 0, otherwise, top / torch.where(bottom == 0, 1, bottom))
