"""Controls that leave the wheel to the page they stand on."""

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QWidget


class _CalmWheel(QObject):
    """Keeps the wheel for scrolling: it changes a control only when that has the focus."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Swallow the wheel over a control without focus and hand it to the page."""
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        return False


def keep_wheel_calm(control: QWidget) -> None:
    """Let the wheel scroll the page when the mouse happens to be over `control`."""
    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    control.installEventFilter(_CalmWheel(control))
