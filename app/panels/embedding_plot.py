"""The plane of an embedding: many points to move through, point at, and draw a line around."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QWidget

from ..theme import BLUE, look
from ..widgets.paint import painting
from .embedding_grid import PointGrid, Rows, inside_mask
from .embedding_mouse import SHIFT, Mouse, mask_of
from .embedding_overlay import paint_lasso, paint_ring, paint_stars, paint_words, stars_on
from .embedding_picture import Painting, PictureItem, Wish
from .embedding_points import Dress, Flags, Points, ground_colour, layers_of
from .embedding_view import View, whole

REACH_PX = 9.0
STEP_PX = 60
ZOOM = 1.25
LEAST_HEIGHT_PX = 90
_CLOSED_FROM = 3

_TIP = (
    "Each point is one image as the network sees it: what it finds alike lies close together. "
    "Drag to move, turn the wheel to zoom, click a point to open it, draw around points with L."
)


class EmbeddingPlot(pg.GraphicsView):
    """Points in the plane.

    `pointed` tells the point under the mouse (-1 for none) and where; `clicked` one that was
    clicked; `lassoed` the rows inside a drawn line, and whether they come besides those that are
    chosen; `asked_menu` where the right mouse button was pressed.
    """

    pointed = Signal(int, QPoint)
    clicked = Signal(int)
    lassoed = Signal(object, bool)
    lasso_changed = Signal(bool)
    left_alone = Signal()
    asked_menu = Signal(int, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, useOpenGL=False)
        self._points: Points | None = None
        self._grid: PointGrid | None = None
        self._chosen: Flags | None = None
        self._words = ""
        self._dress = Dress()
        self._line: list[QPointF] = []
        self._adds = self._lasso = False
        self._hovered = self._shown = -1
        self._fits = True
        self.box = Mouse(self)
        self.picture = PictureItem()
        self.painting = Painting(self.picture, self)
        self._set_up()

    def _set_up(self) -> None:
        self.setCentralItem(self.box)
        self.box.addItem(self.picture, ignoreBounds=True)
        self.box.sigRangeChanged.connect(lambda *_what: self._redraw())
        self.painting.painted.connect(self.viewport().update)
        # What is painted over the points lies outside the scene: Qt would not clean up behind it.
        self.setViewportUpdateMode(self.ViewportUpdateMode.FullViewportUpdate)
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumSize(120, LEAST_HEIGHT_PX)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Plane of the embedding")
        self.setAccessibleDescription(_TIP)
        self.scene().sigMouseMoved.connect(self._point_at)
        self.wear_icon()

    # --- what is shown ---

    def show_points(
        self, points: Points | None, grid: PointGrid | None = None, *, keep_view: bool = False
    ) -> None:
        """Show points, or none.

        Parameters
        ----------
        grid
            The same points sorted for the mouse; made here where it is not given, which takes
            some ten milliseconds for 100,000 points.
        keep_view
            Stay where the user has moved to, such as when only colours change.
        """
        former, self._points = self._points, points
        self._grid = grid or (PointGrid(points.spots) if points is not None else None)
        if former is None or points is None or len(former) != len(points):
            self._chosen = None
            self._shown = self._hovered = -1
        if not keep_view or former is None:
            self.fit()
        self._redraw(at_once=True)

    def say(self, words: str) -> None:
        """Write words in the middle; empty takes them away."""
        self._words = words
        self.viewport().update()

    def choose(self, rows: Rows | None) -> None:
        """Bring points to the front; None or no rows lets all be alike again."""
        self._chosen = None
        if self._points is not None and rows is not None and len(rows):
            self._chosen = np.zeros(len(self._points), bool)
            self._chosen[rows] = True
        self._redraw(at_once=True)

    def mark_shown(self, row: int) -> None:
        """Ring the point of the case that the window shows; -1 rings none."""
        self._shown = row
        self.viewport().update()

    def set_dress(self, dress: Dress) -> None:
        """Draw points in another size or opacity, with names or without."""
        self._dress = dress
        self._redraw()

    @property
    def points(self) -> Points | None:
        """The points that are shown."""
        return self._points

    @property
    def dress(self) -> Dress:
        """How points are drawn."""
        return self._dress

    @property
    def chosen(self) -> Rows:
        """The rows of the chosen points."""
        return np.flatnonzero(self._chosen) if self._chosen is not None else np.zeros(0, np.intp)

    # --- where one looks ---

    @property
    def view(self) -> View:
        """The part of the plane that is seen."""
        (left, right), (low, high) = self.box.viewRange()
        return View(left, right, low, high)

    def fit(self) -> None:
        """Show all points."""
        spots = np.zeros((0, 2), np.float32)
        if self._points is not None:
            spots = self._points.spots if self._points.ground is None else self._points.ground
        size = self._room()
        self._look_at(whole(spots, size.width(), size.height()))
        self._fits = True

    def zoom(self, times: float) -> None:
        """Come closer to the middle, or step back with a number below 1."""
        self.box.scaleBy((1 / times, 1 / times))
        self._fits = False

    def move(self, right_px: float, up_px: float) -> None:
        """Move over the plane."""
        along, up = self.view.per_pixel(self.width(), self.height())
        self.box.translateBy(x=right_px * along, y=up_px * up)
        self._fits = False

    def _look_at(self, view: View) -> None:
        self.box.setRange(
            xRange=(view.left, view.right), yRange=(view.low, view.high), padding=0, update=True
        )

    def _room(self) -> QSize:
        return QSize(max(self.viewport().width(), 2), max(self.viewport().height(), 2))

    def user_moves(self) -> None:
        """Note that the user has chosen where to look, so that a new size does not change it."""
        self._fits = False

    # --- the lasso ---

    @property
    def lasso(self) -> bool:
        """Whether dragging draws a line around points instead of moving the plane."""
        return self._lasso

    def set_lasso(self, on: bool) -> None:
        """Let dragging draw a line, or move the plane."""
        if on != self._lasso:
            self._lasso = on
            self._line = []
            self._dress_cursor()
            self.lasso_changed.emit(on)
            self.viewport().update()

    def draw_line(self, spot: QPointF, *, begins: bool, ends: bool, adds: bool) -> None:
        """Follow the mouse while it draws; at the end tell what lies inside."""
        if begins:
            self._line, self._adds = [], adds
        self._line.append(spot)
        if ends:
            line, self._line = self._line, []
            if len(line) >= _CLOSED_FROM:
                self.lassoed.emit(self.rows_inside(line), self._adds)
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a line in the mode of the lasso or with Shift, else let the plane be moved."""
        adds = bool(event.modifiers() & SHIFT)
        if event.button() == Qt.MouseButton.LeftButton and (self._lasso or adds):
            self.draw_line(event.position(), begins=True, ends=False, adds=adds)
            event.accept()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse while it draws."""
        if self._line:
            self.draw_line(event.position(), begins=False, ends=False, adds=self._adds)
            event.accept()
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Close the line; one that went nowhere is a click."""
        if not self._line:
            super().mouseReleaseEvent(event)
            return
        spot, click = event.position(), len(self._line) < _CLOSED_FROM
        self.draw_line(spot, begins=False, ends=not click, adds=self._adds)
        if click:
            self._line = []
            row = self.row_at(spot)
            if row >= 0:
                self.lassoed.emit(np.array([row], np.intp), self._adds)
        event.accept()

    def rows_inside(self, line: Sequence[QPointF]) -> Rows:
        """Give the points that are seen inside a closed line, in pixels of this widget."""
        if self._points is None:
            return np.zeros(0, np.intp)
        size = self._room()
        placed = self.view.pixels(self._points.spots, size.width(), size.height())
        return inside_mask(placed, mask_of(line, size))

    # --- the mouse ---

    def row_at(self, spot: QPointF) -> int:
        """Give the point nearest to a spot of this widget, -1 where none is near."""
        if self._grid is None or not self.viewport().rect().contains(spot.toPoint()):
            return -1
        size, view = self._room(), self.view
        along, up = view.per_pixel(size.width(), size.height())
        x, y = view.left + spot.x() * along, view.high - spot.y() * up
        found = self._grid.nearest(x, y, REACH_PX * along, REACH_PX * up)
        return -1 if found is None else found

    def spot_of(self, row: int) -> QPointF:
        """Give where a point lies in this widget."""
        assert self._points is not None
        size = self._room()
        x, y = self.view.pixels(self._points.spots[row : row + 1], size.width(), size.height())[0]
        return QPointF(float(x), float(y))

    def _point_at(self, spot: QPointF) -> None:
        row = -1 if self._line else self.row_at(spot)
        if row != self._hovered:
            self._hovered = row
            self._dress_cursor()
            self.viewport().update()
            self.pointed.emit(row, spot.toPoint())

    def click(self, spot: QPointF) -> None:
        """Tell what was clicked."""
        row = self.row_at(spot)
        if row >= 0:
            self.clicked.emit(row)
        else:
            self.left_alone.emit()

    def ask_menu(self, spot: QPointF) -> None:
        """Tell where a menu is wanted."""
        self.asked_menu.emit(self.row_at(spot), self.mapToGlobal(spot.toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing any more."""
        super().leaveEvent(event)
        self._hovered = -1
        self.pointed.emit(-1, QPoint())
        self.viewport().update()

    def _dress_cursor(self) -> None:
        over_point = self._hovered >= 0 and not self._lasso
        shape = Qt.CursorShape.CrossCursor if self._lasso else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over_point else shape)

    # --- keys ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """L draws, arrows move, plus and minus zoom, Home shows all; other keys go on."""
        act = self._acts().get(event.key())
        plain = not event.modifiers() & ~(SHIFT | Qt.KeyboardModifier.KeypadModifier)
        if act is None or not plain:
            event.ignore()
            return
        act()

    def _acts(self) -> dict[int, Any]:
        key = Qt.Key
        return {
            key.Key_L: lambda: self.set_lasso(not self._lasso),
            key.Key_Left: lambda: self.move(-STEP_PX, 0),
            key.Key_Right: lambda: self.move(STEP_PX, 0),
            key.Key_Up: lambda: self.move(0, STEP_PX),
            key.Key_Down: lambda: self.move(0, -STEP_PX),
            key.Key_Plus: lambda: self.zoom(ZOOM),
            key.Key_Equal: lambda: self.zoom(ZOOM),
            key.Key_Minus: lambda: self.zoom(1 / ZOOM),
            key.Key_Home: self.fit,
            key.Key_Escape: self._let_go,
        }

    def _let_go(self) -> None:
        if self._line:
            self._line = []
            self.viewport().update()
        elif self._lasso:
            self.set_lasso(False)
        else:
            self.left_alone.emit()

    # --- painting ---

    def wear_icon(self) -> None:
        """Draw in the colours of the theme."""
        self.setBackground(QColor(ground_colour(look().tokens)))
        self._redraw()

    def draw_now(self) -> None:
        """Paint the points here and now."""
        self.painting.wish(self._wish)
        self.painting.now()

    def _redraw(self, *, at_once: bool = False) -> None:
        self.painting.wish(self._wish, at_once=at_once)
        self.viewport().update()

    def _wish(self) -> Wish | None:
        points, size = self._points, self._room()
        if points is None or not len(points):
            return None
        ratio = self.devicePixelRatioF()
        area = size.width() * size.height()
        layers = layers_of(points, self._chosen, self._dress, look().tokens, area, ratio)
        wide, high = round(size.width() * ratio), round(size.height() * ratio)
        dense = points.is_dense and self._chosen is None
        return Wish(points.spots, tuple(layers), dense, self.view, wide, high)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the points, then what lies over them."""
        super().paintEvent(event)
        with painting(self.viewport()) as painter:
            painter.setFont(self.font())
            self.paint_over(painter)

    def paint_over(self, painter: QPainter) -> None:
        """Draw centres, names, rings, the line and the words."""
        t, bounds = look().tokens, QRectF(self.viewport().rect())
        if self._points is not None and not self._words:
            # Names are written over the ring of the shown case, the ring at the mouse over names.
            self._paint_ring(painter, self._shown, BLUE)
            stars = stars_on(self._points, self.view, bounds)
            paint_stars(painter, bounds, stars, self._points.kinds, t, names=self._dress.names)
            self._paint_ring(painter, self._hovered, t.text)
            paint_lasso(painter, self._line, t)
        if self._words:
            paint_words(painter, bounds, self._words, t)

    def _paint_ring(self, painter: QPainter, row: int, ink: str) -> None:
        if self._points is not None and 0 <= row < len(self._points):
            paint_ring(painter, self.spot_of(row), 7.0, ink, ground_colour(look().tokens))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Show all points in the new size, unless the user has moved."""
        super().resizeEvent(event)
        if hasattr(self, "painting"):
            if self._fits:
                self.fit()
            self._redraw()

    def close(self) -> bool:
        """Close as any widget does: pyqtgraph would delete what is still pointed at from here."""
        return bool(QWidget.close(self))

    def close_threads(self) -> None:
        """Wait for what is being painted."""
        self.painting.close()
