"""The layer of drawn boxes: from boxes to napari's rectangles, and back."""

from collections.abc import Mapping, Sequence
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


def xywh_of(corners: Corners, shape: Sequence[int]) -> tuple[float, float, float, float]:
    """Give the upright box around corners, within the image, to a tenth of a pixel."""
    low = np.clip(corners.min(axis=0) + 0.5, 0, shape)
    high = np.clip(corners.max(axis=0) + 0.5, 0, shape)
    (y, x), (bottom, right) = np.round(low, 1), np.round(high, 1)
    return float(x), float(y), round(float(right - x), 1), round(float(bottom - y), 1)


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


def _ink(class_id: int, colours: Mapping[int, str], white: int | None) -> str:
    if class_id == white:
        return WHITE
    colour = colours.get(class_id, WHITE)
    return colour if white is None else f"{colour}{round(255 * PALE):02x}"
