"""Plots of the page of runs, apart since they load pyqtgraph: learning curves and all cases."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QWidget

from ..theme import look, readable
from ..widgets.still_plot import StillPlot
from .runs_model import POINTS_A_CLASS, RunCurve, Spot
from .train_words import share

STYLES = {
    "disc": Qt.PenStyle.SolidLine,
    "ring": Qt.PenStyle.DashLine,
    "diamond": Qt.PenStyle.DotLine,
    "square": Qt.PenStyle.DashDotLine,
}
SYMBOLS = {"disc": "o", "ring": "o", "diamond": "d", "square": "s"}
SPOT_PX = 7
LETTER_PX = 6.6
WIDTH_OF_A_CLASS = 0.56


class QuietPlot(StillPlot):
    """A plot on the ground of the page of runs."""

    ground = "surface"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(120, 90)
        self.getAxis("left").setWidth(34)
        self.wear_icon()


class RunCurves(QuietPlot):
    """How the drawn runs came along, a kind of line a run; its shape stands at its end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: tuple[RunCurve, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_curves(self, curves: Sequence[RunCurve]) -> None:
        """Draw curves."""
        self._curves = tuple(curves)
        self.draw_now()

    def draw_now(self) -> None:
        """Draw what was shown last."""
        self.clear()
        t = look().tokens
        for curve in self._curves:
            steps, values = (np.array(column, float) for column in zip(*curve.points, strict=True))
            pen = pg.mkPen(t.text, width=1.6, style=STYLES.get(curve.marker, STYLES["disc"]))
            self.plot(steps, values, pen=pen, name=curve.name)
            brush = t.surface if curve.marker == "ring" else t.text
            end = self.plot(steps[-1:], values[-1:], pen=None, symbol=SYMBOLS[curve.marker])
            end.setSymbolBrush(brush)
            end.setSymbolPen(pg.mkPen(t.text, width=1.4))
            end.setSymbolSize(9)
        if any(curve.what != "training loss" for curve in self._curves):
            self.setYRange(0, 1, padding=0.03)

    def wear_icon(self) -> None:
        """Draw in the colours of the theme."""
        super().wear_icon()
        if hasattr(self, "_curves"):
            self.draw_now()


class SpotPlot(QuietPlot):
    """Every case as a point over its class; a click opens the case."""

    picked = Signal(str, object)
    """The case, and the slice in a scan or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spots: tuple[Spot, ...] = ()
        self._colours: Mapping[str, str] = {}
        self._names: tuple[str, ...] = ()
        self._lowest = 0.0
        self._points = pg.ScatterPlotItem(hoverable=True, tip=None)
        self._points.sigClicked.connect(self._click)
        self._points.sigHovered.connect(self._hover)
        self.addItem(self._points)

    def show_spots(self, spots: Sequence[Spot], classes: Sequence[tuple[str, str]]) -> None:
        """Show points; `classes` are the (name, colour) of the columns in their order."""
        self._colours = dict(classes)
        columns = {name: place for place, (name, _) in enumerate(classes)}
        self._spots = tuple(_thinned([spot for spot in spots if spot.class_name in columns]))
        x = [columns[spot.class_name] + _aside(spot) for spot in self._spots]
        y = [spot.value for spot in self._spots]
        self._lowest = -1.0 if min(y, default=0.0) < 0 else 0.0
        self._draw(np.array(x, float), np.array(y, float), list(columns))

    def values(self) -> tuple[Spot, ...]:
        """Give the points that are drawn."""
        return self._spots

    def wear_icon(self) -> None:
        """Draw in the colours of the theme."""
        super().wear_icon()
        if hasattr(self, "_points"):
            self._points.setPen(pg.mkPen(look().tokens.surface, width=0.6))

    def _draw(self, x: Any, y: Any, names: Sequence[str]) -> None:
        for item in list(self.getPlotItem().items):
            if item is not self._points:
                self.removeItem(item)
        t = look().tokens
        brushes = [
            pg.mkBrush(readable(self._colours[spot.class_name], t.surface, 2.2))
            for spot in self._spots
        ]
        self._points.setData(x=x, y=y, brush=brushes, size=SPOT_PX, data=list(self._spots))
        self._points.setPen(pg.mkPen(t.surface, width=0.6))
        for place, name in enumerate(names):
            mine = y[[spot.class_name == name for spot in self._spots]] if len(y) else y
            if len(mine):
                half = WIDTH_OF_A_CLASS / 2
                level = float(np.median(mine))
                pen = pg.mkPen(t.text, width=2)
                self.plot([place - half, place + half], [level, level], pen=pen)
        if self._lowest < 0:
            self.addItem(pg.InfiniteLine(0, angle=0, pen=pg.mkPen(t.line)))
        self._names = tuple(names)
        self._write_names()
        self.setXRange(-0.5, max(len(names) - 0.5, 0.5), padding=0.02)
        self.setYRange(self._lowest, 1, padding=0.04)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Write as much of the names as fits."""
        super().resizeEvent(event)
        if hasattr(self, "_names"):
            self._write_names()

    def _write_names(self) -> None:
        most = int((self.width() - 40) / max(len(self._names), 1) / LETTER_PX)
        self.getAxis("bottom").setTicks([list(enumerate(_short(self._names, most)))])

    def _click(self, _item: object, points: Sequence[Any]) -> None:
        if len(points):
            spot = points[0].data()
            self.picked.emit(spot.case, spot.slice)

    def _hover(self, _item: object, points: Sequence[Any], _event: object = None) -> None:
        spots = [point.data() for point in points[:3]]
        self.setToolTip("\n".join(spot_sentence(spot) for spot in spots))
        shape = Qt.CursorShape.PointingHandCursor if spots else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)


def spot_sentence(spot: Spot) -> str:
    """Tell one point in words."""
    where = "" if spot.slice is None else f", slice {spot.slice}"
    told = share(abs(spot.value))
    kind = " (wrong)" if spot.value < 0 else ""
    return f"{spot.case}{where}: {spot.class_name} {told}{kind}. Click to open it."


def _aside(spot: Spot) -> float:
    """Move a point to the side, always by as much for the same case, so that points lie apart."""
    mixed = zlib.crc32(f"{spot.case} {spot.slice}".encode())
    return (mixed / 0xFFFFFFFF - 0.5) * WIDTH_OF_A_CLASS


def _thinned(spots: Sequence[Spot]) -> list[Spot]:
    """Keep of each class the lowest points and evenly some of the others, if there are many."""
    by_class: dict[str, list[Spot]] = {}
    for spot in spots:
        by_class.setdefault(spot.class_name, []).append(spot)
    kept: list[Spot] = []
    for each in by_class.values():
        each.sort(key=lambda spot: spot.value)
        low, rest = each[: POINTS_A_CLASS // 2], each[POINTS_A_CLASS // 2 :]
        stride = max(1, -(-len(rest) // (POINTS_A_CLASS // 2)))
        kept += low + rest[::stride]
    return kept


def _short(names: Sequence[str], most: int) -> list[str]:
    most = max(most, 2)
    return [name if len(name) <= most else f"{name[: most - 1]}…" for name in names]
