"""The Review panel: what deserves eyes, one case after the other, with one key each."""

from functools import partial
from typing import TYPE_CHECKING, Protocol

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QHideEvent, QKeySequence, QPixmap, QShortcut, QShowEvent
from qtpy.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ...core.backend.events import Finished, Outcome
from ...core.errors import LongtailError
from ...core.project.records import RunRecord, Task
from ...core.review.decisions import Verdict
from ..background import Errands
from ..widgets import EmptyState, dress
from ..widgets.basic import mark
from .cases_thumbnails import Thumbnails
from .results_state import run_title
from .review_deciding import Deciding, Desk
from .review_finding import Finding, ended_run
from .review_keys import ReviewKeys
from .review_model import (
    BACK,
    FLAG,
    KEEP,
    TAKE,
    Loaded,
    Standing,
    load_review,
)
from .review_page import ReviewPage
from .train_words import case_noun, nouns

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.project.store import Project
    from ...core.review.queue import Entry
    from ..session import Session

VERDICTS = {KEEP: Verdict.ACCEPTED, TAKE: Verdict.CORRECTED, FLAG: Verdict.FLAGGED}


class ReviewCanvas(Protocol):
    """What the panel needs of the canvas."""

    @property
    def desk(self) -> Desk:
        """Writes labels, one after the other."""

    def fold(self) -> None:
        """Have all labels in their files when this returns."""

    def start_from_prediction(self) -> None:
        """Draw a copy of the prediction over the labels, as one step of undo."""


class ReviewPanel(QWidget):
    """Goes through the queue of the chosen run.

    Parameters
    ----------
    session
        The window's state.
    canvas
        Shows the case and writes its labels; without one nothing can be decided.
    """

    panel_asked = Signal(str)
    """The name of the panel that the user wants to go to: Train, Label or Heat maps."""

    def __init__(
        self,
        session: "Session",
        canvas: ReviewCanvas | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._canvas = session, canvas
        self._standing: Standing | None = None
        self._current = ""
        self._closed = False
        self._read_for: tuple[object, str] | None = None
        self.run: RunRecord | None = None
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._thumbnails = Thumbnails(self)
        self._errands = Errands(1, "longtail review", self)
        self._deciding = Deciding(session, canvas.desk if canvas else None, self._decided)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._make()
        self._finding = Finding(session, lambda: self.run, self.page.working)
        dress(self)
        self._connect()

    # --- what is shown ---

    @property
    def standing(self) -> Standing | None:
        """How far one is; None before a queue was read."""
        return self._standing

    @property
    def current(self) -> str:
        """The id of the case that is looked at; empty for none."""
        return self._current

    def refresh(self) -> None:
        """Show the queue of the chosen run, reading it anew if it is another one."""
        project = self._session.project
        self.run = ended_run(self._session)
        run_id = self.run.id if self.run else ""
        if project is None:
            self._read_for = self._standing = None
            self._show()
            return
        if self._read_for != (project, run_id):
            self._read_for = (project, run_id)
            self._standing, self._current, self._finding.failed = None, "", None
            self._errands.forget()
            self._errands.ask(lambda: load_review(project, run_id), self._take, self._not_read)
        self._show()

    def _take(self, loaded: Loaded) -> None:
        project = self._session.project
        if project is None or loaded.queue is None:
            self._standing = None
            self._deciding.use(loaded.decisions)
            self._show()
            return
        kind = self._standing.kind if self._standing else "all"
        self._deciding.use(loaded.decisions)
        self._standing = Standing(
            loaded.queue,
            {one.id: one.name for one in project.all_classes},
            project.task,
            loaded.cases,
            {case: one.verdict for case, one in loaded.decisions.by_case.items()},
            kind,
        )
        self._show()
        if self.isVisible():
            self._go(self._current or self._standing.after(""))

    def _not_read(self, error: Exception) -> None:
        reason = error.reason if isinstance(error, LongtailError) else str(error)
        remedy = error.remedy if isinstance(error, LongtailError) else ""
        self._finding.failed = Finished(Outcome.FAILED, None, reason, remedy)
        self._show()

    def _show(self) -> None:
        """Show the state as it is."""
        project, job, failed = self._session.project, self._finding.job, self._finding.failed
        page, standing = self.page, self._standing
        if project is None or (standing is None and job is None and failed is None):
            self._show_empty(project)
            return
        self.pages.setCurrentWidget(page)
        self._finding.show_progress()
        self._show_head(project, busy=job is not None)
        page.show_parts(standing is not None)
        page.end.say("", "")
        page.retry.setVisible(failed is not None and job is None)
        if failed is not None and job is None:
            page.end.say(failed.reason or "It ended early.", failed.remedy, "bad")
        if standing is None:
            self._show_case(None)
        else:
            self._show_standing(standing)

    def _show_head(self, project: "Project", *, busy: bool) -> None:
        page, run = self.page, self.run
        page.run.setText(run_title(run) if run else "pretrained encoder")
        page.undo.setEnabled(self._deciding.can_undo and project.writable)
        page.again.setEnabled(not busy and project.writable)
        page.maps.setEnabled(run is not None)

    def _show_empty(self, project: "Project | None") -> None:
        self.pages.setCurrentWidget(self.nothing)
        noun = nouns(case_noun(project.task)) if project else "images"
        scans = project is not None and project.task is Task.SEGMENTATION
        can = project is not None and project.writable and (self.run is not None or not scans)
        self.nothing.text.setText(
            f"Finds the {noun} that deserve your eyes: labels that are likely wrong, rare classes "
            "that were missed, and those that the run cannot decide."
            if can
            else "It needs a run that has learned: train one first."
        )
        if self.nothing.button is not None:
            self.nothing.button.setText("Find what deserves a look" if can else "Go to Train")

    def _show_standing(self, standing: Standing) -> None:
        project = self._session.project
        # A decision changes labels too, once each.
        changed = project.label_version - standing.queue.label_version if project else 0
        self.page.show_standing(standing, self._current, stale=changed > len(standing.verdicts))
        self.page.show_end(standing, failed=self._finding.failed is not None)
        self._show_case(self._entry())

    def _show_case(self, entry: "Entry | None") -> None:
        project = self._session.project
        writable = project is not None and project.writable and self._canvas is not None
        self.page.show_entry(entry, self._standing, writable=writable)

    # --- going through ---

    def _entry(self) -> "Entry | None":
        entries = self._standing.queue.entries if self._standing else ()
        return next((each for each in entries if each.case == self._current), None)

    def _go(self, case_id: str) -> None:
        self._current = case_id
        self._deciding.look_at(case_id)
        if case_id:
            with self._session.reporting():
                self._session.show_case(case_id)
        if self._standing is not None:
            self.page.list.follow(case_id)
            self._show_case(self._entry())

    def act(self, key: str) -> bool:
        """Do what a key asks for with the case that is looked at; False where it cannot be done."""
        entry, standing, project = self._entry(), self._standing, self._session.project
        if not self.isVisible() or entry is None or standing is None or project is None:
            return False
        writable = project.writable and self._canvas is not None
        offer = standing.offer(entry, writable=writable)
        offered = {KEEP: offer.keep, TAKE: offer.take, FLAG: offer.flag}[key]
        if not offered:
            return False
        if key == TAKE and standing.task is Task.SEGMENTATION:
            self._correct_scan(labelled=standing.is_labelled(entry))
            return True
        if self._canvas is not None:
            self._canvas.fold()
        # The last answer by key may have been written only now, and be taken up already.
        if entry.case not in standing.verdicts:
            by_hand = key == KEEP and self._deciding.changed(entry)
            self._decide(entry, Verdict.CORRECTED if by_hand else VERDICTS[key], by_hand=by_hand)
        return True

    def take_back(self) -> bool:
        """Undo the newest decision; False where there is none."""
        if not self.isVisible() or self._canvas is None:
            return False
        case_id = self._deciding.take_back()
        if case_id and self._standing is not None:
            self._standing.verdicts.pop(case_id, None)
            self._show()
            self._go(case_id)
        return bool(case_id)

    def _decide(self, entry: "Entry", verdict: Verdict, *, by_hand: bool = False) -> None:
        standing = self._standing
        if standing is None:
            return
        following = standing.after(entry.case)
        # First, so that the news of what was written is not taken for a change by hand.
        standing.verdicts[entry.case] = verdict
        self._deciding.decide(entry, verdict, standing.queue.run, by_hand=by_hand)
        if following == entry.case:
            following = ""
        self._show()
        self._go(following)

    def _correct_scan(self, *, labelled: bool) -> None:
        if self._canvas is not None and not labelled:
            self._canvas.start_from_prediction()
        self.panel_asked.emit("Label")

    def _decided(self, failed: bool) -> None:
        """Show what became of decisions that could not be written."""
        if failed:
            self._read_for = None
            self._soon.start()
        else:
            self.page.undo.setEnabled(self._deciding.can_undo)

    def _labels_changed(self, case_ids: tuple[str, ...]) -> None:
        """Take a class that was given by hand for the correction of the case that is looked at."""
        entry, standing, project = self._entry(), self._standing, self._session.project
        if entry is None or standing is None or project is None or not self.isVisible():
            return
        if entry.case not in case_ids or entry.case in standing.verdicts:
            return
        if project.task is Task.CLASSIFICATION and self._deciding.changed(entry):
            self._decide(entry, Verdict.CORRECTED, by_hand=True)

    def _case_changed(self) -> None:
        case, standing = self._session.case, self._standing
        if case is None or standing is None or case.id == self._current:
            return
        # Keys act on what is seen: a case that is not on the list leaves them nothing to act on.
        listed = any(each.case == case.id for each in standing.queue.entries)
        self._current = case.id if listed else ""
        self._deciding.look_at(self._current)
        self.page.list.follow(self._current)
        self._show_case(self._entry())

    def find(self) -> None:
        """Look through all cases, or go to Train where there is no run to ask."""
        project = self._session.project
        if project is None or (self.run is None and project.task is Task.SEGMENTATION):
            self.panel_asked.emit("Train")
            return
        self._finding.begin()
        self._show()

    def _found(self) -> None:
        self._read_for = None
        failed = self._finding.failed
        self.refresh()
        self._finding.failed = failed
        self._show()

    # --- making ---

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the panel up to date when it comes into view."""
        super().showEvent(event)
        self._keys.take()
        self._soon.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave the keys to others."""
        super().hideEvent(event)
        self._keys.give_back()

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._closed = True
        self._errands.close()
        self._thumbnails.close()

    def _picture(self, case_id: str) -> QPixmap | None:
        standing = None if self._closed else self._standing
        case = standing.cases.get(case_id) if standing else None
        return self._thumbnails.get(case) if case is not None else None

    def _use_project(self) -> None:
        project = self._session.project
        folder = project.path / "cache" / "thumbnails" if project and project.writable else None
        self._thumbnails.use_folder(folder)
        self._soon.start()

    def _refresh_soon(self) -> None:
        self._soon.start()

    def _refresh_if_seen(self) -> None:
        if self.isVisible():
            self.refresh()

    def _choose(self, kind: str) -> None:
        if self._standing is not None:
            self._standing.kind = kind
            self._show()
            shown = [each.case for each in self._standing.shown()]
            if self._current not in shown:
                self._go(shown[0] if shown else "")

    def _make(self) -> None:
        self.nothing = EmptyState(
            "ph.checks", "Nothing to review yet", "", ("Find what deserves a look", self.find)
        )
        self.page = ReviewPage(self._picture, self)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.nothing)
        self.pages.addWidget(self.page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)

    def _connect(self) -> None:
        session, page = self._session, self.page
        session.project_changed.connect(self._use_project)
        for signal in (session.run_changed, session.runs_changed):
            signal.connect(self._refresh_soon)
        session.case_changed.connect(self._case_changed)
        session.labels_changed.connect(self._labels_changed)
        self._finding.begun.connect(self._refresh_soon)
        self._finding.ended.connect(self._found)
        self._soon.timeout.connect(self._refresh_if_seen)
        self._thumbnails.ready.connect(lambda _case: page.list.viewport().update())
        page.list.chosen.connect(self._go)
        page.filters.chosen.connect(self._choose)
        page.verdicts.asked.connect(self.act)
        page.retry.clicked.connect(lambda _checked=False: self.find())
        page.train.clicked.connect(lambda _checked=False: self.panel_asked.emit("Train"))
        page.again.clicked.connect(lambda _checked=False: self.find())
        page.undo.clicked.connect(lambda _checked=False: self.take_back())
        page.maps.clicked.connect(lambda _checked=False: self.panel_asked.emit("Heat maps"))
        acts: dict[str, Callable[[], object]] = {key: partial(self.act, key) for key in VERDICTS}
        acts[BACK] = self.take_back
        on_image = {**acts, "Enter": acts[KEEP]}
        self._keys = ReviewKeys(getattr(self._canvas, "viewer", None), on_image)
        for keys, act in (*acts.items(), ("Ctrl+Z", self.take_back)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)
