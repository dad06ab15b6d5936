"""Scores of image-level answers, one a class."""

import math

import torch
from torch import Tensor


def recalls(predicted: Tensor, targets: Tensor, classes: int) -> list[float]:
    """Share of each class that is found, (class,), of (image,) answers; no number without any."""
    hits = torch.bincount(targets[predicted == targets], minlength=classes)
    return ratios(hits, torch.bincount(targets, minlength=classes))


def ratios(hits: Tensor, cases: Tensor) -> list[float]:
    """Hits by cases, (class,); not-a-number where there are no cases."""
    pairs = zip(hits.tolist(), cases.tolist(), strict=True)
    return [hit / count if count else math.nan for hit, count in pairs]


def precisions(logits: Tensor, targets: Tensor) -> list[float]:
    """Average precision of each class, of (image, class) logits and answers 1, 0 and -1 unknown."""
    from sklearn.metrics import average_precision_score

    found = []
    for scores, truth in zip(logits.T, targets.T, strict=True):
        known = truth >= 0
        yes = int((truth[known] == 1).sum())
        if yes == 0:
            found.append(math.nan)
            continue
        value = average_precision_score(truth[known].numpy() == 1, scores[known].numpy())
        found.append(float(value))
    return found
