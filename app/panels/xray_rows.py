"""The findings of one image: a row each, of which one is chosen by a click or the arrow keys."""

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from ..theme import BLUE, GREEN, QUIET_PX, TEXT_PX, Tokens, look
from ..widgets.paint import bar, painting, sized
from .results_rows import Rows
from .train_words import share
from .xray_model import FindingRow

ROW_PX = 28
TICK = "\N{CHECK MARK}"
MARKS_PX, VALUE_PX, PAD = 34, 34, 10
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)


class FindingRows(Rows):
    """Name, bar in the tier's colour, probability; `chosen` tells the class, -1 for none."""

    row_px = ROW_PX
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Findings", parent)
        self._rows: tuple[FindingRow, ...] = ()
        self._value: int | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def rows(self) -> tuple[FindingRow, ...]:
        """What is shown."""
        return self._rows

    @property
    def value(self) -> int | None:
        """The class that is chosen."""
        return self._value

    def show_rows(self, rows: Sequence[FindingRow], value: int | None) -> None:
        """Show `rows`, and which class is chosen."""
        self._rows, self._value = tuple(rows), value
        self.tell([f"{row.sentence} {_tip(row.class_id == value)}" for row in self._rows])

    # --- input ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the row; the chosen one, clicked again, is let go."""
        number = self.part_at(event.pos())
        if event.button() == Qt.MouseButton.LeftButton and number >= 0:
            class_id = self._rows[number].class_id
            self.chosen.emit(-1 if class_id == self._value else class_id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down choose, Escape lets go."""
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if by and self._rows:
            ids = [row.class_id for row in self._rows]
            place = ids.index(self._value) if self._value in ids else -1 if by > 0 else len(ids)
            self.chosen.emit(ids[min(max(place + by, 0), len(ids) - 1)])
        elif event.key() == Qt.Key.Key_Escape and self._value is not None:
            self.chosen.emit(-1)
        else:
            super().keyPressEvent(event)

    # --- painting ---

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        with painting(self) as painter:
            for number, row in enumerate(self._rows):
                self._paint_row(painter, look().tokens, row, number)

    def _paint_row(self, painter: QPainter, t: Tokens, row: FindingRow, number: int) -> None:
        top, width, on = number * ROW_PX, self.width(), row.class_id == self._value
        area = QRectF(0, top + 1, width, ROW_PX - 2)
        if on or number == self._hover:
            bar(painter, area, t.selected if on else t.raised, 4)
        if on and self.hasFocus():
            painter.setPen(QPen(QColor(BLUE), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        start, end = width * 0.44, width - PAD - VALUE_PX - MARKS_PX
        painter.setFont(sized(self.font(), TEXT_PX, bold=on))
        painter.setPen(QColor(t.text))
        names = QRectF(PAD, top, max(start - PAD - 8, 0), ROW_PX)
        name = painter.fontMetrics().elidedText(
            row.name, Qt.TextElideMode.ElideMiddle, int(names.width())
        )
        painter.drawText(names, _LEFT, name)
        painter.drawText(QRectF(0, top, width - PAD, ROW_PX), _RIGHT, share(row.probability))
        self._paint_marks(painter, t, row, QRectF(end + 4, top, MARKS_PX - 4, ROW_PX))
        self._paint_bar(painter, t, row, QRectF(start, top + ROW_PX / 2 - 3, end - start, 6))

    @staticmethod
    def _paint_bar(painter: QPainter, t: Tokens, row: FindingRow, track: QRectF) -> None:
        bar(painter, track, t.track, 3)
        filled = max(min(max(row.probability, 0.0), 1.0) * track.width(), 2.0)
        whole = QRectF(track.x(), track.y(), min(filled, track.width()), track.height())
        bar(painter, whole, t.tier(row.tier), 3)

    @staticmethod
    def _paint_marks(painter: QPainter, t: Tokens, row: FindingRow, area: QRectF) -> None:
        """Draw a tick where it is labelled, a small frame where it has a drawn box."""
        if row.labelled:
            painter.setFont(sized(painter.font(), QUIET_PX))
            painter.setPen(QColor(t.written(GREEN)))
            painter.drawText(QRectF(area.x(), area.y(), 14, area.height()), _LEFT, TICK)
        if row.boxed:
            painter.setPen(QPen(QColor(t.quiet), 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            corner = QPointF(area.x() + 15.5, area.center().y() - 4)
            painter.drawRect(QRectF(corner.x(), corner.y(), 10, 8))


def _tip(chosen: bool) -> str:
    return "Click to hide its heat map." if chosen else "Click to see where the run looks for it."
