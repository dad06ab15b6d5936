"""Paints the strip: each followed image with its heat map, its predicted and its drawn boxes."""

import math
from collections.abc import Sequence

import numpy as np
from qtpy.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from ..canvas_layers import heat_colours
from ..theme import QUIET_PX, Tokens, look
from ..widgets.paint import bar, painting, sized
from .train_strip import PICTURE_PX, Pixels, StripFrame, StripImage
from .train_words import short_share

COLUMNS = 3
GAP_PX, EDGE_PX, CAPTION_PX = 6, 8, 18
HEAT = 0.6
EMPTY_PX = 90


class StripPlot(QWidget):
    """The followed images side by side; `asked` tells the case of the one that was clicked."""

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: tuple[StripImage, ...] = ()
        self._frame: StripFrame | None = None
        self._words = ""
        self._drawn: list[QImage] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumWidth(120)
        self.setAccessibleName("Where the run looks in the followed images")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def images(self) -> tuple[StripImage, ...]:
        """The images that are followed."""
        return self._images

    def begin(self, images: Sequence[StripImage]) -> None:
        """Follow other images."""
        self._images, self._frame, self._words = tuple(images), None, ""
        self._draw()

    def show_frame(self, frame: StripFrame | None, words: str = "") -> None:
        """Show a moment, or none and why."""
        self._frame, self._words = frame, words
        self._draw()

    def hasHeightForWidth(self) -> bool:
        """Narrower images are lower."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As high as its rows."""
        rows = math.ceil(len(self._images) / COLUMNS)
        if not rows:
            return EMPTY_PX
        return round(2 * EDGE_PX + rows * (self._side(width) + CAPTION_PX) + (rows - 1) * GAP_PX)

    def sizeHint(self) -> QSize:
        """As high as its rows at this width."""
        width = max(self.width(), 240)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """As high as its rows at this width."""
        width = max(self.width(), 120)
        return QSize(120, self.heightForWidth(width))

    def area(self, number: int) -> QRectF:
        """Give the square in which an image is drawn."""
        side = self._side(self.width())
        row, column = divmod(number, COLUMNS)
        return QRectF(
            EDGE_PX + column * (side + GAP_PX),
            EDGE_PX + row * (side + CAPTION_PX + GAP_PX),
            side,
            side,
        )

    def image_at(self, point: QPoint) -> int:
        """Give the number of the image under a point, or -1."""
        for number in range(len(self._images)):
            if self.area(number).adjusted(0, 0, 0, CAPTION_PX).contains(point.toPointF()):
                return number
        return -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for the case."""
        number = self.image_at(event.pos())
        if number >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.asked.emit(self._images[number].case_id)
        super().mousePressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Say what an image is as the tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.sentence(self.image_at(event.pos())), self)
            return True
        return bool(super().event(event))

    def sentence(self, number: int) -> str:
        """Say which image this is and what the run holds of it."""
        if not 0 <= number < len(self._images):
            return ""
        name = self._images[number].case_id
        frame = self._frame
        if frame is None or number >= len(frame.names):
            return f"{name}. Click to open it."
        share = short_share(frame.shares[number])
        return f"{name}: {frame.names[number]} {share} at step {frame.step:,}. Click to open it."

    # --- painting ---

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the images."""
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            t = look().tokens
            if not self._images or self._words:
                painter.setFont(sized(self.font(), QUIET_PX))
                painter.setPen(QColor(t.quiet))
                flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
                words = self._words or "The followed images come with the first epoch."
                painter.drawText(QRectF(self.rect()).adjusted(12, 0, -12, 0), flags, words)
                return
            for number, image in enumerate(self._images):
                self._paint_image(painter, t, number, image)

    def _paint_image(self, painter: QPainter, t: Tokens, number: int, image: StripImage) -> None:
        area = self.area(number)
        if number < len(self._drawn):
            painter.drawImage(area, self._drawn[number])
        else:
            bar(painter, area, t.line, 3)
        frame = self._frame
        if frame is None or number >= len(frame.names):
            return
        for box in image.drawn.get(frame.names[number], ()):
            _paint_box(painter, _placed(box, image.shape, area), Qt.PenStyle.SolidLine)
        found = frame.boxes[number]
        if np.isfinite(found).all():
            place = _placed([float(side) for side in found], image.shape, area)
            _paint_box(painter, place, Qt.PenStyle.DashLine)
        self._paint_caption(painter, t, frame, number, area)

    def _paint_caption(
        self, painter: QPainter, t: Tokens, frame: StripFrame, number: int, area: QRectF
    ) -> None:
        painter.setFont(sized(self.font(), QUIET_PX))
        share = short_share(frame.shares[number])
        line = QRectF(area.x(), area.bottom(), area.width(), CAPTION_PX)
        painter.setPen(QColor(t.text))
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(line, right, share)
        metrics = QFontMetrics(painter.font())
        room = int(area.width() - metrics.horizontalAdvance(share) - 4)
        name = metrics.elidedText(frame.names[number], Qt.TextElideMode.ElideRight, room)
        painter.setPen(QColor(t.quiet))
        left = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(line, left, name)

    def _side(self, width: int) -> float:
        return max((width - 2 * EDGE_PX - (COLUMNS - 1) * GAP_PX) / COLUMNS, 20.0)

    def _draw(self) -> None:
        frame = self._frame
        self._drawn = []
        for number, image in enumerate(self._images):
            heat = frame.maps[number] if frame is not None and number < len(frame.maps) else None
            self._drawn.append(_as_image(blended(image, heat)))
        self.updateGeometry()
        self.update()


def blended(
    image: StripImage, heat: "np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None"
) -> Pixels:
    """Lay a map over the picture of its image, (side, side, 3)."""
    blank = np.zeros((PICTURE_PX, PICTURE_PX, 3), np.uint8)
    picture = image.picture if image.picture is not None else blank
    if heat is None:
        return picture
    top, left, height, width = _inset(image.shape)
    rows = np.minimum(np.arange(height) * heat.shape[0] // height, heat.shape[0] - 1)
    columns = np.minimum(np.arange(width) * heat.shape[1] // width, heat.shape[1] - 1)
    inks = heat_colours().map(heat[np.ix_(rows, columns)].ravel()).reshape(height, width, 4)
    told = picture.astype(np.float32)
    part = told[top : top + height, left : left + width]
    share = HEAT * inks[..., 3:]
    part[:] = part * (1 - share) + 255 * inks[..., :3] * share
    return told.astype(np.uint8)


def _inset(shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Give where the image lies in its square: top, left, height, width; as thumbnails do."""
    scale = PICTURE_PX / max(*shape, 1)
    height, width = (max(1, round(side * scale)) for side in shape)
    return (PICTURE_PX - height) // 2, (PICTURE_PX - width) // 2, height, width


def _placed(box: Sequence[float], shape: tuple[int, int], area: QRectF) -> QRectF:
    top, left, height, width = _inset(shape)
    scale = area.width() / PICTURE_PX
    across, down = scale * width / max(shape[1], 1), scale * height / max(shape[0], 1)
    x, y, wide, high = box
    return QRectF(
        area.x() + left * scale + x * across,
        area.y() + top * scale + y * down,
        wide * across,
        high * down,
    ).intersected(area)


def _paint_box(painter: QPainter, area: QRectF, style: Qt.PenStyle) -> None:
    # A dark line below: white alone is lost over the brightest heat.
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(20, 20, 26, 190), 2.6))
    painter.drawRect(area)
    pen = QPen(QColor("#ffffff"), 1.3, style)
    if style is Qt.PenStyle.DashLine:
        pen.setDashPattern([3.0, 2.4])
    painter.setPen(pen)
    painter.drawRect(area)


def _as_image(pixels: Pixels) -> QImage:
    whole = np.ascontiguousarray(pixels)
    height, width, _ = whole.shape
    return QImage(whole.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
