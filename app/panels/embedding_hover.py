"""The card beside the mouse: the case that a point stands for, as a small picture with its name."""

from qtpy.QtCore import QPoint, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QWidget

from ..theme import QUIET_PX, look
from ..widgets.paint import painting, sized
from .cases_thumbnails import SIZE_PX

PICTURE_PX = SIZE_PX
EDGE, GAP = 6, 8
LONGEST_PX = 170
AWAY_PX = 14
LINE_PX = 15


class HoverCard(QWidget):
    """Shows a thumbnail and a few lines; lies over the plane and lets the mouse through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._lines: tuple[str, ...] = ()
        self._picture: QPixmap | None = None
        self._failed = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_case(
        self, lines: tuple[str, ...], picture: QPixmap | None, at: QPoint, *, failed: bool = False
    ) -> None:
        """Show lines, the first the name, and a picture once there is one, beside a spot."""
        self._lines, self._picture, self._failed = lines, picture, failed
        self.resize(self.sizeHint())
        self.move(self._beside(at))
        self.show()
        self.raise_()
        self.update()

    def show_picture(self, picture: QPixmap | None) -> None:
        """Show the picture, which came later."""
        self._picture = picture
        self._failed = picture is None
        self.update()

    @property
    def lines(self) -> tuple[str, ...]:
        """What is written."""
        return self._lines

    @property
    def picture(self) -> QPixmap | None:
        """The thumbnail that is shown."""
        return self._picture

    def sizeHint(self) -> QSize:
        """As wide as the longest line, up to a limit."""
        metrics = QFontMetrics(sized(self.font(), QUIET_PX, bold=True))
        words = max((metrics.horizontalAdvance(line) for line in self._lines), default=0)
        width = 2 * EDGE + PICTURE_PX + GAP + min(words, LONGEST_PX)
        return QSize(width, 2 * EDGE + max(PICTURE_PX, LINE_PX * len(self._lines)))

    def _beside(self, at: QPoint) -> QPoint:
        """Keep the card on the plane and off the point."""
        room, own = self.parentWidget().size(), self.size()
        x = at.x() + AWAY_PX
        if x + own.width() > room.width():
            x = at.x() - AWAY_PX - own.width()
        y = at.y() + AWAY_PX
        if y + own.height() > room.height():
            y = at.y() - AWAY_PX - own.height()
        return QPoint(max(x, 2), min(max(y, 2), max(room.height() - own.height() - 2, 2)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        t = look().tokens
        with painting(self) as painter:
            painter.setPen(QColor(t.control))
            painter.setBrush(QColor(t.raised if t.dark else t.card))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            self._paint_picture(painter)
            self._paint_lines(painter)

    def _paint_picture(self, painter: QPainter) -> None:
        area = QRectF(EDGE, EDGE, PICTURE_PX, PICTURE_PX)
        if self._picture is None or self._picture.isNull():
            painter.fillRect(area, QColor(look().tokens.line))
            return
        size = QSize(self._picture.size()).scaled(
            PICTURE_PX, PICTURE_PX, Qt.AspectRatioMode.KeepAspectRatio
        )
        spot = QRectF(0, 0, size.width(), size.height())
        spot.moveCenter(area.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(spot, self._picture, QRectF(self._picture.rect()))

    def _paint_lines(self, painter: QPainter) -> None:
        t = look().tokens
        left = EDGE + PICTURE_PX + GAP
        room = self.width() - left - EDGE
        for row, line in enumerate(self._lines):
            painter.setFont(sized(self.font(), QUIET_PX, bold=row == 0))
            painter.setPen(QColor(t.text if row == 0 else t.quiet))
            shown = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideMiddle, room)
            area = QRectF(left, EDGE + row * LINE_PX, room + 1, LINE_PX)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), shown)
