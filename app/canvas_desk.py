"""Where labels are handed in to be written, and where the window hears what came of it."""

import getpass
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from psygnal import Signal
from qtpy.QtCore import QObject

from ..core.project.records import ImageLabels, Status
from .canvas_post import Post
from .canvas_saving import Changed, Folded, Keeper, News, Trouble
from .session import Session

if TYPE_CHECKING:
    from ..core.project.store import Project

Answer = TypeVar("Answer")


class Desk:
    """Writes the labels of the session's project in worker threads.

    Attributes
    ----------
    heard
        Emitted on the main thread with each `News`, before the session is told.
    telling
        True while the session is told of what was written here: no need to read it again.
    saved_at
        When labels of a case were last written here (`time.monotonic`), by its id.
    """

    heard = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        self.session = session
        self.telling = False
        self.saved_at: dict[str, float] = {}
        self._keeper: Keeper | None = None
        self._trouble = ""
        self._post = Post(parent)
        session.case_changed.connect(self._on_case)

    @property
    def writable(self) -> bool:
        """Whether the open project may be changed."""
        return self.session.project is not None and self.session.project.writable

    @property
    def keeper(self) -> Keeper | None:
        """What writes the open project's labels; None where nothing may be written."""
        project = self.session.project
        if self._keeper is None and project is not None and project.writable:
            self._keeper = Keeper(project, author(), lambda news: self._hear_later(project, news))
        return self._keeper

    def set_status(self, case_id: str, status: Status) -> None:
        """Write how far a case is."""
        project, keeper = self.session.project, self.keeper
        if project is not None and keeper is not None:
            keeper.change([case_id], lambda: project.set_status([case_id], status))

    def give(self, case_ids: Sequence[str], labels: ImageLabels | None, status: Status) -> None:
        """Write image-level classes of cases; None takes all labels away, masks too."""
        project, keeper, ids = self.session.project, self.keeper, list(case_ids)
        if project is not None and keeper is not None:
            keeper.change(
                ids, lambda: project.set_labels(ids, labels, author=author(), status=status)
            )

    def behind(self, call: Callable[[], Answer]) -> Answer:
        """Read behind the label maps that are being written; waits, so call it in a worker."""
        keeper = self._keeper
        return call() if keeper is None else keeper.behind(call)

    def saved_ago_s(self, case_id: str) -> float | None:
        """Seconds since labels of a case were written here; None if they were not."""
        at = self.saved_at.get(case_id)
        return None if at is None else time.monotonic() - at

    def wait(self) -> None:
        """Wait until all is written that was handed in."""
        if self._keeper is not None:
            self._keeper.wait()

    def close(self) -> None:
        """Write all that was handed in and take no more."""
        self._end_keeper()
        self._post.close()
        self.session.case_changed.disconnect(self._on_case)

    def _on_case(self) -> None:
        # A session without a project is about to close the one it had.
        if self.session.project is None:
            self._end_keeper()

    def _end_keeper(self) -> None:
        keeper, self._keeper = self._keeper, None
        self.saved_at.clear()
        if keeper is not None:
            keeper.close()

    def _hear_later(self, project: "Project", news: News) -> None:
        self._post.send(lambda: self._hear(project, news))

    def _hear(self, project: "Project", news: News) -> None:
        if self.session.project is not project:
            return
        if isinstance(news, (Folded, Changed)):
            self._trouble = ""
            written = (news.case_id,) if isinstance(news, Folded) else news.case_ids
            self.saved_at |= dict.fromkeys(written, time.monotonic())
        # First those who drew it: what they know must not hang on who else listens.
        self.heard.emit(news)
        if isinstance(news, Trouble):
            self._notify(news)
        elif isinstance(news, Folded):
            self._tell_session((news.case_id,))
        elif isinstance(news, Changed):
            self._tell_session(news.case_ids)

    def _notify(self, news: Trouble) -> None:
        words = str(news.error)
        if news.in_journal and not news.plain:
            words += " Your strokes are safe in the journal."
        if words != self._trouble:
            self._trouble = words
            self.session.notify(words, "error")

    def _tell_session(self, case_ids: tuple[str, ...]) -> None:
        self.telling = True
        try:
            self.session.labels_saved(case_ids)
        finally:
            self.telling = False


def author() -> str:
    """Give the name that this person's labels are kept under: that of the account."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in a container
        return "user"
