"""Which grey levels lie beside which: features of the co-occurrence matrix (GLCM)."""

from collections.abc import Mapping

import torch
from torch import Tensor

from .firstorder import EPSILON


def over_directions(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mean of each (region, direction) over the directions that have a value, (region,)."""
    means = torch.stack(list(found.values())).nanmean(dim=2)
    return dict(zip(found, means.unbind(), strict=True))


def co_occurrence(
    pairs: Tensor, table: Tensor, highest: Tensor, *, symmetrical: bool
) -> dict[str, Tensor]:
    """Measure co-occurrence; definitions as in PyRadiomics' `glcm`.

    Parameters
    ----------
    pairs
        (region, direction, rank, rank) counts, whole numbers.
    table
        (region, rank) grey level of each rank, 0 where a region has fewer.
    highest
        (region,) highest grey level.
    symmetrical
        Each pair counts in both orders.

    Returns
    -------
    (region,) by short name, the mean over the directions in which there are pairs; NaN where
    there is none.
    """
    counted = pairs.to(table.dtype)
    if symmetrical:
        counted = counted + counted.transpose(2, 3)
    sums = counted.sum(dim=(2, 3), keepdim=True)
    share = counted / torch.where(sums == 0, torch.nan, sums)
    grey = table.long()
    added = _gathered(share, grey[:, :, None] + grey[:, None, :])
    apart = _gathered(share, (grey[:, :, None] - grey[:, None, :]).abs())
    by_direction = {
        **_averages(share, table[:, None, :, None], table[:, None, None, :]),
        **_sums(added),
        **_differences(apart, highest[:, None, None]),
        **_information(share),
        "MCC": _correlation_coefficient(share, table, symmetrical=symmetrical),
    }
    return over_directions(by_direction)


def _sum(values: Tensor) -> Tensor:
    return values.sum(dim=(2, 3))


def _averages(share: Tensor, grey: Tensor, across: Tensor) -> dict[str, Tensor]:
    centre = (share * grey).sum(dim=(2, 3), keepdim=True)
    centre_across = (share * across).sum(dim=(2, 3), keepdim=True)
    return {
        "Autocorrelation": _sum(share * grey * across),
        "JointAverage": centre[:, :, 0, 0],
        "Correlation": _correlation(share, grey - centre, across - centre_across),
        "JointEnergy": _sum(share * share),
        "MaximumProbability": share.amax(dim=(2, 3)),
        "SumSquares": _sum(share * (grey - centre) ** 2),
    }


def _correlation(share: Tensor, apart: Tensor, apart_across: Tensor) -> Tensor:
    spread = (_sum(share * apart**2) * _sum(share * apart_across**2)).sqrt()
    together = _sum(share * apart * apart_across)
    return torch.where(spread == 0, 1, together / (spread + EPSILON)).where(
        ~spread.isnan(), torch.nan
    )


def _sums(added: Tensor) -> dict[str, Tensor]:
    """Features of how often two levels add up to a sum, (region, direction, sum)."""
    sums = torch.arange(added.shape[2], device=added.device)
    average = (added * sums).sum(dim=2, keepdim=True)
    away = sums - average
    square = added * away * away
    return {
        "SumAverage": average[:, :, 0],
        "SumEntropy": _entropy(added, (2,)),
        "ClusterTendency": square.sum(dim=2),
        "ClusterShade": (square * away).sum(dim=2),
        "ClusterProminence": (square * away * away).sum(dim=2),
    }


def _differences(apart: Tensor, highest: Tensor) -> dict[str, Tensor]:
    """Features of how often two levels lie so far apart, (region, direction, difference)."""
    far = torch.arange(apart.shape[2], device=apart.device).to(apart.dtype)
    square = far * far
    average = (apart * far).sum(dim=2, keepdim=True)
    return {
        "Contrast": (apart * square).sum(dim=2),
        "DifferenceAverage": average[:, :, 0],
        "DifferenceEntropy": _entropy(apart, (2,)),
        "DifferenceVariance": (apart * (far - average) ** 2).sum(dim=2),
        "Id": (apart / (1 + far)).sum(dim=2),
        "Idm": (apart / (1 + square)).sum(dim=2),
        "Idn": (apart / (1 + far / highest)).sum(dim=2),
        "Idmn": (apart / (1 + square / (highest * highest))).sum(dim=2),
        "InverseVariance": (apart * torch.where(far == 0, 0, 1 / square)).sum(dim=2),
    }


def _gathered(share: Tensor, key: Tensor) -> Tensor:
    """Sum the shares of equal keys (region, rank, rank): (region, direction, key)."""
    found = share.new_zeros(*share.shape[:2], int(key.max()) + 1)
    index = key[:, None].expand(share.shape).flatten(2)
    return found.scatter_add_(2, index, share.flatten(2))


def _entropy(share: Tensor, dim: tuple[int, ...]) -> Tensor:
    return -(share * (share + EPSILON).log2()).sum(dim=dim)


def _information(share: Tensor) -> dict[str, Tensor]:
    first = share.sum(dim=3, keepdim=True)
    second = share.sum(dim=2, keepdim=True)
    chance = first * second
    log_chance = (chance + EPSILON).log2()
    joint = _entropy(share, (2, 3))
    larger = torch.maximum(_entropy(first, (2, 3)), _entropy(second, (2, 3)))
    apart = joint + _sum(share * log_chance)
    mutual = -_sum(chance * log_chance) - joint
    return {
        "JointEntropy": joint,
        "Imc1": torch.where(larger == 0, 0, apart / larger).where(~larger.isnan(), torch.nan),
        # Rounding may leave less than nothing; PyRadiomics' text says that this is 0.
        "Imc2": (1 - (-2 * mutual).exp()).clamp(min=0).sqrt(),
    }


def _correlation_coefficient(share: Tensor, table: Tensor, *, symmetrical: bool) -> Tensor:
    """Second largest singular value of the normalised matrix: PyRadiomics' MCC.

    Q = Dx^-1 P Dy^-1 P' is similar to A A' with A = Dx^-1/2 P Dy^-1/2, so the square root of Q's
    second largest eigenvalue is A's second largest singular value; for a symmetrical P these are
    the absolute eigenvalues of A.
    """
    several = (table > 0).sum(dim=1) > 1
    if share.shape[2] < 2:
        return torch.where(share.sum(dim=(2, 3)).isnan(), torch.nan, 1.0)
    rows = _root(share.sum(dim=3, keepdim=True))
    columns = _root(share.sum(dim=2, keepdim=True))
    scaled = share * rows * columns
    empty = scaled.isnan().any(dim=(2, 3))
    filled = scaled.nan_to_num(0.0)
    found = torch.linalg.eigvalsh(filled).abs() if symmetrical else torch.linalg.svdvals(filled)
    second = found.sort(dim=-1, descending=True).values[..., 1]
    second = torch.where(several[:, None], second, 1.0)
    return second.masked_fill(empty, torch.nan)


def _root(marginal: Tensor) -> Tensor:
    return torch.where(marginal == 0, 0, marginal.clamp_min(1e-300).rsqrt())
