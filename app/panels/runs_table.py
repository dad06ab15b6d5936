"""The painted table of runs side by side."""

from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from ..theme import BLUE, QUIET_PX, TEXT_PX, Tokens, look
from ..widgets.paint import bar, painting, sized
from .results_model import Value
from .results_rows import Rows, change_colour
from .runs_model import RunLine

LINE_PX, HEAD_PX = 28, 22
TICK_PX, LABELS_PX, VALUE_PX, TIER_PX, CHANGE_PX = 30, 50, 36, 47, 86
LEAST_NAME_PX, MOST_NAME_PX, LEAST_TRACK_PX = 100, 220, 56
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)
TIERS = ("head", "medium", "tail")


class RunsTable(Rows):
    """A row a run: its shape, value with interval, tiers, difference to the run compared with.

    A click or Return chooses a run; a click on its shape or Space draws it beside the others.
    """

    row_px, head_px = LINE_PX, HEAD_PX
    chosen = Signal(str)
    ticked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Runs side by side", parent)
        self._lines: tuple[RunLine, ...] = ()
        self._versus = self._run = ""
        self._cursor = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_lines(self, lines: Sequence[RunLine], run_id: str, versus: str) -> None:
        """Show runs; `run_id` is the one that the window is about, `versus` names the compared."""
        self._lines, self._run, self._versus = tuple(lines), run_id, versus
        self._cursor = min(self._cursor, max(len(lines) - 1, 0))
        self.tell([line.sentence for line in lines])

    # --- input ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the run, or draw it beside the others."""
        row = int((event.position().y() - HEAD_PX) // LINE_PX)
        if not 0 <= row < len(self._lines) or event.button() != Qt.MouseButton.LeftButton:
            return
        self._cursor = row
        told = self.ticked if event.position().x() < TICK_PX else self.chosen
        told.emit(self._lines[row].id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move, Return chooses, Space draws beside the others."""
        last = len(self._lines) - 1
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and last >= 0:
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self._cursor = min(max(self._cursor + step, 0), last)
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and last >= 0:
            self.chosen.emit(self._lines[self._cursor].id)
        elif event.key() == Qt.Key.Key_Space and last >= 0:
            self.ticked.emit(self._lines[self._cursor].id)
        else:
            super().keyPressEvent(event)

    # --- painting ---

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the heads and the rows."""
        with painting(self) as painter:
            t, columns = look().tokens, Columns(self._lines, self.width())
            self._paint_heads(painter, t, columns)
            for number, line in enumerate(self._lines):
                self._paint_line(painter, t, columns, line, number)

    def _paint_heads(self, painter: QPainter, t: Tokens, columns: "Columns") -> None:
        painter.setFont(sized(self.font(), QUIET_PX))
        painter.setPen(QColor(t.quiet))
        painter.drawText(QRectF(0, 0, TICK_PX, HEAD_PX), _LEFT, "draw")
        measure = self._lines[0].measure.head if self._lines else ""
        heads = [("labelled", columns.labels)] if columns.labels[1] else []
        heads.append((measure, columns.value))
        heads += [(tier, columns.tier(place)) for place, tier in enumerate(columns.tiers)]
        if self._versus:
            heads.append((f"to {self._versus}", columns.change))
        for words, (left, width) in heads:
            if words == measure:
                # The head of the values may reach over their track.
                left, width = columns.track[0], columns.track[1] + 8 + width
            shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(width))
            painter.drawText(QRectF(left, 0, width, HEAD_PX), _RIGHT, shown)

    def _paint_line(
        self, painter: QPainter, t: Tokens, columns: "Columns", line: RunLine, number: int
    ) -> None:
        top = HEAD_PX + number * LINE_PX
        row = QRectF(0, top, self.width(), LINE_PX)
        if line.id == self._run:
            bar(painter, row, t.selected, 3)
            bar(painter, QRectF(0, top + 3, 3, LINE_PX - 6), BLUE, 1.5)
        if self.hasFocus() and number == self._cursor:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(BLUE), 1))
            painter.drawRoundedRect(row.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        centre = QPointF(15, row.center().y())
        if line.marker:
            shape(painter, centre, line.marker, t.text)
        else:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(t.control), 1, Qt.PenStyle.DotLine))
            painter.drawEllipse(centre, 4.5, 4.5)
        painter.setFont(sized(self.font(), TEXT_PX, bold=line.id == self._run))
        self._write(painter, t.text, f"{line.name} · {line.kind}", columns.name, top, _LEFT)
        painter.setFont(sized(self.font()))
        if columns.labels[1]:
            self._write(painter, t.quiet, f"{line.labelled:,}", columns.labels, top)
        self._paint_track(painter, t, columns, line, top)
        painter.setFont(sized(self.font(), TEXT_PX, bold=True))
        write = line.measure.written
        self._write(painter, t.text, write(line.value.mean), columns.value, top)
        painter.setFont(sized(self.font()))
        for place, tier in enumerate(columns.tiers):
            told = write(line.tiers[tier].mean) if tier in line.tiers else ""
            self._write(painter, t.text, told, columns.tier(place), top)
        self._paint_change(painter, t, columns, line, top)

    def _paint_track(
        self, painter: QPainter, t: Tokens, columns: "Columns", line: RunLine, top: float
    ) -> None:
        left, width = columns.track
        if width < LEAST_TRACK_PX:
            return
        paint_interval(painter, t, QRectF(left, top, width, LINE_PX), line.value, line.marker)

    def _paint_change(
        self, painter: QPainter, t: Tokens, columns: "Columns", line: RunLine, top: float
    ) -> None:
        if line.is_reference:
            self._write(painter, t.quiet, "compared", columns.change, top)
            return
        if line.difference is None or line.difference.mean is None:
            return
        better = line.difference.mean > 0 if line.clear else None
        if better is not None and not line.measure.higher_is_better:
            better = not better
        told = line.measure.changed(line.difference.mean) or "±.00"
        words = f"{told} {'clear' if line.clear else 'unclear'}" if line.clear is not None else told
        self._write(painter, change_colour(t, better), words, columns.change, top)

    def _write(
        self,
        painter: QPainter,
        colour: str,
        words: str,
        column: tuple[float, float],
        top: float,
        side: int = _RIGHT,
    ) -> None:
        left, width = column
        painter.setPen(QColor(colour))
        shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(width))
        painter.drawText(QRectF(left, top, width, LINE_PX), side, shown)


class Columns:
    """Where the columns stand; the track takes what is left and goes first where it is narrow.

    How many were labelled is told where the runs differ in it.
    """

    def __init__(self, lines: Sequence[RunLine], width: int) -> None:
        known = {tier for line in lines for tier in line.tiers}
        self.tiers = tuple(tier for tier in TIERS if tier in known)
        labels = float(LABELS_PX if len({line.labelled for line in lines}) > 1 else 0)
        figures = TICK_PX + labels + VALUE_PX + CHANGE_PX + 28
        if width - figures - TIER_PX * len(self.tiers) < LEAST_NAME_PX:
            self.tiers = ()
        free = max(width - figures - TIER_PX * len(self.tiers), 0.0)
        name = min(max(free - LEAST_TRACK_PX, LEAST_NAME_PX), MOST_NAME_PX, free)
        self.name = (float(TICK_PX), name)
        self.labels = (self.name[0] + name + 4, labels)
        self.track = (self.labels[0] + labels + 10, max(free - name, 0.0))
        self.value = (self.track[0] + self.track[1], float(VALUE_PX))
        self._tiers = self.value[0] + VALUE_PX
        self.change = (width - CHANGE_PX - 4.0, float(CHANGE_PX))

    def tier(self, place: int) -> tuple[float, float]:
        """Give the column of the tier at a place."""
        return self._tiers + place * TIER_PX, float(TIER_PX)


def paint_interval(
    painter: QPainter, t: Tokens, area: QRectF, value: Value, marker: str, end: float = 1.0
) -> None:
    """Draw a track from 0 to `end` with an interval and the shape of a run on its value."""
    middle = area.center().y()
    bar(painter, QRectF(area.x(), middle - 1, area.width(), 2), t.track, 1)

    def place(what: float) -> float:
        share = min(max(what / end, 0.0), 1.0)
        return float(area.x() + 4 + share * max(area.width() - 8, 0.0))

    if value.low is not None and value.high is not None:
        left, right = place(value.low), place(value.high)
        bar(painter, QRectF(left, middle - 1.5, max(right - left, 1.0), 3), t.quiet, 1.5)
    if value.mean is not None:
        shape(painter, QPointF(place(value.mean), middle), marker or "disc", t.text, t.surface)


def shape(
    painter: QPainter, centre: QPointF, marker: str, colour: str, inside: str | None = None
) -> None:
    """Draw the shape of a run: disc, ring, diamond or square; a ring is filled with `inside`."""
    painter.setPen(QPen(QColor(colour), 1.4))
    hollow = marker == "ring"
    if hollow:
        painter.setBrush(QColor(inside) if inside else Qt.BrushStyle.NoBrush)
    else:
        painter.setBrush(QColor(colour))
    if marker in ("disc", "ring"):
        painter.drawEllipse(centre, 4.0, 4.0)
    elif marker == "diamond":
        x, y, r = centre.x(), centre.y(), 5.0
        painter.drawPolygon(
            [QPointF(x, y - r), QPointF(x + r, y), QPointF(x, y + r), QPointF(x - r, y)]
        )
    else:
        painter.drawRect(QRectF(centre.x() - 3.5, centre.y() - 3.5, 7, 7))
