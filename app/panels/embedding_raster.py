"""Paints very many points into a picture, by numpy alone.

Each group of points is one colour and one shape, so that classes can be told apart without
colour. Shapes have soft edges and lie between pixels where there are few points; where there are
many, points in one pixel are counted once and make it denser.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

SHAPES = ("disc", "square", "triangle", "diamond", "cross", "wedge", "plus", "ring")
"""In the order in which classes take them; `ring` is for what has no class."""

FINE_UP_TO = 20_000
"""Points that are placed between pixels; of more than these nobody sees the difference."""

PHASES = 4
FINEST = 6
DENSITY_FROM = 200_000
SAMPLE = 20_000
SIZES, SHARE = (3.0, 9.0), 0.8
_LEAST_DENSE = 0.25

Floats = np.ndarray[Any, np.dtype[np.float32]]
Rows = np.ndarray[Any, np.dtype[np.intp]]
Picture = np.ndarray[Any, np.dtype[np.uint8]]
Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Layer:
    """Points of one look; `rows` are places among all points, later layers lie on top."""

    rows: Rows
    colour: Rgb
    shape: str = "disc"
    size_px: float = 6.0
    opacity: float = 0.8


def paint(spots: Floats, layers: Sequence[Layer], width: int, height: int) -> Picture:
    """Paint layers of points.

    Parameters
    ----------
    spots
        (n, 2) where the points lie, in pixels from the upper left corner: x, y.
    layers
        What is painted, the lowest first.

    Returns
    -------
    uint8, (height, width, 4)
        Blue, green, red, alpha; the colours are multiplied by alpha, as Qt's
        `Format_ARGB32_Premultiplied` wants them.
    """
    canvas = np.zeros((height * width, 4), np.float32)
    # Columns apart: numpy goes through two numbers a row far more slowly.
    along, down = (np.ascontiguousarray(spots[:, axis]) for axis in (0, 1))
    fine = sum(len(layer.rows) for layer in layers) <= FINE_UP_TO
    for layer in layers:
        x, y = along[layer.rows], down[layer.rows]
        left, top, wide, high = _box(x, y, layer.size_px, width, height)
        if wide <= 0 or high <= 0:
            continue
        cover = _covered(x - left, y - top, layer.shape, layer.size_px, wide, high, fine)
        touched = np.flatnonzero(cover)
        alpha = _opaque(cover[touched], layer.opacity)
        touched = (touched // wide + top) * width + touched % wide + left
        _lay(canvas, touched, alpha, layer.colour)
    return _bytes(canvas, width, height)


def paint_density(
    spots: Floats, layers: Sequence[Layer], width: int, height: int, cell: int = 2
) -> Picture:
    """Paint how densely points lie: the colour of a place mixes its groups, by their counts.

    Parameters and result are those of `paint`; shapes and sizes of the layers do not matter.
    `cell` is the edge of the squares that are counted, in pixels.
    """
    wide, high = -(-width // cell), -(-height // cell)
    along, down = (np.ascontiguousarray(spots[:, axis]) for axis in (0, 1))
    total = np.zeros(wide * high)
    mixed = np.zeros((wide * high, 3))
    for layer in layers:
        x, y = along[layer.rows], down[layer.rows]
        inside = (x >= 0) & (y >= 0) & (x < wide * cell) & (y < high * cell)
        numbers = (y[inside] / cell).astype(np.intp) * wide + (x[inside] / cell).astype(np.intp)
        counts = np.bincount(numbers, minlength=wide * high)
        total += counts
        mixed += counts[:, None] * np.array(layer.colour[::-1], float)
    dense = _dense(total)
    canvas = np.zeros((wide * high, 4), np.float32)
    canvas[:, :3] = mixed / np.maximum(total, 1)[:, None] * dense[:, None]
    canvas[:, 3] = dense * 255
    large = _bytes(canvas, wide, high).repeat(cell, axis=0).repeat(cell, axis=1)
    return np.ascontiguousarray(large[:height, :width])


def over(top: Picture, ground: Picture) -> Picture:
    """Lay one picture on another; both as `paint` gives them."""
    seen = 255 - top[..., 3:].astype(np.uint16)
    return np.asarray(top + ((ground * seen + 127) // 255).astype(np.uint8))


def sampled(layers: Sequence[Layer], most: int = SAMPLE) -> list[Layer]:
    """Keep at most `most` points in all; small groups stay whole, since they are the rare ones."""
    sizes = np.array([len(layer.rows) for layer in layers])
    allowed = _shares(sizes, most)
    return [
        Layer(
            layer.rows[np.linspace(0, len(layer.rows) - 1, count).astype(np.intp)],
            layer.colour,
            layer.shape,
            layer.size_px,
            layer.opacity,
        )
        for layer, count in zip(layers, allowed.tolist(), strict=True)
        if count
    ]


def size_for(count: int, area: float) -> float:
    """Give how large points are drawn where nobody chose: about what their share of `area` is.

    `area` is that of the plot, in the square of the unit of the answer.
    """
    return float(np.clip(SHARE * np.sqrt(area / max(count, 1)), *SIZES))


def coverage(spots: Floats, shape: str, size_px: float, width: int, height: int) -> Floats:
    """Give how much of each pixel is covered, (height * width,); 2 where two points overlap."""
    fine = len(spots) <= FINE_UP_TO
    return _covered(spots[:, 0], spots[:, 1], shape, size_px, width, height, fine)


def _covered(
    x: Floats, y: Floats, shape: str, size_px: float, width: int, height: int, fine: bool
) -> Floats:
    stamps = stamps_of(shape, round(size_px * 4) / 4, PHASES if fine else 1)
    side = stamps.shape[-1]
    edge = side // 2 + 1
    wide, high = width + 2 * edge, height + 2 * edge
    seen = (x >= -1) & (y >= -1) & (x < width + 1) & (y < height + 1)
    if not seen.all():
        x, y = x[seen], y[seen]
    x, y = x.astype(np.float32) + edge, y.astype(np.float32) + edge
    column, row = x.astype(np.int32), y.astype(np.int32)
    first = (row - side // 2).astype(np.intp) * wide + (column - side // 2)
    if fine:
        phases = _phase(y - row) * PHASES + _phase(x - column)
        cover = _stamped(first, stamps, phases, wide, high)
    else:
        cover = _counted(first, stamps[0], wide, high)
    inner = cover.reshape(high, wide)[edge:-edge, edge:-edge]
    return np.ascontiguousarray(inner, np.float32).ravel()


@lru_cache(64)
def stamps_of(shape: str, size_px: float, phases: int) -> Floats:
    """Give a shape's coverage of pixels, (phases * phases, side, side), for places in a pixel.

    The middle pixel of a stamp is the one that the point lies in; phase p of P lies at
    (p + 1/2) / P of that pixel.
    """
    side = 2 * int(np.ceil(size_px * 0.8 + 0.5)) + 1
    grain = (np.arange(side * FINEST) + 0.5) / FINEST - side // 2
    made = []
    for down in range(phases):
        for along in range(phases):
            x = (grain - (along + 0.5) / phases)[None, :] / (size_px / 2)
            y = (grain - (down + 0.5) / phases)[:, None] / (size_px / 2)
            cells = _inside(shape, x, y).reshape(side, FINEST, side, FINEST)
            made.append(cells.mean(axis=(1, 3)))
    return np.array(made, np.float32)


def _inside(shape: str, x: Any, y: Any) -> Any:
    """Tell which points lie in a shape of about the area of a disc with radius 1; y goes down."""
    if shape == "square":
        return (np.abs(x) <= 0.87) & (np.abs(y) <= 0.87)
    if shape in ("triangle", "wedge"):
        up = y if shape == "triangle" else -y
        return (up <= 0.85) & (np.abs(x) <= (up + 1.25) * 0.62)
    if shape == "diamond":
        return np.abs(x) + np.abs(y) <= 1.22
    if shape in ("plus", "cross"):
        if shape == "cross":
            x, y = (x + y) * 0.7071, (x - y) * 0.7071
        thin, long = 0.42, 1.15
        return ((np.abs(x) <= thin) & (np.abs(y) <= long)) | (
            (np.abs(y) <= thin) & (np.abs(x) <= long)
        )
    far = x * x + y * y
    return (far <= 1.0) & (far >= 0.3) if shape == "ring" else far <= 1.0


def _box(
    x: Floats, y: Floats, size_px: float, width: int, height: int
) -> tuple[int, int, int, int]:
    """Give the part of the picture that points can touch: left, top, width, height."""
    if not len(x):
        return 0, 0, 0, 0
    ends = []
    for values, most in ((x, width), (y, height)):
        low = math.floor(float(values.min()) - size_px - 1)
        high = math.ceil(float(values.max()) + size_px + 1)
        ends.append((min(max(low, 0), most), min(max(high, 0), most)))
    (left, right), (top, bottom) = ends
    return left, top, right - left, bottom - top


def _phase(rest: Any) -> Any:
    return np.minimum((rest * PHASES).astype(np.intp), PHASES - 1)


def _stamped(first: Any, stamps: Floats, phases: Any, wide: int, high: int) -> Any:
    side = stamps.shape[-1]
    used = np.flatnonzero(stamps.any(axis=0))
    offsets = (used // side) * wide + used % side
    weights = stamps.reshape(len(stamps), -1)[:, used][phases]
    places = first[:, None] + offsets
    return np.bincount(places.ravel(), weights.ravel(), minlength=wide * high)


def _counted(first: Any, stamp: Floats, wide: int, high: int) -> Any:
    """Stamp each pixel once, by how many points lie in it."""
    counts = np.bincount(first, minlength=wide * high)
    pixels = np.flatnonzero(counts)
    used = np.flatnonzero(stamp)
    offsets = (used // stamp.shape[-1]) * wide + used % stamp.shape[-1]
    weights = counts[pixels, None] * stamp.ravel()[used]
    places = pixels[:, None] + offsets
    return np.bincount(places.ravel(), weights.ravel(), minlength=wide * high)


def _opaque(cover: Floats, opacity: float) -> Floats:
    """Turn coverage into alpha: soft at the edges, denser where points lie on each other."""
    seen = (1 - opacity * np.minimum(cover, 1)) * (1 - opacity) ** np.maximum(cover - 1, 0)
    return np.asarray(1 - seen, np.float32)


def _lay(canvas: Floats, touched: Rows, alpha: Floats, colour: Rgb) -> None:
    """Lay a colour over the canvas, whose colours are multiplied by its alpha, all to 255."""
    ink = np.array((*colour[::-1], 255), np.float32)
    part = canvas[touched]
    part += alpha[:, None] * (ink - part)
    canvas[touched] = part


def _bytes(canvas: Floats, width: int, height: int) -> Picture:
    np.add(canvas, 0.5, out=canvas)
    np.clip(canvas, 0, 255, out=canvas)
    return canvas.astype(np.uint8).reshape(height, width, 4)


def _dense(total: Any) -> Any:
    """Turn counts into alpha on a log scale; a single point is still to be seen."""
    filled = total[total > 0]
    if not len(filled):
        return np.zeros_like(total)
    top = max(np.log1p(np.percentile(filled, 99.5)), 1e-6)
    share = np.minimum(np.log1p(total) / top, 1)
    return np.where(total > 0, _LEAST_DENSE + (0.92 - _LEAST_DENSE) * share, 0)


def _shares(sizes: Any, most: int) -> Any:
    """Share `most` out evenly; what a small group does not need goes to the larger ones."""
    allowed = np.zeros_like(sizes)
    left, order = most, np.argsort(sizes, kind="stable")
    for place, group in enumerate(order.tolist()):
        allowed[group] = min(int(sizes[group]), left // (len(order) - place))
        left -= int(allowed[group])
    return allowed
