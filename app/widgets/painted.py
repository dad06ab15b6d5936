"""What widgets of painted parts share: the part under the mouse is lit and says what it is."""

from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QHelpEvent, QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

NONE = -1


class PaintedParts(QWidget):
    """Rows or tiles that are painted instead of being widgets, of which there would be many.

    A subclass says which part lies at a point and what it is; `_hover` is the part under the mouse.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hover = NONE
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    def part_at(self, point: QPoint) -> int:
        """Give the number of the part at a point, or -1."""
        raise NotImplementedError

    def tip_at(self, point: QPoint) -> str:
        """Say what is at a point; nothing where there is nothing."""
        raise NotImplementedError

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light the part up."""
        self._light(self.part_at(event.pos()))

    def leaveEvent(self, event: QEvent) -> None:
        """Put the light out."""
        self._light(NONE)

    def event(self, event: QEvent) -> bool:
        """Say what a part is as the tooltip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos()), self)
            return True
        return bool(super().event(event))

    def _light(self, part: int) -> None:
        if part != self._hover:
            self._hover = part
            self.update()


def moved(cursor: int, event: QKeyEvent, count: int) -> int | None:
    """Give where the up or down key moves a cursor among `count` rows; None for other keys."""
    by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
    return None if by is None else min(max(cursor + by, 0), max(count - 1, 0))


def picks(event: QKeyEvent) -> bool:
    """Tell whether a key picks what the cursor is on: Return, Enter or Space."""
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
