"""What a report on images holds besides its measures: counts, confusions, curves, reliability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .bootstrap import FloatArray
from .classification import PresenceArray
from .confusion import IntArray
from .curves import ClassCurves, class_curves
from .mistakes import Pair, counted, most_confused
from .operating import Count
from .prior import sigmoid, softmax
from .reliability import Reliability, reliability


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of cases, a row a true class and a column a predicted class, in order of `names`."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class ImageParts:
    """The parts of a report on image-level classes, all over the same cases as its measures.

    Parameters
    ----------
    counts
        By class name: how many images have it, were found, were called it wrongly.
    pairs
        The most confused pairs, where classes exclude each other.
    reliability
        Of the chosen answers where classes exclude each other, else of each class.
    curves
        Of each class that has both answers.
    thresholds
        From which probability a class counted as found; empty where the likeliest is called.
    """

    counts: Mapping[str, Count] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    curves: tuple[ClassCurves, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)


def confusion_of(truth: IntArray, logits: FloatArray, names: Sequence[str]) -> Confusion:
    """Count what was taken for what; `truth` (case,) are columns of `logits` (case, class)."""
    return Confusion(tuple(names), counted(truth, logits.argmax(axis=1), len(names)))


def single_label_parts(truth: IntArray, logits: FloatArray, names: Sequence[str]) -> ImageParts:
    """Give the parts for classes that exclude each other.

    Parameters
    ----------
    truth
        (case,) the column of the true class.
    logits
        (case, class), under the setting that the measures are made with.
    """
    shares = softmax(logits)
    said = shares.argmax(axis=1)
    table = counted(truth, said, len(names))
    everyone = np.ones(len(truth), dtype=bool)
    curves = [class_curves(n, shares[:, k], truth == k, everyone) for k, n in enumerate(names)]
    return ImageParts(
        counts={name: _count(table, k) for k, name in enumerate(names)},
        pairs=most_confused(table, names),
        reliability=(reliability("", shares.max(axis=1), said == truth),),
        curves=tuple(curve for curve in curves if curve is not None),
    )


def multi_label_parts(
    truth: PresenceArray, logits: FloatArray, names: Sequence[str], thresholds: Sequence[float]
) -> ImageParts:
    """Give the parts for classes that are each yes, no or unknown.

    Parameters
    ----------
    truth
        (case, class): 1 yes, 0 no, -1 unknown.
    thresholds
        From which probability each class counts as found.
    """
    shares = sigmoid(logits)
    yes, known = truth == 1, truth >= 0
    called = shares >= np.asarray(thresholds)
    columns = list(enumerate(names))
    curves = [class_curves(n, shares[:, k], yes[:, k], known[:, k]) for k, n in columns]
    return ImageParts(
        counts={
            name: Count(
                int(yes[:, k].sum()),
                int((yes & called)[:, k].sum()),
                int(((truth == 0) & called)[:, k].sum()),
            )
            for k, name in columns
        },
        reliability=tuple(
            reliability(name, shares[:, k], yes[:, k], known[:, k])
            for k, name in columns
            if known[:, k].any()
        ),
        curves=tuple(curve for curve in curves if curve is not None),
        thresholds=dict(zip(names, map(float, thresholds), strict=True)),
    )


def _count(table: Sequence[Sequence[int]], k: int) -> Count:
    called = sum(row[k] for row in table)
    return Count(sum(table[k]), table[k][k], called - table[k][k])
