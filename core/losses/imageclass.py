"""Losses on image-level classes: pure functions, one value an image (and class), unreduced.

Counts are (class,) tensors of labelled training images. `prior` is the share of each class among
the images as they are drawn, so that an adjusted loss never corrects for what a sampler already
did.
"""

import torch
from torch import Tensor
from torch.nn import functional

UNKNOWN = -1
LDAM_LARGEST_MARGIN = 0.5


def cross_entropy(logits: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy, (batch,). `target` is (batch,) indices or (batch, class) shares."""
    return functional.cross_entropy(logits, target, reduction="none", label_smoothing=smoothing)


def weighted_cross_entropy(
    logits: Tensor, target: Tensor, weight: Tensor, smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy, (batch,), each class times its weight (class,)."""
    return functional.cross_entropy(
        logits, target, weight, reduction="none", label_smoothing=smoothing
    )


def focal_loss(logits: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """(1 - p)^gamma times the cross-entropy, (batch,), p the share of the right class."""
    log_share = logits.log_softmax(1)
    losses = -((1 - log_share.exp()) ** gamma) * log_share
    return (losses * _shares(target, logits)).sum(1)


def balanced_softmax(
    logits: Tensor, target: Tensor, prior: Tensor, tau: float = 1.0, smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy, (batch,), with tau times the log of each class's share added to its logit.

    The network then learns scores that hold for even classes; with tau = 1 this is the balanced
    softmax, with any tau logit adjustment.
    """
    shifted = logits + tau * safe_log(prior)
    return functional.cross_entropy(shifted, target, reduction="none", label_smoothing=smoothing)


def ldam_margins(counts: Tensor) -> Tensor:
    """Margins of LDAM, (class,): proportional to count^(-1/4), the largest 0.5."""
    raw = counts.clamp_min(1).double() ** -0.25
    return (LDAM_LARGEST_MARGIN * raw / raw.max()).to(torch.get_default_dtype())


def ldam(
    cosines: Tensor,
    target: Tensor,
    margins: Tensor,
    scale: float = 30.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Cross-entropy, (batch,), of scale x (cosine - own class's margin).

    Parameters
    ----------
    cosines
        (batch, class), of normalised features and normalised class weights: within -1 ... 1.
    target
        (batch,) indices or (batch, class) shares.
    """
    shifted = cosines - margins * _shares(target, cosines)
    return functional.cross_entropy(scale * shifted, target, weight, reduction="none")


def inverse_weights(counts: Tensor) -> Tensor:
    """Weights sum n / (C n_c), (class,); classes without examples get 0."""
    present = counts > 0
    weights = counts.sum() / (len(counts) * counts.clamp_min(1))
    return torch.where(present, weights, torch.zeros_like(weights))


def class_balanced_weights(counts: Tensor, beta: float = 0.99) -> Tensor:
    """Weights (1 - beta) / (1 - beta^n_c), scaled to add up to C; without examples 0."""
    raw = (1 - beta) / (1 - beta ** counts.clamp_min(1).double())
    raw = torch.where(counts > 0, raw, torch.zeros_like(raw))
    return (raw * len(counts) / raw.sum()).to(torch.get_default_dtype())


def binary_cross_entropy(
    logits: Tensor, target: Tensor, positive_weight: Tensor | None = None
) -> Tensor:
    """Binary cross-entropy of each class, (batch, class), 0 where the answer is unknown.

    `target` is (batch, class): 1 yes, 0 no, -1 unknown.
    """
    known = target != UNKNOWN
    losses = functional.binary_cross_entropy_with_logits(
        logits, target.clamp_min(0).to(logits.dtype), pos_weight=positive_weight, reduction="none"
    )
    return losses * known


def focal_binary_cross_entropy(
    logits: Tensor, target: Tensor, gamma: float = 2.0, positive_weight: Tensor | None = None
) -> Tensor:
    """(1 - p)^gamma times the binary cross-entropy, (batch, class), p the right answer's share."""
    plain = binary_cross_entropy(logits, target)
    factor = (1 - (-plain).exp()) ** gamma
    if positive_weight is not None:
        factor = factor * torch.where(target > 0, positive_weight, torch.ones_like(plain))
    return factor * plain


def positive_weights(yes: Tensor, no: Tensor, largest: float = 100.0) -> Tensor:
    """How many no there are for each yes, (class,), at most `largest`; 1 without any yes."""
    ratio = (no / yes.clamp_min(1)).clamp(1 / largest, largest)
    return torch.where(yes > 0, ratio, torch.ones_like(ratio))


def known_mean(losses: Tensor, target: Tensor) -> Tensor:
    """Mean of (batch, class) losses over the known answers; 0 where there is none."""
    return losses.sum() / (target != UNKNOWN).sum().clamp_min(1)


def safe_log(prior: Tensor) -> Tensor:
    """Logarithm of shares, finite for a class without examples."""
    return prior.clamp_min(torch.finfo(prior.dtype).tiny ** 0.5).log()


def _shares(target: Tensor, logits: Tensor) -> Tensor:
    """Targets as (batch, class) shares."""
    if target.ndim == 2:
        return target.to(logits.dtype)
    return functional.one_hot(target, logits.shape[1]).to(logits.dtype)
