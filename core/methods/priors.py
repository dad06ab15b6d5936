"""The effective training prior: what the logits of a trained network take for granted.

A later shift to another prior starts from it, so that a re-balanced run is not corrected twice.
"""

from typing import Any

import numpy as np

Shares = np.ndarray[Any, np.dtype[np.float64]]

ADJUSTED = ("balanced-softmax", "logit-adjustment", "bcl")
WEIGHTED = ("weighted", "class-balanced", "ldam")


def mixed_shares(shares: Shares, alpha: float, present: Shares) -> Shares:
    """Shares when each image is blended with one of an evenly drawn class.

    The blend gives the evenly drawn image Beta(alpha, 1) of the weight, alpha / (alpha + 1) on
    average.
    """
    even = present / present.sum()
    amount = alpha / (alpha + 1)
    return np.asarray((1 - amount) * shares + amount * even, float)


def single_prior(loss: str, shares: Shares, weights: Shares | None, tau: float) -> Shares:
    """Prior of a run with one class per image, (class,), adding up to 1.

    Parameters
    ----------
    shares
        How often each class was shown.
    weights
        How much each class counted in the loss, for the weighted losses.
    tau
        Strength of the adjustment, for the adjusted losses.
    """
    prior = np.asarray(shares, float)
    if loss in ADJUSTED:
        prior = np.where(prior > 0, prior, 0.0) ** (1 - tau) * (prior > 0)
    if loss in WEIGHTED and weights is not None:
        prior = prior * weights
    return np.asarray(prior / prior.sum(), float)


def several_prior(yes: Shares, known: Shares, weights: Shares | None) -> Shares:
    """Prior of a run with several classes per image: the share of yes of each, (class,)."""
    share = np.clip(yes / np.maximum(known, 1), 1e-6, 1 - 1e-6)
    odds = share / (1 - share)
    if weights is not None:
        odds = odds * weights
    return np.asarray(odds / (1 + odds), float)


def weighed_prior(prior: Shares, factors: Shares, *, several: bool) -> Shares:
    """Prior after mistakes on classes were made to count more, (class,) times `factors`.

    A loss that counts a class w times as much takes it for w times as frequent: in its share among
    the classes, or with several classes per image in the odds of yes.
    """
    if not several:
        return np.asarray(prior * factors / (prior * factors).sum(), float)
    odds = prior / (1 - prior) * factors
    return np.asarray(odds / (1 + odds), float)
