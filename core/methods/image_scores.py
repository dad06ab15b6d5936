"""Scores of image-level answers, one a class."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

MEASURED_AT_LEAST = 5
"""Images of a class below which a share of them says nothing."""


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


def scores_of(logits: Tensor, targets: Tensor) -> dict[str, list[float]]:
    """Recall of each class; of several classes an image average precision too, which decides.

    Parameters
    ----------
    logits
        (image, class).
    targets
        (image,) classes, or (image, class) answers 1, 0 and -1 unknown.
    """
    if targets.ndim == 1:
        return {"recall": recalls(logits.argmax(1), targets, logits.shape[1])}
    return {
        "average_precision": precisions(logits, targets),
        "recall": ratios(*hits_and_cases(logits, targets)),
    }


def hits_and_cases(logits: Tensor, targets: Tensor) -> Tensor:
    """Count hits and cases of each class, (2, class) float64; the arguments are `scores_of`'s."""
    if targets.ndim == 2:
        yes = targets == 1
        return torch.stack([((logits > 0) & yes).sum(0), yes.sum(0)]).double()
    classes = logits.shape[1]
    hits = torch.bincount(targets[logits.argmax(1) == targets], minlength=classes)
    return torch.stack([hits, torch.bincount(targets, minlength=classes)]).double()


def most_of(targets: Tensor) -> Tensor:
    """Give (image,) classes, of mixed images, whose targets are shares, the largest share's."""
    return targets.argmax(1) if targets.ndim == 2 else targets


def well_measured(values: Sequence[float], targets: Tensor) -> list[float]:
    """Leave out the values of classes of which hardly an image was measured."""
    classes = len(values)
    several = targets.ndim == 2
    counts = (targets == 1).sum(0) if several else torch.bincount(targets, minlength=classes)
    pairs = zip(values, counts.tolist(), strict=True)
    return [value if count >= MEASURED_AT_LEAST else math.nan for value, count in pairs]
