"""Paints a map of what was learned: features as dots, the centres of the classes as stars."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from ..plots import line_colour
from ..theme import QUIET_PX, Tokens, look, mix, readable
from ..widgets.paint import painting, sized
from .train_live import ClassLook
from .train_map import MapFrame

HEIGHT_PX = 190
EDGE_PX = 14
FEW_CLASSES = 12
MOST_DRAWN = 6_000
"""Dots on a plot of this size; common classes are thinned to it, rare ones are drawn whole."""

LONGEST_NAME_PX = 120
_RANK = {"head": 0, "medium": 1, "tail": 2}
_BACKGROUND = "background"

Places = np.ndarray[Any, np.dtype[np.float64]]


class MapPlot(QWidget):
    """One map at a time, always on the same ground, so that a run can be replayed without jumps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._looks: tuple[ClassLook, ...] = ()
        self._noun = "scan"
        self._frame: MapFrame | None = None
        self._words = ""
        self._ground: QRectF | None = None
        self._picture: QPixmap | None = None
        self.setFixedHeight(HEIGHT_PX)
        self.setMinimumWidth(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Map of what was learned")

    def begin(self, looks: Sequence[ClassLook], noun: str) -> None:
        """Forget the former run; `looks` are the classes from 1 on, `noun` is what a case is."""
        self._looks, self._noun = tuple(looks), noun
        self._ground = None
        self.show_frame(None)

    def show_frame(self, frame: MapFrame | None, words: str = "") -> None:
        """Show a map; without one, or with an empty one, show `words`."""
        self._frame, self._words = frame, words
        if frame is not None:
            self._ground = united(self._ground, ground_of(frame))
        self.setAccessibleDescription(words or (told(frame, self._looks) if frame else ""))
        self._redraw()

    @property
    def frame(self) -> MapFrame | None:
        """The map that is shown."""
        return self._frame

    @property
    def words(self) -> str:
        """What is said in place of a map."""
        return self._words

    def wear_icon(self) -> None:
        """Draw in the colours of the theme."""
        self._redraw()

    def sizeHint(self) -> QSize:
        """Give the size of the design."""
        return QSize(260, HEIGHT_PX)

    def resizeEvent(self, event: Any) -> None:
        """Draw anew for another width."""
        super().resizeEvent(event)
        self._redraw()

    def event(self, event: QEvent) -> bool:
        """Name what is under the mouse."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def words_at(self, spot: QPointF) -> str:
        """Say what lies at a spot: a centre, a dot, or what the map is."""
        frame = self._frame
        if frame is not None:
            near = _nearest(self._placed(frame.centres), spot, 12.0)
            if near is not None:
                number = int(frame.centre_classes[near])
                count = int((frame.point_classes == number).sum())
                return f"Centre of {name_of(number, self._looks)}, {count:,} dots"
            near = _nearest(self._placed(frame.points), spot, 6.0)
            if near is not None:
                return name_of(int(frame.point_classes[near]), self._looks)
        what = "a place in a scan" if self._noun == "scan" else f"an {self._noun}"
        return (
            f"Each dot is {what} as the network sees it: what it finds alike lies close together.\n"
            "Stars are the centres of the classes. Classes that lie apart are told apart."
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the map, from a picture kept of it where nothing has changed."""
        if self._picture is None:
            self._picture = self._drawn()
        with painting(self) as painter:
            painter.drawPixmap(0, 0, self._picture)

    # --- inside ---

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    def _drawn(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        with painting(picture) as painter:
            t = look().tokens
            if self._frame is not None and not self._frame.is_empty and not self._words:
                self._paint_points(painter, t, self._frame)
                self._paint_centres(painter, t, self._frame)
            else:
                self._paint_words(painter, t)
        return picture

    def _paint_words(self, painter: QPainter, t: Tokens) -> None:
        words = self._words or ("Nothing was sampled at this step." if self._frame else "")
        painter.setFont(sized(self.font(), QUIET_PX))
        painter.setPen(QColor(t.quiet))
        area = QRectF(self.rect()).adjusted(EDGE_PX, EDGE_PX, -EDGE_PX, -EDGE_PX)
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(area, flags, words)

    def _paint_points(self, painter: QPainter, t: Tokens, frame: MapFrame) -> None:
        places = self._placed(frame.points)
        inside = ((places >= 0) & (places <= (self.width(), self.height()))).all(axis=1)
        size = dot_px(len(places))
        numbers = self._in_order(frame.point_classes)
        most = MOST_DRAWN // max(len(numbers), 1)
        for number in numbers:
            colour = QColor(self._colour(number, t))
            colour.setAlphaF(0.6 if number > 0 else 0.28)
            pen = QPen(colour, size)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            chosen = places[inside & (frame.point_classes == number)]
            chosen = chosen[:: -(-len(chosen) // most) or 1]
            painter.drawPoints(QPolygonF([QPointF(x, y) for x, y in chosen.tolist()]))

    def _paint_centres(self, painter: QPainter, t: Tokens, frame: MapFrame) -> None:
        radius = 8.0 if len(frame.centres) <= FEW_CLASSES else 5.5
        places, numbers = self._placed(frame.centres).tolist(), frame.centre_classes.tolist()
        stars = list(zip(places, numbers, strict=True))
        stars.sort(key=lambda star: self._rank(star[1]))
        taken = []
        for (x, y), number in stars:
            path = star_path(QPointF(x, y), radius)
            painter.setPen(QPen(QColor("#14161a"), 1.2))
            painter.setBrush(QColor(self._colour(number, t)))
            painter.drawPath(path)
            taken.append(path.boundingRect())
        # The rarest are named first: where there is no room, the commonest stay without a name.
        for (x, y), number in reversed(stars):
            self._paint_name(painter, t, QPointF(x, y), radius, number, taken)

    def _paint_name(
        self, painter: QPainter, t: Tokens, at: QPointF, radius: float, number: int, taken: Any
    ) -> None:
        font = sized(self.font(), QUIET_PX, bold=True)
        metrics = QFontMetricsF(font)
        name = metrics.elidedText(
            name_of(number, self._looks), Qt.TextElideMode.ElideMiddle, LONGEST_NAME_PX
        )
        size = QSize(math.ceil(metrics.horizontalAdvance(name)), math.ceil(metrics.height()))
        bounds = QRectF(self.rect()).adjusted(2, 1, -2, -1)
        for area in spots_for_name(at, radius, size, leftwards=at.x() < 0.45 * self.width()):
            if bounds.contains(area) and not any(area.intersects(each) for each in taken):
                taken.append(area)
                _write(painter, area, name, font, self._ink(number, t), t.card)
                return

    def _placed(self, points: Any) -> Places:
        """Turn places on the map into pixels, with one scale for both directions."""
        ground = self._ground or QRectF(-1, -1, 2, 2)
        width, height = self.width() - 2 * EDGE_PX, self.height() - 2 * EDGE_PX
        scale = min(width / ground.width(), height / ground.height())
        middle = np.array([ground.center().x(), ground.center().y()])
        centre = np.array([self.width() / 2, self.height() / 2])
        # Up on a map is down on a screen.
        return (np.asarray(points, dtype=float) - middle) * (scale, -scale) + centre

    def _in_order(self, classes: Any) -> list[int]:
        return sorted((int(number) for number in np.unique(classes)), key=self._rank)

    def _rank(self, number: int) -> tuple[int, int]:
        """Background lies at the bottom and the tail on top."""
        if not 0 < number <= len(self._looks):
            return -1, number
        return _RANK.get(self._looks[number - 1].tier, 0), number

    def _colour(self, number: int, t: Tokens) -> str:
        if not 0 < number <= len(self._looks):
            return t.quiet
        return line_colour(self._looks[number - 1].colour, t)

    def _ink(self, number: int, t: Tokens) -> str:
        return readable(self._colour(number, t), t.card)


def ground_of(frame: MapFrame) -> QRectF | None:
    """Give the part of the plane that a map lies on; a few far points are left outside."""
    parts = [frame.centres]
    if len(frame.points):
        parts.append(np.percentile(frame.points, (1, 99), axis=0))
    places = np.concatenate([np.asarray(part, dtype=float) for part in parts])
    if not len(places):
        return None
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    # A map of one point has no extent, yet it has to lie somewhere.
    wide, high = max(right - left, 1e-6), max(bottom - top, 1e-6)
    return QRectF((left + right - wide) / 2, (top + bottom - high) / 2, wide, high)


def united(first: QRectF | None, second: QRectF | None) -> QRectF | None:
    """Give the ground that holds both."""
    if first is None or second is None:
        return first or second
    return first.united(second)


def dot_px(count: int) -> float:
    """Give how large dots are: the more there are, the smaller."""
    return 4.0 if count <= 2_000 else 3.0 if count <= 8_000 else 2.0


def name_of(number: int, looks: Sequence[ClassLook]) -> str:
    """Name a class by its number on the map."""
    if number == 0:
        return _BACKGROUND
    return looks[number - 1].name if 0 < number <= len(looks) else f"class {number}"


def told(frame: MapFrame, looks: Sequence[ClassLook]) -> str:
    """Say a map in words: how many dots each class has."""
    numbers, counts = np.unique(frame.point_classes, return_counts=True)
    parts = [f"{name_of(int(n), looks)} {int(c):,}" for n, c in zip(numbers, counts, strict=True)]
    return f"Step {frame.step:,}: {', '.join(parts) or 'no dots'}"


def star_path(centre: QPointF, radius: float) -> QPainterPath:
    """Draw a star with five points around `centre`."""
    path = QPainterPath()
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * 0.45
        angle = math.pi * (corner / 5 - 0.5)
        spot = centre + QPointF(reach * math.cos(angle), reach * math.sin(angle))
        if corner == 0:
            path.moveTo(spot)
        else:
            path.lineTo(spot)
    path.closeSubpath()
    return path


def spots_for_name(
    at: QPointF, radius: float, size: QSize, *, leftwards: bool = False
) -> Iterator[QRectF]:
    """Give where a name may stand: beside its star, first on the outer side, above, below."""
    wide, high, gap = float(size.width()), float(size.height()), radius + 3
    right = QRectF(at.x() + gap, at.y() - high / 2, wide, high)
    left = QRectF(at.x() - gap - wide, at.y() - high / 2, wide, high)
    yield from (left, right) if leftwards else (right, left)
    yield QRectF(at.x() - wide / 2, at.y() - gap - high, wide, high)
    yield QRectF(at.x() - wide / 2, at.y() + gap, wide, high)


def _write(painter: QPainter, area: QRectF, text: str, font: QFont, ink: str, ground: str) -> None:
    """Write with a rim in the colour of the ground, so that dots below do not blur the letters."""
    path = QPainterPath()
    base = area.top() + QFontMetricsF(font).ascent()
    path.addText(QPointF(area.left(), base), font, text)
    rim = QPen(QColor(mix(ground, ink, 0.04)), 3.0)
    rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, rim)
    painter.fillPath(path, QColor(ink))


def _nearest(places: Places, spot: QPointF, within_px: float) -> int | None:
    if not len(places):
        return None
    far = np.hypot(places[:, 0] - spot.x(), places[:, 1] - spot.y())
    best = int(far.argmin())
    return best if far[best] <= within_px else None
