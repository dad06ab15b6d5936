"""A card with a picture, a title and a line of explanation that does one thing."""

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from qtpy.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ..theme import BLUE, QUIET_PX, TITLE_PX, Tokens, look
from .dress import icon
from .paint import painting, sized

WIDTH_PX, CARD_PX = 460, 64
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class BigChoice(QAbstractButton):
    """A card with a picture, a title and a line of explanation that does one thing."""

    def __init__(self, symbol: str, title: str, line: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._symbol, self._line = symbol, line
        self.setText(title)
        self.setAccessibleDescription(line)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_line(self, line: str) -> None:
        """Explain it otherwise."""
        self._line = line
        self.setAccessibleDescription(line)
        self.update()

    def sizeHint(self) -> QSize:
        """One height for all."""
        return QSize(WIDTH_PX, CARD_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        with painting(self) as painter:
            self._paint(painter, look().tokens)

    def _paint(self, painter: QPainter, t: Tokens) -> None:
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        lit = self.underMouse() or self.isDown()
        painter.setPen(QColor(BLUE if self.hasFocus() else t.card if t.dark else t.line))
        painter.setBrush(QColor(t.raised if lit else t.card))
        painter.drawRoundedRect(area, 5, 5)
        side = 26
        icon(self._symbol, t.link).paint(painter, 15, (CARD_PX - side) // 2, side, side)
        painter.setFont(sized(self.font(), TITLE_PX, bold=True))
        painter.setPen(QColor(t.text))
        left = 65
        painter.drawText(QRectF(left, 10, self.width() - left - 12, 20), int(_MIDDLE), self.text())
        quiet = sized(self.font(), QUIET_PX)
        painter.setFont(quiet)
        painter.setPen(QColor(t.quiet))
        room = self.width() - left - 12
        shown = QFontMetrics(quiet).elidedText(self._line, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(left, 34, room, 18), int(_MIDDLE), shown)
