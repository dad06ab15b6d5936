"""One row of the case list, painted: picture, name, details, class, status."""

from qtpy.QtCore import QModelIndex, QObject, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPixmap
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ..theme import BLUE, GREEN, QUIET_PX, TEXT_PX, Tokens, look
from ..widgets.paint import bar, chip, sized, status_shape
from .cases_model import Role, picture_of
from .cases_text import CaseRow

ROW_PX = 52
PICTURE_PX = 44
TEXT_LEFT = 66
RIGHT_PX = 12
LEAST_SHOWN = 0.6
"""The least share of a long slice that its thumbnail shows."""

_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)


class CaseDelegate(QStyledItemDelegate):
    """Paints a case; give it an owner, else it is collected and the process ends."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.current_id = ""
        self.marked: frozenset[str] = frozenset()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """One height for all rows."""
        return QSize(120, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw a row; the painter is the view's own and is left as it was."""
        row, case_id = index.data(Role.ROW), index.data(Role.CASE_ID)
        state = option.state
        painter.save()
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            paint_case(
                painter,
                QRectF(option.rect),
                row if isinstance(row, CaseRow) else CaseRow("", "", ""),
                picture_of(index),
                option.font,
                selected=bool(state & QStyle.StateFlag.State_Selected) or case_id in self.marked,
                hover=bool(state & QStyle.StateFlag.State_MouseOver),
                current=case_id == self.current_id,
                broken=bool(index.data(Role.BROKEN)),
                aspect=float(index.data(Role.ASPECT) or 1.0),
            )
        finally:
            painter.restore()


def paint_case(
    painter: QPainter,
    area: QRectF,
    row: CaseRow,
    picture: QPixmap | None,
    font: QFont,
    *,
    selected: bool = False,
    hover: bool = False,
    current: bool = False,
    broken: bool = False,
    aspect: float = 1.0,
) -> None:
    """Draw one row into `area`."""
    t = look().tokens
    ground = _ground(painter, area, t, selected=selected, hover=hover, current=current)
    _picture(
        painter, QRectF(area.x() + 11, area.y() + 4, PICTURE_PX, PICTURE_PX), picture, aspect, t
    )
    left, right = area.x() + TEXT_LEFT, area.right() - RIGHT_PX
    upper, lower = area.y() + 17, area.y() + 35
    painter.setFont(sized(font, TEXT_PX))
    edge = _class_chip(painter, right, upper, row, t, ground, (right - left) * 0.5)
    name = sized(font, TEXT_PX)
    _text(
        painter,
        name,
        t.text,
        QRectF(left, upper - 9, edge - left - 8, 18),
        row.name,
        Qt.TextElideMode.ElideMiddle,
    )
    edge = _status(painter, right, lower, row, t, ground, font)
    detail = "file cannot be read" if broken else row.detail
    _text(
        painter,
        sized(font, QUIET_PX),
        t.written(t.quiet, ground),
        QRectF(left, lower - 9, edge - left - 8, 18),
        detail,
        Qt.TextElideMode.ElideRight,
    )


def _ground(
    painter: QPainter, area: QRectF, t: Tokens, *, selected: bool, hover: bool, current: bool
) -> str:
    colour = t.selected if selected or current else t.raised if hover else t.surface
    if selected or hover or current:
        painter.fillRect(area, QColor(colour))
    if current:
        painter.fillRect(QRectF(area.x(), area.y(), 3, area.height()), QColor(BLUE))
    return colour


def _picture(
    painter: QPainter, box: QRectF, picture: QPixmap | None, aspect: float, t: Tokens
) -> None:
    if picture is None or picture.isNull():
        bar(painter, box, t.track, 4)
        return
    clip = QPainterPath()
    clip.addRoundedRect(box, 4, 4)
    painter.save()
    painter.setClipPath(clip)
    painter.drawPixmap(box, picture, filling_part(QRectF(picture.rect()), aspect))
    painter.restore()


def filling_part(whole: QRectF, aspect: float) -> QRectF:
    """Give the square part of a picture that leaves out most of the black beside a long slice."""
    share = min(max(min(aspect, 1 / aspect), LEAST_SHOWN), 1.0) if aspect > 0 else 1.0
    side = whole.width() * share
    edge = (whole.width() - side) / 2
    return QRectF(whole.x() + edge, whole.y() + edge, side, side)


def _class_chip(
    painter: QPainter,
    right: float,
    middle: float,
    row: CaseRow,
    t: Tokens,
    ground: str,
    most: float,
) -> float:
    if not row.chip:
        return right
    colour = t.tier(row.tier) if row.tier else t.quiet
    fill = t.tint(colour, 0.24)
    text = f"~ {row.chip}" if row.guessed else row.chip
    return chip(painter, right, middle, text, t.written(colour, fill), fill, most)


def _status(
    painter: QPainter,
    right: float,
    middle: float,
    row: CaseRow,
    t: Tokens,
    ground: str,
    font: QFont,
) -> float:
    if not row.status:
        return right
    colour = {"reviewed": GREEN, "draft": t.text, "predicted": BLUE}.get(row.status, t.quiet)
    ink = t.written(colour, ground)
    status_shape(painter, QPointF(right - 4.5, middle), row.status, ink)
    quiet = sized(font, QUIET_PX)
    width = QFontMetrics(quiet).horizontalAdvance(row.status)
    box = QRectF(right - 15 - width, middle - 9, width, 18)
    _text(painter, quiet, ink, box.adjusted(-2, 0, 2, 0), row.status, Qt.TextElideMode.ElideNone)
    return box.x()


def _text(
    painter: QPainter, font: QFont, colour: str, box: QRectF, text: str, mode: Qt.TextElideMode
) -> None:
    if box.width() < 8 or not text:
        return
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shown = QFontMetrics(font).elidedText(text, mode, int(box.width()))
    painter.drawText(box, _LEFT, shown)
