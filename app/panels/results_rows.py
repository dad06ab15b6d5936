"""The painted tables of the Results panel: a row a class, and the findings of one image."""

from collections.abc import Sequence

from qtpy.QtCore import QPoint, QPointF, QRectF, QSize, Qt
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

from ..theme import GREEN, QUIET_PX, RED, TEXT_PX, Tokens, look
from ..widgets.paint import bar, painting, sized
from ..widgets.painted import NONE, PaintedParts, moved, picks
from .results_model import Finding, ResultRow, is_better
from .train_words import share

ROW_PX = 32
FINDING_PX = 30
GAP = 8
TICK = "\N{CHECK MARK}"
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)


class Rows(PaintedParts):
    """Rows of one height, each with a sentence as its tooltip."""

    row_px = ROW_PX
    head_px = 0

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._sentences: tuple[str, ...] = ()

    def tell(self, sentences: Sequence[str]) -> None:
        """Take a sentence a row, for the tooltips and for readers of the screen."""
        self._sentences = tuple(sentences)
        self.setAccessibleDescription(" ".join(self._sentences[:60]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as the rows."""
        return QSize(240, self.head_px + len(self._sentences) * self.row_px)

    def minimumSizeHint(self) -> QSize:
        """As high as the rows; narrow if need be."""
        return QSize(160, self.head_px + len(self._sentences) * self.row_px)

    def part_at(self, point: QPoint) -> int:
        """Give the row at a point, or -1."""
        row = (point.y() - self.head_px) // self.row_px
        return row if 0 <= row < len(self._sentences) else NONE

    def tip_at(self, point: QPoint) -> str:
        """Give the sentence of the row at a point."""
        row = self.part_at(point)
        return self._sentences[row] if row >= 0 else ""


class PickRows(Rows):
    """Rows of which one is picked by a click, Return or Space; up and down move among them."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._cursor = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def pick(self, row: int) -> None:
        """Do what a picked row asks for."""
        raise NotImplementedError

    def tell(self, sentences: Sequence[str]) -> None:
        """Take a sentence a row; the first is where the keys begin."""
        self._cursor = 0
        super().tell(sentences)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the row."""
        row = self.part_at(event.pos())
        if row >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._cursor = row
            self.update()
            self.pick(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down move, Return or Space picks."""
        place = moved(self._cursor, event, len(self._sentences))
        if place is not None:
            self._cursor = place
            self.update()
        elif picks(event) and self._sentences:
            self.pick(self._cursor)
        else:
            super().keyPressEvent(event)


class ClassTable(Rows):
    """A row a class: training count, point with its interval, the other run's ring, the change."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Results by class", parent)
        self._rows: tuple[ResultRow, ...] = ()
        self._end = 1.0

    def show_rows(self, rows: Sequence[ResultRow], track_end: float = 1.0) -> None:
        """Show `rows`; their tracks run from 0 to `track_end`."""
        self._rows, self._end = tuple(rows), max(track_end, 1e-6)
        self.tell([row.sentence for row in self._rows])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        with painting(self) as painter:
            painter.setFont(sized(self.font()))
            columns = _Columns(self._rows, painter.fontMetrics(), self.width())
            for number, row in enumerate(self._rows):
                if event.rect().intersects(self.rect()):
                    self._paint_row(painter, look().tokens, columns, row, number * ROW_PX)

    def _paint_row(
        self, painter: QPainter, t: Tokens, columns: "_Columns", row: ResultRow, top: float
    ) -> None:
        metrics = painter.fontMetrics()
        painter.setPen(QColor(t.text))
        name = metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, int(columns.name))
        painter.drawText(QRectF(0, top, columns.name, ROW_PX), _LEFT, name)
        painter.setPen(QColor(t.quiet))
        count = QRectF(columns.count_left, top, columns.count, ROW_PX)
        painter.drawText(count, _RIGHT, _count(row))
        track = QRectF(columns.track_left, top, columns.track, ROW_PX)
        if row.value.mean is None:
            rest = QRectF(track.x(), top, self.width() - track.x(), ROW_PX)
            painter.drawText(rest, _RIGHT, "not measured")
            return
        self._paint_track(painter, t, row, track)
        if row.few is None:
            self._paint_figures(painter, t, columns, row, top)
        else:
            self._paint_few(painter, t, columns, row, top)

    def _paint_track(self, painter: QPainter, t: Tokens, row: ResultRow, area: QRectF) -> None:
        middle, colour = area.center().y(), t.tier(row.tier)
        bar(painter, QRectF(area.x(), middle - 1, area.width(), 2), t.track, 1)
        low, high = row.value.low, row.value.high
        if low is not None and high is not None:
            left, right = self._place(low, area), self._place(high, area)
            bar(painter, QRectF(left, middle - 1.5, max(right - left, 1.0), 3), colour, 1.5)
            if row.few is not None:
                for end in (left, right):
                    bar(painter, QRectF(end - 0.75, middle - 5, 1.5, 10), colour, 0.5)
        if row.few is not None:
            # Of few cases a point would claim more than they can tell.
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawEllipse(QPointF(self._place(row.value.mean or 0.0, area), middle), 4.5, 4.5)
        if row.other is not None:
            # Above the point, so that a run that is as good can still be seen.
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(t.text), 1.2))
            painter.drawEllipse(QPointF(self._place(row.other, area), middle), 4.0, 4.0)

    def _paint_figures(
        self, painter: QPainter, t: Tokens, columns: "_Columns", row: ResultRow, top: float
    ) -> None:
        painter.setFont(sized(self.font(), TEXT_PX, bold=True))
        painter.setPen(QColor(t.text))
        value = QRectF(columns.value_left, top, columns.value, ROW_PX)
        painter.drawText(value, _RIGHT, row.measure.written(row.value.mean))
        painter.setFont(sized(self.font()))
        painter.setPen(QColor(change_colour(t, is_better(row.change, row.measure))))
        change = QRectF(columns.change_left, top, columns.change, ROW_PX)
        painter.drawText(change, _RIGHT, row.measure.changed(row.change))

    def _paint_few(
        self, painter: QPainter, t: Tokens, columns: "_Columns", row: ResultRow, top: float
    ) -> None:
        """Write the interval and the number of cases where others have their value."""
        left = columns.value_left
        for line, words in enumerate(row.few_texts):
            painter.setFont(sized(self.font(), QUIET_PX))
            painter.setPen(QColor(t.quiet if line else t.text))
            area = QRectF(left, top + 2 + line * 14, self.width() - left, 14)
            painter.drawText(area, _RIGHT, words)

    def _place(self, value: float, area: QRectF) -> float:
        share_of_track = min(max(value / self._end, 0.0), 1.0)
        return float(area.x() + 4 + share_of_track * max(area.width() - 8, 0.0))


class _Columns:
    """Where the columns stand; names get what the figures leave, and shrink last."""

    def __init__(self, rows: Sequence[ResultRow], metrics: QFontMetrics, width: int) -> None:
        def widest(texts: Sequence[str], most: int) -> float:
            wide = max((metrics.horizontalAdvance(text) for text in texts), default=0)
            return float(min(wide, most))

        self.value = widest([row.measure.written(row.value.mean) for row in rows], 70) + 4
        changes = [row.measure.changed(row.change) for row in rows]
        self.change = widest(changes, 60) + 2 if any(changes) else 0.0
        # What stands for few cases is as wide as value and change together.
        few = widest([text for row in rows if row.few is not None for text in row.few_texts], 96)
        gap = GAP if self.change else 0
        self.value = max(self.value, few - self.change - gap)
        self.count = widest([_count(row) for row in rows], 60) + 2
        figures = self.value + self.change + self.count + GAP * (4 if self.change else 3)
        names = widest([row.name for row in rows], 400) + 2
        free = max(width - figures, 0.0)
        self.track = max(free - names, min(60.0, free * 0.45))
        self.name = max(free - self.track, 0.0)
        self.count_left = self.name + GAP
        self.track_left = self.count_left + self.count + GAP
        self.value_left = self.track_left + self.track + GAP
        self.change_left = width - self.change


class FindingList(Rows):
    """What a run finds in one image: a name, a bar in its tier's colour, a probability a row."""

    row_px = FINDING_PX

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Findings", parent)
        self._findings: tuple[Finding, ...] = ()

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Show `findings` in their order."""
        self._findings = tuple(findings)
        self.tell([_finding_sentence(each) for each in findings])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        with painting(self) as painter:
            painter.setFont(sized(self.font()))
            for number, finding in enumerate(self._findings):
                self._paint_row(painter, look().tokens, finding, number)

    def _paint_row(self, painter: QPainter, t: Tokens, finding: Finding, number: int) -> None:
        top, width = number * FINDING_PX, self.width()
        if number == 0:
            bar(painter, QRectF(0, top + 1, width, FINDING_PX - 2), t.card, 4)
        start, end = width * 0.42, width - 66.0
        names = QRectF(10, top, max(start - 18, 0), FINDING_PX)
        painter.setFont(sized(self.font(), TEXT_PX, bold=number == 0))
        painter.setPen(QColor(t.text))
        name = painter.fontMetrics().elidedText(
            finding.name, Qt.TextElideMode.ElideMiddle, int(names.width())
        )
        painter.drawText(names, _LEFT, name)
        painter.drawText(QRectF(0, top, width - 10, FINDING_PX), _RIGHT, share(finding.probability))
        if finding.labelled:
            painter.setPen(QColor(t.written(GREEN)))
            painter.drawText(QRectF(0, top, width - 44, FINDING_PX), _RIGHT, TICK)
        track = QRectF(start, top + FINDING_PX / 2 - 3, max(end - start, 0), 6)
        bar(painter, track, t.track, 3)
        filled = min(max(finding.probability, 0.0), 1.0) * track.width()
        bar(
            painter,
            QRectF(track.x(), track.y(), max(filled, 2.0), track.height()),
            t.tier(finding.tier),
            3,
        )


def change_colour(t: Tokens, better: bool | None) -> str:
    """Green for better, red for worse, quiet for neither; always beside a sign."""
    if better is None:
        return t.quiet
    return t.written(GREEN if better else RED)


def _finding_sentence(finding: Finding) -> str:
    tier = f" ({finding.tier})" if finding.tier else ""
    given = " You have labelled it." if finding.labelled else ""
    return f"{finding.name}: {share(finding.probability)}{tier}.{given}"


def _count(row: ResultRow) -> str:
    return "" if row.count is None else f"{row.count:,}"
