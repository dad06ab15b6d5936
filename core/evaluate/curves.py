"""How a class is told from the rest at every threshold: points of ROC and precision-recall."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .bootstrap import FloatArray

BoolArray: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

MOST_POINTS = 101
"""Points a curve; more than a small plot has pixels for."""

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Curve:
    """Points from left to right, both axes from 0 to 1."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ClassCurves:
    """The curves of one class.

    `roc` has the share of false alarms on x and sensitivity on y, `precision_recall` sensitivity
    on x and precision on y. `there` of `known` cases have the class: the precision of guessing.
    """

    name: str
    there: int
    known: int
    roc: Curve
    precision_recall: Curve


def class_curves(
    name: str, scores: FloatArray, yes: BoolArray, known: BoolArray
) -> ClassCurves | None:
    """Give the curves of one class; None without both answers.

    Parameters
    ----------
    scores
        (case,) the higher, the more likely yes.
    yes, known
        (case,) the truth; cases whose truth is unknown are left out.
    """
    there, total = int((yes & known).sum()), int(known.sum())
    if there in (0, total):
        return None
    hits, passed = _passed(scores[known], yes[known])
    sensitivity, alarms = hits / there, (passed - hits) / (total - there)
    precision = hits / passed
    return ClassCurves(
        name,
        there,
        total,
        _curve(np.r_[0.0, alarms], np.r_[0.0, sensitivity]),
        # Above the first threshold nothing is called; the curve begins with its precision.
        _curve(np.r_[0.0, sensitivity], np.r_[precision[0], precision]),
    )


def _passed(scores: FloatArray, yes: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Count the hits and all cases from each distinct score upwards, the highest first."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    # Cases with one score cannot be told apart: they pass a threshold together.
    ends = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    return np.cumsum(yes[order])[ends].astype(float), (ends + 1).astype(float)


def _curve(x: FloatArray, y: FloatArray) -> Curve:
    kept = _corners(x, y)
    kept = kept[_spread(x[kept], y[kept])]
    return Curve(
        tuple(float(value) for value in x[kept].round(_DIGITS)),
        tuple(float(value) for value in y[kept].round(_DIGITS)),
    )


def _corners(x: FloatArray, y: FloatArray) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Leave out the points that lie on the line between their neighbours."""
    across, up = np.diff(x), np.diff(y)
    bends = np.abs(across[:-1] * up[1:] - across[1:] * up[:-1]) > 1e-12
    return np.flatnonzero(np.r_[True, bends, True])


def _spread(x: FloatArray, y: FloatArray) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Choose at most `MOST_POINTS` places that are evenly spread along the curve, ends included."""
    if len(x) <= MOST_POINTS:
        return np.arange(len(x))
    along = np.r_[0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    wanted = np.linspace(0.0, along[-1], MOST_POINTS)
    places = np.searchsorted(along, wanted).clip(0, len(x) - 1)
    return np.unique(np.r_[0, places, len(x) - 1])
