"""Back to the main thread: a worker hands over a call, Qt's event loop makes it."""

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal


class Post(QObject):
    """Made on the main thread; `send` may be called from any, and the call is made here, later."""

    _sent = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._sent.connect(self._deliver)

    def send(self, call: Callable[[], object]) -> None:
        """Have `call` made on the main thread; nothing happens once the window is gone."""
        try:
            self._sent.emit(call)
        except RuntimeError:  # Qt has deleted this object: nobody is left to tell
            self._open = False

    def close(self) -> None:
        """Make no more calls."""
        self._open = False

    def _deliver(self, call: Callable[[], object]) -> None:
        if self._open:
            call()
