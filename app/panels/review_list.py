"""The list of what deserves eyes: picture, name, from what to what, and why in a word."""

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ..theme import BLUE, GREEN, QUIET_PX, TAIL, TEXT_PX, Tokens, look
from ..widgets.paint import bar, chip, sized
from .cases_delegate import PICTURE_PX, RIGHT_PX, ROW_PX, TEXT_LEFT
from .review_model import Row

ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
MOVING_KEYS = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

PictureOf = Callable[[str], "QPixmap | None"]


class ReviewRows(QAbstractListModel):
    """The rows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self._place: dict[str, int] = {}

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows in place of the former ones."""
        self.beginResetModel()
        self._rows = tuple(rows)
        self._place = {row.case_id: number for number, row in enumerate(self._rows)}
        self.endResetModel()

    def row_of(self, case_id: str) -> int:
        """Give the row of a case, -1 where it is not shown."""
        return self._place.get(case_id, -1)

    def case_at(self, number: int) -> str:
        """Give the case of a row, empty where there is none."""
        return self._rows[number].case_id if 0 <= number < len(self._rows) else ""

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Count the rows."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Give a row, or its words."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.DisplayRole):
            return row.sentence
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.why
        return None


class ReviewDelegate(QStyledItemDelegate):
    """Paints a row; give it an owner, else it is collected and the process ends."""

    def __init__(self, picture_of: PictureOf, parent: QObject) -> None:
        super().__init__(parent)
        self._picture_of = picture_of

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """One height for all rows."""
        return QSize(120, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw a row; the painter is the view's own and is left as it was."""
        row = index.data(ROW_ROLE)
        if not isinstance(row, Row):
            return
        painter.save()
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            paint_row(
                painter,
                QRectF(option.rect),
                row,
                self._picture_of(row.case_id),
                option.font,
                selected=bool(option.state & QStyle.StateFlag.State_Selected),
                hover=bool(option.state & QStyle.StateFlag.State_MouseOver),
            )
        finally:
            painter.restore()


def paint_row(
    painter: QPainter,
    area: QRectF,
    row: Row,
    picture: QPixmap | None,
    font: QFont,
    *,
    selected: bool = False,
    hover: bool = False,
) -> None:
    """Draw one row into `area`."""
    t = look().tokens
    ground = t.selected if selected else t.raised if hover else t.surface
    if selected or hover:
        painter.fillRect(area, QColor(ground))
    if selected:
        painter.fillRect(QRectF(area.x(), area.y(), 3, area.height()), QColor(BLUE))
    box = QRectF(area.x() + 11, area.y() + 4, PICTURE_PX, PICTURE_PX)
    if picture is None or picture.isNull():
        bar(painter, box, t.track, 4)
    else:
        painter.drawPixmap(box, picture, QRectF(picture.rect()))
    left, right = area.x() + TEXT_LEFT, area.right() - RIGHT_PX
    upper, lower = area.y() + 17, area.y() + 35
    painter.setFont(sized(font, TEXT_PX))
    edge = _tag(painter, right, upper, row, t, (right - left) * 0.5)
    name = sized(font, TEXT_PX)
    _text(painter, name, t.text, QRectF(left, upper - 9, edge - left - 8, 18), row.name, "middle")
    quiet = sized(font, QUIET_PX)
    ink = t.written(t.quiet, ground)
    width = QFontMetrics(quiet).horizontalAdvance(row.share) + 2
    _text(painter, quiet, ink, QRectF(right - width, lower - 9, width + 2, 18), row.share, "none")
    line = QRectF(left, lower - 9, right - width - left - 8, 18)
    _text(painter, quiet, ink, line, row.line, "right")


def _tag(painter: QPainter, right: float, middle: float, row: Row, t: Tokens, most: float) -> float:
    if row.verdict:
        colour = GREEN if row.verdict != "set aside" else t.quiet
        fill = t.tint(colour, 0.16)
        return chip(painter, right, middle, row.verdict, t.written(colour, fill), fill, most)
    colour = TAIL if row.rare else t.quiet
    fill = t.tint(colour, 0.24)
    return chip(painter, right, middle, row.tag, t.written(colour, fill), fill, most)


_ELIDE = {
    "middle": Qt.TextElideMode.ElideMiddle,
    "right": Qt.TextElideMode.ElideRight,
    "none": Qt.TextElideMode.ElideNone,
}


def _text(painter: QPainter, font: QFont, colour: str, box: QRectF, text: str, elide: str) -> None:
    if box.width() < 8 or not text:
        return
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shown = QFontMetrics(font).elidedText(text, _ELIDE[elide], int(box.width()))
    painter.drawText(box, _LEFT, shown)


class ReviewList(QListView):
    """Shows the rows; `chosen` tells the case of the row that was gone to."""

    chosen = Signal(str)

    def __init__(self, picture_of: PictureOf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = ReviewRows(self)
        self.setModel(self.rows)
        self.setItemDelegate(ReviewDelegate(picture_of, self))
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(ROW_PX // 2)
        self.setMouseTracking(True)
        self.setAccessibleName("What deserves a look")
        self.setMinimumHeight(2 * ROW_PX)
        self._quiet = False
        self.selectionModel().currentChanged.connect(self._current_changed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the keys that move in the list; all others belong to the panel."""
        if event.key() in MOVING_KEYS:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def show_rows(self, rows: Sequence[Row], current: str) -> None:
        """Show rows, `current` being the case that is gone to; nothing is told."""
        self._quiet = True
        top = self.verticalScrollBar().value()
        self.rows.show_rows(rows)
        self.verticalScrollBar().setValue(top)
        self._quiet = False
        self.follow(current)

    def follow(self, case_id: str) -> None:
        """Mark a case; nothing is told."""
        self._quiet = True
        row = self.rows.row_of(case_id)
        if row >= 0:
            self.setCurrentIndex(self.rows.index(row))
            self.scrollTo(self.rows.index(row))
        else:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        self._quiet = False

    def _current_changed(self, current: QModelIndex, _former: QModelIndex) -> None:
        case_id = self.rows.case_at(current.row()) if current.isValid() else ""
        if case_id and not self._quiet:
            self.chosen.emit(case_id)
