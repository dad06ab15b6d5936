"""From a map to boxes: what is above a share of the maximum, piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy import ndimage

from ..errors import LongtailError

MapArray: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]

THRESHOLD = 0.5
"""Share of the map's maximum from which a place belongs to a finding."""

Order = Literal["hottest", "largest"]


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box around one piece of a map, in whole pixels of the map's grid.

    Parameters
    ----------
    start, size
        First pixel and number of pixels along each axis, in array order: (z, y, x) or (y, x).
    score
        The mean of the map over the piece.
    pixels
        The pixels of the piece itself.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]
    score: float
    pixels: int

    @property
    def xywh(self) -> tuple[int, int, int, int]:
        """The box in its last two axes as x, y, width and height."""
        (y, x), (h, w) = self.start[-2:], self.size[-2:]
        return x, y, w, h

    def to_mapping(self) -> dict[str, float]:
        """Give x, y, w, h, for a volume also z and d, and the score, as plain data."""
        x, y, w, h = self.xywh
        deep = {"z": self.start[0], "d": self.size[0]} if len(self.start) > 2 else {}
        return {"x": x, "y": y, "w": w, "h": h, **deep, "score": self.score}


def boxes_of(
    values: MapArray,
    *,
    threshold: float = THRESHOLD,
    order: Order = "hottest",
    most: int = 1,
    overlap: float = 0.3,
    blur: int = 0,
) -> list[FoundBox]:
    """Give the boxes of a map, the best first; none of a map that is zero everywhere.

    Parameters
    ----------
    values
        The map on the grid that the boxes are to be in, not below 0. To have them in pixels of the
        stored file, bring the map there first, by `Preprocessing.restore`.
    threshold
        Share of the map's maximum, above 0.
    order
        The `hottest` piece has the highest mean, the `largest` the most pixels.
    most
        How many boxes at most.
    overlap
        A box that covers a better one by more than this (intersection over union) is left out.
    blur
        Side of a square mean taken before, in pixels; 0 for none.

    Raises
    ------
    LongtailError
        The threshold is none, or the map is damaged.
    """
    if not 0 < threshold <= 1:
        raise LongtailError(
            f"A threshold of {threshold:g} marks no region.", "Choose one above 0 and at most 1."
        )
    field = np.asarray(values, dtype=np.float32)
    if not np.isfinite(field).all():
        raise LongtailError("The map holds values that are no numbers.", "Compute it again.")
    field = ndimage.uniform_filter(field, blur, mode="nearest") if blur > 1 else field
    top = float(field.max(initial=0.0))
    if top <= 0:
        return []
    pieces = _pieces(field, field >= np.float32(threshold * top))
    best = sorted(pieces, key=lambda box: _rank(box, order), reverse=True)
    return without_overlap(best, overlap)[:most]


def without_overlap(boxes: Sequence[FoundBox], overlap: float) -> list[FoundBox]:
    """Leave out each box that covers an earlier one by more than `overlap` of their union."""
    kept: list[FoundBox] = []
    for box in boxes:
        if all(_shared(box, other) <= overlap for other in kept):
            kept.append(box)
    return kept


def hottest_point(values: MapArray) -> tuple[int, ...]:
    """Give the place of the highest value, in array order; the middle one of several alike.

    Of a plateau the place nearest to its centre is taken: the first would lean to a corner.
    """
    places = np.argwhere(values == values.max())
    nearest = np.square(places - places.mean(axis=0)).sum(axis=1).argmin()
    return tuple(int(value) for value in places[nearest])


def _pieces(field: MapArray, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> list[FoundBox]:
    """Find the pieces that hang together, also over corners."""
    labels, count = ndimage.label(mask, structure=np.ones((3,) * field.ndim))
    numbers = np.arange(1, count + 1)
    means = np.atleast_1d(ndimage.mean(field, labels, numbers))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return [
        FoundBox(
            tuple(int(side.start) for side in place),
            tuple(int(side.stop - side.start) for side in place),
            float(mean),
            int(size),
        )
        for place, mean, size in zip(ndimage.find_objects(labels), means, sizes, strict=True)
    ]


def _rank(box: FoundBox, order: Order) -> tuple[float, float]:
    both = (box.score, float(box.pixels))
    return both if order == "hottest" else both[::-1]


def _shared(first: FoundBox, second: FoundBox) -> float:
    """Intersection over union."""
    sides = [
        max(0, min(a + n, b + m) - max(a, b))
        for a, n, b, m in zip(first.start, first.size, second.start, second.size, strict=True)
    ]
    common = int(np.prod(sides))
    return common / (int(np.prod(first.size)) + int(np.prod(second.size)) - common)
