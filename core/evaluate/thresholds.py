"""Thresholds of findings that are each yes or no, chosen on validation cases and never on test."""

from collections.abc import Sequence

import numpy as np

from .bootstrap import FloatArray
from .classification import PresenceArray
from .prior import sigmoid

LEAST_YES = 3
"""With fewer yes among the validation cases a threshold would be one image's whim."""


def choose_thresholds(truth: PresenceArray, logits: FloatArray) -> list[float | None]:
    """Give the threshold of each class under which its F1 on these cases is highest.

    Parameters
    ----------
    truth
        (case, class): 1 yes, 0 no, -1 unknown; validation cases.
    logits
        (case, class).

    Returns
    -------
    list
        Half-way between two probabilities of the cases; None for a class with fewer than three
        yes or without a no, which keeps 0.5.
    """
    shares = sigmoid(logits)
    return [_best(shares[:, k], truth[:, k]) for k in range(truth.shape[1])]


def _best(scores: FloatArray, answers: PresenceArray) -> float | None:
    known = answers >= 0
    yes = answers[known] == 1
    if yes.sum() < LEAST_YES or yes.all():
        return None
    order = np.argsort(-scores[known], kind="stable")
    ordered, hits = scores[known][order], np.cumsum(yes[order])
    called = np.arange(1, len(ordered) + 1)
    f1 = 2 * hits / (called + yes.sum())
    # A threshold lies between two cases: those of one probability are called together.
    f1[:-1][ordered[:-1] == ordered[1:]] = -1.0
    # Of equal ones the lowest, which finds more.
    last = len(f1) - 1 - int(np.argmax(f1[::-1]))
    below = ordered[last + 1] if last + 1 < len(ordered) else 0.0
    return float((ordered[last] + below) / 2)


def named(thresholds: Sequence[float | None], class_ids: Sequence[int]) -> dict[int, float]:
    """Give the chosen ones by class id."""
    pairs = zip(class_ids, thresholds, strict=True)
    return {class_id: value for class_id, value in pairs if value is not None}
