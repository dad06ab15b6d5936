"""The box around what a heat map shows: dashed white, so that nobody takes it for a drawn one.

Dashes are white and dark in turn: they are seen over black lungs and over the brightest heat.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Vectors
from qtpy.QtCore import QObject, QTimer

from .canvas_reading import Picture

if TYPE_CHECKING:
    from napari import Viewer

    from ..core.explain.boxes import FoundBox

Lines = np.ndarray[Any, np.dtype[np.float64]]

NAME = "predicted box"
DASH_PX, WIDTH_PX = 6.0, 2.0
WHITE, DARK = (1.0, 1.0, 1.0, 1.0), (0.08, 0.08, 0.1, 0.85)
# A zoom by the wheel comes in many small steps.
ZOOMED_MS = 80
MOST_DASHES = 400
"""Dashes of one rectangle at most; a view that is magnified far gets longer ones."""


class PredictedBox:
    """Draws the box of the map that is shown, in a layer that cannot be edited."""

    def __init__(self, viewer: "Viewer", parent: QObject | None = None) -> None:
        self._viewer = viewer
        self.layer: Vectors | None = None
        self._picture: Picture | None = None
        self._box: FoundBox | None = None
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setInterval(ZOOMED_MS)
        self._timer.timeout.connect(self._draw)
        viewer.scene.camera.events.zoom.connect(self._on_zoom)
        viewer.dims.events.order.connect(self._on_zoom)

    def show(self, picture: Picture | None, box: "FoundBox | None") -> None:
        """Draw a box over a picture; None draws nothing."""
        self._picture, self._box = picture, box
        self._draw()

    def hold_hidden(self, hidden: bool) -> None:
        """Hide it for a moment, or show it again."""
        if self.layer is not None:
            self.layer.visible = not hidden

    def forget_layer(self) -> None:
        """Let go of the layer: somebody else removed it."""
        self.layer = None

    def close(self) -> None:
        """Take the layer away and follow nothing more."""
        self._timer.stop()
        self._viewer.scene.camera.events.zoom.disconnect(self._on_zoom)
        self._viewer.dims.events.order.disconnect(self._on_zoom)
        self.show(None, None)

    def _on_zoom(self, event: object = None) -> None:
        if self.layer is not None:
            self._timer.start()

    def _draw(self) -> None:
        if self._picture is None or self._box is None:
            self._drop()
            return
        spacing = self._picture.spacing
        zoom = max(float(self._viewer.scene.camera.zoom), 1e-6)
        axis = int(self._viewer.dims.order[0]) if len(spacing) > 2 else None
        lines = dashes(self._box.start, self._box.size, spacing, DASH_PX / zoom, axis)
        width = WIDTH_PX / zoom / float(min(spacing))
        if self.layer is None:
            self._add(lines, width)
        else:
            self.layer.data = lines
            self.layer.edge_color = _colours(len(lines))
            self.layer.edge_width = width

    def _add(self, lines: Lines, width: float) -> None:
        assert self._picture is not None
        layers, active = self._viewer.layers, self._viewer.layers.selection.active
        unit = "mm" if self._picture.in_mm else "pixel"
        self.layer = Vectors(
            lines,
            name=NAME,
            vector_style="line",
            edge_width=width,
            edge_color=_colours(len(lines)),
            scale=self._picture.spacing,
            units=(unit,) * len(self._picture.spacing),
        )
        layers.append(self.layer)
        # napari makes a new layer the active one: what is drawn on stays it.
        if active is not None and active in layers:
            layers.selection.active = active

    def _drop(self) -> None:
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def dashes(
    start: Sequence[int],
    size: Sequence[int],
    spacing: Sequence[float],
    length: float,
    axis: int | None = None,
) -> Lines:
    """Cut the outline of a box into pieces of one length, all around and equal on each side.

    Parameters
    ----------
    start, size
        First pixel and number of pixels along each axis, in array order.
    spacing
        Size of a pixel, in the unit of `length`.
    length
        About how long a piece is.
    axis
        The axis that slices are stacked along, None in a picture: the outline is drawn in each
        slice that the box reaches into.

    Returns
    -------
    (piece, 2, axis) float64, as napari's vectors: where a piece begins, and how it runs on; in
    each rectangle an even number of pieces, one of each colour in turn.
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


def _rectangle(start: Sequence[int], size: Sequence[int]) -> Lines:
    """Give the corners around, from the outer edges of the first and the last pixel."""
    top, left = (place - 0.5 for place in start)
    bottom, right = (place + extent for place, extent in zip((top, left), size, strict=True))
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)])


def _even(count: float) -> int:
    return max(2, 2 * round(min(count, MOST_DASHES / 4) / 2))


def _colours(count: int) -> Lines:
    return np.resize(np.array([WHITE, DARK]), (count, 4))
