"""The two points of a region's outline that lie farthest apart.

Looking at every pair is quadratic in the points, so all but a few points are left out beforehand.
The width of a set across a direction is no more than its diameter; a point whose reach is less
than the largest width found cannot be an end of the diameter.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist

Array = np.ndarray[Any, np.dtype[Any]]

DIRECTIONS = 24
"""Over half a turn in the plane."""

ROUNDING = 1e-4
"""Of a width in single precision, generously."""

FEW = 1000
"""Up to so many points all pairs take less time than the convex hull."""

POINTS_AT_ONCE = 512
"""Of how many points the distances to all others are held at a time."""


def within_groups(points: Array, group: Array) -> Array:
    """Largest distance of two points of a group in a plane, (group,).

    Parameters
    ----------
    points
        (point, 2) in mm.
    group
        (point,) from 0 in rising order, each number at least once.
    """
    kept = _ends(points, group, np.arange(group[-1] + 1))
    return _longest(points[kept], group[kept], int(group[-1]) + 1)


def over_planes(points: Array, plane: Array, owner: Array) -> Array:
    """Largest distance of two points of one plane among the planes of a region, (region,).

    Parameters
    ----------
    points, plane
        As for `within_groups`.
    owner
        (plane,) the region that each plane is of.
    """
    kept = _ends(points, plane, owner)
    longest = np.zeros(int(owner.max()) + 1)
    np.maximum.at(longest, owner, _longest(points[kept], plane[kept], len(owner)))
    return longest


def across(points: Array) -> float:
    """Largest distance of two points (point, 3) in mm: both are corners of the convex hull."""
    if len(points) <= FEW:
        return _farthest(points)
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:  # all of them in one plane
        corners = points
    return _farthest(corners)


def _ends(points: Array, group: Array, owner: Array) -> Array:
    """Numbers of the points that may be an end of their owner's longest distance.

    A distance in a direction between two of those looked at is at most as much longer than its
    projection as the nearest of them allows.
    """
    seen = (_directions() @ points.T).astype(np.float32)  # only points are chosen by it
    first = np.flatnonzero(np.diff(group, prepend=-1))
    low, high = np.minimum.reduceat(seen, first, axis=1), np.maximum.reduceat(seen, first, axis=1)
    widest = np.zeros(int(owner.max()) + 1)
    np.maximum.at(widest, owner[group[first]], (high - low).max(axis=0))
    counts = np.diff(first, append=len(group))
    reach = np.maximum(high.repeat(counts, axis=1) - seen, seen - low.repeat(counts, axis=1))
    slack = (1 + ROUNDING) / np.cos(np.pi / 2 / DIRECTIONS)
    return np.flatnonzero(reach.max(axis=0) * slack >= widest[owner[group]])


@lru_cache(maxsize=1)
def _directions() -> Array:
    angle = np.arange(DIRECTIONS) * (np.pi / DIRECTIONS)
    return np.stack((np.cos(angle), np.sin(angle)), axis=1)


def _longest(points: Array, group: Array, groups: int) -> Array:
    longest = np.zeros(groups)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    for part, number in zip(np.split(points, first[1:]), group[first], strict=True):
        longest[number] = _farthest(part)
    return longest


def _farthest(points: Array) -> float:
    starts = range(0, len(points), POINTS_AT_ONCE)
    return max(
        float(cdist(points[one : one + POINTS_AT_ONCE], points[one:]).max()) for one in starts
    )
