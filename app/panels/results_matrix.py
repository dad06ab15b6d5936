"""The painted matrix of what was taken for what, and the list of the most frequent mistakes."""

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from ..theme import BLUE, QUIET_PX, Tokens, look, mix
from ..widgets.paint import bar, painting, sized
from ..widgets.painted import picks
from .results_mistakes import Matrix, Mistake
from .results_rows import PickRows

MOST_CELL, LEAST_NUMBER, LEAST_NAME = 30.0, 19.0, 8.0
NAME_SHARE, MOST_NAME = 0.34, 110.0
HEAD_PX, LINE_PX = 20, 26
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_STEPS = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}


class MatrixView(QWidget):
    """A row a true class, a column a predicted class; a click or Return picks a cell."""

    picked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._matrix = Matrix((), ())
        self._cursor = (0, 0)
        self._hover: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("What was taken for what")

    def show_matrix(self, matrix: Matrix) -> None:
        """Show other counts."""
        self._matrix, self._cursor, self._hover = matrix, (0, 0), None
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Cells are square."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As high as its rows."""
        return round(HEAD_PX + len(self._matrix.names) * self._cell(width)) + 1

    def sizeHint(self) -> QSize:
        """As high as its rows at this width."""
        width = max(self.width(), 240)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Narrow if need be."""
        return QSize(160, self.heightForWidth(max(self.width(), 160)))

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        """Give the (true, predicted) cell under a point."""
        cell, count = self._cell(self.width()), len(self._matrix.names)
        column = int((point.x() - self._left(self.width())) // cell) if cell else -1
        row = int((point.y() - HEAD_PX) // cell) if cell else -1
        return (row, column) if 0 <= row < count and 0 <= column < count else None

    # --- input ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the cell."""
        cell = self.cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self._cursor = cell
            self.update()
            self.picked.emit(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light the cell up."""
        cell = self.cell_at(event.position())
        if cell != self._hover:
            self._hover = cell
            shape = Qt.CursorShape.PointingHandCursor if cell else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Put the light out."""
        self._hover = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, Return or Space picks."""
        count = len(self._matrix.names)
        step = _STEPS.get(Qt.Key(event.key()))
        if step is not None and count:
            row, column = self._cursor[0] + step[0], self._cursor[1] + step[1]
            self._cursor = (min(max(row, 0), count - 1), min(max(column, 0), count - 1))
            self.update()
        elif picks(event) and count:
            self.picked.emit(*self._cursor)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Tell a cell in words as its tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self.cell_at(QPointF(event.pos()))
            words = f"{self._matrix.sentence(*cell)} Click to list them." if cell else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return bool(super().event(event))

    # --- painting ---

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the names and the cells."""
        with painting(self) as painter:
            self._paint(painter, look().tokens)

    def _paint(self, painter: QPainter, t: Tokens) -> None:
        left, cell = self._left(self.width()), self._cell(self.width())
        painter.setFont(sized(self.font(), QUIET_PX))
        painter.setPen(QColor(t.quiet))
        painter.drawText(QRectF(0, 0, left - 6, HEAD_PX), _RIGHT, "true / called")
        for column, name in enumerate(self._matrix.names if cell >= LEAST_NUMBER else ()):
            # What fits; the tooltip has the whole of it.
            painter.drawText(QRectF(left + column * cell, 0, cell, HEAD_PX), _CENTRE, name[:3])
        for row, counts in enumerate(self._matrix.counts):
            top = HEAD_PX + row * cell
            self._paint_name(painter, t, row, QRectF(0, top, left - 6, cell))
            painter.setFont(sized(self.font(), QUIET_PX))
            total = sum(counts) or 1
            for column, count in enumerate(counts):
                area = QRectF(left + column * cell, top, cell, cell)
                self._paint_cell(painter, t, (row, column), area, count, count / total)

    def _paint_name(self, painter: QPainter, t: Tokens, row: int, area: QRectF) -> None:
        # With many classes the rows are low; below 8 px nobody could read them.
        if area.height() < LEAST_NAME:
            return
        painter.setFont(sized(self.font(), int(min(QUIET_PX, area.height()))))
        painter.setPen(QColor(t.text))
        name = painter.fontMetrics().elidedText(
            self._matrix.names[row], Qt.TextElideMode.ElideMiddle, int(area.width())
        )
        painter.drawText(area, _RIGHT, name)

    def _paint_cell(
        self,
        painter: QPainter,
        t: Tokens,
        cell: tuple[int, int],
        area: QRectF,
        count: int,
        share: float,
    ) -> None:
        fill = mix(t.card, BLUE if cell[0] == cell[1] else _WRONG, 0.1 + 0.75 * share)
        bar(painter, area.adjusted(0.5, 0.5, -0.5, -0.5), fill if count else t.card, 2)
        if cell == self._hover or (self.hasFocus() and cell == self._cursor):
            painter.setPen(QColor(t.text))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 2, 2)
        if count and area.width() >= LEAST_NUMBER:
            painter.setPen(QColor(t.written(t.text, fill)))
            painter.drawText(area, _CENTRE, f"{count:,}" if count < 1000 else f"{count // 1000}k")

    def _left(self, width: int) -> float:
        return min(width * NAME_SHARE, MOST_NAME)

    def _cell(self, width: int) -> float:
        count = len(self._matrix.names)
        return min((width - self._left(width)) / count, MOST_CELL) if count else 0.0


_WRONG = "#e5534b"
"""What was taken for something else; the number in the cell says the same."""


class MistakeList(PickRows):
    """A row a kind of mistake: words, count and share; a click or Return lists its images."""

    row_px = LINE_PX
    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Most frequent mistakes", parent)
        self._mistakes: tuple[Mistake, ...] = ()

    def show_mistakes(self, mistakes: Sequence[Mistake]) -> None:
        """Show `mistakes` in their order."""
        self._mistakes = tuple(mistakes)
        self.tell([f"{one.sentence} Click to list them." for one in self._mistakes])

    def pick(self, row: int) -> None:
        """Tell which."""
        self.picked.emit(row)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        with painting(self) as painter:
            for number, one in enumerate(self._mistakes):
                self._paint_row(painter, look().tokens, number, one)

    def _paint_row(self, painter: QPainter, t: Tokens, number: int, one: Mistake) -> None:
        area = QRectF(0, number * LINE_PX, self.width(), LINE_PX)
        if number == self._hover or (self.hasFocus() and number == self._cursor):
            bar(painter, area, t.raised, 4)
        bar(painter, QRectF(4, area.center().y() - 4, 8, 8), t.tier(one.tier), 1.5)
        figures = QRectF(area.right() - 84, area.y(), 80, LINE_PX)
        painter.setFont(sized(self.font()))
        painter.setPen(QColor(t.text))
        words = QRectF(18, area.y(), max(figures.x() - 22, 0), LINE_PX)
        text = painter.fontMetrics().elidedText(
            one.words, Qt.TextElideMode.ElideMiddle, int(words.width())
        )
        painter.drawText(words, _LEFT, text)
        painter.setPen(QColor(t.quiet))
        painter.drawText(figures, _RIGHT, f"{len(one.cases):,} of {one.of:,}")
