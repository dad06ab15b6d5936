"""Changes what is selected, in a thread, and remembers the steps so that they can be taken back."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from ...core.errors import LongtailError
from ...core.project.records import Split, Status
from ..canvas_desk import author
from ..session import Session
from .embedding_change import (
    MOST_STEPS,
    Step,
    give_class,
    give_split,
    give_status,
    take_back,
)
from .embedding_model import Ask
from .train_words import case_noun, plural

if TYPE_CHECKING:
    from ...core.project.store import Project


class Steps:
    """The changes made here, the last one first to be taken back; `changed` tells of them."""

    changed = Signal()

    def __init__(self, session: Session, ask: Ask) -> None:
        self._session, self._ask = session, ask
        self._done: list[Step] = []
        self._busy = False
        session.project_changed.connect(self._forget)

    @property
    def last(self) -> str:
        """What would be taken back, in words; empty where there is nothing."""
        if not self._done:
            return ""
        step = self._done[-1]
        return f"{step.words}, {self._many(len(step.after))}"

    def give_class(self, case_ids: Sequence[str], class_id: int, yes: bool = True) -> None:
        """Give cases a class."""
        self._do(lambda project: give_class(project, case_ids, class_id, yes=yes, author=author()))

    def give_status(self, case_ids: Sequence[str], status: Status) -> None:
        """Mark cases."""
        self._do(lambda project: give_status(project, case_ids, status, author=author()))

    def give_split(self, case_ids: Sequence[str], split: Split) -> None:
        """Put cases into a part."""
        self._do(lambda project: give_split(project, case_ids, split, author=author()))

    def undo(self) -> None:
        """Take the last change back."""
        if self._done and not self._busy:
            step = self._done.pop()
            self._do(lambda project: take_back(project, step, author=author()), undoes=step)
            self.changed.emit()

    # --- inside ---

    def _do(self, act: Callable[["Project"], Step], undoes: Step | None = None) -> None:
        project = self._session.project
        if project is None or self._busy:
            return
        self._busy = True

        def take(step: Step) -> None:
            self._busy = False
            if project is self._session.project:
                self._take(step, undoes)

        def fail(error: Exception) -> None:
            self._busy = False
            if undoes is not None:
                self._done.append(undoes)
            self._session.notify(_told(error), "error")
            self.changed.emit()

        self._ask(partial(act, project), take, fail)

    def _take(self, step: Step, undoes: Step | None) -> None:
        if undoes is None and step.after:
            self._done = [*self._done, step][-MOST_STEPS:]
        self._session.labels_saved(step.case_ids)
        self._tell(step, undoes)
        self.changed.emit()

    def _tell(self, step: Step, undoes: Step | None) -> None:
        left = f" {self._many(step.skipped)} {step.why} stayed." if step.skipped else ""
        if not step.after:
            self._session.notify(f"Nothing had to be changed.{left}")
        elif undoes is not None:
            self._session.notify(f"{self._many(len(step.after))} put back as before.{left}")
        elif step.skipped:
            self._session.notify(f"{self._many(len(step.after))}: {step.words}.{left}")

    def _many(self, count: int) -> str:
        project = self._session.project
        return plural(count, case_noun(str(project.task)) if project else "case")

    def _forget(self) -> None:
        self._done, self._busy = [], False
        self.changed.emit()


def _told(error: Exception) -> str:
    if isinstance(error, LongtailError):
        return str(error)
    return f"Nothing was changed: {type(error).__name__}: {error}."
