"""Tiny classifiers: what can be told from something that should tell nothing, as an AUC."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..project.catalogue import NO, UNKNOWN, YES
from .doctor_study import Study

FOLDS = 5
WIDTH = 64
"""Directions that an image's features are brought to before they are classified."""

LEAST_CASES, LEAST_PATIENTS = 20, 8
"""Of a class, and of its absence: with fewer no AUC is told."""

MOST_CASES = 6000
LEAVES, LEAST_IN_LEAF = 16, 5
STEPS = 60

Floats = np.ndarray[Any, np.dtype[np.float64]]
Rows = np.ndarray[Any, np.dtype[np.intp]]
Classify = Callable[[Floats, Floats, Any], Floats]
"""Learns from (case, feature) and 0 or 1 a case, then scores other cases: (case,)."""


@dataclass(frozen=True, slots=True)
class Exam:
    """What all classifiers are examined on: the same cases, classes and folds.

    Attributes
    ----------
    rows
        The cases, as rows of the study.
    columns
        The classes, as columns of the study.
    truth
        (case, class) int8: 1, 0, or -1 where nobody knows.
    fold
        (case,) the fold in which it is held out; cases of one patient share it.
    groups
        (case,) a number for each patient.
    """

    rows: Rows
    columns: tuple[int, ...]
    truth: np.ndarray[Any, np.dtype[np.int8]]
    fold: np.ndarray[Any, np.dtype[np.intp]]
    groups: Rows


@dataclass(frozen=True, slots=True)
class Told:
    """An AUC of one class with its 95 % interval."""

    column: int
    auc: float
    low: float
    high: float


def exam_of(study: Study, usable: Any) -> Exam | None:
    """Choose cases, classes and folds; None where too few are labelled to learn anything.

    Parameters
    ----------
    usable
        (case,) bool: those that every classifier can be shown.
    """
    rows = np.flatnonzero(np.asarray(usable) & study.labelled)
    if len(rows) > MOST_CASES:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_CASES])
    truth, groups = study.presence[rows], study.groups[rows]
    columns = [c for c in range(truth.shape[1]) if _can_be_told(truth[:, c], groups)]
    if not columns:
        return None
    chosen = truth[:, columns]
    return Exam(rows, tuple(columns), chosen, _folds(chosen, groups), groups)


def _can_be_told(truth: np.ndarray[Any, Any], groups: Rows) -> bool:
    return all(
        (truth == answer).sum() >= LEAST_CASES
        and len(np.unique(groups[truth == answer])) >= LEAST_PATIENTS
        for answer in (YES, NO)
    )


def _folds(truth: np.ndarray[Any, Any], groups: Rows) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Deal patients out, those with the rarest class first, each to the fold that has least."""
    rarest = np.argsort((truth == YES).sum(axis=0), kind="stable")
    ranked = (truth == YES)[:, rarest]
    label = np.where(ranked.any(axis=1), ranked.argmax(axis=1), len(rarest))
    different, of_case = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(different), len(rarest) + 1), np.int64)
    np.add.at(counts, (of_case, label), 1)
    drawn = np.random.default_rng(0).permutation(len(different))
    main = counts.argmax(axis=1)
    order = drawn[np.lexsort((-counts.sum(axis=1)[drawn], main[drawn]))]
    held = np.zeros((FOLDS, len(rarest) + 1), np.int64)
    fold = np.zeros(len(different), np.intp)
    for group in order.tolist():
        place = int(np.lexsort((held.sum(axis=1), held[:, main[group]]))[0])
        fold[group], held[place] = place, held[place] + counts[group]
    return np.asarray(fold[of_case], np.intp)


def examine(exam: Exam, features: Floats, classify: Classify) -> list[Told]:
    """Give how well each class is told from `features`, (case of the exam, feature).

    Each case is scored by a classifier that has seen none of its patient.
    """
    found = []
    for place, column in enumerate(exam.columns):
        truth = exam.truth[:, place]
        scores = np.zeros(len(truth))
        for fold in range(FOLDS):
            held = exam.fold == fold
            learned = ~held & (truth != UNKNOWN)
            scores[held] = classify(features[learned], features[held], truth[learned])
        found.append(_told(column, truth, scores, exam.groups))
    return found


def _told(column: int, truth: np.ndarray[Any, Any], scores: Floats, groups: Rows) -> Told:
    known = truth != UNKNOWN
    auc = auc_of(truth[known] == YES, scores[known])
    # Images of one patient are no independent witnesses.
    yes, no = (len(np.unique(groups[truth == answer])) for answer in (YES, NO))
    margin = 1.96 * auc_error(auc, yes, no)
    return Told(column, auc, max(0.0, auc - margin), min(1.0, auc + margin))


def auc_of(truth: Any, scores: Floats) -> float:
    """Give the area under the curve, ties counted half (Mann and Whitney)."""
    from sklearn.metrics import roc_auc_score

    if truth.all() or not truth.any():
        return 0.5
    return float(roc_auc_score(truth, scores))


def auc_error(auc: float, yes: int, no: int) -> float:
    """Give the standard error of an AUC (Hanley and McNeil 1982)."""
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (
        auc * (1 - auc)
        + (max(yes, 1) - 1) * (first - auc**2)
        + (max(no, 1) - 1) * (second - auc**2)
    )
    return math.sqrt(max(spread, 0.0) / (max(yes, 1) * max(no, 1)))


def narrowed(features: Any) -> Floats:
    """Bring features to few directions, by their own spread alone and not by any label."""
    from sklearn.decomposition import PCA

    values = np.array(features, np.float32)
    values -= values.mean(axis=0)
    # Not np.std, which makes three copies of what may be a hundred megabytes.
    spread = np.sqrt(np.einsum("nf,nf->f", values, values) / max(len(values), 1))
    values /= np.maximum(spread, 1e-6)
    count = min(WIDTH, *values.shape, max(2, len(values) // 4))
    if values.shape[1] > count:
        solver = PCA(count, svd_solver="randomized", iterated_power=3, random_state=0)
        values = solver.fit_transform(values)
        values /= np.maximum(values[:, 0].std(), 1e-9)
    return values.astype(np.float64)


def by_line(learned: Floats, held: Floats, truth: Any) -> Floats:
    """Score by logistic regression."""
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(truth)) < 2:
        return np.zeros(len(held))
    model = LogisticRegression(C=1.0, max_iter=STEPS, tol=1e-3, class_weight="balanced")
    with np.errstate(all="ignore"):
        model.fit(learned, truth)
        return np.asarray(model.decision_function(held), np.float64)


def by_tree(learned: Floats, held: Floats, truth: Any) -> Floats:
    """Score by a small tree: blocks of numbers and single values alike."""
    from sklearn.tree import DecisionTreeClassifier

    if len(np.unique(truth)) < 2:
        return np.zeros(len(held))
    model = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES, min_samples_leaf=LEAST_IN_LEAF, random_state=0
    )
    model.fit(learned, truth)
    return np.asarray(model.predict_proba(held)[:, list(model.classes_).index(YES)], np.float64)
