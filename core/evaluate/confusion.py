"""Measures that follow from counting predicted against true classes."""

from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from .bootstrap import FloatArray

IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


def confusions(truth: IntArray, predicted: IntArray, count: int, weights: FloatArray) -> FloatArray:
    """Count predicted against true classes under each weighting.

    Returns
    -------
    (weighting, true class, predicted class)
    """
    cells = sparse.csr_matrix(
        (np.ones(len(truth)), (truth * count + predicted, np.arange(len(truth)))),
        shape=(count * count, len(truth)),
    )
    table: FloatArray = np.asarray((cells @ weights.T).T).reshape(-1, count, count)
    return table


def accuracy(table: FloatArray) -> FloatArray:
    """Give the share of cases on the diagonal."""
    return divided(np.trace(table, axis1=1, axis2=2), table.sum(axis=(1, 2)))


def recalls(table: FloatArray) -> FloatArray:
    """Give (weighting, class) recall; NaN for a class without cases."""
    return divided(_diagonal(table), table.sum(axis=2))


def precisions(table: FloatArray) -> FloatArray:
    """Give (weighting, class) precision; 0 for a class with cases that is never predicted."""
    precision = divided(_diagonal(table), table.sum(axis=1))
    return np.where(np.isnan(precision) & (table.sum(axis=2) > 0), 0.0, precision)


def f1_scores(table: FloatArray) -> FloatArray:
    """Give (weighting, class) F1; NaN only for a class neither present nor predicted."""
    return divided(2 * _diagonal(table), table.sum(axis=1) + table.sum(axis=2))


def matthews(table: FloatArray) -> FloatArray:
    """Give the correlation coefficient of Matthews for any number of classes, 0 if degenerate."""
    total, right = table.sum(axis=(1, 2)), np.trace(table, axis1=1, axis2=2)
    true, predicted = table.sum(axis=2), table.sum(axis=1)
    covariance = right * total - (true * predicted).sum(axis=1)
    spread = (total**2 - (predicted**2).sum(axis=1)) * (total**2 - (true**2).sum(axis=1))
    value = divided(covariance, np.sqrt(np.maximum(spread, 0.0)))
    return np.where(np.isnan(value) & (total > 0), 0.0, value)


def kappa(table: FloatArray, *, graded: bool = False) -> FloatArray:
    """Give Cohen's kappa; with `graded`, errors weigh by the square of their distance."""
    count = table.shape[1]
    index = np.arange(count)
    distance = (index[:, None] - index[None, :]) ** 2
    penalty = distance.astype(float) if graded else (distance > 0).astype(float)
    true, predicted = table.sum(axis=2), table.sum(axis=1)
    by_chance = divided(np.einsum("wi,wj,ij->w", true, predicted, penalty), table.sum(axis=(1, 2)))
    return 1 - divided((table * penalty).sum(axis=(1, 2)), by_chance)


def divided(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Divide, NaN where there is nothing to divide by."""
    out = np.full_like(top, np.nan, dtype=float)
    ratio: FloatArray = np.divide(top, bottom, out=out, where=bottom > 0)
    return ratio


def _diagonal(table: FloatArray) -> FloatArray:
    return np.diagonal(table, axis1=1, axis2=2)
