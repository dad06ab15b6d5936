"""The page of heat maps under the image: where a run looks in all test cases of a class."""

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...core.backend.events import Event, Finished, Outcome
from ...core.project.records import Task
from ...core.review.audit import NOTE
from ..background import Errands
from ..canvas_map_reading import VARIANTS
from ..theme import EDGE
from ..widgets import EmptyState, GhostButton, QuietLabel, dress
from ..widgets.basic import TextLabel
from .results_parts import WorkingPart
from .results_state import run_title
from .review_finding import ended_run
from .review_maps_grid import MapGrid
from .review_maps_head import MapsHead
from .review_maps_model import (
    LoadedMaps,
    below_words,
    classes_of,
    load_maps,
    tiles,
    words_of,
)
from .train_model import run_of
from .train_parts import SayCard
from .train_words import clock, sentence_case

if TYPE_CHECKING:
    from ...core.project.records import RunRecord
    from ..session import Session
    from ..tracked import TrackedJob

TICK_MS = 150
SIDE_PX = 216
JOBS = ("AuditJob", "SanityJob")


class MapsPage(QWidget):
    """The grid of maps of one class, what they came to in words, and the check by forgetting.

    Parameters
    ----------
    session
        The window's state.
    """

    panel_asked = Signal(str)

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._loaded: LoadedMaps | None = None
        self._read_for: tuple[object, str] | None = None
        self._failed: Finished | None = None
        self._class_id = 0
        self.run: RunRecord | None = None
        self._checked: dict[str, tuple[str, bool | None]] = {}
        self._errands = Errands(1, "longtail maps", self)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._tick = QTimer(self, singleShot=True, interval=TICK_MS)
        self._make()
        dress(self)
        self._connect()

    # --- what is shown ---

    def refresh(self) -> None:
        """Show the maps of the chosen run, reading them anew if it is another one."""
        project = self._session.project
        run = self.run = ended_run(self._session)
        if project is None or run is None:
            self._loaded = self._read_for = None
        elif self._read_for != (project, run.id):
            self._read_for, self._loaded = (project, run.id), None
            self._failed = None
            self._errands.forget()
            self._errands.ask(lambda: load_maps(project, run.id), self._take)
        self._show()

    def _take(self, loaded: LoadedMaps) -> None:
        self._loaded = loaded
        if loaded.trouble is not None:
            reason, remedy = loaded.trouble.reason, loaded.trouble.remedy
            self._failed = Finished(Outcome.FAILED, None, reason, remedy)
        self._show()

    def _show(self) -> None:
        audit = self._loaded.audit if self._loaded else None
        working = self._job("AuditJob")
        run = self.run
        self.head.run.setText(run_title(run) if run else "")
        head = self.head
        for part in (head.classes, head.order, head.variant, head.heat, head.again):
            part.setVisible(audit is not None)
        self.head.variant.setEnabled(working is None)
        self.head.again.setEnabled(working is None)
        self.failed.say("", "")
        if working is not None:
            self.pages.setCurrentWidget(self.busy)
            self._show_progress()
        elif self._failed is not None and audit is None:
            self.failed.say(self._failed.reason or "It ended early.", self._failed.remedy, "bad")
            self._show_nothing(can=run is not None)
        elif audit is None:
            self._show_nothing(can=run is not None)
        else:
            self.pages.setCurrentWidget(self.body)
            self.head.variant.setCurrentIndex(self.head.variant.findData(audit.variant))
            self._show_classes()
            self._show_class()

    def _show_nothing(self, *, can: bool) -> None:
        self.pages.setCurrentWidget(self.nothing_page)
        self.nothing.text.setText(
            "Shows the heat maps of all test cases, class by class, and how much of each lies "
            "inside the drawn box, the outline or the body."
            if can
            else "It needs a run that has learned: train one first."
        )
        if self.nothing.button is not None:
            self.nothing.button.setText("Look at all test cases" if can else "Go to Train")

    def _show_classes(self) -> None:
        audit, project = self._loaded.audit if self._loaded else None, self._session.project
        if audit is None or project is None:
            return
        names = {one.id: one.name for one in project.all_classes}
        found = classes_of(audit, names)
        if self._class_id not in [class_id for class_id, _, _ in found]:
            self._class_id = found[0][0] if found else 0
        box = self.head.classes
        box.blockSignals(True)
        box.clear()
        for class_id, name, count in found:
            box.addItem(f"{name} · {count:,}", class_id)
        box.setCurrentIndex(box.findData(self._class_id))
        box.blockSignals(False)

    def _show_class(self) -> None:
        loaded, project = self._loaded, self._session.project
        if loaded is None or loaded.audit is None or project is None:
            return
        audit = loaded.audit
        names = {one.id: one.name for one in project.all_classes}
        order = self.head.order.currentData()
        shown = tiles(audit, self._class_id, order)
        self.grid.tiles.show_tiles(shown, loaded.pictures, self._class_id)
        self.words.setText(words_of(audit, self._class_id, names.get(self._class_id, "")))
        mine = [one for one in audit.maps if one.class_id == self._class_id]
        self.note.setText("\n".join(audit.notes))
        self.silent.setText(below_words(mine))
        self.silent.setVisible(bool(self.silent.text()))
        self._show_check()

    def _show_check(self) -> None:
        project, run_id = self._session.project, self._loaded.run_id if self._loaded else ""
        images = project is not None and project.task is not Task.SEGMENTATION
        job = self._job("SanityJob")
        self.check.setVisible(images and job is None)
        told = self._checked.get(run_id)
        if job is not None:
            what = sentence_case(job.progress.what) if job.progress else "Starting"
            done = f" {job.progress.done} of {job.progress.total}" if job.progress else ""
            self.outcome.say("", f"{what}{done}", "")
        elif told is not None:
            tone = {True: "good", False: "bad", None: ""}[told[1]]
            title, _, rest = told[0].partition(": ")
            self.outcome.say(title, sentence_case(rest), tone)
        else:
            self.outcome.say("", "")

    # --- jobs ---

    @property
    def variant(self) -> str:
        """The kind of heat map that is chosen."""
        return str(self.head.variant.currentData() or next(iter(VARIANTS)))

    def find(self) -> None:
        """Look at all test cases, or go to Train where no run has learned."""
        from ...core.jobs.auditing import AuditJob

        project, run = self._session.project, self.run
        if project is None or run is None:
            self.panel_asked.emit("Train")
            return
        self._failed = None
        self._session.submit(AuditJob(project.path.as_posix(), run.id, variant=self.variant))
        self._show()

    def verify(self) -> None:
        """Check whether the maps depend on what the run has learned."""
        from ...core.jobs.auditing import SanityJob

        project, run = self._session.project, self.run
        if project is not None and run is not None:
            self._session.submit(SanityJob(project.path.as_posix(), run.id, variant=self.variant))
            self._show_check()

    def _job(self, kind: str) -> "TrackedJob | None":
        run = self.run
        going = (job for job in self._session.jobs if job.finished is None)
        ours = (job for job in going if type(job.job).__name__ == kind)
        return next((job for job in ours if run and run_of(job.job) == run.id), None)

    def _show_progress(self) -> None:
        self._show_check()
        job = self._job("AuditJob")
        if job is None:
            return
        words = job.progress.what if job.progress else ""
        if job.state == "queued":
            words = "waiting for the training" if self._session.training else "starting"
        left = clock(job.eta_s)
        self.working.show_progress(
            job.title, sentence_case(words), f"{left} left" if left else "", job.share
        )

    def _stop(self) -> None:
        job = self._job("AuditJob")
        if job is not None:
            job.stop()

    def _job_event(self, job: "TrackedJob", _event: Event) -> None:
        if type(job.job).__name__ in JOBS and not self._tick.isActive():
            self._tick.start()

    def _job_finished(self, job: "TrackedJob", finished: Finished) -> None:
        kind = type(job.job).__name__
        if kind == "SanityJob" and finished.result is not None:
            result = finished.result
            self._checked[run_of(job.job)] = str(result["sentence"]), result["trusted"]
        if kind == "AuditJob":
            self._read_for = None
            self.refresh()
            self._failed = finished if finished.outcome is Outcome.FAILED else None
        if kind in JOBS:
            self._show()

    # --- making ---

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the page up to date when it comes into view."""
        super().showEvent(event)
        self._soon.start()

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._errands.close()

    def _refresh_soon(self) -> None:
        self._soon.start()

    def _refresh_if_seen(self) -> None:
        if self.isVisible():
            self.refresh()

    def _choose_class(self, row: int) -> None:
        self._class_id = self.head.classes.itemData(row)
        self._show_class()

    def _choose_variant(self) -> None:
        audit = self._loaded.audit if self._loaded else None
        if audit is None or audit.variant != self.variant:
            self._checked.clear()
            self.find()

    def _open(self, case_id: str) -> None:
        with self._session.reporting():
            self._session.show_case(case_id)

    def _make(self) -> None:
        self.head = MapsHead(self)
        self.nothing = EmptyState(
            "ph.squares-four", "No heat maps yet", "", ("Look at all test cases", self.find)
        )
        self.failed = SayCard(parent=self)
        self.nothing_page = _column(self.failed, self.nothing)
        self.working = WorkingPart(self)
        self.busy = _column(self.working)
        self.grid = MapGrid(self)
        self.words, self.silent = TextLabel("", self), QuietLabel("", self)
        self.words.setWordWrap(True)
        self.check = GhostButton(
            "Check the maps",
            self,
            symbol="ph.dice-five",
            tip="Makes the network forget what it learned, step by step: its maps must become "
            "others (Adebayo et al., 2018). Takes some seconds.",
        )
        self.outcome = SayCard(parent=self)
        self.note = QuietLabel(NOTE, self)
        self.body = self._make_body()
        self.pages = QStackedWidget(self)
        for page in (self.nothing_page, self.busy, self.body):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)

    def _make_body(self) -> QWidget:
        side = _column(self.words, self.silent, self.outcome, self.check, self.note)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFixedWidth(SIDE_PX)
        scroll.setWidget(side)
        body = QWidget(self)
        row = QHBoxLayout(body)
        row.setContentsMargins(EDGE - 4, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.grid, 1)
        row.addWidget(scroll)
        return body

    def _connect(self) -> None:
        session, head = self._session, self.head
        for signal in (session.project_changed, session.run_changed, session.runs_changed):
            signal.connect(self._refresh_soon)
        session.job_started.connect(lambda _job: self._refresh_soon())
        session.job_event.connect(self._job_event)
        session.job_finished.connect(self._job_finished)
        self._soon.timeout.connect(self._refresh_if_seen)
        self._tick.timeout.connect(self._show_progress)
        self.working.stop_asked.connect(self._stop)
        self.grid.chosen.connect(self._open)
        head.classes.activated.connect(self._choose_class)
        head.order.activated.connect(lambda _row: self._show_class())
        head.variant.activated.connect(lambda _row: self._choose_variant())
        head.heat.toggled.connect(self.grid.tiles.show_heat)
        head.again.clicked.connect(lambda _checked=False: self.find())
        self.check.clicked.connect(lambda _checked=False: self.verify())


def _column(*parts: QWidget) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(EDGE, 8, EDGE, 8)
    column.setSpacing(8)
    for part in parts:
        column.addWidget(part)
    column.addStretch(1)
    return page
