"""ProCo: contrast with prototypes that are recalibrated, after Yang et al., MICCAI 2022.

The authors (arXiv 2209.00183) published their wrapper, not their loss: this is a reconstruction
from the abstract, the caption of figure 1 and the ancestor PaCo (Cui et al., ICCV 2021). With
prototypes and proto-instances left out it is PaCo's loss; docs/methods/proco.md says what is
verified. Nothing here loops over entries or classes, and every loss is finite, with a gradient
path, when classes are absent.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .contrast import class_means
from .precision import full, in_full_precision, unit

MASKED = -1
LARGEST_ALPHA = 0.05
PAIRS_OF_THE_LARGEST_CLASS = 2.0
LEAST_WEIGHT = 1e-6
LEAST_SCORE = -1e4
"""Stands for minus infinity where all entries may be left out: its gradient is a number."""


class Contrast(NamedTuple):
    """What queries are compared with; the entries of class `MASKED` are left out.

    Parameters
    ----------
    vectors
        (entry, width), of length 1.
    classes
        (entry,).
    pulls
        (entry,), how much an entry counts as a positive of its class.
    shifts
        (entry,), added to the logits: the log weights of prototypes.
    """

    vectors: Tensor
    classes: Tensor
    pulls: Tensor
    shifts: Tensor


def entries(
    vectors: Tensor, classes: Tensor, pull: float, shifts: Tensor | None = None
) -> Contrast:
    """Make a part of the contrast set."""
    vectors = full(vectors)
    zero = torch.zeros(len(vectors), dtype=vectors.dtype, device=vectors.device)
    return Contrast(vectors, classes, zero + pull, zero if shifts is None else zero + shifts)


def joined(*parts: Contrast) -> Contrast:
    """Join parts of the contrast set; those of the queries themselves go first."""
    return Contrast(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


@in_full_precision
def joint_loss(
    scores: Tensor, queries: Tensor, target: Tensor, contrast: Contrast, temperature: float
) -> Tensor:
    """Class scores and contrast under one normaliser, (batch,).

    With u_ib = q_i . b / T + shift_b and Z_i = log(sum_c exp s_ic + sum_b exp u_ib) it is
    -(s_iy - Z_i + sum_b M_ib (u_ib - Z_i)) / (1 + sum_b M_ib), M the pulls of the entries of the
    own class.

    Parameters
    ----------
    scores
        (batch, class): logits with the log prior, or the log weights, added.
    queries
        (batch, width), of length 1.
    target
        (batch,).
    contrast
        Its first `batch` entries are the queries; an entry is never compared with itself.
    """
    compared, pulls = _compared(queries, target, contrast, temperature)
    scores = full(scores)
    whole = torch.cat([scores, compared], 1).logsumexp(1, keepdim=True)
    own = (scores - whole).gather(1, target[:, None]).squeeze(1)
    pulled = _pulled(compared - whole, pulls)
    return -(own + pulled) / (1 + pulls.sum(1))


@in_full_precision
def separate_losses(
    scores: Tensor,
    queries: Tensor,
    target: Tensor,
    contrast: Contrast,
    temperature: float,
    spare_own: bool = False,
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the scores, and the contrast by itself, each (batch,).

    Without a positive the contrast of a query is 0. See `joint_loss` for the other arguments.

    Parameters
    ----------
    spare_own
        Each positive competes with the entries of other classes alone, not with the other
        positives: images of one class are not pushed from each other. Feeney and Hughes,
        "SINCERE: supervised information noise-contrastive estimation revisited", arXiv 2309.14277.
    """
    compared, pulls = _compared(queries, target, contrast, temperature)
    total = pulls.sum(1)
    has_any = total > 0
    # A row of -inf has no gradient that is a number.
    safe = torch.where(has_any[:, None], compared, torch.zeros_like(compared))
    if spare_own:
        own = contrast.classes[None] == target[:, None]
        others = safe.masked_fill(own, LEAST_SCORE).logsumexp(1, keepdim=True)
        whole = torch.logaddexp(safe, others)
    else:
        whole = safe.logsumexp(1, keepdim=True)
    pulled = _pulled(safe - whole, pulls)
    apart = -pulled / torch.where(has_any, total, torch.ones_like(total))
    return functional.cross_entropy(full(scores), target, reduction="none"), apart


def proto_instances(
    prototypes: Tensor,
    known: Tensor,
    others: Tensor,
    classes: Tensor,
    share: float = 0.75,
    hardest: int = 1,
) -> tuple[Tensor, Tensor]:
    """Make instances between each prototype and the entries of other classes that are nearest.

    normalise(share p_c + (1 - share) o_r), o_r the r-th nearest of another class. Above a half
    the instance stays nearer to its prototype than to the entry.

    Parameters
    ----------
    prototypes
        (class, width), of length 1.
    known
        (class,) bool: which prototypes there are yet.
    others, classes
        (entry, width), of length 1, and (entry,).

    Returns
    -------
    tuple of Tensor
        (class x hardest, width) and their classes, `MASKED` where there is none; without gradient.
    """
    count = min(hardest, len(others))
    own = torch.arange(len(prototypes), device=prototypes.device)
    with torch.no_grad():
        alike = full(prototypes) @ full(others).T
        barred = (classes[None] == own[:, None]) | (classes[None] == MASKED) | ~known[:, None]
        nearest, places = alike.masked_fill(barred, -torch.inf).topk(count, dim=1)
        mixed = share * full(prototypes)[:, None] + (1 - share) * full(others)[places]
        labels = torch.where(nearest > -torch.inf, own[:, None], MASKED)
        return unit(mixed).flatten(0, 1), labels.flatten()


@torch.no_grad()
def moved_prototypes(
    prototypes: Tensor, known: Tensor, keys: Tensor, classes: Tensor, kept: float = 0.95
) -> tuple[Tensor, Tensor]:
    """Move each prototype towards the mean of its class's keys; give it and what is known now.

    A class without keys keeps its last; the first keys of a class make its prototype.
    """
    means, counts = class_means(keys, classes, len(prototypes))
    met = counts > 0
    moved = torch.where(known[:, None], kept * prototypes + (1 - kept) * means, means)
    return torch.where(met[:, None], unit(moved), prototypes), known | met


@torch.no_grad()
@in_full_precision
def recalibrated(
    weights: Tensor,
    queries: Tensor,
    target: Tensor,
    prototypes: Tensor,
    known: Tensor,
    temperature: float,
    kept: float = 0.95,
) -> Tensor:
    """Move the weight of each class towards the posterior of its samples at its prototype.

    w_c <- kept w_c + (1 - kept) mean of softmax(q . p / T)_c over the queries of class c. Classes
    without queries or without a prototype are left alone. Weights stay within 0 ... 1.
    """
    alike = full(queries) @ full(prototypes).T / temperature
    posterior = alike.masked_fill(~known, -torch.inf).softmax(1).nan_to_num()
    own = posterior.gather(1, target[:, None])
    means, counts = class_means(own, target, len(prototypes))
    moved = kept * weights + (1 - kept) * means.squeeze(1)
    moved = torch.where((counts > 0) & known, moved, weights)
    return moved.clamp(LEAST_WEIGHT, 1 - LEAST_WEIGHT)


def automatic_alpha(largest_share: float, queue: int) -> float:
    """How much an entry of the queue counts as a positive: min(0.05, 2 / (K max pi)).

    PaCo's 0.05 is for hundreds of classes: with a few, the many positives of the largest class
    would outweigh the classifier twelve times more than those of the rarest.
    """
    entries_of_largest = queue * largest_share
    if entries_of_largest <= 0:
        return LARGEST_ALPHA
    return min(LARGEST_ALPHA, PAIRS_OF_THE_LARGEST_CLASS / entries_of_largest)


def key_momentum(step: int, total: int, most: float) -> float:
    """Share of the key encoder that is kept after `step`.

    min(m, 1 - 1/(t + 1)), with m such that (1 - m) x total is at least 10: otherwise a short run
    ends with a key encoder that is still mostly random.
    """
    reachable = 1 - 10 / max(10, total)
    return max(0.0, min(most, reachable, 1 - 1 / (step + 1)))


def _compared(
    queries: Tensor, target: Tensor, contrast: Contrast, temperature: float
) -> tuple[Tensor, Tensor]:
    """Logits (batch, entry), -inf where left out, and pulls (batch, entry) of the positives."""
    compared = full(queries) @ contrast.vectors.T / temperature + contrast.shifts
    left_out = (contrast.classes == MASKED)[None].repeat(len(queries), 1)
    itself = torch.arange(len(queries), device=queries.device)
    left_out[itself, itself] = True
    same = (contrast.classes[None] == target[:, None]) & ~left_out
    return compared.masked_fill(left_out, -math.inf), same * contrast.pulls


def _pulled(log_shares: Tensor, pulls: Tensor) -> Tensor:
    """Sum of pulls x log shares, (batch,), where what does not pull may be -inf."""
    return (torch.where(pulls > 0, log_shares, torch.zeros_like(log_shares)) * pulls).sum(1)
