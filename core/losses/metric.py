"""Metric losses: images of one class together, others apart. Pure functions, a scalar each.

Formulas and defaults are those of `pytorch-metric-learning`, which is not needed: where it is
installed, a test compares with it. Embeddings are (batch, width) of length 1, labels (batch,).
An anchor that lacks a positive or a negative is left out; a batch without any anchor gives 0, with
a gradient path.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from .contrast import class_means
from .precision import full, in_full_precision, unit

LEAST_SQUARE = 1e-12


@in_full_precision
def triplet(embeddings: Tensor, labels: Tensor, margin: float = 0.3) -> Tensor:
    """Triplet loss with batch-hard mining.

    max(0, margin + distance to the farthest of the own class - distance to the nearest other),
    mean over the anchors. Hermans et al., arXiv 1703.07737.
    """
    apart = _distances(embeddings, embeddings)
    positive, negative = _pairs(labels)
    farthest = torch.where(positive, apart, -torch.inf).amax(1)
    nearest = torch.where(negative, apart, torch.inf).amin(1)
    return _anchors_mean(margin + farthest - nearest, positive, negative)


@in_full_precision
def centre_triplet(embeddings: Tensor, labels: Tensor, classes: int, margin: float = 0.3) -> Tensor:
    """Triplet loss with the class means of the batch in place of images."""
    means, counts = class_means(embeddings, labels, classes)
    apart = _distances(embeddings, means)
    own = labels[:, None] == torch.arange(classes, device=labels.device)
    others = ~own & (counts > 0)
    nearest = torch.where(others, apart, torch.inf).amin(1)
    return _anchors_mean(margin + (apart * own).sum(1) - nearest, own, others)


@in_full_precision
def multi_similarity(
    embeddings: Tensor, labels: Tensor, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5
) -> Tensor:
    """Multi-similarity loss, all pairs. Wang et al., CVPR 2019.

    log(1 + sum exp(-alpha (s - base))) / alpha over positives, plus
    log(1 + sum exp(beta (s - base))) / beta over negatives, mean over the batch.
    """
    alike = full(embeddings) @ full(embeddings).T - base
    positive, negative = _pairs(labels)
    near = _log_one_plus_sum(-alpha * alike, positive, 1) / alpha
    far = _log_one_plus_sum(beta * alike, negative, 1) / beta
    return (near + far).sum() / max(len(labels), 1)


@in_full_precision
def proxy_anchor(
    embeddings: Tensor, labels: Tensor, proxies: Tensor, margin: float = 0.1, alpha: float = 32.0
) -> Tensor:
    """Proxy-anchor loss; `proxies` (class, width) are learned. Kim et al., CVPR 2020.

    mean over the present classes of log(1 + sum exp(-alpha (s - margin))) over their images, plus
    mean over all classes of log(1 + sum exp(alpha (s + margin))) over the images of others.
    """
    alike = full(embeddings) @ unit(proxies).T
    own = labels[:, None] == torch.arange(len(proxies), device=labels.device)
    near = _log_one_plus_sum(-alpha * (alike - margin), own, 0)
    far = _log_one_plus_sum(alpha * (alike + margin), ~own, 0)
    return near.sum() / own.any(0).sum().clamp_min(1) + far.mean()


@in_full_precision
def circle(embeddings: Tensor, labels: Tensor, margin: float = 0.4, scale: float = 80.0) -> Tensor:
    """Circle loss, mean over the anchors. Sun et al., CVPR 2020.

    softplus(logsumexp of scale a_n (s_n - m) + logsumexp of -scale a_p (s_p - 1 + m)) with the
    weights a_p = max(0, 1 + m - s_p) and a_n = max(0, s_n + m), which have no gradient.
    """
    alike = full(embeddings) @ full(embeddings).T
    positive, negative = _pairs(labels)
    pull = (1 + margin - alike.detach()).clamp_min(0)
    push = (alike.detach() + margin).clamp_min(0)
    near = _log_sum(-scale * pull * (alike - 1 + margin), positive)
    far = _log_sum(scale * push * (alike - margin), negative)
    return _anchors_mean(near + far, positive, negative, softly=True)


@in_full_precision
def arcface(
    embeddings: Tensor, labels: Tensor, weight: Tensor, margin: float = 0.5, scale: float = 30.0
) -> Tensor:
    """Cross-entropy of scale x cos(angle + margin of the own class). Deng et al., CVPR 2019.

    `weight` (class, width) is learned, `margin` is in radians. Where angle + margin passes pi the
    own logit goes on falling linearly, as in the authors' code.
    """
    cosines = (full(embeddings) @ unit(weight).T).clamp(-1, 1)
    own = cosines.gather(1, labels[:, None])
    sine = (1 - own**2).clamp_min(LEAST_SQUARE).sqrt()
    turned = own * math.cos(margin) - sine * math.sin(margin)
    past = own - margin * math.sin(margin)
    moved = torch.where(own > math.cos(math.pi - margin), turned, past)
    logits = cosines.scatter(1, labels[:, None], moved)
    return functional.cross_entropy(scale * logits, labels, reduction="sum") / max(len(labels), 1)


@in_full_precision
def contrastive(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss, mean over the anchors with a positive. Khosla et al., 2020.

    -mean over positives of log(exp(s / T) / sum over all others of exp(s / T)).
    """
    alike = full(embeddings) @ full(embeddings).T / temperature
    positive, negative = _pairs(labels)
    shares = alike - _log_sum(alike, positive | negative)[:, None]
    counts = positive.sum(1)
    pulled = (torch.where(positive, shares, torch.zeros_like(shares))).sum(1)
    losses = -pulled / counts.clamp_min(1)
    return losses.sum() / (counts > 0).sum().clamp_min(1)


def _pairs(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Which pairs are of one class, each with itself left out, and which are not."""
    same = labels[:, None] == labels[None]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return same & ~itself, ~same


def _distances(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances (n, m) with a finite gradient at 0."""
    first, second = full(first), full(second)
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return squares.clamp_min(LEAST_SQUARE).sqrt()


def _anchors_mean(
    values: Tensor, positive: Tensor, negative: Tensor, softly: bool = False
) -> Tensor:
    """Mean of max(0, values), or softly of softplus, over anchors with both kinds of pairs."""
    usable = positive.any(1) & negative.any(1)
    safe = torch.where(usable, values, torch.zeros_like(values))
    losses = functional.softplus(safe) if softly else safe.clamp_min(0)
    return (losses * usable).sum() / usable.sum().clamp_min(1)


def _log_sum(values: Tensor, chosen: Tensor) -> Tensor:
    """Logarithm of the sum of exp over the chosen of each row; of none it is a large negative."""
    least = torch.finfo(values.dtype).min / 4
    return torch.where(chosen, values, least).logsumexp(1)


def _log_one_plus_sum(values: Tensor, chosen: Tensor, axis: int) -> Tensor:
    """log(1 + sum of exp over the chosen along an axis); of none it is 0."""
    masked = torch.where(chosen, values, -torch.inf)
    one = torch.zeros_like(masked.sum(axis, keepdim=True))
    return torch.cat([masked, one], axis).logsumexp(axis)
