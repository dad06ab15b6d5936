"""Losses made for long tails: pure functions, unreduced.

For several classes an image, `target` is (batch, class): 1 yes, 0 no, -1 unknown, where the loss
is 0. For one class an image it is (batch,), the number of the class.
"""

import torch
from torch import Tensor
from torch.nn import functional

from .imageclass import UNKNOWN, weighted_cross_entropy
from .precision import full, in_full_precision, unit


def asymmetric_loss(
    logits: Tensor,
    target: Tensor,
    gamma_yes: float = 0.0,
    gamma_no: float = 4.0,
    margin: float = 0.05,
) -> Tensor:
    """Binary cross-entropy that forgets easy no's, (batch, class).

    Yes: -(1 - p)^gamma_yes log p. No: -s^gamma_no log(1 - s), s = max(p - margin, 0), so that a no
    that is certain enough costs nothing. Ridnik et al., "Asymmetric loss for multi-label
    classification", ICCV 2021.
    """
    scores = full(logits)
    share = scores.sigmoid()
    yes = -_power(1 - share, gamma_yes) * functional.logsigmoid(scores)
    shifted = (share - margin).clamp_min(0)
    # Without a margin the logarithm comes from the logit, exact where 1 - p rounds to 0.
    certain = functional.logsigmoid(-scores) if margin == 0 else torch.log1p(-shifted)
    no = -_power(shifted, gamma_no) * certain
    return torch.where(target > 0, yes, no) * (target != UNKNOWN)


def _power(values: Tensor, exponent: float) -> Tensor:
    """Raise 0 ... 1 to a power, with a finite gradient at 0."""
    return values.clamp_min(torch.finfo(values.dtype).eps) ** exponent


def distribution_balanced_loss(
    logits: Tensor,
    target: Tensor,
    yes: Tensor,
    known: Tensor,
    gamma: float = 2.0,
    tolerance: float = 2.0,
    shift: float = 0.05,
) -> Tensor:
    """Binary cross-entropy, re-balanced and tolerant of no's, (batch, class).

    r [y log(1 + exp(-v)) + (1 - y) / tolerance log(1 + exp(tolerance v))] (1 - q)^gamma with
    v = z + shift logit(yes / known), r from `rebalanced_weights` and q the right answer's share.
    Wu et al., "Distribution-balanced loss", ECCV 2020; the authors' code also multiplies by 2.

    Parameters
    ----------
    yes, known
        (class,), how many training images have the class, and of how many it is known.
    gamma
        Strength of the focal factor; 0 leaves it out.
    tolerance
        How much sooner a no is believed.
    """
    positive = target > 0
    share = (yes / known.clamp_min(1)).clamp(1e-6, 1 - 1e-6).to(full(logits).dtype)
    moved = full(logits) + shift * share.logit()
    side = torch.where(positive, -moved, tolerance * moved)
    plain = functional.softplus(side)
    losses = plain * _power(-torch.expm1(-plain), gamma)
    weight = rebalanced_weights(positive, yes).to(losses.dtype)
    scaled = torch.where(positive, weight, weight / tolerance)
    return losses * scaled * (target != UNKNOWN)


@torch.no_grad()
def rebalanced_weights(
    positive: Tensor, yes: Tensor, least: float = 0.1, slope: float = 10.0, middle: float = 0.2
) -> Tensor:
    """How much each answer counts, (batch, class): less where an image came for another class.

    least + sigmoid(slope (r - middle)), r the chance to draw the image for this class over the
    chance to draw it for any of its classes. An image without any class counts as drawn for all.

    Parameters
    ----------
    positive
        (batch, class) bool.
    yes
        (class,), how many training images have the class.
    """
    rarity = 1 / yes.clamp_min(1).to(torch.get_default_dtype())
    drawn = (positive * rarity).sum(1, keepdim=True)
    ratio = torch.where(drawn > 0, rarity / drawn, torch.inf)
    return least + (slope * (ratio - middle)).sigmoid()


@in_full_precision
def balanced_contrast(
    features: Tensor, classes: Tensor, centres: Tensor, temperature: float = 0.07
) -> Tensor:
    """Supervised contrast in which each class weighs the same, (n,).

    -mean over others of the class of log(exp(s) / sum over classes of the mean exp(s) within
    each), s the cosines / temperature to all other features and to one centre a class; the mean
    of the anchor's own class leaves the anchor out. Zhu et al., "Balanced contrastive learning",
    CVPR 2022.

    Parameters
    ----------
    features
        (n, d), all views of a batch.
    classes
        (n,).
    centres
        (class, d), learned.
    """
    anchors = unit(features)
    scores = anchors @ torch.cat([anchors, unit(centres)]).T / temperature
    every = torch.cat([classes, torch.arange(len(centres), device=classes.device)])
    same = classes.unsqueeze(1) == every
    itself = torch.eye(*scores.shape, dtype=torch.bool, device=scores.device)
    counts = torch.bincount(every, minlength=len(centres))[every]
    # Dividing by the number of a class is subtracting its logarithm.
    weight = (counts - same.to(counts.dtype)).clamp_min(1).to(scores.dtype).log()
    whole = (scores - weight).masked_fill(itself, -torch.inf).logsumexp(1, keepdim=True)
    others = same & ~itself
    return ((whole - scores) * others).sum(1) / others.sum(1)


def calibrated_margins(logits: Tensor, norms: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Logits of a frozen classifier with each class's margin corrected, (batch, class).

    scale z + shift ||w||: Wang et al., "Margin calibration for long-tailed visual recognition"
    (MARC), ACML 2022. With scale 1 and shift 0 nothing changes.

    Parameters
    ----------
    norms
        (class,), lengths of the classifier's rows.
    scale, shift
        (class,), learned.
    """
    return scale * logits + shift * norms


def margin_calibration(
    logits: Tensor, target: Tensor, norms: Tensor, scale: Tensor, shift: Tensor, counts: Tensor
) -> Tensor:
    """Cross-entropy of the calibrated logits, (batch,), each class times `rarity_weights`."""
    calibrated = calibrated_margins(full(logits), norms, scale, shift)
    return weighted_cross_entropy(calibrated, target, rarity_weights(counts).to(calibrated))


def rarity_weights(counts: Tensor, power: float = 1.2) -> Tensor:
    """Weights n^-power, (class,), scaled to add up to C; classes without examples get 0."""
    raw = counts.clamp_min(1).double() ** -power * (counts > 0)
    return (raw * len(counts) / raw.sum()).to(torch.get_default_dtype())
