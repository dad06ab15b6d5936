"""Which cases look alike, and how well likeness tells the class; given arrays, without torch.

Likeness is the cosine between features, taken from their common mean; the search is exact.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..explain.nearest import Floats, directions, nearest

Rows: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Numbers: TypeAlias = np.ndarray[Any, np.dtype[Any]]

UNKNOWN = -1
NEIGHBOURS = 5
TINY = 1e-12


class Alike(NamedTuple):
    """The rows most like one, the most alike first, and their cosines with it."""

    rows: Rows
    cosines: Floats


class Neighbours:
    """Finds the rows most like others among given features.

    Parameters
    ----------
    features
        (row, width), of any float type.
    """

    def __init__(self, features: Numbers) -> None:
        self._unit = directions(features)

    def more_like(self, rows: Sequence[int], count: int = 12) -> Alike:
        """Find what is most like the middle of `rows`; themselves are left out."""
        asked = np.asarray(list(rows), np.int64)
        if not len(asked):
            return Alike(np.zeros(0, np.int64), np.zeros(0, np.float32))
        middle = self._unit[asked].mean(axis=0)
        cosines = self._unit @ (middle / max(float(np.linalg.norm(middle)), TINY))
        cosines[asked] = -np.inf
        count = min(count, len(cosines) - len(np.unique(asked)))
        some = np.argpartition(-cosines, max(count - 1, 0))[:count]
        order = some[np.lexsort((some, -cosines[some]))]
        return Alike(order.astype(np.int64), cosines[order])

    def of_all(self, count: int = NEIGHBOURS) -> Rows:
        """Find for each row the rows most like it, (row, count), without itself."""
        steps = nearest(self._unit, count)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                places: Rows = end.value[0]
                return places


class NeighbourAccuracy(NamedTuple):
    """How often the neighbours of a case name its class, each case left out of its own vote.

    Attributes
    ----------
    accuracy
        Over all cases with a class.
    balanced
        The mean of the classes' shares: a common class weighs no more than a rare one.
    classes
        The share of each class, by its number; only classes that a case has.
    neighbours
        How many voted.
    cases
        How many cases have a class.
    chance
        `balanced` of a guess: one over the number of classes.
    """

    accuracy: float
    balanced: float
    classes: dict[int, float]
    neighbours: int
    cases: int
    chance: float


def neighbour_accuracy(
    features: Numbers,
    classes: Numbers,
    count: int = NEIGHBOURS,
    groups: Numbers | None = None,
) -> NeighbourAccuracy | None:
    """Measure how well the nearest neighbours tell the class (leave-one-out).

    Parameters
    ----------
    features
        (case, width).
    classes
        (case,) whole numbers; -1 is unknown: such a case neither votes nor counts.
    count
        How many neighbours vote; of classes with equally many votes that of the nearest wins.
    groups
        (case,) such as the patient: neighbours of the same group do not vote. None groups nothing.

    Returns
    -------
    None where fewer than two cases have a class.
    """
    known = np.flatnonzero(np.asarray(classes) != UNKNOWN)
    if len(known) < 2:
        return None
    names, truth = np.unique(np.asarray(classes)[known], return_inverse=True)
    places = _voters(directions(np.asarray(features)[known]), count, _grouped(groups, known))
    said = _vote(places, truth, len(names))
    hits = said == truth
    shares = np.bincount(truth, hits) / np.bincount(truth)
    return NeighbourAccuracy(
        accuracy=float(hits.mean()),
        balanced=float(shares.mean()),
        classes=dict(zip(names.tolist(), shares.tolist(), strict=True)),
        neighbours=min(count, len(known) - 1),
        cases=len(known),
        chance=1.0 / len(names),
    )


def _grouped(groups: Numbers | None, known: Rows) -> Rows | None:
    if groups is None:
        return None
    _, numbers = np.unique(np.asarray(groups)[known], return_inverse=True)
    return np.asarray(numbers, np.int64)


def _voters(unit: Floats, count: int, groups: Rows | None) -> Rows:
    """Give the neighbours that vote, (case, count), -1 where there are fewer."""
    most = 0 if groups is None else int(np.bincount(groups).max()) - 1
    steps = nearest(unit, count + most)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            places: Rows = end.value[0]
            break
    if groups is None:
        return places
    others = groups[places] != groups[:, None]
    # Those of other groups first, each side in its order.
    order = np.argsort(~others, axis=1, kind="stable")[:, :count]
    chosen = np.take_along_axis(places, order, axis=1)
    return np.where(np.take_along_axis(others, order, axis=1), chosen, UNKNOWN)


def _vote(places: Rows, truth: Rows, classes: int) -> Rows:
    """Give the class with most votes, (case,); -1 where nobody votes."""
    votes = np.zeros((len(places), classes))
    case = np.arange(len(places))
    count = places.shape[1]
    for rank in range(count):
        may = places[:, rank] != UNKNOWN
        # Less than a vote in all, and more for a nearer one: it decides between equals alone.
        votes[case[may], truth[places[may, rank]]] += 1 + 2.0 ** -(rank + 2)
    return np.asarray(np.where(votes.any(axis=1), votes.argmax(axis=1), UNKNOWN), np.int64)
