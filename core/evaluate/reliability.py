"""Whether what is called 80 % sure is right in 80 of 100: bins of a reliability diagram."""

from dataclasses import dataclass

import numpy as np

from .bootstrap import FloatArray
from .curves import BoolArray
from .intervals import wilson
from .ranking import CALIBRATION_BINS, bin_of


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose stated probability lies above `low` and up to `high`.

    `stated` is their mean probability and `right` the share that was so, with its interval from
    `right_low` to `right_high`; None without any answer in the bin.
    """

    low: float
    high: float
    n: int
    stated: float | None = None
    right: float | None = None
    right_low: float | None = None
    right_high: float | None = None


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bins of one class, or of the chosen answers where `name` is empty; `n` answers."""

    name: str
    n: int
    bins: tuple[Bin, ...]

    @property
    def error(self) -> float | None:
        """The expected calibration error: the mean gap of the bins, weighted by their counts."""
        gaps = [
            one.n * abs(one.stated - one.right)
            for one in self.bins
            if one.stated is not None and one.right is not None
        ]
        return sum(gaps) / self.n if self.n else None


def reliability(
    name: str, stated: FloatArray, right: BoolArray, known: BoolArray | None = None
) -> Reliability:
    """Sort answers into 15 equal bins of stated probability.

    Parameters
    ----------
    name
        The class, or empty for the chosen answers of all classes.
    stated, right
        (case,) the probability that was stated, and whether it is so.
    known
        (case,) cases whose truth is unknown are left out; None knows all.
    """
    kept = np.ones(len(stated), dtype=bool) if known is None else known
    stated, right = stated[kept], right[kept]
    place = bin_of(stated)
    bins = [_bin(k, stated[place == k], right[place == k]) for k in range(CALIBRATION_BINS)]
    return Reliability(name, len(stated), tuple(bins))


def _bin(place: int, stated: FloatArray, right: BoolArray) -> Bin:
    low, high = place / CALIBRATION_BINS, (place + 1) / CALIBRATION_BINS
    hits, total = int(right.sum()), len(right)
    ends = wilson(hits, total)
    if ends is None:
        return Bin(low, high, 0)
    return Bin(low, high, total, float(stated.mean()), hits / total, *ends)
