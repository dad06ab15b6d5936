"""The classes in numbers, painted: a row a class, images of each part, effective number."""

from collections.abc import Sequence

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from ...core.review.doctor_records import ClassCount
from ..theme import QUIET_PX, TEXT_PX, Tokens, look
from ..widgets.paint import bar, painting, sized
from .results_rows import Rows
from .train_words import plural

HEADS = ("train", "val", "test", "patients", "effective")
ROW_PX, HEAD_PX, GAP = 18, 18, 8
PATIENTS, EFFECTIVE = 3, 4
HIDDEN = -GAP
SQUARE_PX = 8
LEAST_NAME_PX = 56
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_LEFT = int(Qt.AlignmentFlag.AlignLeft | _MIDDLE)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | _MIDDLE)


class CountTable(Rows):
    """A square in the tier's colour, the name, and four numbers a class; the patients on hover."""

    row_px = ROW_PX
    head_px = HEAD_PX

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Classes in numbers", parent)
        self._classes: tuple[ClassCount, ...] = ()
        self._patients = False

    def show_classes(self, classes: Sequence[ClassCount], noun: str = "image") -> None:
        """Show these classes in their order."""
        self._classes = tuple(classes)
        # Where nobody said whose the images are, each counts as a patient of its own.
        self._patients = any(images != people for one in classes for images, people in one.parts)
        self.tell([explain(one, noun) for one in classes])

    def minimumSizeHint(self) -> QSize:
        """As high as the rows; narrow if need be."""
        return QSize(200, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw heads and rows."""
        with painting(self) as painter:
            quiet = QFontMetrics(sized(self.font(), QUIET_PX))
            numbers = [cells(one) for one in self._classes]
            columns = list(zip(HEADS, *numbers, strict=True))
            widths = [max(map(quiet.horizontalAdvance, column)) + 2.0 for column in columns]
            if not self._patients:
                widths[PATIENTS] = HIDDEN
            if self.width() - sum(widths) - GAP * len(HEADS) < LEAST_NAME_PX:
                widths[EFFECTIVE] = HIDDEN
            self._paint(painter, look().tokens, numbers, widths)

    def _paint(
        self,
        painter: QPainter,
        t: Tokens,
        numbers: Sequence[Sequence[str]],
        widths: Sequence[float],
    ) -> None:
        painter.setFont(sized(self.font(), QUIET_PX))
        self._numbers(painter, t.quiet, HEADS, widths, 0)
        left = SQUARE_PX + 6
        room = self.width() - sum(widths) - GAP * len(HEADS) - left
        for place, (one, texts) in enumerate(zip(self._classes, numbers, strict=True)):
            top = HEAD_PX + place * ROW_PX
            square = QRectF(0, top + (ROW_PX - SQUARE_PX) / 2, SQUARE_PX, SQUARE_PX)
            if one.tier:
                bar(painter, square, t.tier(one.tier), 2)
            painter.setFont(sized(self.font(), TEXT_PX))
            painter.setPen(QColor(t.text))
            name = painter.fontMetrics().elidedText(
                one.name, Qt.TextElideMode.ElideMiddle, int(max(room, 0))
            )
            painter.drawText(QRectF(left, top, max(room, 0), ROW_PX), _LEFT, name)
            painter.setFont(sized(self.font(), QUIET_PX))
            self._numbers(painter, t.text, texts, widths, top)

    def _numbers(
        self,
        painter: QPainter,
        colour: str,
        texts: Sequence[str],
        widths: Sequence[float],
        top: float,
    ) -> None:
        right = float(self.width())
        for text, width in reversed(list(zip(texts, widths, strict=True))):
            if width > 0:
                painter.setPen(QColor(look().tokens.quiet if text == "0" else colour))
                painter.drawText(QRectF(right - width, top, width, ROW_PX), _RIGHT, text)
            right -= width + GAP


def cells(one: ClassCount) -> tuple[str, ...]:
    """Give the numbers of a class as they are written."""
    images = (f"{count:,}" for count, _ in one.parts)
    return (*images, f"{sum(people for _, people in one.parts):,}", f"{one.effective:,.0f}")


def explain(one: ClassCount, noun: str = "image") -> str:
    """Say a class in words, with its patients."""
    names = ("train", "validation", "test")
    parts = [
        f"{name} {plural(images, noun)}"
        + (f" of {plural(patients, 'patient')}" if patients != images else "")
        for name, (images, patients) in zip(names, one.parts, strict=True)
        if images
    ]
    tier = f" ({one.tier})" if one.tier else ""
    worth = (
        f" In training they are worth {one.effective:,.0f}, if each further one adds a little "
        "less (effective number, beta 0.999)."
    )
    return f"{one.name}{tier}: {'; '.join(parts) or 'nothing labelled'}.{worth}"
