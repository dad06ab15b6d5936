"""Measure image-level predictions from stored logits; imports neither torch nor MONAI."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from . import confusion
from .bootstrap import FloatArray, Measures, Table, mean_known
from .prior import DEFAULT_THRESHOLD, sigmoid, softmax
from .ranking import Ranking, calibration_error

IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
PresenceArray: TypeAlias = np.ndarray[Any, np.dtype[np.int8]]

RECALL = "recall"
TIERED = ("macro_f1", "precision", "auc", "average_precision")


def single_label_measures(
    truth: IntArray,
    logits: FloatArray,
    tiers: Mapping[str, Sequence[int]],
    *,
    graded: bool = False,
) -> Measures:
    """Measure classes that exclude each other, as a function of the weights of the cases.

    Parameters
    ----------
    truth
        (case,) the column of the true class.
    logits
        (case, class); shifted to another prior beforehand where that is wanted.
    tiers
        The columns of the head, medium and tail classes.
    graded
        The classes are grades in their order: kappa weighs errors by their squared distance.
    """
    probabilities = softmax(logits)
    predicted = probabilities.argmax(axis=1)
    count = logits.shape[1]
    one_hot = np.eye(count, dtype=bool)[truth]
    all_known = np.ones(len(truth), dtype=bool)
    rankings = [Ranking(probabilities[:, k], one_hot[:, k], all_known) for k in range(count)]
    confidence, correct = probabilities.max(axis=1), predicted == truth

    def measure(weights: FloatArray) -> dict[str, Table]:
        table = confusion.confusions(truth, predicted, count, weights)
        recall = confusion.recalls(table)
        tables = {
            "balanced_accuracy": Table(mean_known(recall), recall),
            "accuracy": Table(confusion.accuracy(table)),
            "macro_f1": _macro(confusion.f1_scores(table)),
            RECALL: _macro(recall),
            **_by_tier(recall, tiers),
            "precision": _macro(confusion.precisions(table)),
            **_ranked(rankings, weights),
            "mcc": Table(confusion.matthews(table)),
            "kappa": Table(confusion.kappa(table, graded=graded)),
            "ece": Table(calibration_error(confidence, correct, all_known, weights)),
        }
        return tables | _tiered(tables, tiers)

    return measure


def multi_label_measures(
    truth: PresenceArray,
    logits: FloatArray,
    tiers: Mapping[str, Sequence[int]],
    *,
    thresholds: Sequence[float] | None = None,
) -> Measures:
    """Measure classes that are each yes, no or unknown, as a function of the weights.

    Every measure is a mean over classes of that class's value over the cases where it is known.

    Parameters
    ----------
    truth
        (case, class): 1 yes, 0 no, -1 unknown.
    logits
        (case, class).
    tiers
        The columns of the head, medium and tail classes.
    thresholds
        From which probability a class counts as found; 0.5 without any.
    """
    probabilities = sigmoid(logits)
    found = probabilities >= np.asarray(thresholds or [DEFAULT_THRESHOLD] * truth.shape[1])
    yes, known = truth == 1, truth >= 0
    columns = range(truth.shape[1])
    rankings = [Ranking(probabilities[:, k], yes[:, k], known[:, k]) for k in columns]

    def measure(weights: FloatArray) -> dict[str, Table]:
        pairs = [
            confusion.confusions(
                yes[:, k].astype(np.int64), found[:, k].astype(np.int64), 2, weights * known[:, k]
            )
            for k in columns
        ]
        recall = _stack([confusion.recalls(pair)[:, 1] for pair in pairs])
        errors = [
            calibration_error(probabilities[:, k], yes[:, k], known[:, k], weights) for k in columns
        ]
        tables = {
            "balanced_accuracy": _macro(_stack([_two_sided(pair) for pair in pairs])),
            "accuracy": _macro(_stack([confusion.accuracy(pair) for pair in pairs])),
            "macro_f1": _macro(_stack([confusion.f1_scores(pair)[:, 1] for pair in pairs])),
            RECALL: _macro(recall),
            **_by_tier(recall, tiers),
            "precision": _macro(_stack([confusion.precisions(pair)[:, 1] for pair in pairs])),
            **_ranked(rankings, weights),
            "mcc": _macro(_stack([_of_both(pair, confusion.matthews(pair)) for pair in pairs])),
            "kappa": _macro(_stack([_of_both(pair, confusion.kappa(pair)) for pair in pairs])),
            "ece": _macro(_stack(errors)),
        }
        return tables | _tiered(tables, tiers)

    return measure


def _macro(classes: FloatArray) -> Table:
    return Table(mean_known(classes), classes)


def _by_tier(recall: FloatArray, tiers: Mapping[str, Sequence[int]]) -> dict[str, Table]:
    return {f"{RECALL}_{tier}": _macro(recall[:, list(columns)]) for tier, columns in tiers.items()}


def _tiered(tables: Mapping[str, Table], tiers: Mapping[str, Sequence[int]]) -> dict[str, Table]:
    """Give a `measure/tier` a measure with values a class; recall has names of its own."""
    wanted = [name for name in TIERED if tables[name].classes is not None]
    return {
        f"{name}/{tier}": Table(mean_known(_columns(tables[name], columns)))
        for name in wanted
        for tier, columns in tiers.items()
    }


def _columns(table: Table, columns: Sequence[int]) -> FloatArray:
    assert table.classes is not None
    return table.classes[:, list(columns)]


def _ranked(rankings: Sequence[Ranking], weights: FloatArray) -> dict[str, Table]:
    areas, precisions = zip(*(ranking.measure(weights) for ranking in rankings), strict=True)
    return {"auc": _macro(_stack(areas)), "average_precision": _macro(_stack(precisions))}


def _two_sided(pair: FloatArray) -> FloatArray:
    both = confusion.recalls(pair)
    half: FloatArray = both.mean(axis=1)
    return half


def _of_both(pair: FloatArray, values: FloatArray) -> FloatArray:
    """Leave a class out whose truth is only yes or only no: agreement by chance says nothing."""
    return np.where((pair.sum(axis=2) > 0).all(axis=1), values, np.nan)


def _stack(columns: Sequence[FloatArray]) -> FloatArray:
    return np.stack(columns, axis=1)
