"""What happens to a running training when the window closes: the user is asked."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QMainWindow, QMessageBox, QProgressDialog, QWidget

if TYPE_CHECKING:
    from .session import Session

WAIT_FOR_STOP_MS = 30_000


class Leaving(StrEnum):
    """The answers to the question."""

    KEEP = "stop and keep"
    GO_ON = "go on without the window"
    STAY = "cancel"


def ask_leaving(title: str, parent: QWidget | None) -> Leaving:
    """Ask what to do with the training `title`."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close Longtail")
    box.setText(f"{title} is still running.")
    box.setInformativeText(
        "Stop and keep: it saves what it has learned and ends.\n"
        "Go on without the window: it finishes by itself; the result is there when you open the "
        "project again."
    )
    keep = box.addButton("Stop and keep", QMessageBox.ButtonRole.AcceptRole)
    alone = box.addButton("Go on without the window", QMessageBox.ButtonRole.AcceptRole)
    box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.exec()
    chosen = box.clickedButton()
    return Leaving.KEEP if chosen is keep else Leaving.GO_ON if chosen is alone else Leaving.STAY


def may_leave(
    session: "Session",
    ask: Callable[[str], Leaving],
    wait: Callable[["Session"], None],
) -> tuple[bool, bool]:
    """Decide about closing: (may close, leave the job running).

    Parameters
    ----------
    session
        Whose training it is.
    ask
        Puts the question.
    wait
        Waits until the stopped training has ended and its result is recorded.
    """
    training = session.training
    if training is None:
        return True, False
    answer = ask(training.title)
    if answer is Leaving.STAY:
        return False, False
    if answer is Leaving.GO_ON:
        return True, True
    training.stop()
    wait(session)
    return True, False


def wait_for_end(session: "Session", parent: QWidget | None) -> None:
    """Wait until the stopped training is recorded, and say so meanwhile."""
    progress = QProgressDialog("Saving what was learned ...", "", 0, 0, parent)
    progress.setCancelButton(None)
    progress.setWindowModality(Qt.WindowModality.WindowModal)
    progress.show()
    loop = QEventLoop()

    def end(*_what: object) -> None:
        loop.quit()

    session.job_finished.connect(end)
    QTimer.singleShot(WAIT_FOR_STOP_MS, loop.quit)
    if session.training is not None:
        loop.exec()
    session.job_finished.disconnect(end)
    progress.close()
    progress.deleteLater()


class CloseGuard(QObject):
    """Asks before a window closes during a run; then lets `finish` end all that is ours.

    `finish` is called once, with whether the running job is to go on alone.
    """

    def __init__(
        self, window: QMainWindow, session: "Session", finish: Callable[[bool], None]
    ) -> None:
        super().__init__(window)
        self._window, self._session = window, session
        self._finish: Callable[[bool], None] | None = finish
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stop the close event when the window may not close."""
        if event.type() != QEvent.Type.Close or not isinstance(event, QCloseEvent):
            return False
        if self._finish is None:
            return False
        may, leave_running = may_leave(self._session, self._ask, self._wait)
        if not may:
            event.ignore()
            return True
        finish, self._finish = self._finish, None
        finish(leave_running)
        return False

    def _ask(self, title: str) -> Leaving:
        return ask_leaving(title, self._window)

    def _wait(self, session: "Session") -> None:
        wait_for_end(session, self._window)
