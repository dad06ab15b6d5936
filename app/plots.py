"""Curves of a run by class, drawn with pyqtgraph, and the legend under them."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QPointF, QRect, QSize, Qt, QTimer
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from .panels.train_live import Curve
from .theme import QUIET_PX, Tokens, look, readable
from .widgets.paint import painting
from .widgets.still_plot import SIDES, StillPlot

REDRAW_MS = 200
MOST_DRAWN = 600
"""Points a curve; more than the plot has pixels to show."""

MOST_NAMED = 10
_DIMMED, _FAINT = 55, 70


class CurvePlot(StillPlot):
    """Lines over training steps; new curves are drawn at most five times a second.

    Parameters
    ----------
    parent
        The widget that it lies in.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: tuple[Curve, ...] = ()
        self._end = 0
        self._shares = True
        self._singled_out: str | None = None
        self._named: set[str] = set()
        self._items: dict[str, pg.PlotDataItem] = {}
        self._redraw = QTimer(self, singleShot=True, interval=REDRAW_MS)
        self._redraw.timeout.connect(self.draw_now)
        self._dress()
        self.wear_icon()

    def show_curves(self, curves: Sequence[Curve], end: int, *, shares: bool = True) -> None:
        """Draw `curves` soon, in the given order; the last lies on top.

        Parameters
        ----------
        end
            The last step that the run will take, 0 when it is not known yet.
        shares
            Whether all values lie between 0 and 1, so that the axis can stay still.
        """
        self._curves, self._end, self._shares = tuple(curves), end, shares
        if not self._redraw.isActive():
            self._redraw.start()

    def single_out(self, name: str | None) -> None:
        """Let the other classes' curves step back; None brings them forward again."""
        self._singled_out = name
        self.draw_now()

    def names(self) -> tuple[str, ...]:
        """Give the names of the curves that are drawn."""
        return tuple(self._items)

    def level(self, name: str) -> float:
        """Give how far on top a curve lies."""
        return float(self._items[name].zValue())

    @property
    def singled_out(self) -> str | None:
        """The class whose curve stands out."""
        return self._singled_out

    def sizeHint(self) -> QSize:
        """Give the height of the pictures."""
        return QSize(240, 150)

    def close(self) -> bool:
        """Close; pyqtgraph deletes the curves then, so nothing may be drawn any more."""
        self._redraw.stop()
        self._curves, self._items = (), {}
        return bool(super().close())

    def _dress(self) -> None:
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(150)
        self.setMinimumWidth(120)
        self.let_mouse_through()
        self.getAxis("left").setWidth(30)
        self.getAxis("bottom").setHeight(20)

    def wear_icon(self) -> None:
        """Draw in the colours of the theme."""
        super().wear_icon()
        for side in SIDES:
            self.getAxis(side).setStyle(tickLength=-3, tickTextOffset=4)
        self.draw_now()

    def draw_now(self) -> None:
        """Draw what was shown last; of many classes those that the legend names stand out."""
        names = [curve.name for curve in self._curves]
        self._named = {curve.name for curve in lowest(self._curves)}
        for name in [name for name in self._items if name not in names]:
            self.removeItem(self._items.pop(name))
        for level, curve in enumerate(self._curves):
            self._draw_one(curve, level)
        self._frame()

    def _draw_one(self, curve: Curve, level: int) -> None:
        item = self._items.get(curve.name)
        if item is None:
            item = self._items[curve.name] = self.plot()
        steps, values = thinned(curve.points)
        item.setData(steps, values)
        item.setPen(self._pen(curve))
        # A single value has no line yet, but there is something to see.
        item.setSymbol("o" if len(steps) == 1 else None)
        item.setSymbolSize(5)
        item.setSymbolBrush(self._pen(curve).color())
        item.setSymbolPen(None)
        item.setZValue(self._level(curve, level))

    def _level(self, curve: Curve, level: int) -> int:
        """Rest, then those that are named, then the one that was asked for."""
        many = len(self._curves)
        if curve.name == self._singled_out:
            return 2 * many
        return level + many if curve.name in self._named else level

    def _pen(self, curve: Curve) -> QPen:
        colour = QColor(line_colour(curve.colour, look().tokens))
        chosen = self._singled_out
        if chosen is not None and chosen != curve.name:
            colour.setAlpha(_DIMMED)
        elif chosen is None and curve.name not in self._named:
            colour.setAlpha(_FAINT)
        return pg.mkPen(colour, width=line_px(len(self._curves)))

    def _frame(self) -> None:
        last = max((curve.points[-1][0] for curve in self._curves if curve.points), default=0)
        self.setXRange(0, max(last, self._end, 10), padding=0.02)
        if self._shares:
            self.setYRange(0.0, 1.0, padding=0.04)
            return
        top = max((value for curve in self._curves for _, value in curve.points), default=1.0)
        self.setYRange(0.0, max(top, 1e-6), padding=0.04)


class Legend(QWidget):
    """Names the curves with their last values; wraps, and never outgrows a few lines.

    With many classes the lowest are named, since these are the ones to look at.
    """

    _ROW, _GAP, _DASH = 18, 12, 10

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[tuple[str, str]] = []
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_curves(self, curves: Sequence[Curve]) -> None:
        """Name `curves`."""
        entries = named(curves)
        if entries != self._entries:
            self._entries = entries
            self.setToolTip("\n".join(curve.legend for curve in curves))
            self.setAccessibleName(", ".join(curve.legend for curve in curves))
            self.updateGeometry()
            self.update()

    def hasHeightForWidth(self) -> bool:
        """Entries wrap, so a narrow legend is a higher one."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Give the height of the wrapped entries."""
        return max((spot.bottom() for spot, _, _ in self._placed(width)), default=-1) + 1

    def sizeHint(self) -> QSize:
        """Give the size at the present width."""
        width = max(self.width(), 200)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Give the height that the present width needs."""
        return QSize(60, self.heightForWidth(max(self.width(), 60)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw each entry: a short line in the class's colour, then the words."""
        tokens = look().tokens
        with painting(self) as painter:
            painter.setFont(self._font())
            self._paint(painter, tokens)

    def _paint(self, painter: QPainter, tokens: Tokens) -> None:
        for spot, colour, text in self._placed(self.width()):
            middle = spot.center().y() + 0.5
            if colour is not None:
                painter.setPen(QPen(QColor(line_colour(colour, tokens)), 2))
                painter.drawLine(QPointF(spot.x(), middle), QPointF(spot.x() + 7, middle))
            painter.setPen(QColor(tokens.quiet))
            left = self._DASH if colour is not None else 0
            box = spot.adjusted(left, 0, 0, 0)
            words = QFontMetrics(self._font()).elidedText(
                text, Qt.TextElideMode.ElideMiddle, box.width()
            )
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), words)

    def _placed(self, width: int) -> list[tuple[QRect, str | None, str]]:
        metrics = QFontMetrics(self._font())
        spots: list[tuple[QRect, str | None, str]] = []
        x = y = 0
        for colour, text in self._entries:
            dash = self._DASH if colour != "none" else 0
            wide = min(metrics.horizontalAdvance(text) + dash + 2, max(width, 1))
            if x and x + wide > width:
                x, y = 0, y + self._ROW
            spots.append((QRect(x, y, wide, self._ROW), None if colour == "none" else colour, text))
            x += wide + self._GAP
        return spots

    def _font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(QUIET_PX)
        return font


def thinned(
    points: Sequence[tuple[int, float]],
) -> tuple["np.ndarray[tuple[int], np.dtype[np.float64]]", ...]:
    """Give steps and values, (n,) each, with at most `MOST_DRAWN` points; the last one is kept."""
    table = np.asarray(points, dtype=float).reshape(-1, 2)
    if len(table) > MOST_DRAWN:
        rows = np.unique(np.linspace(0, len(table) - 1, MOST_DRAWN).round().astype(int))
        table = table[rows]
    return table[:, 0], table[:, 1]


def line_px(count: int) -> float:
    """Give how wide lines are: the more there are, the thinner."""
    return 2.0 if count <= 4 else 1.6 if count <= MOST_NAMED else 1.2


def lowest(curves: Sequence[Curve]) -> list[Curve]:
    """Choose the curves to look at: all, or the lowest of many."""
    if len(curves) <= MOST_NAMED:
        return list(curves)
    told = sorted((c for c in curves if c.points), key=lambda curve: curve.points[-1][1])
    return told[: MOST_NAMED - 1]


def named(curves: Sequence[Curve]) -> list[tuple[str, str]]:
    """Choose the (colour, words) of a legend: all classes, or the lowest of many."""
    entries = [(curve.colour, curve.legend) for curve in lowest(curves)]
    if len(curves) <= MOST_NAMED:
        return entries
    return [*entries, ("none", f"and {len(curves) - len(entries)} higher")]


def line_colour(colour: str, t: Tokens) -> str:
    """Give the colour of a line on a card: the class's own, darker where the card is white."""
    if not colour:
        return t.text
    return colour if t.dark else readable(colour, t.card, 2.2)
