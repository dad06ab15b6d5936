"""Where on the screen the plane of an embedding lies: plain arithmetic, free of Qt."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]

MOST_STRETCH = 2.5
"""How much wider than high the plane may be drawn; more would tear round groups apart."""

OUTSIDE = 0.1
"""Percent of the points at each end of an axis that the first view may leave out."""

ROOM = 0.07


@dataclass(frozen=True, slots=True)
class View:
    """The part of the plane that is shown: `left` to `right`, `low` to `high`; up is up."""

    left: float
    right: float
    low: float
    high: float

    def pixels(self, spots: Any, width: float, height: float) -> Floats:
        """Give where points lie, (n, 2) x and y, in pixels from the upper left corner."""
        placed = np.empty((len(spots), 2), np.float32, order="F")
        placed[:, 0] = (spots[:, 0] - self.left) * (width / (self.right - self.left))
        placed[:, 1] = (self.high - spots[:, 1]) * (height / (self.high - self.low))
        return placed

    def per_pixel(self, width: float, height: float) -> tuple[float, float]:
        """Give how much of the plane one pixel covers, along and up."""
        return (
            (self.right - self.left) / max(width, 1.0),
            (self.high - self.low) / max(height, 1.0),
        )


def whole(spots: Any, width: float, height: float) -> View:
    """Give the view that shows all points, but for a few that lie far away from all others."""
    if not len(spots):
        return View(-1.0, 1.0, -1.0, 1.0)
    cut = OUTSIDE if len(spots) > 1_000 else 0.0
    low, high = np.percentile(spots, (cut, 100 - cut), axis=0).astype(float)
    middle, size = (low + high) / 2, np.maximum(high - low, 1e-6) * (1 + 2 * ROOM)
    # One scale for both directions, or up to the stretch where the plot is wider than the points.
    along, up = width / size[0], height / size[1]
    if along > up * MOST_STRETCH:
        size[0] = width / (up * MOST_STRETCH)
    elif along < up:
        size[1] = height / along
    (left, bottom), (right, top) = middle - size / 2, middle + size / 2
    return View(float(left), float(right), float(bottom), float(top))
