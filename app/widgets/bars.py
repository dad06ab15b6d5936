"""Counts a class as painted bars on a log scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QPoint, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from qtpy.QtWidgets import QWidget

from ..theme import BLUE, QUIET_PX, TEXT_PX, Tokens, look
from .paint import bar, painting, sized
from .painted import NONE, PaintedParts, moved, picks

ROW_PX = 18
BAR_PX = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: `solid` of `total` cases, `predicted` more by the chosen run.

    `key` is what a click hands out. `tier` is head, medium, tail or empty (quiet). `note` is
    what the tooltip says besides.
    """

    key: int
    name: str
    solid: float
    total: float | None = None
    predicted: float | None = None
    tier: str = ""
    note: str = ""

    def numbers(self) -> str:
        """Write the counts as they stand at the right."""
        if not math.isfinite(self.solid):
            return "-"
        if self.predicted is not None and math.isfinite(self.predicted) and self.predicted > 0:
            return f"{self.solid:,.0f} ~{self.predicted:,.0f}"
        return f"{self.solid:,.0f}"


def log_share(value: float | None, largest: float) -> float:
    """Place a count between 0 and 1 on the log scale up to `largest`; odd numbers give 0."""
    if value is None or not math.isfinite(value) or value <= 0 or not math.isfinite(largest):
        return 0.0
    return min(math.log1p(value) / math.log1p(max(largest, value, 1.0)), 1.0)


class ClassBars(PaintedParts):
    """Rows of name, bar and count; a click or Return on a row emits its key, again -1."""

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Cases a class", parent)
        self._bars: tuple[Bar, ...] = ()
        self._beside: tuple[Bar, ...] = ()
        self._chosen: int | None = None
        self._cursor = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The rows that are shown."""
        return self._bars

    def set_bars(self, bars: Sequence[Bar], beside: Sequence[Bar] = ()) -> None:
        """Show other rows; they share scale and columns with those that stand `beside`."""
        self._bars, self._beside = tuple(bars), tuple(beside)
        self._cursor = min(self._cursor, max(len(self._bars) - 1, 0))
        told = "; ".join(f"{b.name} {b.numbers()}" for b in self._bars[:60])
        self.setAccessibleDescription(told)
        self.updateGeometry()
        self.update()

    def set_chosen(self, key: int | None) -> None:
        """Mark the row whose cases the list shows."""
        self._chosen = key
        self.update()

    def sizeHint(self) -> QSize:
        """As high as the rows."""
        return QSize(180, max(len(self._bars), 1) * ROW_PX)

    def minimumSizeHint(self) -> QSize:
        """As high as the rows; narrow if need be."""
        return QSize(80, max(len(self._bars), 1) * ROW_PX)

    def part_at(self, point: QPoint) -> int:
        """Give the row at a point, or -1."""
        row = point.y() // ROW_PX
        return row if 0 <= row < len(self._bars) else NONE

    def tip_at(self, point: QPoint) -> str:
        """Give the whole name and what the numbers are."""
        row = self.part_at(point)
        return explain(self._bars[row]) if row >= 0 else ""

    # --- input ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the row."""
        row = self.part_at(event.pos())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._cursor = row
            self._pick(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move, Return or Space picks."""
        place = moved(self._cursor, event, len(self._bars))
        if place is not None:
            self._cursor = place
            self.update()
        elif picks(event):
            self._pick(self._cursor)
        else:
            super().keyPressEvent(event)

    def _pick(self, row: int) -> None:
        if not 0 <= row < len(self._bars):
            return
        key = self._bars[row].key
        self.picked.emit(-1 if key == self._chosen else key)

    # --- painting ---

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        with painting(self) as painter:
            self._paint(painter, look().tokens)

    def _paint(self, painter: QPainter, t: Tokens) -> None:
        name_font, count_font = sized(self.font(), TEXT_PX), sized(self.font(), QUIET_PX)
        names, counts = QFontMetrics(name_font), QFontMetrics(count_font)
        start, end, whole = self._columns(names, counts)
        largest = max((_reach(b) for b in (*self._bars, *self._beside)), default=1.0)
        for row, item in enumerate(self._bars):
            top = row * ROW_PX
            self._ground(painter, t, row, item)
            painter.setFont(name_font)
            painter.setPen(QColor(t.text))
            name = names.elidedText(item.name, Qt.TextElideMode.ElideMiddle, start - 10)
            painter.drawText(QRectF(0, top, start - 8, ROW_PX), _LEFT, name)
            area = QRectF(start, top + (ROW_PX - BAR_PX) / 2, max(end - start, 0), BAR_PX)
            self._bar(painter, t, item, area, largest)
            painter.setFont(count_font)
            painter.setPen(QColor(t.quiet))
            painter.drawText(QRectF(0, top, whole, ROW_PX), _RIGHT, item.numbers())

    def _columns(self, names: QFontMetrics, counts: QFontMetrics) -> tuple[int, int, int]:
        """Give where bars begin, where they end at most, and where counts end, in pixels."""
        whole = self.contentsRect().width()
        every = (*self._bars, *self._beside)
        widest = max((names.horizontalAdvance(b.name[:60]) for b in every), default=0)
        start = max(min(widest, int(whole * 0.38)) + 10, min(92, whole // 3))
        count = max((counts.horizontalAdvance(b.numbers()) for b in every), default=0)
        return start, whole - count - 10, whole

    def _ground(self, painter: QPainter, t: Tokens, row: int, item: Bar) -> None:
        area = QRectF(-4, row * ROW_PX, self.width() + 8, ROW_PX)
        if item.key == self._chosen:
            bar(painter, area, t.selected, 3)
        elif row == self._hover:
            bar(painter, area, t.raised, 3)
        if self.hasFocus() and row == self._cursor:
            painter.setPen(QColor(BLUE))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(4.5, 0.5, -4.5, -0.5), 3, 3)

    @staticmethod
    def _bar(painter: QPainter, t: Tokens, item: Bar, area: QRectF, largest: float) -> None:
        colour = t.tier(item.tier) if item.tier else t.control
        ends = (
            (item.total, t.track if not item.tier else t.tint(colour, 0.16)),
            (item.solid + _finite(item.predicted), t.pale(colour)),
            (item.solid, colour),
        )
        for value, fill in ends:
            width = log_share(value, largest) * area.width()
            bar(painter, QRectF(area.x(), area.y(), width, area.height()), fill, 2)


_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)


def explain(item: Bar) -> str:
    """Say a row in words."""
    if item.name == "unlabelled":
        return f"{_finite(item.solid):,.0f} cases without labels. {item.note}".strip()
    words = f"{item.name}: {item.solid:,.0f} labelled" if math.isfinite(item.solid) else item.name
    if item.predicted:
        words += f", about {_finite(item.predicted):,.0f} more predicted by the chosen run"
    words = f"{words} ({item.tier})" if item.tier else words
    return f"{words}. {item.note}" if item.note else words


def _reach(item: Bar) -> float:
    return max(_finite(item.total), _finite(item.solid) + _finite(item.predicted))


def _finite(value: float | None) -> float:
    return float(value) if value is not None and math.isfinite(value) and value > 0 else 0.0
