"""Lines around boxes that cannot be edited: the predicted one dashed, and shades below drawn ones.

Dashes are white and dark in turn: they are seen over black lungs and over the brightest heat, and
nobody takes the box for a drawn one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Vectors
from qtpy.QtCore import QObject, QTimer

from .canvas_guests import fits, insert_quietly, remove
from .canvas_reading import Picture

if TYPE_CHECKING:
    from napari import Viewer

Lines = np.ndarray[Any, np.dtype[np.float64]]

DASH_PX = 6.0
WHITE, DARK = (1.0, 1.0, 1.0, 1.0), (0.08, 0.08, 0.1, 0.85)
SHADE = (0.08, 0.08, 0.1, 0.6)
ROOM = 512
"""Pieces that a layer has room for, and as many more as are needed."""

Box = tuple[Sequence[float], Sequence[float]]
"""First pixel and number of pixels along each axis, in array order."""

# A zoom by the wheel comes in many small steps.
ZOOMED_MS = 80
MOST_DASHES = 400
"""Dashes of one rectangle at most; a view that is magnified far gets longer ones."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How lines are drawn: the layer's name, the colours of pieces in turn, their width."""

    name: str
    inks: tuple[tuple[float, float, float, float], ...]
    width_px: float = 2.0


PREDICTED = Pen("predicted box", (WHITE, DARK))
SHADED = Pen("box shade", (SHADE,), 4.5)


class BoxLines:
    """Draws lines around boxes, as wide on the screen at every zoom.

    Parameters
    ----------
    below
        The name of the layer that the lines stay under, if any.
    """

    def __init__(
        self, viewer: "Viewer", pen: Pen, parent: QObject | None = None, *, below: str = ""
    ) -> None:
        self._viewer, self._pen, self._below = viewer, pen, below
        self.layer: Vectors | None = None
        self._picture: Picture | None = None
        self._boxes: tuple[Box, ...] = ()
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setInterval(ZOOMED_MS)
        self._timer.timeout.connect(self._draw)
        viewer.scene.camera.events.zoom.connect(self._on_zoom)
        viewer.dims.events.order.connect(self._on_zoom)

    def show(self, picture: Picture | None, boxes: Sequence[Box] = ()) -> None:
        """Draw boxes over a picture."""
        if picture is not self._picture or tuple(boxes) != self._boxes:
            self._picture, self._boxes = picture, tuple(boxes)
            self._draw()

    def hold_hidden(self, hidden: bool) -> None:
        """Hide it for a moment, or show it again."""
        if self.layer is not None:
            self.layer.visible = bool(self._boxes) and not hidden

    def make_room(self, axes: int) -> None:
        """Take the layer away unless the next case has as many axes."""
        if self.layer is not None and self.layer.ndim != axes:
            layer, self.layer = self.layer, None
            remove(self._viewer, layer)

    def forget_layer(self) -> None:
        """Let go of the layer: somebody else removed it."""
        self.layer = None

    def close(self) -> None:
        """Take the layer away and follow nothing more."""
        self._timer.stop()
        self._viewer.scene.camera.events.zoom.disconnect(self._on_zoom)
        self._viewer.dims.events.order.disconnect(self._on_zoom)
        self.show(None)
        self.make_room(0)

    def _on_zoom(self, event: object = None) -> None:
        if self._boxes:
            self._timer.start()

    def _draw(self) -> None:
        if self._picture is None or not self._boxes:
            self._hide()
            return
        spacing = self._picture.spacing
        zoom = max(float(self._viewer.scene.camera.zoom), 1e-6)
        axis = int(self._viewer.dims.order[0]) if len(spacing) > 2 else None
        length = DASH_PX / zoom
        lines = np.concatenate([dashes(*box, spacing, length, axis) for box in self._boxes])
        width = self._pen.width_px / zoom / float(min(spacing))
        layer = self.layer
        if layer is not None and fits(layer, self._picture) and len(layer.data) >= len(lines):
            layer.data = padded(lines, len(layer.data))
            layer.scale = np.asarray(spacing)
            layer.edge_width = width
            layer.visible = True
        else:
            remove(self._viewer, layer)
            self._add(padded(lines, -(-len(lines) // ROOM) * ROOM), width)

    def _add(self, lines: Lines, width: float) -> None:
        assert self._picture is not None
        unit = "mm" if self._picture.in_mm else "pixel"
        self.layer = Vectors(
            lines,
            name=self._pen.name,
            vector_style="line",
            edge_width=width,
            edge_color=self._colours(len(lines)),
            scale=self._picture.spacing,
            units=(unit,) * len(self._picture.spacing),
        )
        layers = self._viewer.layers
        above = [place for place, each in enumerate(layers) if each.name == self._below]
        insert_quietly(self._viewer, self.layer, min(above, default=None))

    def _colours(self, count: int) -> Lines:
        return np.resize(np.array(self._pen.inks), (count, 4))

    def _hide(self) -> None:
        if self.layer is not None and self.layer.visible:
            self.layer.visible = False
            # What it held must not widen the view of the next case.
            self.layer.data = np.zeros_like(self.layer.data)


def dashes(
    start: Sequence[float],
    size: Sequence[float],
    spacing: Sequence[float],
    length: float,
    axis: int | None = None,
) -> Lines:
    """Cut the outline of a box into pieces of one `length`, an even number on each side.

    Parameters
    ----------
    start, size
        First pixel and number of pixels along each axis, in array order.
    spacing
        Size of a pixel, in the unit of `length`.
    axis
        The axis that slices are stacked along, None in a picture: the outline is drawn in each
        slice that the box reaches into.

    Returns
    -------
    (piece, 2, axis) float64, as napari's vectors: where a piece begins, and how it runs on.
    """
    shown = [each for each in range(len(size)) if each != axis]
    sides = [size[each] * spacing[each] for each in shown]
    outline = _rectangle([start[each] for each in shown], [size[each] for each in shown])
    pieces = []
    for number, corner in enumerate(outline):
        along = outline[(number + 1) % 4] - corner
        count = _even(sides[1 - number % 2] / length)
        steps = np.arange(count)[:, None] / count
        pieces.append(np.stack([corner + steps * along, np.tile(along / count, (count, 1))], 1))
    flat = np.concatenate(pieces)
    if axis is None:
        return flat
    places = np.arange(start[axis], start[axis] + size[axis])
    deep = np.zeros((len(places), len(flat), 2, 3))
    deep[..., shown] = flat
    deep[:, :, 0, axis] = places[:, None]
    return deep.reshape(-1, 2, 3)


def padded(lines: Lines, count: int) -> Lines:
    """Fill up with pieces of no length: napari looks for colours of pieces that are gone."""
    rest = np.zeros((count - len(lines), *lines.shape[1:]))
    rest[:, 0] = lines[0, 0]
    return np.concatenate([lines, rest])


def _rectangle(start: Sequence[float], size: Sequence[float]) -> Lines:
    """Give the corners around, from the outer edges of the first and the last pixel."""
    top, left = (place - 0.5 for place in start)
    bottom, right = (place + extent for place, extent in zip((top, left), size, strict=True))
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)])


def _even(count: float) -> int:
    return max(2, 2 * round(min(count, MOST_DASHES / 4) / 2))
