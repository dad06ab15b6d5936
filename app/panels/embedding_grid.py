"""Finds the point under the mouse among very many, and the points inside a drawn line."""

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float32]]
Rows = np.ndarray[Any, np.dtype[np.intp]]

PER_CELL = 4
MOST_CELLS = 512
"""Cells along one side."""


class PointGrid:
    """Points sorted into the cells of a grid; built once for many questions.

    Building takes some ten milliseconds for 100,000 points, so build it in a thread.

    Parameters
    ----------
    spots
        (n, 2) x and y, finite.
    """

    def __init__(self, spots: Floats) -> None:
        self._spots = np.asarray(spots, np.float32)
        side = int(np.sqrt(len(spots) / PER_CELL)) + 1
        self._side = min(side, MOST_CELLS)
        columns = self._spots.T if len(spots) else ((0.0,), (1.0,))
        low = np.array([np.min(column) for column in columns])
        high = np.array([np.max(column) for column in columns])
        self._low = low
        self._step = np.maximum((high - low) / self._side, 1e-12)
        cells = self._cells(self._spots)
        numbers = cells[:, 1] * self._side + cells[:, 0]
        self._order = np.argsort(numbers, kind="stable")
        counts = np.bincount(numbers, minlength=self._side**2)
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    def within(self, x: float, y: float, reach_x: float, reach_y: float) -> Rows:
        """Give the points of the cells that a box around a place touches: more than it holds."""
        ends = np.array([[x - reach_x, y - reach_y], [x + reach_x, y + reach_y]], np.float32)
        (left, top), (right, bottom) = self._cells(ends).tolist()
        parts = [
            self._order[
                self._starts[row * self._side + left] : self._starts[row * self._side + right + 1]
            ]
            for row in range(top, bottom + 1)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.intp)

    def nearest(self, x: float, y: float, reach_x: float, reach_y: float) -> int | None:
        """Give the point nearest to a place, as far as `reach` in each direction; else None.

        Distances are measured in reaches, so that a stretched plot is searched in a circle.
        """
        rows = self.within(x, y, reach_x, reach_y)
        if not len(rows):
            return None
        away = (self._spots[rows] - (x, y)) / (max(reach_x, 1e-12), max(reach_y, 1e-12))
        far = (away**2).sum(axis=1)
        best = int(far.argmin())
        return int(rows[best]) if far[best] <= 1.0 else None

    def _cells(self, spots: Any) -> Any:
        cells = (spots - self._low) / self._step
        return np.clip(cells, 0, self._side - 1).astype(np.int64)


def inside_mask(
    spots: Floats, mask: np.ndarray[Any, np.dtype[np.bool_]], left: float = 0.0, top: float = 0.0
) -> Rows:
    """Give the points that lie on the true pixels of a mask.

    Parameters
    ----------
    spots
        (n, 2) x and y in pixels.
    mask
        (height, width), its upper left corner at `left`, `top`.
    """
    x, y = spots[:, 0] - np.float32(left), spots[:, 1] - np.float32(top)
    height, width = mask.shape
    rows = np.flatnonzero((x >= 0) & (y >= 0) & (x < width) & (y < height))
    return np.asarray(rows[mask[y[rows].astype(np.intp), x[rows].astype(np.intp)]])
