"""Contrastive distillation: a student sees the same neighbours as its teacher.

Stage 1 of You et al., "ACTION", IPMI 2023, and "ACTION++", MICCAI 2023.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from .precision import full, in_full_precision, unit


@in_full_precision
def patch_features(maps: Tensor, patch: Sequence[int], stride: Sequence[int]) -> Tensor:
    """Mean of a feature map over overlapping patches, (batch, patch, channel).

    Parameters
    ----------
    maps
        (batch, channel, *space), 2D or 3D.
    patch, stride
        Size and step of the patches for each axis of space, in pixels of the map. A last patch
        flush with the border covers what the steps leave over; a patch larger than the map is cut
        to it.
    """
    values = full(maps)
    for axis, (size, step) in enumerate(zip(patch, stride, strict=True), start=2):
        window = _windows(values.shape[axis], size, step, values)
        values = (values.movedim(axis, -1) @ window.T).movedim(-1, axis)
    return values.flatten(2).transpose(1, 2)


def _windows(length: int, size: int, step: int, like: Tensor) -> Tensor:
    """Weights of the mean over each window of one axis, (window, length)."""
    size = min(max(size, 1), length)
    last = length - size
    starts = torch.tensor(sorted({*range(0, last + 1, max(step, 1)), last})).unsqueeze(1)
    places = torch.arange(length)
    inside = (places >= starts) & (places < starts + size)
    return inside.to(like) / size


@in_full_precision
def similarity_distillation(
    student: Tensor,
    teacher: Tensor,
    bank: Tensor,
    student_temperature: float,
    teacher_temperature: float,
) -> Tensor:
    """KL(teacher || student) between the shares of likeness to the bank's entries, a scalar.

    The shares are softmax(cosine / temperature) over the entries, of each patch position by
    itself; the mean over images and positions. No gradient reaches `teacher` and `bank`.

    Parameters
    ----------
    student, teacher
        (batch, d) or (batch, patch, d).
    bank
        (n, d) or (n, patch, d); with n of 0 the loss is 0.
    """
    seen = (_cosines(student, bank.detach()) / student_temperature).log_softmax(-1)
    aim = (_cosines(teacher, bank).detach() / teacher_temperature).log_softmax(-1)
    apart = (aim.exp() * (aim - seen)).sum(-1)
    return apart.sum() / max(apart.numel(), 1)


def _cosines(vectors: Tensor, bank: Tensor) -> Tensor:
    """Cosines to the bank's entries at the same position, (batch, [patch,] n)."""
    return torch.einsum("b...d,n...d->b...n", unit(vectors), unit(bank))


@torch.no_grad()
@in_full_precision
def similarity_spread(vectors: Tensor, bank: Tensor) -> float:
    """Measure how much the likeness to the bank's entries differs from entry to entry.

    The standard deviation of the cosines, averaged over images and positions. Near
    0 the network gives every image the same features (collapse); it is 0 for an empty bank.
    """
    if not len(bank) or not len(vectors):
        return 0.0
    return float(_cosines(vectors, bank).std(-1, correction=0).mean())
