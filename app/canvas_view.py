"""How an image is first looked at: plane, letters at the edges, contrast, slice. Pure functions."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# Differences below this share are rounding of the scanner, not a thicker slice.
SAME_SPACING = 0.01
SAMPLE_SIZE = 400_000
LOW_PERCENT, HIGH_PERCENT = 0.5, 99.5
LARGEST_FIRST_BRUSH = 20

# SimpleITK's directions grow towards left, posterior and superior (LPS).
_TOWARDS = (("L", "R"), ("P", "A"), ("S", "I"))
_KIND = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}

Vertical = Literal["up", "down"]
Horizontal = Literal["left", "right"]


class Turned(NamedTuple):
    """Which way a plane is put on the screen.

    `order` is napari's order of axes (the last two are drawn: down, across); `vertical` and
    `horizontal` say where their indices grow; the letters say what lies at the four edges, and
    are empty where the file does not say.
    """

    order: tuple[int, ...]
    vertical: Vertical
    horizontal: Horizontal
    top: str
    bottom: str
    left: str
    right: str


def plane_axis(spacing_mm: Sequence[float] | None, shape: Sequence[int]) -> int | None:
    """Give the axis to slice along: the one with the largest spacing, else the first.

    A volume that is one slice thick is that slice; an image has no such axis.
    """
    if len(shape) < 3:
        return None
    if 1 in shape:
        return tuple(shape).index(1)
    if spacing_mm is None or max(spacing_mm) <= min(spacing_mm) * (1 + SAME_SPACING):
        return 0
    return int(np.argmax(spacing_mm))


def turn(axis: int | None, direction: Sequence[float] | None, ndim: int) -> Turned:
    """Put a plane on the screen as radiologists look at it: head or front up, patient's right left.

    Parameters
    ----------
    axis
        The axis that slices are stacked along, None for an image.
    direction
        SimpleITK's direction matrix, 9 numbers row by row, or None where the file has none.
    ndim
        2 or 3.
    """
    shown = tuple(number for number in range(ndim) if number != axis)
    order = (*(number for number in range(ndim) if number == axis), *shown)
    if axis is None or direction is None or len(direction) != 9:
        return lettered(order, None)
    down, across = shown
    if _KIND[towards(direction, across)] > _KIND[towards(direction, down)]:
        down, across = across, down
    return lettered((axis, down, across), direction)


def lettered(order: Sequence[int], direction: Sequence[float] | None) -> Turned:
    """Say what lies at the edges of a plane in this order of axes, and which way to grow."""
    axes = tuple(order)
    if direction is None or len(direction) != 9 or len(axes) != 3:
        return Turned(axes, "down", "right", "", "", "", "")
    down, across = towards(direction, axes[1]), towards(direction, axes[2])
    vertical: Vertical = "up" if down in "AS" else "down"
    horizontal: Horizontal = "left" if across in "RA" else "right"
    bottom, top = (_opposite(down), down) if vertical == "up" else (down, _opposite(down))
    left, right = (
        (across, _opposite(across)) if horizontal == "left" else (_opposite(across), across)
    )
    return Turned(axes, vertical, horizontal, top, bottom, left, right)


def towards(direction: Sequence[float], axis: int) -> str:
    """Give the letter of the side of the body that the array's `axis` grows towards."""
    matrix = np.asarray(direction, dtype=float).reshape(3, 3)
    column = matrix[:, 2 - axis]
    main = int(np.argmax(np.abs(column)))
    return _TOWARDS[main][0 if column[main] > 0 else 1]


def contrast_limits(array: Array) -> tuple[float, float]:
    """Give the limits of grey that a few very bright or dark voxels do not pull apart."""
    sample = _sample(array)
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(sample, (LOW_PERCENT, HIGH_PERCENT)))
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    return (low, high) if high > low else (low, low + 1.0)


def contrast_range(array: Array, limits: tuple[float, float]) -> tuple[float, float]:
    """Give the range that the limits can be moved in: all that a sample of the image holds."""
    sample = _sample(array)
    if not sample.size:
        return limits
    return min(limits[0], float(sample.min())), max(limits[1], float(sample.max()))


def first_brush(shape: Sequence[int], axis: int | None) -> int:
    """Give a brush width in voxels that suits the plane: a twelfth of its shorter side."""
    sides = [length for number, length in enumerate(shape) if number != axis]
    return int(np.clip(round(min(sides) / 12), 1, LARGEST_FIRST_BRUSH))


def _opposite(letter: str) -> str:
    first, second = _TOWARDS[_KIND[letter]]
    return second if letter == first else first


def _sample(array: Array) -> Array:
    # Whole slices are left out rather than voxels, so that a mapped file is not read whole.
    step = max(1, array.size // SAMPLE_SIZE)
    first = max(1, round(step ** (1 / array.ndim)))
    rest = max(1, round((step / first) ** (1 / max(1, array.ndim - 1))))
    part = array[(slice(None, None, first), *(slice(None, None, rest),) * (array.ndim - 1))]
    values = np.asarray(part, dtype=np.float64).ravel()
    return values[np.isfinite(values)]
