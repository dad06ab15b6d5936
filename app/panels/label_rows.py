"""The painted rows of the Label panel: what can be drawn, with colour, amount, lock and key."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from qtpy.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from qtpy.QtWidgets import QWidget

from ..theme import BLUE, QUIET_PX, RED, Tokens, look, mix
from ..widgets.dress import icon
from ..widgets.paint import bar, painting, sized
from ..widgets.painted import NONE, PaintedParts, moved

ROW_PX = 32
GAP_PX = 8
PAD = 12
SWATCH_PX = 14
KEY_PX = 20
LOCK_PX = 16
RADIUS = 5.0
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)


class Answer(StrEnum):
    """What an image-level row says."""

    GIVEN = "given"
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


_ON = (Answer.GIVEN, Answer.YES)


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    `value` is what a click hands out; `amount` quiet text at the right; `locked` None where there
    is no lock; `answer` makes it an image-level row; `tip` the tooltip.
    """

    value: int
    name: str
    colour: str = ""
    amount: str = ""
    key: str = ""
    locked: bool | None = None
    answer: Answer | None = None
    tip: str = ""

    def sentence(self) -> str:
        """Say the row to a reader of the screen."""
        parts = [self.name, self.amount, self.answer or "", "locked" if self.locked else ""]
        return " ".join(part for part in parts if part)


class LabelRows(PaintedParts):
    """Rows of which one is chosen; its lock is a button of its own.

    Signals
    -------
    chosen
        The value of the row that was clicked.
    lock_clicked
        The value of the row whose lock was clicked.
    """

    chosen = Signal(int)
    lock_clicked = Signal(int)

    def __init__(
        self,
        name: str,
        parent: QWidget | None = None,
        *,
        row_px: int = ROW_PX,
        gap_px: int = GAP_PX,
    ) -> None:
        super().__init__(name, parent)
        self._rows: tuple[Row, ...] = ()
        self._chosen: int | None = None
        self._row_px, self._pitch = row_px, row_px + gap_px
        self._cursor = 0
        # Clicks leave the keys with the image; the Tab key reaches the rows all the same.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is shown."""
        return self._rows

    @property
    def value(self) -> int | None:
        """The chosen row's value."""
        return self._chosen

    def show_rows(self, rows: Sequence[Row], chosen: int | None = None) -> None:
        """Show `rows` and which of them is chosen."""
        shown = tuple(rows)
        if shown == self._rows and chosen == self._chosen:
            return
        grown = len(shown) != len(self._rows)
        self._rows, self._chosen = shown, chosen
        self._cursor = min(self._cursor, max(len(shown) - 1, 0))
        self.setAccessibleDescription("; ".join(row.sentence() for row in shown[:60]))
        if grown:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as the rows."""
        return QSize(260, len(self._rows) * self._pitch)

    def minimumSizeHint(self) -> QSize:
        """As high as the rows; narrow if need be."""
        return QSize(140, self.sizeHint().height())

    def area(self, number: int) -> QRectF:
        """Give where a row is drawn."""
        return QRectF(0, number * self._pitch, self.width(), self._row_px)

    def part_at(self, point: QPoint) -> int:
        """Give the row at a point, or -1."""
        number = point.y() // self._pitch
        inside = point.y() % self._pitch < self._row_px
        return number if inside and 0 <= number < len(self._rows) else NONE

    def tip_at(self, point: QPoint) -> str:
        """Say what a row is with its whole name, or what its lock does."""
        number = self.part_at(point)
        if number < 0:
            return ""
        row = self._rows[number]
        on_lock = self.lock_area(number).adjusted(-6, -8, 6, 8).contains(point.toPointF())
        if row.locked is not None and on_lock:
            return f"{row.name} can be drawn over again" if row.locked else f"Protect {row.name}"
        return row.tip or row.sentence()

    def lock_area(self, number: int) -> QRectF:
        """Give where a row's lock is drawn."""
        area = self.area(number)
        left = area.right() - PAD - KEY_PX - 10 - LOCK_PX
        return QRectF(left, area.center().y() - LOCK_PX / 2, LOCK_PX, LOCK_PX)

    # --- input ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the row, or turn its lock."""
        number = self.part_at(event.pos())
        if number < 0 or event.button() != Qt.MouseButton.LeftButton:
            return
        self._cursor = number
        row = self._rows[number]
        grown = self.lock_area(number).adjusted(-6, -8, 6, 8)
        if row.locked is not None and grown.contains(event.pos().toPointF()):
            self.lock_clicked.emit(row.value)
        else:
            self.chosen.emit(row.value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move, Space chooses, L turns the lock."""
        place = moved(self._cursor, event, len(self._rows))
        if place is not None:
            self._cursor = place
            self.update()
        elif event.key() == Qt.Key.Key_Space and self._rows:
            self.chosen.emit(self._rows[self._cursor].value)
        elif event.key() == Qt.Key.Key_L and self._rows:
            row = self._rows[self._cursor]
            if row.locked is not None:
                self.lock_clicked.emit(row.value)
        else:
            super().keyPressEvent(event)

    # --- painting ---

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows that can be seen."""
        with painting(self) as painter:
            if not self.isEnabled():
                painter.setOpacity(0.55)
            for number, row in enumerate(self._rows):
                if self.area(number).intersects(QRectF(event.rect())):
                    self._paint_row(painter, look().tokens, number, row)

    def _paint_row(self, painter: QPainter, t: Tokens, number: int, row: Row) -> None:
        area = self.area(number)
        on = row.value == self._chosen or row.answer in _ON
        self._paint_ground(painter, t, number, row, area, on)
        self._paint_swatch(painter, t, row, area)
        right = self._paint_right(painter, t, number, row, area)
        painter.setFont(sized(self.font(), bold=on))
        painter.setPen(QColor(t.text if row.answer is not Answer.NO else t.quiet))
        left = area.x() + PAD + SWATCH_PX + 10
        room = max(right - left - 8, 0)
        metrics = QFontMetrics(painter.font())
        name = metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, int(room))
        painter.drawText(QRectF(left, area.y(), room, area.height()), _LEFT, name)

    def _paint_ground(
        self, painter: QPainter, t: Tokens, number: int, row: Row, area: QRectF, on: bool
    ) -> None:
        bar(painter, area, self._fill(t, number, row), RADIUS)
        if on:
            painter.save()
            painter.setClipRect(QRectF(area.x(), area.y(), 3, area.height()))
            bar(painter, area, row.colour if row.answer and row.colour else BLUE, RADIUS)
            painter.restore()
        if self.hasFocus() and number == self._cursor:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(BLUE), 1))
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def _fill(self, t: Tokens, number: int, row: Row) -> str:
        if row.answer in _ON:
            return mix(t.card, row.colour or BLUE, 0.25)
        if row.value == self._chosen:
            return t.selected
        return t.raised if number == self._hover and self.isEnabled() else t.card

    @staticmethod
    def _paint_swatch(painter: QPainter, t: Tokens, row: Row, area: QRectF) -> None:
        top = area.center().y() - SWATCH_PX / 2
        spot = QRectF(area.x() + PAD, top, SWATCH_PX, SWATCH_PX)
        if row.colour:
            bar(painter, spot, row.colour, 3)
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(t.control), 1.2))
        painter.drawRoundedRect(spot.adjusted(0.6, 0.6, -0.6, -0.6), 3, 3)

    def _paint_right(
        self, painter: QPainter, t: Tokens, number: int, row: Row, area: QRectF
    ) -> float:
        """Draw key, lock and amount; give where they begin."""
        right = area.right() - PAD
        spot = QRectF(right - KEY_PX, area.y(), KEY_PX, area.height())
        right -= max(KEY_PX, _paint_key(painter, t, row.key, spot, self._fill(t, number, row))) + 10
        if row.locked is not None:
            self._paint_lock(painter, t, number, row.locked)
            right -= LOCK_PX + 8
        if row.answer is not None:
            return _paint_answer(painter, t, row, right, area, self._fill(t, number, row))
        painter.setFont(sized(self.font(), QUIET_PX))
        width = QFontMetrics(painter.font()).horizontalAdvance(row.amount)
        painter.setPen(QColor(t.written(t.quiet, self._fill(t, number, row))))
        painter.drawText(QRectF(right - width, area.y(), width, area.height()), _RIGHT, row.amount)
        return right - width

    def _paint_lock(self, painter: QPainter, t: Tokens, number: int, locked: bool) -> None:
        seen = locked or number == self._hover
        name = "ph.lock-simple" if locked else "ph.lock-simple-open"
        colour = t.text if locked else (t.quiet if seen else t.faint)
        area: QRect = self.lock_area(number).toRect()
        icon(name, colour).paint(painter, area)


def _paint_key(painter: QPainter, t: Tokens, key: str, area: QRectF, ground: str) -> float:
    """Draw a key in its frame; give the frame's width."""
    if not key:
        return 0.0
    font = sized(painter.font(), QUIET_PX)
    width = max(KEY_PX, QFontMetrics(font).horizontalAdvance(key) + 8)
    frame = QRectF(area.right() - width, area.center().y() - KEY_PX / 2, width, KEY_PX)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(mix(ground, t.text, 0.22)), 1))
    painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setFont(font)
    painter.setPen(QColor(t.written(t.quiet, ground)))
    painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, key)
    return float(width)


def _paint_answer(
    painter: QPainter, t: Tokens, row: Row, right: float, area: QRectF, ground: str
) -> float:
    words, ink = {
        Answer.GIVEN: ("✓", t.text),
        Answer.YES: ("✓ yes", t.text),
        Answer.NO: ("✕ no", RED),
        Answer.UNKNOWN: ("unknown", t.quiet),
    }[row.answer or Answer.UNKNOWN]
    painter.setFont(sized(painter.font(), QUIET_PX))
    width = QFontMetrics(painter.font()).horizontalAdvance(words)
    painter.setPen(QColor(t.written(ink, ground)))
    painter.drawText(QRectF(right - width, area.y(), width, area.height()), _RIGHT, words)
    return right - width


def amount_words(voxels: float, spacing_mm: Sequence[float] | None, ndim: int) -> str:
    """Write how much of a scan is labelled with a class, in the unit that the scan has."""
    if not math.isfinite(voxels) or voxels < 0:
        return "–"  # noqa: RUF001 - a dash is what a reader of tables expects
    if spacing_mm is None:
        return f"{voxels:,.0f} {'voxels' if ndim > 2 else 'px'}"
    size = voxels * math.prod(spacing_mm)
    unit = "mm³" if ndim > 2 else "mm²"
    if ndim > 2 and size >= 1e6:
        return f"{size / 1000:,.0f} ml"
    return f"{size:,.0f} {unit}" if size >= 10 or size == 0 else f"{size:,.1f} {unit}"
