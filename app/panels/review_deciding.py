"""Decisions about cases are written behind what else is being written, one after the other."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from psygnal import SignalInstance

from ...core.project.records import Annotation
from ...core.review.decisions import Decisions, Verdict, latest
from ..canvas_desk import author
from ..canvas_saving import Trouble

if TYPE_CHECKING:
    from ...core.review.queue import Entry
    from ..session import Session


class Writer(Protocol):
    """What writes the labels of a project."""

    def change(self, case_ids: Sequence[str], call: Callable[[], object]) -> None:
        """Write something about these cases, behind what was asked before."""


class Desk(Protocol):
    """Where labels are handed in to be written."""

    @property
    def keeper(self) -> Writer | None:
        """What writes the open project's labels; None where nothing may be written."""

    @property
    def heard(self) -> SignalInstance:
        """Emitted with what came of it."""


class Deciding:
    """Hands decisions to the desk.

    Parameters
    ----------
    session
        The window's state.
    desk
        None where nothing can be decided.
    heard
        Called with True when a decision could not be written, else with False.
    """

    def __init__(
        self, session: "Session", desk: Desk | None, heard: Callable[[bool], object]
    ) -> None:
        self._session, self._desk, self._heard = session, desk, heard
        self._decisions: Decisions | None = None
        self._made: list[str] = []
        self._before: tuple[str, Annotation | None] = ("", None)
        if desk is not None:
            desk.heard.connect(self._hear)

    @property
    def can_undo(self) -> bool:
        """Whether there is a decision to take back."""
        return bool(self._made)

    def use(self, decisions: Decisions) -> None:
        """Go on with the decisions of a project."""
        self._decisions = decisions
        self._made = [each.case for each in decisions.all]

    def look_at(self, case_id: str) -> None:
        """Remember how a case is labelled now, before anybody changes it."""
        project = self._session.project
        known = project is not None and bool(case_id)
        self._before = (case_id, latest(project, case_id) if known and project else None)

    def changed(self, entry: "Entry") -> bool:
        """Whether the case carries other classes now than when it was begun to be looked at."""
        project, (case_id, before) = self._session.project, self._before
        if project is None or case_id != entry.case:
            return False
        labels = project.case(case_id).labels
        known = before.labels if before is not None else None
        return labels is not None and bool(labels.yes or labels.no) and labels != known

    def decide(self, entry: "Entry", verdict: Verdict, run: str, *, by_hand: bool) -> None:
        """Hand a decision in; labels that were changed by hand stay as they are."""
        decisions, keeper = self._decisions, self._desk.keeper if self._desk else None
        project = self._session.project
        if decisions is None or keeper is None or project is None:
            return
        case_id, before = self._before
        if case_id != entry.case:
            before = latest(project, entry.case)
        asked = replace(entry, suggested=None) if by_hand else entry
        self._made.append(entry.case)

        def write() -> None:
            decisions.decide(asked, verdict, run=run, author=author(), before=before)

        keeper.change([entry.case], write)

    def take_back(self) -> str:
        """Undo the newest decision; give its case, empty where there is none."""
        decisions, keeper = self._decisions, self._desk.keeper if self._desk else None
        if not self._made or decisions is None or keeper is None:
            return ""
        case_id = self._made.pop()
        keeper.change([case_id], lambda: decisions.take_back(author()))
        return case_id

    def _hear(self, news: Any) -> None:
        self._heard(isinstance(news, Trouble))
