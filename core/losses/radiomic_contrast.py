"""What `radiomic-contrast` learns from beside the classes: pairs of images and regions.

Han et al., "Knowledge-augmented contrastive learning for abnormality classification and
localization in chest X-rays with radiomics using a feedback loop", WACV 2022 (arXiv 2104.04968).
Every loss is finite, with a gradient path, for one pair and for none.
"""

import torch
from torch import Tensor

from .imageclass import focal_binary_cross_entropy
from .precision import full, in_full_precision, unit

PUBLISHED_ALPHA, PUBLISHED_GAMMA = 0.25, 2.0


@in_full_precision
def paired_contrast(first: Tensor, second: Tensor, temperature: float = 0.5) -> Tensor:
    """NT-Xent over the 2n items of n pairs, (2n,): the items of `first`, then those of `second`.

    -log(exp(s(k, p(k)) / t) / sum over m other than k of exp(s(k, m) / t)), s the cosine and p(k)
    the partner of k. Chen et al., "A simple framework for contrastive learning", ICML 2020. With a
    single pair there is nothing to tell apart, and the loss is 0.

    Parameters
    ----------
    first, second
        (n, width), of any length; row i of one is the partner of row i of the other.
    """
    items = torch.cat([unit(first), unit(second)])
    scores = items @ items.T / temperature
    own = items[: len(first)] * items[len(first) :]
    partner = own.sum(1).repeat(2) / temperature
    itself = torch.eye(len(items), dtype=torch.bool, device=items.device)
    return scores.masked_fill(itself, -torch.inf).logsumexp(1) - partner


def published_focal(
    logits: Tensor,
    target: Tensor,
    alpha: float = PUBLISHED_ALPHA,
    gamma: float = PUBLISHED_GAMMA,
) -> Tensor:
    """-alpha_t (1 - p_t)^gamma log p_t, (batch, class), 0 where the answer is unknown.

    p_t is the share of the right answer and alpha_t is alpha for yes, 1 - alpha for no. Lin et al.,
    "Focal loss for dense object detection", ICCV 2017.

    Parameters
    ----------
    target
        (batch, class): 1 yes, 0 no, -1 unknown.
    """
    plain = focal_binary_cross_entropy(full(logits), target, gamma)
    return torch.where(target > 0, alpha, 1 - alpha) * plain
