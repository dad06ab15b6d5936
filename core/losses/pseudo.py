"""Learning from what a teacher predicts on pixels that nobody labelled.

`valid` says which pixels take part; confidence is the teacher's largest class share, 0 ... 1.
"""

import torch
from torch import Tensor
from torch.nn import functional

from .labelmap import NOT_LABELLED, class_overlap, soft_dice
from .precision import finest, full

CONFIDENT = 0.97
LARGEST_FACTOR = 3.0


@torch.no_grad()
def confident_share(confidence: Tensor, valid: Tensor, threshold: float = CONFIDENT) -> Tensor:
    """Share of the valid pixels of each image at or above the threshold, (batch,).

    Parameters
    ----------
    confidence, valid
        (batch, *space). 0 where an image has no valid pixel.
    """
    sure = ((confidence >= threshold) & valid).flatten(1).sum(1)
    return sure.to(full(confidence).dtype) / valid.flatten(1).sum(1).clamp_min(1)


def pseudo_label_loss(
    logits: Tensor,
    pseudo: Tensor,
    confidence: Tensor,
    valid: Tensor,
    threshold: float = CONFIDENT,
    least: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """Mean over the valid pixels of the image's confident share times the cross-entropy, a scalar.

    Parameters
    ----------
    logits
        (batch, class, *space), of the student.
    pseudo, confidence, valid
        (batch, *space), of the teacher.
    least
        (class,): pixels predicted as a class count only above its value; classes whose value is
        not a number have no such bar. From `running_confidence`.
    weight
        (class,), how much each class counts.
    """
    target = pseudo.long().masked_fill(~valid, 0)
    losses = functional.cross_entropy(full(logits), target, weight, reduction="none")
    share = confident_share(confidence, valid, threshold).to(losses.dtype)
    counted = valid if least is None else valid & _above(confidence, target, least)
    weighed = (losses * counted).flatten(1).sum(1) * share
    return weighed.sum() / valid.sum().clamp_min(1)


def pseudo_dice_loss(
    logits: Tensor,
    pseudo: Tensor,
    confidence: Tensor,
    valid: Tensor,
    threshold: float = CONFIDENT,
    least: Tensor | None = None,
) -> Tensor:
    """Mean Dice loss of the foreground classes in the pseudo-labels, a scalar.

    Cross-entropy weighs a class by its pixels, so the pseudo-labels of a rare one hardly count;
    Dice weighs all classes alike. Each image counts by its confident share, as in
    `pseudo_label_loss`, whose parameters these are; 0 where no foreground is predicted.
    """
    target = pseudo.long().masked_fill(~valid, 0)
    counted = valid if least is None else valid & _above(confidence, target, least)
    labels = target.masked_fill(~counted, NOT_LABELLED)
    share = confident_share(confidence, valid, threshold).to(full(logits).dtype).unsqueeze(1)
    inside, predicted, guessed = (
        (part * share).sum(0)[1:] for part in class_overlap(full(logits), labels)
    )
    present = guessed > 0
    # Images without any valid pixel have no say in it.
    weight = share.sum() / valid.flatten(1).any(1).sum().clamp_min(1)
    loss = soft_dice(inside, predicted, guessed).sum() / present.sum().clamp_min(1)
    return weight * loss


def _above(confidence: Tensor, target: Tensor, least: Tensor) -> Tensor:
    """Which pixels are above the bar of their class, or have none."""
    bar = least[target]
    return bar.isnan() | (confidence > bar)


@torch.no_grad()
def share_factors(
    predicted: Tensor, wanted: Tensor, power: float = 1.0, most: float = LARGEST_FACTOR
) -> Tensor:
    """By how much each class falls short of its share of the foreground, (class,).

    Berthelot et al., "ReMixMatch", ICLR 2020 (distribution alignment), among the foreground
    classes alone: how much of a scan is background says little of the teacher.

    Parameters
    ----------
    predicted
        (class,), how often the teacher gave each class, background first.
    wanted
        (class,), what it should be in any unit; 0 where nothing is known of a class.
    power
        Of the ratio.

    Returns
    -------
    Tensor
        Wanted share over predicted share, to that power, within 1 / `most` ... `most`; 1 for the
        background, for classes of which nothing is known, and where no foreground was predicted.
    """
    factors = torch.ones_like(predicted)
    known = wanted[1:] > 0
    given, asked = predicted[1:] * known, wanted[1:] * known
    if given.sum() <= 0 or asked.sum() <= 0:
        return factors
    tiny = torch.finfo(predicted.dtype).tiny
    share = (given / given.sum()).clamp_min(tiny)
    ratio = (asked / asked.sum() / share).pow(power).clamp(1 / most, most)
    factors[1:] = torch.where(known, ratio, factors[1:])
    return factors


def aligned(shares: Tensor, factors: Tensor) -> Tensor:
    """Multiply class shares (batch, class, *space) by factors (class,), adding up to 1 again."""
    moved = shares * factors.to(shares).view(1, -1, *[1] * (shares.ndim - 2))
    return moved / moved.sum(1, keepdim=True)


@torch.no_grad()
def running_confidence(
    least: Tensor, pseudo: Tensor, confidence: Tensor, valid: Tensor, kept: float = 0.99
) -> Tensor:
    """Move the mean confidence of the pixels predicted as each class, (class,).

    Parameters
    ----------
    least
        (class,), as it was; not a number where a class was never predicted. Classes that are not
        predicted now keep theirs.
    pseudo, confidence, valid
        (batch, *space).
    """
    row = pseudo.long().masked_fill(~valid, len(least)).flatten()
    counts = torch.bincount(row, minlength=len(least) + 1)[:-1]
    values = confidence.to(finest(confidence.device))
    # In single precision a sum of many values near 1 is off by more than a bar is worth.
    sums = torch.bincount(row, values.flatten(), minlength=len(least) + 1)[:-1]
    now = (sums / counts.clamp_min(1)).to(least.dtype)
    moved = torch.where(least.isnan(), now, kept * least + (1 - kept) * now)
    return torch.where(counts > 0, moved, least)


def soft_consistency(
    student_logits: Tensor, teacher_probabilities: Tensor, weight: Tensor
) -> Tensor:
    """Weighted mean over pixels and classes of the squared difference of class shares, a scalar.

    Tarvainen and Valpola, "Mean teachers", NeurIPS 2017; with uncertain pixels weighed 0, Yu et
    al., "UA-MT", MICCAI 2019. No gradient reaches the teacher.

    Parameters
    ----------
    student_logits, teacher_probabilities
        (batch, class, *space).
    weight
        (batch, *space), not negative; the loss is 0 where all weights are.
    """
    shares = full(student_logits).softmax(1)
    apart = (shares - teacher_probabilities.detach()).square().mean(1)
    tiny = torch.finfo(apart.dtype).tiny
    return (apart * weight).sum() / weight.to(apart.dtype).sum().clamp_min(tiny)
