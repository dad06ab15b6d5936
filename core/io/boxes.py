"""What a box must satisfy to lie on an image: pure functions on numbers."""

import math
from enum import StrEnum

REACH = 1.0
"""Pixels by which a box may reach over the image's edge: sides are rounded, and corners too."""

XYWH = tuple[float, float, float, float]
"""x, y, width and height in pixels of the file as stored, from the corner of its first pixel."""


class BoxFault(StrEnum):
    """Why a box cannot be kept."""

    NO_NUMBER = "a side of it is no number"
    NO_AREA = "it has no area"
    OUTSIDE = "it lies outside of the image"


def box_fault(box: XYWH, size: tuple[int, int] | None) -> BoxFault | None:
    """Say what is wrong with a box; None if nothing is.

    Parameters
    ----------
    size
        Width and height of the image; None where they are not known.
    """
    x, y, w, h = box
    if not all(map(math.isfinite, box)):
        return BoxFault.NO_NUMBER
    if w <= 0 or h <= 0:
        return BoxFault.NO_AREA
    if size is None:
        return None
    over = max(-x, -y, x + w - size[0], y + h - size[1])
    gone = x >= size[0] or y >= size[1] or x + w <= 0 or y + h <= 0
    return BoxFault.OUTSIDE if over > REACH or gone else None


def cut_box(box: XYWH, size: tuple[int, int]) -> XYWH:
    """Cut what reaches over the image's edge; the same box where nothing does."""
    x, y, w, h = box
    if x >= 0 and y >= 0 and x + w <= size[0] and y + h <= size[1]:
        return box
    left, top = max(x, 0.0), max(y, 0.0)
    return left, top, min(x + w, size[0]) - left, min(y + h, size[1]) - top
