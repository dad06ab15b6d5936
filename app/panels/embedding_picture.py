"""Paints the points in a thread, and shows the last picture, moved and scaled, until it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QElapsedTimer, QObject, QRectF, QSize, QTimer, Signal
from qtpy.QtGui import QImage, QPainter

from ..background import Errands
from .embedding_raster import Floats, Layer, Picture, over, paint, paint_density, sampled
from .embedding_view import View

BEAT_MS, LONGEST_MS = 80, 500
"""Points are painted anew when nothing has changed for a beat, and after the longest time in any
case; meanwhile the old picture is moved."""


@dataclass(frozen=True)
class Wish:
    """What is to be painted: points, their layers, the part of the plane, how large."""

    spots: Floats
    layers: tuple[Layer, ...]
    dense: bool
    view: View
    width: int
    height: int

    def painted(self) -> Picture:
        """Paint it; takes some ten milliseconds for 100,000 points."""
        placed = self.view.pixels(self.spots, self.width, self.height)
        if not self.dense:
            return paint(placed, self.layers, self.width, self.height)
        ground = paint_density(placed, self.layers, self.width, self.height)
        top = paint(placed, sampled(self.layers), self.width, self.height)
        return over(top, ground)


class PictureItem(pg.GraphicsObject):
    """A picture of a part of the plane."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._view = View(-1.0, 1.0, -1.0, 1.0)

    def show_picture(self, picture: Picture | None, view: View) -> None:
        """Show a picture of `view`, or nothing."""
        self.prepareGeometryChange()
        self._view = view
        self._image = None if picture is None else as_image(picture)
        self.update()

    @property
    def size(self) -> QSize:
        """The size of the picture in pixels of the screen; empty before the first."""
        return self._image.size() if self._image is not None else QSize()

    def boundingRect(self) -> QRectF:
        """Give the part of the plane that the picture shows."""
        v = self._view
        return QRectF(v.left, v.low, v.right - v.left, v.high - v.low)

    def paint(self, painter: QPainter, *_args: object) -> None:
        """Draw the picture where its part of the plane is now."""
        if self._image is None:
            return
        v = self._view
        painter.save()
        try:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.translate(v.left, v.high)
            # Up in the plane is down on the screen.
            along = (v.right - v.left) / self._image.width()
            up = (v.high - v.low) / self._image.height()
            painter.scale(along, -up)
            painter.drawImage(0, 0, self._image)
        finally:
            painter.restore()


class Painting(QObject):
    """Keeps the picture up to date: one wish at a time in a thread, the newest wish next."""

    painted = Signal()

    def __init__(self, item: PictureItem, parent: QObject) -> None:
        super().__init__(parent)
        self._item = item
        self._errands = Errands(1, "longtail embedding", self)
        self._make: Callable[[], Wish | None] = lambda: None
        self._busy = self._again = False
        self._since = QElapsedTimer()
        self._beat = QTimer(self, singleShot=True)
        self._beat.timeout.connect(self._paint)

    def wish(self, make: Callable[[], Wish | None], *, at_once: bool = False) -> None:
        """Paint soon what `make` gives when its turn comes; None clears the picture."""
        self._make = make
        if at_once:
            self._beat.stop()
            self._paint()
        elif not self._beat.isActive():
            self._since.restart()
            self._beat.start(BEAT_MS)
        else:
            self._beat.start(max(0, min(BEAT_MS, LONGEST_MS - self._since.elapsed())))

    def now(self) -> None:
        """Paint here and now, such as before a picture is saved."""
        self._beat.stop()
        self._errands.forget()
        self._busy = self._again = False
        wish = self._make()
        self._show(wish, None if wish is None else wish.painted())

    @property
    def waits(self) -> bool:
        """Whether the picture is not up to date yet."""
        return self._busy or self._beat.isActive()

    def close(self) -> None:
        """Wait for what is being painted and paint no more."""
        self._beat.stop()
        self._errands.close()

    def _paint(self) -> None:
        if self._busy:
            self._again = True
            return
        wish = self._make()
        if wish is None:
            self._show(None, None)
            return
        self._busy = True

        def take(picture: Picture) -> None:
            self._busy = False
            self._show(wish, picture)
            if self._again:
                self._again = False
                self._paint()

        self._errands.ask(wish.painted, take)

    def _show(self, wish: Wish | None, picture: Picture | None) -> None:
        view = wish.view if wish is not None else View(-1.0, 1.0, -1.0, 1.0)
        self._item.show_picture(picture, view)
        self.painted.emit()


def as_image(picture: Picture) -> QImage:
    """Turn a painted picture into one of Qt's, which owns its pixels."""
    height, width, _ = picture.shape
    pixels = np.ascontiguousarray(picture)
    form = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(pixels.data, width, height, 4 * width, form).copy()


def larger(layers: Sequence[Layer], times: float) -> tuple[Layer, ...]:
    """Give the same layers with larger points, for a picture of more pixels."""
    return tuple(replace(layer, size_px=layer.size_px * times) for layer in layers)
