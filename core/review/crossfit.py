"""Probabilities out of sample: each case is told by a head that has not seen its patient."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .confident import Columns, Shares

FOLDS = 5
WIDTH = 256
"""Principal components that the head sees; with more it learns single images by heart."""

PENALTY = 0.01
"""Inverse strength of the head's penalty (`C` of scikit-learn); tuned on another draw of swaps."""

ITERATIONS = 300
FEWEST = 10
"""Labelled cases without which no head can be cross-fitted."""


def folds_by_patient(
    answers: Columns, patients: Sequence[str], folds: int = FOLDS, seed: int = 0
) -> Columns:
    """Give the fold (case,) of each case: no patient in two, each class spread where it can be.

    Parameters
    ----------
    answers
        (case,) the class, or (case, class) 1 yes, 0 no, -1 unknown: then a case counts for the
        rarest class that it has.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    strata = answers if answers.ndim == 1 else _rarest(answers)
    groups = np.unique(np.asarray(patients), return_inverse=True)[1]
    number = min(folds, len(np.unique(groups)))
    found = np.zeros(len(strata), dtype=np.int64)
    if number < 2:
        return found
    # Classes of fewer cases than folds cannot be spread evenly: they are dealt with the largest.
    counts = np.bincount(strata + 1)
    strata = np.where(counts[strata + 1] >= number, strata + 1, counts.argmax())
    splitter = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    for fold, (_, held) in enumerate(splitter.split(groups, strata, groups)):
        found[held] = fold
    return found


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled cases: `features` (case, width) of any float, and their answers.

    `answers` are (case,) the class, or (case, class) 1 yes, 0 no, -1 unknown.
    """

    features: Any
    answers: Columns
    patients: Sequence[str]


def cross_fitted(
    told: Labelled,
    classes: int,
    *,
    beside: Labelled | None = None,
    folds: int = FOLDS,
    seed: int = 0,
) -> Iterator[tuple[int, int, Shares]]:
    """Fit a class-balanced logistic regression fold by fold; give (done, of, shares) after each.

    Parameters
    ----------
    told
        Who is told about.
    classes
        How many classes there are.
    beside
        Others that every head may learn from, but those of the patients that it tells about.

    Yields
    ------
    `shares` is (case, class): the probabilities of the cases of the folds that are done, else and
    for a class that its head has not seen not-a-number. Classes are weighed alike, so that they
    stand for a uniform prior.
    """
    both = [told] if beside is None else [told, beside]
    seen = components(np.concatenate([np.asarray(one.features) for one in both]))
    answers = np.concatenate([one.answers for one in both])
    patients = np.concatenate([np.asarray(one.patients, dtype=str) for one in both])
    count = len(told.answers)
    shares = np.full((count, classes), np.nan)
    fold = folds_by_patient(told.answers, told.patients, folds, seed)
    number = int(fold.max(initial=0)) + 1
    fit = _one_of if answers.ndim == 1 else _each
    for each in range(number):
        held = np.flatnonzero(fold == each)
        learned = ~np.isin(patients, patients[held])
        if len(held) and learned.any():
            shares[held] = fit(seen[learned], answers[learned], seen[held], classes)
        yield each + 1, number, shares


def components(features: Any, width: int = WIDTH) -> Shares:
    """Turn (case, width) features onto their first principal components, of mean variance 1.

    No label is looked at, so this may be done over all cases.
    """
    values = np.asarray(features, dtype=np.float64)
    values = values - values.mean(axis=0)
    kept = min(width, *values.shape)
    variances, axes = np.linalg.eigh(values.T @ values / max(len(values), 1))
    order = np.argsort(-variances)[:kept]
    scale = max(float(variances[order].mean()), 1e-24) if kept else 1.0
    seen: Shares = values @ axes[:, order] / np.sqrt(scale)
    return seen


def uncertainty_of_shares(shares: Shares, *, exclusive: bool) -> Shares:
    """Give the entropy (case,) of (case, class) probabilities, 0 sure to 1 undecided."""
    p = np.clip(shares, 1e-12, 1.0)
    if exclusive:
        entropy = -(p * np.log(p)).sum(axis=1) / math.log(max(2, shares.shape[1]))
    else:
        q = np.clip(1 - shares, 1e-12, 1.0)
        entropy = -(p * np.log(p) + q * np.log(q)).mean(axis=1) / math.log(2)
    clipped: Shares = np.clip(entropy, 0.0, 1.0)
    return clipped


def _head() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=ITERATIONS)


def _one_of(seen: Shares, answers: Columns, asked: Shares, classes: int) -> Shares:
    known = answers >= 0
    there = np.unique(answers[known])
    shares = np.full((len(asked), classes), np.nan)
    if len(there) < 2:
        return shares
    head = _head().fit(seen[known], answers[known])
    shares[:, head.classes_] = head.predict_proba(asked)
    return shares


def _each(seen: Shares, answers: Columns, asked: Shares, classes: int) -> Shares:
    shares = np.full((len(asked), classes), np.nan)
    for column in range(classes):
        known = answers[:, column] >= 0
        said = answers[known, column]
        if len(np.unique(said)) == 2:
            shares[:, column] = _head().fit(seen[known], said).predict_proba(asked)[:, 1]
    return shares


def _rarest(answers: Columns) -> Columns:
    """Give the rarest class (case,) that each case has, -1 where it has none."""
    yes = answers == 1
    rank = np.where(yes, yes.sum(axis=0), len(answers) + 1)
    found: Columns = np.where(yes.any(axis=1), rank.argmin(axis=1), -1)
    return found
