"""The painted table under the prior slider: what each class finds and wrongly calls."""

from collections.abc import Sequence

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from ..theme import QUIET_PX, Tokens, look
from ..widgets.paint import bar, painting, sized
from .results_prior_model import PriorRow
from .results_rows import ROW_PX, Rows, change_colour
from .train_words import difference, short_share

HEAD_PX = 20
MINUS = "−"  # noqa: RUF001 - a true minus lines up
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)
_HEADS = ("found", "precision", "false alarms")
_SHARES = (0.26, 0.19, 0.24)


class PriorTable(Rows):
    """A row a class: how many are found of how many, precision, false alarms; changes below."""

    head_px = HEAD_PX

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What is found at this setting", parent)
        self._rows: tuple[PriorRow, ...] = ()

    def show_rows(self, rows: Sequence[PriorRow]) -> None:
        """Show `rows`."""
        self._rows = tuple(rows)
        self.tell([row.sentence for row in self._rows])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the heads and the rows."""
        with painting(self) as painter:
            t = look().tokens
            painter.setFont(sized(self.font(), QUIET_PX))
            painter.setPen(QColor(t.quiet))
            metrics = painter.fontMetrics()
            for area, words in zip(self._columns(0.0, HEAD_PX), _HEADS, strict=True):
                fits = metrics.horizontalAdvance(words) <= area.width() - 4
                painter.drawText(area, _RIGHT, words if fits else words.split()[-1])
            for number, row in enumerate(self._rows):
                self._paint_row(painter, t, row, HEAD_PX + number * ROW_PX)

    def _columns(self, top: float, height: float) -> list[QRectF]:
        """Give the areas of the three columns of figures; the names have what is left of them."""
        width, right, areas = float(self.width()), float(self.width()), []
        for share in reversed(_SHARES):
            wide = max(width * share, 52.0)
            areas.append(QRectF(right - wide, top, wide, height))
            right -= wide
        return areas[::-1]

    def _paint_row(self, painter: QPainter, t: Tokens, row: PriorRow, top: float) -> None:
        upper, lower = top + 1, top + ROW_PX / 2 - 1
        found, precision, alarms = self._columns(upper, ROW_PX / 2)
        names = QRectF(0, upper, max(found.x() - 4, 0), ROW_PX / 2)
        painter.setFont(sized(self.font()))
        painter.setPen(QColor(t.text))
        name = painter.fontMetrics().elidedText(
            row.name, Qt.TextElideMode.ElideMiddle, int(names.width())
        )
        painter.drawText(names, _LEFT, name)
        for area, words in zip((found, precision, alarms), _figures(row), strict=True):
            painter.drawText(area, _RIGHT, words)
        painter.setFont(sized(self.font(), QUIET_PX))
        bar(painter, QRectF(0, lower + 5, 6, 6), t.tier(row.tier), 1.5)
        painter.setPen(QColor(t.quiet))
        painter.drawText(QRectF(11, lower, 96, ROW_PX / 2), _LEFT, f"{row.training:,} in training")
        for area, (words, better) in zip((found, precision, alarms), _changes(row), strict=True):
            painter.setPen(QColor(change_colour(t, better)))
            painter.drawText(area.translated(0, lower - upper), _RIGHT, words)


def _figures(row: PriorRow) -> tuple[str, str, str]:
    count = row.now
    called = count.found + count.alarms
    # Of few cases a share is no more than their counts.
    share = f"{count.found} of {called}" if row.few and called else short_share(count.precision)
    there = f"{count.found:,} of {count.there:,}" if count.there else "no case"
    return there, share, f"{count.alarms:,}"


def _changes(row: PriorRow) -> tuple[tuple[str, bool | None], ...]:
    before, now = row.before, row.now
    found = _step(now.found - before.found, more_is_better=True)
    alarms = _step(now.alarms - before.alarms, more_is_better=False)
    if not found[0]:
        found = (_share(row), None)
    if row.few or before.precision is None or now.precision is None:
        return found, ("", None), alarms
    change = now.precision - before.precision
    words = difference(change)
    if not words.strip("0."):
        return found, ("", None), alarms
    return found, (words, change > 0), alarms


def _step(change: int, *, more_is_better: bool) -> tuple[str, bool | None]:
    if not change:
        return "", None
    sign = "+" if change > 0 else MINUS
    return f"{sign}{abs(change):,}", (change > 0) == more_is_better


def _share(row: PriorRow) -> str:
    if row.now.sensitivity is None:
        return ""
    if not row.few or row.now.interval is None:
        return f"{row.now.sensitivity:.0%}"
    low, high = row.now.interval
    return f"{low:.0%} to {high:.0%}"
