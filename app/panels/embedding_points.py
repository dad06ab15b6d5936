"""What the plot of an embedding is given: points, how each kind of them looks, centres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..plots import line_colour
from ..theme import Tokens, mix, to_rgb
from .embedding_raster import DENSITY_FROM, Layer, Rows, size_for

Floats = np.ndarray[Any, np.dtype[np.float32]]
Codes = np.ndarray[Any, np.dtype[np.int16]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

STEP_BACK = 0.22
"""How much of their opacity points keep while others are chosen."""

RIM_PX, MOST_RIMMED = 3.0, 20_000
"""Chosen points get a rim, unless there are so many that only rims would be seen."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How points of one kind look: `colour` as `#rrggbb`, `shape` one of the raster's."""

    name: str
    colour: str
    shape: str = "disc"


@dataclass(frozen=True, slots=True)
class Star:
    """The centre of a kind of points."""

    x: float
    y: float
    kind: int


@dataclass(frozen=True)
class Points:
    """Points in the plane.

    Parameters
    ----------
    spots
        (n, 2) x and y; up is up.
    codes
        (n,) the kind of each point, a place in `kinds`.
    kinds
        How they look.
    stars
        The centres of kinds.
    ground
        (m, 2) what the view that shows all points is to hold, where that is more than `spots`.
    """

    spots: Floats
    codes: Codes
    kinds: tuple[Kind, ...]
    stars: tuple[Star, ...] = ()
    ground: Floats | None = None

    def __len__(self) -> int:
        return len(self.spots)

    @property
    def is_dense(self) -> bool:
        """Whether there are so many that their density is drawn, with a sample on top."""
        return len(self.spots) >= DENSITY_FROM


@dataclass(frozen=True)
class Dress:
    """How all points are drawn: `size_px` None leaves it to their number."""

    size_px: float | None = None
    opacity: float = 0.8
    names: bool = True


def layers_of(
    points: Points,
    chosen: Flags | None,
    dress: Dress,
    tokens: Tokens,
    area: float,
    ratio: float = 1.0,
) -> list[Layer]:
    """Give what is painted, the commonest kind at the bottom; chosen points come to the front.

    Parameters
    ----------
    chosen
        (n,) the points that were chosen, or None where none are.
    area
        The size of the plot, in pixels of Qt; it decides how large points are.
    ratio
        Pixels of the screen in a pixel of Qt.
    """
    size = (dress.size_px or size_for(len(points), area)) * ratio
    looks = [(to_rgb(line_colour(kind.colour, tokens)), kind.shape) for kind in points.kinds]
    card = to_rgb(tokens.card)
    rows_of = _by_kind(points)
    if chosen is None or not chosen.any():
        return [Layer(rows, *looks[kind], size, dress.opacity) for kind, rows in rows_of]
    back = [
        Layer(rows[~chosen[rows]], _mixed(looks[kind][0], card), looks[kind][1], size, STEP_BACK)
        for kind, rows in rows_of
    ]
    front = [(kind, rows[chosen[rows]]) for kind, rows in rows_of]
    text = to_rgb(tokens.text)
    rim = [Layer(rows, text, looks[kind][1], size + RIM_PX * ratio, 1.0) for kind, rows in front]
    if sum(len(rows) for _, rows in front) > MOST_RIMMED:
        rim = []
    top = [Layer(rows, *looks[kind], size, 1.0) for kind, rows in front]
    return [layer for layer in (*back, *rim, *top) if len(layer.rows)]


def centres_of(spots: Floats, codes: Codes, kinds: Sequence[int]) -> tuple[Star, ...]:
    """Put a star at the middle of each kind of points: the median, which strays do not move."""
    stars = []
    for kind in kinds:
        own = spots[codes == kind]
        if len(own):
            x, y = np.median(own, axis=0).tolist()
            stars.append(Star(x, y, kind))
    return tuple(stars)


def _by_kind(points: Points) -> list[tuple[int, Rows]]:
    rows = [(kind, np.flatnonzero(points.codes == kind)) for kind in range(len(points.kinds))]
    filled = [(kind, own) for kind, own in rows if len(own)]
    return sorted(filled, key=lambda pair: -len(pair[1]))


def _mixed(colour: tuple[int, int, int], ground: tuple[int, int, int]) -> tuple[int, int, int]:
    pairs = zip(colour, ground, strict=True)
    red, green, blue = (round(a * 0.7 + b * 0.3) for a, b in pairs)
    return red, green, blue


def ink_of(kind: Kind, tokens: Tokens) -> str:
    """Give the colour of a kind as it is drawn on a card."""
    return line_colour(kind.colour, tokens)


def ground_colour(tokens: Tokens) -> str:
    """Give the colour that the plot lies on: a little deeper than a card, so that points stand."""
    return mix(tokens.card, tokens.ground, 0.35) if tokens.dark else tokens.card
