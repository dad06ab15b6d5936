"""Which box of an image is measured: on the network's grid, from a map, a person or neither."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ..explain.boxes import MapArray, boxes_of
from ..project.boxfiles import DrawnBox

Box: TypeAlias = tuple[int, ...]
"""First pixel along each axis of the network's grid in array order, then the sizes."""

MAP_BLUR = 5
CENTRE_START, CENTRE_END = 24 / 224, 200 / 224
"""The authors cut a box that is the whole image to this part of it."""

LEAST_SIDE = 4
"""Pixels along a side: less has hardly a texture."""


def central_box(space: Sequence[int]) -> Box:
    """Give the middle of a grid, which stands for an image without a region."""
    starts = [round(CENTRE_START * side) for side in space]
    ends = [
        max(start + 1, round(CENTRE_END * side)) for start, side in zip(starts, space, strict=True)
    ]
    return (*starts, *(end - start for start, end in zip(starts, ends, strict=True)))


def box_of_map(values: MapArray, threshold: float) -> Box:
    """Give the box around the hottest piece of a map, never less than a few pixels wide.

    Parameters
    ----------
    values
        (*space), 0 to 1. A map that is zero everywhere, or marks the whole grid, gives the centre.
    threshold
        Share of the map's maximum.
    """
    found = boxes_of(values, threshold=threshold, blur=MAP_BLUR)
    if not found or found[0].size == values.shape:
        return central_box(values.shape)
    return widened((*found[0].start, *found[0].size), values.shape)


def widened(box: Box, space: Sequence[int]) -> Box:
    """Give a box at least the least side along each axis, within the grid."""
    starts, sizes = halves(box)
    wide = [min(max(size, LEAST_SIDE), side) for size, side in zip(sizes, space, strict=True)]
    moved = [
        min(max(start - (now - size) // 2, 0), side - now)
        for start, size, now, side in zip(starts, sizes, wide, space, strict=True)
    ]
    return (*moved, *wide)


def drawn_on_grid(box: DrawnBox, shape: Sequence[int], space: Sequence[int]) -> Box:
    """Bring a box that a person drew onto the network's grid.

    Parameters
    ----------
    box
        In pixels of the file; in a volume it lies in one slice.
    shape, space
        Sizes of the file's grid and of the network's, in array order.
    """
    start, size = np.array([box.y, box.x]), np.array([box.height, box.width])
    if box.slice is not None:
        start, size = np.append(float(box.slice), start), np.append(1.0, size)
    sides = np.array(space)
    scale = sides / np.array(shape)
    first = np.floor(start * scale).astype(int).clip(0, sides - 1)
    last = np.ceil((start + size) * scale).astype(int).clip(first + 1, sides)
    return widened((*first.tolist(), *(last - first).tolist()), space)


def in_file(box: Box, shape: Sequence[int], space: Sequence[int]) -> tuple[float, ...]:
    """Give x, y, width and height of a box in pixels of the file, along its last two axes."""
    starts, sizes = halves(box)
    (y, x), (height, width) = starts[-2:], sizes[-2:]
    down, across = (shape[axis] / space[axis] for axis in (-2, -1))
    return x * across, y * down, width * across, height * down


def halves(box: Box) -> tuple[Box, Box]:
    """Part a box into its starts and its sizes."""
    dims = len(box) // 2
    return box[:dims], box[dims:]
