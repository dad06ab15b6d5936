"""What is painted over the points: class centres with their names, the lasso, a ring, words."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
)

from ..theme import QUIET_PX, Tokens, mix
from ..widgets.paint import painting, sized
from .embedding_points import Kind, Points, ground_colour, ink_of
from .embedding_view import View
from .train_map_plot import spots_for_name, star_path

FEW, MOST_NAMED = 12, 40
LONGEST_NAME_PX = 130
MARGIN_PX, RIM_PX = 14, 2

Placed = tuple[QPointF, int]


def stars_on(points: Points, view: View, bounds: QRectF) -> list[Placed]:
    """Give where the centres lie that are seen, each with its kind."""
    if not points.stars:
        return []
    places = np.array([(star.x, star.y) for star in points.stars], np.float32)
    placed = view.pixels(places, bounds.width(), bounds.height()).tolist()
    pairs = zip(placed, points.stars, strict=True)
    stars = [(QPointF(x, y), star.kind) for (x, y), star in pairs]
    return [star for star in stars if bounds.contains(star[0])]


def paint_stars(
    painter: QPainter,
    bounds: QRectF,
    stars: Sequence[Placed],
    kinds: Sequence[Kind],
    tokens: Tokens,
    *,
    names: bool = True,
) -> None:
    """Draw a star at each centre and its name beside it, the later ones first in line for room."""
    radius = 8.0 if len(stars) <= FEW else 5.5
    taken = []
    for at, kind in stars:
        path = star_path(at, radius)
        painter.setPen(QPen(QColor("#14161a"), 1.2))
        painter.setBrush(QColor(ink_of(kinds[kind], tokens)))
        painter.drawPath(path)
        taken.append(path.boundingRect())
    if names:
        for at, kind in list(reversed(stars))[:MOST_NAMED]:
            _paint_name(painter, bounds, at, radius, kinds[kind], tokens, taken)


def _paint_name(
    painter: QPainter,
    bounds: QRectF,
    at: QPointF,
    radius: float,
    kind: Kind,
    tokens: Tokens,
    taken: list[QRectF],
) -> None:
    font = sized(painter.font(), QUIET_PX, bold=True)
    metrics = QFontMetricsF(font)
    name = metrics.elidedText(kind.name, Qt.TextElideMode.ElideMiddle, LONGEST_NAME_PX)
    size = QSize(math.ceil(metrics.horizontalAdvance(name)), math.ceil(metrics.height()))
    inner = bounds.adjusted(2, 1, -2, -1)
    for area in spots_for_name(at, radius, size, leftwards=at.x() < 0.3 * bounds.width()):
        if inner.contains(area) and not any(area.intersects(each) for each in taken):
            taken.append(area)
            ground = ground_colour(tokens)
            # Not in the colour of the class: it would be lost on the points of that class.
            write_on(painter, area, name, font, tokens.text, ground)
            return


def write_on(
    painter: QPainter, area: QRectF, text: str, font: QFont, ink: str, ground: str
) -> None:
    """Write with a rim in the colour of the ground, so that points below do not blur letters."""
    ratio = painter.device().devicePixelRatioF()
    plate = _plate(text, font.toString(), ink, ground, ratio)
    painter.drawImage(QPointF(area.left() - RIM_PX, area.top() - RIM_PX), plate)


@lru_cache(512)
def _plate(text: str, font_words: str, ink: str, ground: str, ratio: float) -> QImage:
    """Draw a name once: its rim takes a millisecond, too long for each frame of a movement."""
    font = QFont()
    font.fromString(font_words)
    metrics = QFontMetricsF(font)
    width = math.ceil(metrics.horizontalAdvance(text)) + 2 * RIM_PX
    height = math.ceil(metrics.height()) + 2 * RIM_PX
    form = QImage.Format.Format_ARGB32_Premultiplied
    plate = QImage(math.ceil(width * ratio), math.ceil(height * ratio), form)
    plate.setDevicePixelRatio(ratio)
    plate.fill(Qt.GlobalColor.transparent)
    path = QPainterPath()
    path.addText(QPointF(RIM_PX, RIM_PX + metrics.ascent()), font, text)
    rim = QPen(QColor(mix(ground, ink, 0.04)), 3.0)
    rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    with painting(plate) as painter:
        painter.strokePath(path, rim)
        painter.fillPath(path, QColor(ink))
    return plate


def paint_lasso(painter: QPainter, line: Sequence[QPointF], tokens: Tokens) -> None:
    """Draw the line so far, and how it would close."""
    if len(line) < 2:
        return
    ink = QColor(tokens.text)
    veil = QColor(tokens.text)
    veil.setAlphaF(0.07)
    painter.setBrush(veil)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(QPolygonF(list(line)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(ink, 1.4))
    painter.drawPolyline(QPolygonF(list(line)))
    painter.setPen(QPen(ink, 1.0, Qt.PenStyle.DotLine))
    painter.drawLine(line[-1], line[0])


def paint_ring(painter: QPainter, at: QPointF, radius: float, ink: str, ground: str) -> None:
    """Ring a point: the one under the mouse, or the case that the window shows."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((ground, 4.0), (ink, 1.8)):
        painter.setPen(QPen(QColor(colour), width))
        painter.drawEllipse(at, radius, radius)


def paint_words(painter: QPainter, bounds: QRectF, words: str, tokens: Tokens) -> None:
    """Write in the middle of an empty plot."""
    painter.setFont(sized(painter.font(), QUIET_PX))
    painter.setPen(QColor(tokens.quiet))
    area = bounds.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
    flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
    painter.drawText(area, flags, words)
