"""Paint safely: a painter that is always ended, and the shapes that several widgets share."""

from collections.abc import Iterator
from contextlib import contextmanager

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPaintDevice, QPainter, QPainterPath

from ..theme import QUIET_PX, TEXT_PX


@contextmanager
def painting(device: QPaintDevice) -> Iterator[QPainter]:
    """Give a smooth painter that ends even when the block fails (an open one ends the process)."""
    painter = QPainter(device)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    try:
        yield painter
    finally:
        painter.end()


def sized(font: QFont, pixels: int = TEXT_PX, *, bold: bool = False) -> QFont:
    """Give `font` in another size."""
    changed = QFont(font)
    changed.setPixelSize(pixels)
    changed.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return changed


def bar(painter: QPainter, area: QRectF, colour: str, radius: float = 2.0) -> None:
    """Fill a rounded bar; nothing if it has no width."""
    if area.width() <= 0 or area.height() <= 0:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(area, radius, radius)


def chip(
    painter: QPainter, right: float, middle: float, text: str, ink: str, fill: str, most: float
) -> float:
    """Draw a small pill that ends at `right`; give where it begins. `most` is its widest."""
    if not text or most < 24:
        return right
    font = sized(painter.font(), QUIET_PX)
    metrics = QFontMetrics(font)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(most) - 16)
    width = metrics.horizontalAdvance(shown) + 16
    area = QRectF(right - width, middle - 9, width, 18)
    bar(painter, area, fill, 9)
    painter.setFont(font)
    painter.setPen(QColor(ink))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, shown)
    return right - width


def status_shape(painter: QPainter, centre: QPointF, status: str, colour: str) -> None:
    """Draw a disc (reviewed), a half disc (draft), a dotted ring (predicted) or a ring, 9 px."""
    radius = 4.0
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = painter.pen()
    pen.setColor(QColor(colour))
    pen.setWidthF(1.2)
    if status == "predicted":
        pen.setStyle(Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([1.1, 1.5])
    painter.setPen(pen)
    if status == "reviewed":
        painter.setBrush(QColor(colour))
    painter.drawEllipse(centre, radius, radius)
    if status == "draft":
        half = QPainterPath()
        half.moveTo(centre.x(), centre.y() - radius)
        half.arcTo(QRectF(centre.x() - radius, centre.y() - radius, 8, 8), 90, 180)
        painter.fillPath(half, QColor(colour))
