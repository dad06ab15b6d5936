"""What was taken for what: the most frequent confusions of classes that exclude each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .confusion import IntArray, confusions
from .intervals import wilson

MOST_PAIRS = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """`n` of the `of` cases of class `true` were taken for `predicted`; 95 % interval of n / of."""

    true: str
    predicted: str
    n: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The part of the class that was taken for the other."""
        return self.n / self.of


def most_confused(
    counts: Sequence[Sequence[int]], names: Sequence[str], most: int = MOST_PAIRS
) -> tuple[Pair, ...]:
    """List the pairs of classes that are confused most, by number of cases and then by share.

    Parameters
    ----------
    counts
        A row a true class, a column a predicted class.
    names
        Of the classes, in their order.
    """
    pairs = [
        _pair(counts, names, true, said)
        for true in range(len(names))
        for said in range(len(names))
        if true != said and counts[true][said]
    ]
    return tuple(sorted(pairs, key=lambda pair: (-pair.n, -pair.share))[:most])


def counted(truth: IntArray, said: IntArray, count: int) -> tuple[tuple[int, ...], ...]:
    """Count (true class, predicted class) over all cases."""
    table = confusions(truth, said, count, np.ones((1, len(truth))))[0]
    return tuple(tuple(int(number) for number in row) for row in table)


def _pair(counts: Sequence[Sequence[int]], names: Sequence[str], true: int, said: int) -> Pair:
    n, of = counts[true][said], sum(counts[true])
    low, high = wilson(n, of) or (0.0, 1.0)
    return Pair(names[true], names[said], n, of, low, high)
