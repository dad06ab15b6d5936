"""The mouse over the plane of an embedding: it moves, zooms, clicks; and what a line encloses."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QPointF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPainterPath, QPolygonF

SHIFT = Qt.KeyboardModifier.ShiftModifier
_LEFT = Qt.MouseButton.LeftButton


class Moved(Protocol):
    """What is told of the mouse; all spots are in pixels of the plot."""

    def user_moves(self) -> None:
        """Note that the user moves the plane."""

    def fit(self) -> None:
        """Show all."""

    def click(self, spot: QPointF) -> None:
        """Take a click."""

    def ask_menu(self, spot: QPointF) -> None:
        """Open a menu."""


class Mouse(pg.ViewBox):
    """The plane as pyqtgraph moves and zooms it, and clicks handed on."""

    def __init__(self, plot: Moved) -> None:
        super().__init__(enableMenu=False, border=None)
        self._plot = plot
        self.setDefaultPadding(0)
        self.disableAutoRange()

    def mouseDragEvent(self, ev: Any, axis: Any = None) -> None:
        """Move the plane; lines are drawn by the plot itself, which misses no point of them."""
        self._plot.user_moves()
        super().mouseDragEvent(ev, axis)

    def mouseClickEvent(self, ev: Any) -> None:
        """Tell what was clicked, and where a menu is wanted."""
        ev.accept()
        if ev.button() == Qt.MouseButton.RightButton:
            self._plot.ask_menu(QPointF(ev.scenePos()))
        elif ev.double():
            self._plot.fit()
        elif ev.button() == _LEFT:
            self._plot.click(QPointF(ev.scenePos()))

    def wheelEvent(self, ev: Any, axis: Any = None) -> None:
        """Zoom to the mouse."""
        self._plot.user_moves()
        super().wheelEvent(ev, axis)


def mask_of(line: Sequence[QPointF], size: QSize) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Give the pixels inside a closed line, (height, width)."""
    path = QPainterPath()
    path.addPolygon(QPolygonF(list(line)))
    path.closeSubpath()
    image = QImage(size, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    try:
        painter.fillPath(path, QColor(255, 255, 255))
    finally:
        painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(size.height(), image.bytesPerLine())
    return rows[:, : size.width()] > 127
