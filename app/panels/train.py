"""The Train panel: leads from a wish to a run, follows the run, and tells what came of it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ...core.backend.events import Event, Finished, Told, Warned
from ...core.methods.catalogue import METHODS
from ...core.project.records import RunRecord
from ..background import Errands
from ..widgets import EmptyState, dress
from .results_weights import kept_for_classes
from .train_before import BeforePage
from .train_guarded import change_for, taken_up
from .train_live import ClassLook, facts, live, news, run_line
from .train_model import (
    Plan,
    can_resume,
    class_looks,
    interrupted,
    methods_for,
    planned_looks,
    project_of,
    run_of,
    uses_unlabelled,
)
from .train_outcome import ending
from .train_past import PastJob, count_words, past_runs, read_past
from .train_planning import Planner
from .train_record import Record, read_record
from .train_words import case_noun

if TYPE_CHECKING:
    from ...core.project.store import Project
    from ..session import Session
    from ..tracked import TrackedJob
    from .train_after import AfterPage
    from .train_during import DuringPage

LIVE_MS = 100
CHECKPOINT = Path("checkpoints") / "last.pt"


class TrainPanel(QWidget):
    """Before, during and after a run, on one page each.

    Parameters
    ----------
    session
        The window's state.
    fold_edits
        Called before a run is planned, to write strokes that are still in hand.
    """

    panel_asked = Signal(str)
    """The name of the panel that the user wants to go to: Label, Cases or Results."""

    def __init__(
        self,
        session: "Session",
        fold_edits: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._fold_edits = fold_edits
        self._job: TrackedJob | None = None
        self._run: RunRecord | None = None
        self._looks: tuple[ClassLook, ...] = ()
        self._earlier = Record()
        self._errands = Errands(1, "longtail run", self)
        self._live_timer = QTimer(self, singleShot=True, interval=LIVE_MS)
        self._live_timer.timeout.connect(self._show_live)
        self.nothing = EmptyState(
            "ph.graduation-cap",
            "Nothing to train on yet",
            "Open a project, or start one from a folder of images.",
        )
        self.before = BeforePage()
        self._planner = Planner(session, self.before, self)
        self._during: DuringPage | None = None
        self._after: AfterPage | None = None
        self.pages = QStackedWidget(self)
        for page in (self.nothing, self.before):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)
        dress(self)
        self._connect()
        self._show_project()

    @property
    def during(self) -> "DuringPage":
        """The page of a run at work; made when it is first needed, since it loads the plots."""
        if self._during is None:
            from .train_during import DuringPage

            page = self._during = DuringPage()
            self.pages.addWidget(page)
            page.pause_asked.connect(lambda: self._on_job("pause"))
            page.resume_asked.connect(lambda: self._on_job("resume"))
            page.stop_asked.connect(lambda: self._on_job("stop"))
            page.cancel_asked.connect(lambda: self._on_job("cancel"))
            page.remedy_chosen.connect(self._take_remedy)
            page.case_asked.connect(self._open_case)
        return self._during

    @property
    def after(self) -> "AfterPage":
        """The page of a run that has ended; made when it is first needed."""
        if self._after is None:
            from .train_after import AfterPage

            page = self._after = AfterPage()
            self.pages.addWidget(page)
            page.results_asked.connect(self._see_results)
            page.resume_asked.connect(self._resume_last)
            page.again_asked.connect(self.show_before)
            page.case_asked.connect(self._open_case)
        return self._after

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the plan up to date when the panel comes into view."""
        super().showEvent(event)
        self._planner.look()

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._errands.close()
        self._planner.close()
        for page in (self._during, self._after):
            if page is not None:
                page.close_threads()

    # --- the project ---

    def _connect(self) -> None:
        session = self._session
        session.project_changed.connect(self._show_project)
        for signal in (session.catalogue_changed, session.classes_changed):
            signal.connect(self._planner.plan_soon)
        session.labels_changed.connect(self._labels_changed)
        session.job_started.connect(self._job_started)
        session.job_event.connect(self._job_event)
        session.job_finished.connect(self._job_finished)
        self._planner.ready.connect(self._begin)
        self.before.train_asked.connect(self._start)
        self.before.resume_asked.connect(self._resume)
        self.before.panel_asked.connect(self.panel_asked)
        self.before.runs.run_asked.connect(self._look_back)

    def _show_project(self) -> None:
        project = self._session.project
        self._run = None
        self.before.validation.forget()
        self._errands.forget()
        self._planner.forget()
        if project is None:
            self.pages.setCurrentWidget(self.nothing)
        elif (job := self._session.training) is not None and self._is_ours(job):
            self._job_started(job)
        else:
            self.show_before()

    def show_before(self) -> None:
        """Show what a new run would use and need."""
        project = self._session.project
        if project is None:
            return
        self.before.show_methods(methods_for(project.task))
        runs = project.runs()
        self.before.runs.show_runs(count_words(runs), past_runs(runs))
        last = runs[-1] if runs else None
        offered = last is not None and can_resume(last, self._has_checkpoint(last.id))
        self.before.earlier.show_run(
            last.id if last and offered and project.writable else "",
            interrupted(last) if last else "",
        )
        self.pages.setCurrentWidget(self.before)
        self._planner.plan_soon()

    # --- starting ---

    def _start(self) -> None:
        if self._fold_edits is not None:
            self._fold_edits()
        self._planner.start()

    def _begin(self, plan: Plan) -> None:
        project = self._session.project
        if project is None or plan.spec is None or plan.blocked is not None:
            return
        with self._session.reporting():
            run = project.new_run(plan.spec.to_mapping())
            self._submit(run, resume=False)

    def _resume(self, run_id: str) -> None:
        project = self._session.project
        if project is not None:
            with self._session.reporting():
                self._submit(project.run(run_id), resume=True)

    def _resume_last(self) -> None:
        if self._run is not None:
            self._resume(self._run.id)

    def _submit(self, run: RunRecord, *, resume: bool) -> None:
        from ...core.jobs.training import TrainJob

        project = self._session.project
        if project is None:
            return
        project.record_run(run.id, state="running")
        self._run = run
        self._session.submit(TrainJob(project.path.as_posix(), run.id, resume=resume))
        self._session.runs_changed.emit()

    # --- the run at work ---

    def _job_started(self, job: "TrackedJob") -> None:
        project = self._session.project
        if not job.is_training or project is None or not self._is_ours(job):
            return
        self._job = job
        self._run = project.run(run_of(job.job))
        catalogue = self._session.catalogue
        self._looks = class_looks(project, catalogue.tiers() if catalogue else {})
        self.during.begin(*self._said(self._run, ""))
        self.during.follow(*self._followed(self._run))
        self.pages.setCurrentWidget(self.during)
        self._read_earlier(job)
        self._show_live()

    def _read_earlier(self, job: "TrackedJob") -> None:
        self._earlier = Record()
        log = job.job.event_log
        if log is not None and getattr(job.job, "resume", False):
            self._errands.ask(lambda: (job, read_record(log)), self._take_earlier)

    def _take_earlier(self, answer: "tuple[TrackedJob, Record]") -> None:
        job, earlier = answer
        if job is self._job:
            self._earlier = earlier
            self._show_live()

    def _job_event(self, job: "TrackedJob", event: Event) -> None:
        if job is not self._job:
            return
        if isinstance(event, Told):
            self._taken_up(event)
        if sentence := news(event):
            self.during.diary.add(datetime.now().strftime("%H:%M"), sentence)
        if isinstance(event, Warned) or not self._live_timer.isActive():
            self._live_timer.start()

    def _job_finished(self, job: "TrackedJob", finished: Finished) -> None:
        project = self._session.project
        if job is not self._job or project is None or self._run is None:
            self._planner.plan_soon()
            return
        self._live_timer.stop()
        self._job = None
        if self._show_after(project, self._run.id, job, finished, self._earlier):
            self._session.choose_run(self._run.id)
        self._planner.plan_soon()

    def _look_back(self, run_id: str) -> None:
        """Show again what came of a run, as it was told in its events."""
        project = self._session.project
        if project is None or self._job is not None:
            return
        with self._session.reporting():
            run, folder = project.run(run_id), project.run_folder(run_id)
            self._errands.ask(lambda: (run, read_past(run, folder)), self._take_past)

    def _take_past(self, answer: tuple[RunRecord, PastJob]) -> None:
        project, (run, past) = self._session.project, answer
        if project is None or self._job is not None:
            return
        catalogue = self._session.catalogue
        self._looks = class_looks(project, catalogue.tiers() if catalogue else {})
        self._show_after(project, run.id, past, past.finished, Record())

    def _show_after(
        self,
        project: "Project",
        run_id: str,
        job: "TrackedJob | PastJob",
        finished: Finished,
        earlier: Record,
    ) -> bool:
        """Show what came of a run; tell whether it can be used."""
        runs = project.runs()
        run = self._run = next((each for each in runs if each.id == run_id), self._run)
        assert run is not None
        moment = live(job, self._looks, earlier=earlier)
        has_checkpoint = self._has_checkpoint(run.id)
        told = ending(finished, moment.headline, run, runs, has_checkpoint=has_checkpoint)
        self.after.show_run(*self._said(run, getattr(job, "device", "")))
        self.after.follow(*self._followed(run))
        kept = [name for _, name in kept_for_classes(project, run)] if told.has_results else []
        self.after.show_ending(told, moment, kept)
        self.pages.setCurrentWidget(self.after)
        return told.has_results

    def _show_live(self) -> None:
        job = self._job
        if job is None or self._run is None:
            return
        if job.device:
            self.during.run_head.show_run(*self._said(self._run, job.device))
        moment = live(job, self._looks, self._ahead(job), self._earlier)
        self.during.show_live(moment, job.state, self._looks)

    def _ahead(self, job: "TrackedJob") -> str:
        before = self._session.jobs[: self._session.jobs.index(job)]
        return next((each.title for each in before if each.finished is None), "")

    def _on_job(self, what: str) -> None:
        if self._job is not None:
            getattr(self._job, what)()
            self._show_live()

    # --- changes to the run at work ---

    def _take_remedy(self, warned: Warned, label: str) -> None:
        project = self._session.project
        if self._job is None or project is None or warned.class_name is None:
            return
        record = project.class_named(warned.class_name)
        self._job.tell(change_for(label, record.id))

    def _taken_up(self, told: Told) -> None:
        project = self._session.project
        class_id = told.settings.get("class_id")
        progress = self._job.progress if self._job else None
        step = progress.done if progress else 0
        words = taken_up(told, step)
        if project is None or not words:
            return
        names = [each.name for each in project.classes if each.id == class_id]
        for name in names:
            self.during.show_taken_up(name, words, step)

    def _labels_changed(self, case_ids: tuple[str, ...]) -> None:
        from ...core.training.changes import LabelsChanged

        if self._job is None or self._run is None:
            return
        spec = self._run.spec
        known = {*spec.get("train_labelled", ()), *spec.get("train_unlabelled", ())}
        ours = tuple(case for case in case_ids if case in known)
        if ours:
            self._job.tell(LabelsChanged(ours))

    # --- inside ---

    def _is_ours(self, job: "TrackedJob") -> bool:
        """Tell whether a job works on the open project; one of another may still be running."""
        project = self._session.project
        return project is not None and Path(project_of(job.job)) == project.path

    def _see_results(self) -> None:
        if self._run is not None:
            self._session.choose_run(self._run.id)
        self.panel_asked.emit("Results")

    def _said(self, run: RunRecord, device: str) -> tuple[str, str, str]:
        known = run.method in METHODS.names()
        title = METHODS.get(run.method).title if known else run.method
        return (
            title,
            run_line(run.id, run.spec),
            facts(run.spec, device, with_unlabelled=uses_unlabelled(run.method)),
        )

    def _open_case(self, case_id: str) -> None:
        with self._session.reporting():
            self._session.show_case(case_id)

    def _followed(self, run: RunRecord) -> "tuple[Path, tuple[ClassLook, ...], str, Project]":
        """Give where a run's maps lie, how its classes look, and what a case is called."""
        project, catalogue = self._session.project, self._session.catalogue
        assert project is not None
        looks = planned_looks(run.spec, project, catalogue.tiers() if catalogue else {})
        noun = case_noun(str(run.spec.get("task", "")))
        return project.run_folder(run.id), looks, noun, project

    def _has_checkpoint(self, run_id: str) -> bool:
        project = self._session.project
        return project is not None and (project.run_folder(run_id) / CHECKPOINT).is_file()
