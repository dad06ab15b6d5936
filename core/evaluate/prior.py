"""Move a trained classifier from the class frequencies it learned to those that are wanted."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

TARGET_SETTING = "prior_target"
"""The run setting under which the slider keeps its target: one value a class of the run."""

DEFAULT_THRESHOLD = 0.5

# A class that was never seen has no log; this is one in ten million.
SMALLEST = 1e-7


def shift_softmax(logits: Array, effective: Sequence[float], target: Sequence[float]) -> Array:
    """Give `z - log pi_eff + log pi_target` for classes that exclude each other.

    Parameters
    ----------
    logits
        (case, class), as the network gave them.
    effective
        The prior that the run was effectively trained under, one value a class: uniform after
        class-balanced sampling or balanced softmax, so that such a run is not corrected twice.
    target
        The prior wanted, one value a class; the slider's other end is the uniform one.
    """
    return logits - np.log(_prior(effective)) + np.log(_prior(target))


def shift_sigmoid(logits: Array, effective: Sequence[float], target: Sequence[float]) -> Array:
    """Give the same shift in log-odds for classes that are each yes or no."""
    return logits - log_odds(effective) + log_odds(target)


def shifted(
    logits: Array,
    effective: Sequence[float] | None,
    target: Sequence[float] | None,
    *,
    exclusive: bool,
) -> Array:
    """Move logits to the target prior where both priors are known, else leave them."""
    if effective is None or target is None:
        return logits
    shift = shift_softmax if exclusive else shift_sigmoid
    return shift(logits, effective, target)


def probabilities_of(logits: Array, *, exclusive: bool) -> Array:
    """Turn (case, class) logits into probabilities by the task's rule."""
    return softmax(logits) if exclusive else sigmoid(logits)


def blend(
    effective: Sequence[float],
    amount: float,
    factors: Sequence[float] | None = None,
    *,
    exclusive: bool = True,
) -> list[float]:
    """Give the target prior between `effective` (0) and all classes equal (1), in the logarithm.

    The shift is then `amount` times the whole logit adjustment: amount is tau. Where classes are
    each yes or no, the odds are blended and the other end is as likely as not.

    Parameters
    ----------
    factors
        How many times as frequent (or by how much the odds grow) each class is taken for besides.
    """
    times = np.ones(len(effective)) if factors is None else np.asarray(factors, dtype=np.float64)
    if not exclusive:
        odds = log_odds(effective) * (1 - amount) + np.log(times)
        return [float(value) for value in np.clip(sigmoid(odds), SMALLEST, 1 - SMALLEST)]
    tempered = _prior(effective) ** (1 - amount) * times
    return [float(value) for value in tempered / tempered.sum()]


def uniform(count: int, *, exclusive: bool = True) -> list[float]:
    """Give the prior under which each of `count` classes is as likely, or as likely as not."""
    return [1.0 / count if exclusive else 0.5] * count


def shift_between(
    effective: Sequence[float] | None, target: Sequence[float] | None, *, exclusive: bool
) -> Array:
    """Give what is added to the logits of each class; zeros where either prior is not known."""
    if effective is None or target is None:
        return np.zeros(len(effective or target or ()))
    nothing = np.zeros(len(effective))
    return shifted(nothing, effective, target, exclusive=exclusive)


def softmax(logits: Array) -> Array:
    """Turn (case, class) logits into probabilities that add up to one a case."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    grown = np.exp(shifted, dtype=np.float64)
    normalised: Array = grown / grown.sum(axis=-1, keepdims=True)
    return normalised


def sigmoid(logits: Array) -> Array:
    """Turn logits into probabilities, each by itself, without overflow."""
    halved: Array = 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, dtype=np.float64)))
    return halved


def log_odds(prior: Sequence[float]) -> Array:
    """Give `log p / (1 - p)`, kept finite for classes that are never or always there."""
    values = np.clip(np.asarray(prior, dtype=np.float64), SMALLEST, 1 - SMALLEST)
    odds: Array = np.log(values) - np.log1p(-values)
    return odds


def _prior(values: Sequence[float]) -> Array:
    clipped = np.maximum(np.asarray(values, dtype=np.float64), SMALLEST)
    normalised: Array = clipped / clipped.sum()
    return normalised
