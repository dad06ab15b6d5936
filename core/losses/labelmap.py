"""Losses on label maps: pure functions, unreduced; 255 (not labelled) is left out of every one."""

import torch
from torch import Tensor
from torch.nn import functional

NOT_LABELLED = 255


def voxel_cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
    """Cross-entropy of each voxel, 0 where it is not labelled.

    Parameters
    ----------
    logits
        (batch, class, *space).
    labels
        (batch, *space), any integer type; 255 is not labelled.
    weight
        (class,), how much each class counts.

    Returns
    -------
    Tensor
        (batch, *space).
    """
    return functional.cross_entropy(
        logits, labels.long(), weight, ignore_index=NOT_LABELLED, reduction="none"
    )


def labelled_mean(values: Tensor, labels: Tensor) -> Tensor:
    """Mean of (batch, *space) values over the labelled voxels; 0 where there is none."""
    labelled = labels != NOT_LABELLED
    return (values * labelled).sum() / labelled.sum().clamp_min(1)


def class_overlap(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Soft intersection, predicted size and labelled size over the labelled voxels.

    Returns
    -------
    tuple of Tensor
        Each (batch, class); adding them up over the batch gives the overlap of the whole batch.
    """
    labelled = labels != NOT_LABELLED
    share = logits.float().softmax(1) * labelled.unsqueeze(1)
    index = torch.where(labelled, labels, torch.zeros_like(labels)).long().unsqueeze(1)
    own = share.gather(1, index)
    batch, classes = logits.shape[:2]
    flat = index.reshape(batch, -1)
    inside = own.new_zeros(batch, classes).scatter_add(1, flat, own.reshape(batch, -1))
    counts = labelled.to(own.dtype).reshape(batch, -1)
    size = own.new_zeros(batch, classes).scatter_add(1, flat, counts)
    return inside, share.flatten(2).sum(2), size


def soft_dice(inside: Tensor, predicted: Tensor, labelled: Tensor) -> Tensor:
    """1 - Dice from overlaps of any shape; 0 where the class has no labelled voxel."""
    dice = 2 * inside / (predicted + labelled).clamp_min(1e-6)
    return torch.where(labelled > 0, 1 - dice, torch.zeros_like(dice))


def batch_dice(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """1 - Dice of each class over the whole batch, and which classes are in it.

    Returns
    -------
    tuple of Tensor
        The loss (class,), 0 for absent classes, and presence (class,) bool. Output 0, the
        background, is included.
    """
    inside, predicted, labelled = (part.sum(0) for part in class_overlap(logits, labels))
    return soft_dice(inside, predicted, labelled), labelled > 0


def dice_cross_entropy(
    logits: Tensor, labels: Tensor, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Reduce both: mean cross-entropy of labelled voxels, mean Dice loss of foreground classes.

    Both are 0, with a gradient of 0, when nothing in the batch is labelled.
    """
    entropy = labelled_mean(voxel_cross_entropy(logits, labels, weight), labels)
    loss, present = batch_dice(logits, labels)
    return entropy, loss[1:].sum() / present[1:].sum().clamp_min(1)
