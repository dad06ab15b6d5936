"""What happens to a running training when the window closes: the user is asked."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox, QWidget

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
