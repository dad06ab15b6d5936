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
        yes_there = yes[self._rows]
        ordered = scores[self._rows]
        # Cases with one score cannot be told apart: they pass a threshold together.
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
        ends = np.r_[starts[1:], len(ordered)][: len(starts)] - 1
        # Both measures are sums over the scores at which there is a yes; in the tail these are few.
        self._yes = np.flatnonzero(yes_there)
        step = np.searchsorted(starts, self._yes, side="right") - 1
        there, self._yes_starts = np.unique(step, return_index=True)
        self._starts, self._ends = starts[there], ends[there]

    def measure(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give (weighting,) values of both measures.

        Returns
        -------
        tuple
            The area under the receiver operating curve, NaN without both answers; and the
            precision averaged over the steps of recall, NaN without a yes.
        """
        if not len(self._yes):
            nothing = np.full(len(weights), np.nan)
            return nothing, nothing
        ordered = weights[:, self._rows]
        passed = np.cumsum(ordered, axis=1)
        yes = np.add.reduceat(ordered[:, self._yes], self._yes_starts, axis=1)
        hits, until = np.cumsum(yes, axis=1), passed[:, self._ends]
        all_yes = hits[:, -1]
        all_no = passed[:, -1] - all_yes
        beside = until - (passed[:, self._starts] - ordered[:, self._starts]) - yes
        below = all_no[:, None] - (until - hits)
        area = _ratio((yes * (below + 0.5 * beside)).sum(axis=1), all_yes * all_no)
        precision = _ratio(hits, until, otherwise=0.0)
        return area, _ratio((precision * yes).sum(axis=1), all_yes)


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
