"""Centres of classes as far from each other as can be, and which class goes to which of them.

You et al., "ACTION++", MICCAI 2023 (arXiv 2304.02689), with the centres in closed form: found by
gradient descent in single precision they stop far from the optimum.
"""

import math

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ..errors import LongtailError
from .contrast import class_sums
from .precision import full, unit

MEANS_KEPT = 0.9


def simplex_centres(classes: int, width: int, seed: int = 0) -> Tensor:
    """Corners of a regular simplex around 0, (classes, width): all cosines are -1 / (classes - 1).

    sqrt(K / (K - 1)) (I - 1 1^T / K) Q^T with orthonormal Q, (width, K), drawn from `seed`.

    Raises
    ------
    LongtailError
        There are fewer than two classes, or more classes than the features are wide.
    """
    _check(classes, width)
    drawn = torch.randn(
        width, classes, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    directions: Tensor = torch.linalg.qr(drawn).Q
    centred = directions.T - directions.T.mean(0)
    return (math.sqrt(classes / (classes - 1)) * centred).float()


def _check(classes: int, width: int) -> None:
    """Refuse what has no simplex."""
    if classes < 2:
        raise LongtailError(
            "Class centres need at least two classes, the background included.",
            "Add a class, or switch the class centres off.",
        )
    if width < classes:
        raise LongtailError(
            f"Features {width} wide cannot hold the centres of {classes} classes.",
            f"Choose features at least {classes} wide.",
        )


@torch.no_grad()
def moving_means(
    means: Tensor, features: Tensor, classes: Tensor, kept: float = MEANS_KEPT
) -> Tensor:
    """Directions of the classes after a batch, (class, width), of length 1.

    normalise(kept x mean + (1 - kept) x normalise(sum of the class's features)); classes that are
    not in the batch stay as they are, and one never seen is a row of zeros.

    Parameters
    ----------
    means
        (class, width), as they were.
    features
        (n, width).
    classes
        (n,); numbers outside 0 ... class - 1, such as 255, are left out.
    """
    sums, counts = class_sums(features, classes, len(means))
    moved = unit(kept * full(means) + (1 - kept) * unit(sums).to(means.dtype))
    return torch.where(counts.unsqueeze(1) > 0, moved, means)


@torch.no_grad()
def allocate(means: Tensor, centres: Tensor) -> Tensor:
    """Give each class the number of its centre, (class,), for the largest sum of products.

    Parameters
    ----------
    means
        (class, width), from `moving_means`; rows of zeros take what is left.
    centres
        (class, width), from `simplex_centres`.
    """
    gain = means.cpu().double() @ centres.cpu().double().T
    # An assignment must exist until the engine reports features that are no longer finite.
    rows, columns = linear_sum_assignment(gain.nan_to_num().numpy(), maximize=True)
    chosen = torch.empty(len(means), dtype=torch.long)
    chosen[torch.as_tensor(rows)] = torch.as_tensor(columns)
    return chosen.to(means.device)
