"""Area under the curve, average precision and calibration, under many weightings at once."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from .bootstrap import FloatArray

BoolArray: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

CALIBRATION_BINS = 15


class Ranking:
    """The cases of one class sorted by score once, measured under many weightings.

    Parameters
    ----------
    scores
        (case,) the higher, the more likely yes.
    yes
        (case,) the truth.
    known
        (case,) cases whose truth is unknown are left out.
    """

    def __init__(self, scores: FloatArray, yes: BoolArray, known: BoolArray) -> None:
        rows = np.flatnonzero(known)
        self._rows = rows[np.argsort(-scores[rows], kind="stable")]
        self._yes = yes[self._rows]
        ordered = scores[self._rows]
        # Cases with one score cannot be told apart: they pass a threshold together.
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])

    def measure(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give (weighting,) values of both measures.

        Returns
        -------
        tuple
            The area under the receiver operating curve, NaN without both answers; and the
            precision averaged over the steps of recall, NaN without a yes.
        """
        yes, no = self._masses(weights)
        all_yes, passed_no = yes.sum(axis=1), np.cumsum(no, axis=1)
        below = no.sum(axis=1, keepdims=True) - passed_no
        won = (yes * (below + 0.5 * no)).sum(axis=1)
        hits = np.cumsum(yes, axis=1)
        precision = _ratio(hits, hits + passed_no, otherwise=0.0)
        area = _ratio(won, all_yes * no.sum(axis=1))
        return area, _ratio((precision * yes).sum(axis=1), all_yes)

    def _masses(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give the weight of yes and of no at each distinct score, from the highest down."""
        if not len(self._rows):
            nothing = np.zeros((len(weights), 0))
            return nothing, nothing
        ordered = weights[:, self._rows]
        yes = np.add.reduceat(ordered * self._yes, self._starts, axis=1)
        return yes, np.add.reduceat(ordered, self._starts, axis=1) - yes


def calibration_error(
    confidence: FloatArray, correct: BoolArray, known: BoolArray, weights: FloatArray
) -> FloatArray:
    """Give the expected calibration error over 15 equal bins of confidence.

    Parameters
    ----------
    confidence, correct, known
        (case,) how sure, whether rightly, and whether it is known.
    weights
        (weighting, case).
    """
    bins = bin_of(confidence)
    gap = np.zeros(len(weights))
    total = (weights * known).sum(axis=1)
    for rows in _members(bins, known):
        gap += np.abs(weights[:, rows] @ (confidence[rows] - correct[rows]))
    return _ratio(gap, total)


def bin_of(confidence: FloatArray) -> IntArray:
    """Give (case,) which of the 15 equal bins of confidence each case is in; ends belong below."""
    place = np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1
    return np.clip(place, 0, CALIBRATION_BINS - 1)


def _members(bins: IntArray, known: BoolArray) -> Iterator[IntArray]:
    for index in range(CALIBRATION_BINS):
        yield np.flatnonzero((bins == index) & known)


def _ratio(top: FloatArray, bottom: FloatArray, otherwise: float = np.nan) -> FloatArray:
    out = np.full_like(top, otherwise, dtype=float)
    ratio: FloatArray = np.divide(top, bottom, out=out, where=bottom > 0)
    return ratio
