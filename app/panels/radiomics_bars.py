"""Features as rows: a name, a bar from the mean of the class's training regions, a z-score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from ..theme import Tokens, look
from ..widgets.paint import bar, painting, sized
from .radiomics_words import UNUSUAL, z_words
from .results_rows import Rows

ROW_PX = 24
TRACK_PX, VALUE_PX, GAP = 56, 34, 6
FARTHEST = 4.0
"""Deviations at the ends of a track; what lies beyond ends there, and its figure says it."""

_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)


@dataclass(frozen=True, slots=True)
class ZRow:
    """A feature: its short name, its z-score (None where there is none), its tooltip."""

    name: str
    z: float | None
    sentence: str = ""


class ZRows(Rows):
    """Rows of features; bars go from the middle, which is the mean of the training regions."""

    row_px = ROW_PX

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Features", parent)
        self._rows: tuple[ZRow, ...] = ()

    @property
    def rows(self) -> tuple[ZRow, ...]:
        """What is shown."""
        return self._rows

    def show_rows(self, rows: Sequence[ZRow]) -> None:
        """Show these features."""
        self._rows = tuple(rows)
        self.tell([row.sentence or f"{row.name} {z_words(row.z)}" for row in self._rows])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        with painting(self) as painter:
            for number, row in enumerate(self._rows):
                self._paint_row(painter, look().tokens, row, number * ROW_PX)

    def _paint_row(self, painter: QPainter, t: Tokens, row: ZRow, top: float) -> None:
        right = self.width() - VALUE_PX
        left = right - GAP - TRACK_PX
        painter.setFont(sized(self.font()))
        painter.setPen(QColor(t.text))
        room = max(left - GAP, 0)
        name = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(QRectF(0, top, room, ROW_PX), _LEFT, name)
        paint_z(painter, t, row.z, QRectF(left, top, TRACK_PX, ROW_PX))
        painter.setFont(sized(self.font(), bold=_is_unusual(row.z)))
        painter.setPen(QColor(t.text if row.z is not None else t.quiet))
        painter.drawText(QRectF(right, top, VALUE_PX, ROW_PX), _RIGHT, z_words(row.z))


def paint_z(painter: QPainter, t: Tokens, z: float | None, area: QRectF) -> None:
    """Draw a track with its middle, and a bar from there; stronger where it is unusual."""
    middle, centre = area.center().y(), area.center().x()
    bar(painter, QRectF(area.x(), middle - 1, area.width(), 2), t.track, 1)
    bar(painter, QRectF(centre - 0.5, middle - 5, 1, 10), t.faint, 0)
    if z is None or not math.isfinite(z):
        return
    reach = min(abs(z) / FARTHEST, 1.0) * area.width() / 2
    start = centre if z >= 0 else centre - reach
    ink = t.text if _is_unusual(z) else t.quiet
    bar(painter, QRectF(start, middle - 2.5, max(reach, 1.5), 5), ink, 2)


def _is_unusual(z: float | None) -> bool:
    return z is not None and math.isfinite(z) and abs(z) >= UNUSUAL
