"""Notices that come up at the foot of the window, with their reason and what can be done."""

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ..theme import GREEN, RED, look
from .basic import GhostButton, IconButton, TextLabel, mark, restyle
from .dress import dress, icon

STAY_MS = 7000
MOST = 3
WIDTH_PX = 440
MARGIN_PX = 16

_LOOKS = {
    "info": ("ph.info", ""),
    "warning": ("ph.warning", ""),
    "error": ("ph.warning-circle", "Could not be done"),
    "good": ("ph.check-circle", ""),
}


class Toast(QFrame):
    """One notice; an error stays until it is closed."""

    def __init__(
        self,
        text: str,
        severity: str,
        action: tuple[str, Callable[[], object]] | None,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.severity = severity if severity in _LOOKS else "info"
        self.text = text
        symbol, head = _LOOKS[self.severity]
        self._symbol = symbol
        self._picture = QLabel(self)
        words = QVBoxLayout()
        words.setSpacing(2)
        if head:
            title = TextLabel(head, self)
            mark(title, "strong")
            words.addWidget(title)
        self.label = TextLabel(text, self)
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(self.label)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 10, 8, 10)
        row.setSpacing(10)
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        if action is not None:
            self.button = GhostButton(action[0], self)
            self.button.clicked.connect(lambda _checked=False: self._act(action[1]))
            row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.cross = IconButton("ph.x", "Close this notice", self)
        self.cross.clicked.connect(lambda _checked=False: self.close_it())
        row.addWidget(self.cross, 0, Qt.AlignmentFlag.AlignTop)
        mark(self, "toast")
        self.setAccessibleName(text)
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.timeout.connect(self.close_it)
        if self.severity in ("info", "good"):
            self._clock.start(STAY_MS)
        self.wear_icon()

    def wear_icon(self) -> None:
        """Draw the picture in the colours of the theme."""
        t = look().tokens
        colour = {"error": RED, "good": GREEN}.get(self.severity, t.quiet)
        self._picture.setPixmap(
            icon(self._symbol, t.written(colour, t.raised if t.dark else t.card)).pixmap(18, 18)
        )

    def close_it(self) -> None:
        """Take the notice away."""
        self._clock.stop()
        self.hide()
        stack = self.parentWidget()
        self.deleteLater()
        if isinstance(stack, ToastStack):
            stack.drop(self)

    def _act(self, act: Callable[[], object]) -> None:
        self.close_it()
        act()


class ToastStack(QWidget):
    """The notices of a window, newest lowest; the same words never stand twice."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._toasts: list[Toast] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        window.installEventFilter(self)
        dress(self)
        self.hide()

    @property
    def toasts(self) -> list[Toast]:
        """The notices that stand now."""
        return list(self._toasts)

    def show_notice(
        self,
        text: str,
        severity: str = "info",
        action: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Show a notice; the oldest makes room."""
        for old in [t for t in self._toasts if t.text == text]:
            old.close_it()
        toast = Toast(text, severity, action, self)
        self._toasts.append(toast)
        self._column.addWidget(toast)
        restyle(toast)
        toast.show()
        while len(self._toasts) > MOST:
            self._toasts[0].close_it()
        self._place()

    def drop(self, toast: Toast) -> None:
        """Forget a notice that was closed."""
        if toast in self._toasts:
            self._toasts.remove(toast)
        self._column.removeWidget(toast)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's size."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        window = self.parentWidget()
        self.setVisible(bool(self._toasts))
        if not self._toasts or window is None:
            return
        width = min(WIDTH_PX, window.width() - 2 * MARGIN_PX)
        self.setFixedWidth(width)
        height = self._column.heightForWidth(width)
        if height <= 0:
            height = self._column.sizeHint().height()
        self.resize(width, height)
        self.move((window.width() - width) // 2, window.height() - height - 3 * MARGIN_PX)
        self.raise_()
