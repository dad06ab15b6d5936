"""The last images with what they were given, side by side; a click goes back to correct one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QPoint, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFontMetrics,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPixmap,
)
from qtpy.QtWidgets import QWidget

from ..theme import QUIET_PX, Tokens, look
from ..widgets.paint import bar, painting, sized
from ..widgets.painted import NONE, PaintedParts

COLUMNS = 5
PICTURE_PX = 44
WORDS_PX = 18
EDGE_PX = 4
HEIGHT_PX = EDGE_PX + PICTURE_PX + 4 + WORDS_PX


@dataclass(frozen=True, slots=True)
class LastImage:
    """One image: its id, its name, what it was given and that class's colour."""

    case_id: str
    name: str
    given: str
    colour: str = ""


class LastImages(PaintedParts):
    """Small pictures, the newest first; `asked` tells the id of the one to be corrected."""

    asked = Signal(str)

    def __init__(
        self, picture_of: Callable[[str], QPixmap | None], parent: QWidget | None = None
    ) -> None:
        super().__init__("The last images", parent)
        self._picture_of = picture_of
        self._images: tuple[LastImage, ...] = ()
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def images(self) -> tuple[LastImage, ...]:
        """What is shown."""
        return self._images

    def show_images(self, images: Sequence[LastImage]) -> None:
        """Show these images."""
        self._images = tuple(images)[:COLUMNS]
        self.setAccessibleDescription("; ".join(f"{i.name}: {i.given}" for i in self._images))
        self.update()

    def sizeHint(self) -> QSize:
        """One row of pictures with a line of words below."""
        return QSize(240, HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        """As high; narrow if need be."""
        return QSize(120, HEIGHT_PX)

    def area(self, number: int) -> QRectF:
        """Give where an image is drawn."""
        width = self.width() / COLUMNS
        return QRectF(number * width, 0, width, HEIGHT_PX)

    def part_at(self, point: QPoint) -> int:
        """Give the number of the image at a point, or -1."""
        number = int(point.x() * COLUMNS / max(self.width(), 1))
        return number if 0 <= number < len(self._images) else NONE

    def tip_at(self, point: QPoint) -> str:
        """Give the whole name and what was given."""
        number = self.part_at(point)
        image = self._images[number] if number >= 0 else None
        return f"{image.name}: {image.given}. Click to correct it." if image else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask for the image."""
        number = self.part_at(event.pos())
        if number >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.asked.emit(self._images[number].case_id)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the images."""
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            for number, image in enumerate(self._images):
                self._paint_image(painter, look().tokens, number, image)

    def _paint_image(self, painter: QPainter, t: Tokens, number: int, image: LastImage) -> None:
        area = self.area(number)
        if number == self._hover:
            bar(painter, area, t.raised, 4)
        spot = QRectF(
            area.center().x() - PICTURE_PX / 2, EDGE_PX, float(PICTURE_PX), float(PICTURE_PX)
        )
        self._paint_picture(painter, t, image, spot)
        painter.setFont(sized(self.font(), QUIET_PX))
        painter.setPen(QColor(t.written(image.colour) if image.colour else t.quiet))
        words = QRectF(area.x() + 1, spot.bottom() + 4, area.width() - 2, WORDS_PX)
        shown = QFontMetrics(painter.font()).elidedText(
            image.given, Qt.TextElideMode.ElideRight, int(words.width())
        )
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, shown)

    def _paint_picture(self, painter: QPainter, t: Tokens, image: LastImage, spot: QRectF) -> None:
        picture = self._picture_of(image.case_id)
        if picture is None or picture.isNull():
            bar(painter, spot, t.line, 4)
            return
        shape = QPainterPath()
        shape.addRoundedRect(spot, 4, 4)
        painter.save()
        painter.setClipPath(shape)
        painter.drawPixmap(spot, picture, _middle(picture))
        painter.restore()


def _middle(picture: QPixmap) -> QRectF:
    """Give the square in the middle of a picture."""
    side = min(picture.width(), picture.height())
    left, top = (picture.width() - side) / 2, (picture.height() - side) / 2
    return QRectF(left, top, side, side)
