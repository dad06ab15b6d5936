"""Painted lists of the page of runs: each class under several runs, and the cases that changed."""

from collections.abc import Sequence

from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from ...core.evaluate.versus import ChangedCase
from ...core.project.records import Task
from ..theme import BLUE, GREEN, QUIET_PX, RED, Tokens, look
from ..widgets.paint import bar, painting, sized
from .results_rows import PickRows, Rows
from .runs_model import ClassLine, changed_sentence
from .runs_table import paint_interval

TRACK_PX, GAP_PX, LINE_PX = 15, 6, 24
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)


class ClassLines(Rows):
    """A row a class: a track with the interval of each drawn run, one below the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Each class under the runs drawn", parent)
        self._lines: tuple[ClassLine, ...] = ()
        self._end = 1.0

    def show_lines(self, lines: Sequence[ClassLine]) -> None:
        """Show classes, all with the same runs."""
        self._lines = tuple(lines)
        runs = max((len(line.values) for line in lines), default=1)
        self.row_px = runs * TRACK_PX + GAP_PX
        ends = [v.high or v.mean or 0.0 for line in lines for _, _, v in line.values]
        is_share = not lines or lines[0].measure.is_share
        self._end = 1.0 if is_share else max([*ends, 1.0])
        self.tell([line.sentence for line in lines])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        with painting(self) as painter:
            for number, line in enumerate(self._lines):
                self._paint_line(painter, look().tokens, line, number * self.row_px)

    def _paint_line(self, painter: QPainter, t: Tokens, line: ClassLine, top: float) -> None:
        height = self.row_px - GAP_PX
        names = min(self.width() * 0.34, 130.0)
        bar(painter, QRectF(0, top + 4, 6, height - 2), t.tier(line.tier), 1.5)
        painter.setFont(sized(self.font()))
        painter.setPen(QColor(t.text))
        name = painter.fontMetrics().elidedText(
            line.name, Qt.TextElideMode.ElideMiddle, int(names - 16)
        )
        painter.drawText(QRectF(12, top + 3, names - 16, height), _LEFT, name)
        painter.setFont(sized(self.font(), QUIET_PX))
        for place, (marker, _, value) in enumerate(line.values):
            y = top + 3 + place * TRACK_PX
            track = QRectF(names, y, max(self.width() - names - 44, 10.0), TRACK_PX)
            if line.few and value.low is not None:
                # Of few cases a point would claim more than they can tell.
                value = type(value)(None, value.low, value.high, value.n)
            paint_interval(painter, t, track, value, marker, self._end)
            painter.setPen(QColor(t.text if value.mean is not None else t.quiet))
            words = line.measure.written(value.mean) if value.mean is not None else "few"
            painter.drawText(QRectF(self.width() - 42, y, 40, TRACK_PX), _RIGHT, words)


class ChangedList(PickRows):
    """A row a case that changed; a click or Return opens it."""

    row_px = LINE_PX
    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Cases that changed", parent)
        self._changed: tuple[ChangedCase, ...] = ()
        self._task = Task.CLASSIFICATION

    def show_changed(self, changed: Sequence[ChangedCase], task: Task) -> None:
        """Show cases in their order."""
        self._changed, self._task = tuple(changed), task
        self.tell([f"{changed_sentence(one, task)} Click to open it." for one in changed])

    def pick(self, row: int) -> None:
        """Tell which."""
        self.picked.emit(self._changed[row].case)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows that are to be seen."""
        with painting(self) as painter:
            first = max(int(event.rect().top() // LINE_PX), 0)
            last = int(event.rect().bottom() // LINE_PX) + 1
            for number, one in enumerate(self._changed[first:last], start=first):
                self._paint_line(painter, look().tokens, one, number)

    def _paint_line(self, painter: QPainter, t: Tokens, one: ChangedCase, number: int) -> None:
        row = QRectF(0, number * LINE_PX, self.width(), LINE_PX)
        if self.hasFocus() and number == self._cursor:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(BLUE), 1))
            painter.drawRoundedRect(row.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        painter.setFont(sized(self.font()))
        better = one.gain > 0
        painter.setPen(QColor(t.written(GREEN if better else RED)))
        painter.drawText(QRectF(4, row.y(), 52, LINE_PX), _LEFT, "better" if better else "worse")
        name = QRectF(58, row.y(), max(self.width() * 0.4 - 58, 40.0), LINE_PX)
        painter.setPen(QColor(t.text))
        self._elided(painter, one.case.rpartition("/")[2], name, Qt.TextElideMode.ElideMiddle)
        told = f"{one.before} → {one.after}"
        if one.truth and self._task is not Task.SEGMENTATION:
            told = f"{told}   (labelled {one.truth})" if not better else told
        rest = QRectF(name.right() + 8, row.y(), self.width() - name.right() - 10, LINE_PX)
        painter.setPen(QColor(t.quiet))
        self._elided(painter, told, rest, Qt.TextElideMode.ElideRight)

    def _elided(self, painter: QPainter, words: str, area: QRectF, where: Qt.TextElideMode) -> None:
        shown = painter.fontMetrics().elidedText(words, where, int(area.width()))
        painter.drawText(area, _LEFT, shown)
