"""The layer of drawn boxes: from boxes to napari's rectangles, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from napari.layers import Shapes

from ..core.project.boxfiles import DrawnBox
from .canvas_reading import Picture

NAME = "boxes"
WIDTH_PX = 2.0
WHITE = "#ffffff"
PALE = 0.55
"""How much of the others is seen where the boxes of one class are white."""

LEAST_PX, LEAST_SEEN_PX = 2.0, 6.0
"""A side shorter than this in the image, or on the screen, is a slip of the hand, not a box."""

Xywh = tuple[float, float, float, float]
Corners = np.ndarray[Any, np.dtype[np.float64]]


def boxes_layer(picture: Picture) -> Shapes:
    """Make an empty layer over a picture."""
    unit = "mm" if picture.in_mm else "pixel"
    return Shapes(
        ndim=2,
        name=NAME,
        face_color="transparent",
        scale=picture.spacing,
        units=(unit,) * len(picture.spacing),
    )


def corners_of(box: DrawnBox) -> Corners:
    """Give (4, 2) rows and columns as napari draws: the centre of the first pixel is 0."""
    top, left = box.y - 0.5, box.x - 0.5
    bottom, right = top + box.height, left + box.width
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)])


def xywh_of(corners: Corners, shape: Sequence[int]) -> Xywh:
    """Give the upright box around corners, within the image, to a tenth of a pixel."""
    low = np.clip(corners.min(axis=0) + 0.5, 0, shape)
    high = np.clip(corners.max(axis=0) + 0.5, 0, shape)
    (y, x), (bottom, right) = np.round(low, 1), np.round(high, 1)
    return float(x), float(y), round(float(right - x), 1), round(float(bottom - y), 1)


def boxes_drawn(
    before: Sequence[DrawnBox], drawn: Sequence[Xywh], class_id: int, least: float = LEAST_PX
) -> tuple[DrawnBox, ...]:
    """Give what is drawn now its classes: that of the box that it was, or `class_id`.

    Parameters
    ----------
    before
        The boxes as they were known.
    drawn
        What stands on the layer: as many, in the same order, where one was moved; more or fewer
        where one was drawn or deleted.
    least
        A new box with a side shorter than this, in pixels of the image, is a slip of the hand.
    """
    if len(drawn) == len(before):
        pairs = zip(before, drawn, strict=True)
        return tuple(_moved(box, xywh) for box, xywh in pairs)
    known = {_rounded(box.xywh): box for box in before}
    boxes = []
    for xywh in drawn:
        old = known.get(_rounded(xywh))
        if old is not None:
            boxes.append(old)
        elif min(xywh[2:]) >= least:
            boxes.append(DrawnBox(class_id, *xywh))
    return tuple(boxes)


def least_side(zoom: float, picture: Picture) -> float:
    """Give the shortest side of a box that was meant, in pixels of the image."""
    return max(LEAST_PX, LEAST_SEEN_PX / max(float(zoom), 1e-6) / float(min(picture.spacing)))


def edge_width(zoom: float, picture: Picture) -> float:
    """Give the width of lines in pixels of the image, the same on the screen at every zoom."""
    return WIDTH_PX / max(float(zoom), 1e-6) / float(min(picture.spacing))


def paint_boxes(
    layer: Shapes,
    boxes: Sequence[DrawnBox],
    colours: Mapping[int, str],
    width: float,
    white: int | None = None,
) -> None:
    """Draw each box in its class's colour; those of the class `white` in white, others paler."""
    if not boxes or layer.nshapes != len(boxes):
        return
    layer.edge_width = [width] * len(boxes)
    layer.edge_color = [_ink(box.class_id, colours, white) for box in boxes]


def _moved(box: DrawnBox, xywh: Xywh) -> DrawnBox:
    if _rounded(box.xywh) == _rounded(xywh) or min(xywh[2:]) < LEAST_PX:
        return box
    x, y, width, height = xywh
    return replace(box, x=x, y=y, width=width, height=height, author="")


def _rounded(xywh: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(value, 2) for value in xywh)


def _ink(class_id: int, colours: Mapping[int, str], white: int | None) -> str:
    if class_id == white:
        return WHITE
    colour = colours.get(class_id, WHITE)
    return colour if white is None else f"{colour}{round(255 * PALE):02x}"
