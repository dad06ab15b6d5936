"""What the window is about now: the project, the case, the run, the jobs. Free of Qt.

All panels read and change this one object; they hear of changes by its signals, always on the
thread that owns the session (the window's main thread).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from psygnal import Signal

from ..core.backend.events import Event, Finished, Outcome
from ..core.errors import LongtailError
from ..core.project.records import Case, Status, Task
from .loading import Loaded, load_project
from .session_faces import BackendFace, Driver, HereAndNow
from .tracked import TrackedJob, is_training

if TYPE_CHECKING:
    from ..core.backend.job import Job
    from ..core.project.catalogue import Catalogue
    from ..core.project.store import Project

Severity = Literal["info", "warning", "error"]
Action = tuple[str, Callable[[], object]]
Rows = np.ndarray[Any, np.dtype[np.intp]]

_STATUS_UNLABELLED = tuple(Status).index(Status.UNLABELLED)


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user, with a button where something can be done about it."""

    text: str
    severity: Severity = "info"
    action: Action | None = None


Aside = Callable[[Callable[[], Any], Callable[[Any], object]], object]
"""Does the first in a thread and calls the second with its answer; `Errands.ask` is one."""

MOST_AT_ONCE = 5_000
"""Catalogues of more cases than this are read again aside: one of 112,120 takes 0.7 s."""


class Session:
    """One window's state; the one truth that its panels share.

    Parameters
    ----------
    backend
        Where jobs run.
    driver
        Brings their events to this thread; by default jobs run here, synchronously.
    record
        Called as ``record(project, job, finished)`` when a job has ended, to write what came of
        it into the project; by default `core.jobs.record.record`.
    aside
        Reads large catalogues off this thread; by default they are read here.
    """

    project_about_to_change = Signal()
    project_changed = Signal()
    catalogue_changed = Signal()
    classes_changed = Signal()
    case_about_to_change = Signal()
    case_changed = Signal()
    cases_asked = Signal(tuple, str)
    cases_selected = Signal(tuple)
    cases_imported = Signal()
    alike_asked = Signal(tuple)
    labels_changed = Signal(tuple)
    run_changed = Signal()
    runs_changed = Signal()
    active_class_changed = Signal(int)
    job_started = Signal(TrackedJob)
    job_event = Signal(TrackedJob, object)
    job_finished = Signal(TrackedJob, Finished)
    notice = Signal(Notice)

    def __init__(
        self,
        backend: BackendFace,
        driver: Driver | None = None,
        record: Callable[["Project", "Job", Finished], object] | None = None,
        aside: Aside | None = None,
    ) -> None:
        self.backend = backend
        self.project: Project | None = None
        self.catalogue: Catalogue | None = None
        self.case: Case | None = None
        self.run_id: str | None = None
        self.jobs: list[TrackedJob] = []
        self.visible_rows: Rows = np.zeros(0, dtype=np.intp)
        self._active_class = 1
        self._driver = driver or HereAndNow()
        self._record = record or _record
        self._aside = aside
        self._reading = self._read_again = False

    # --- project ---

    def open_project(self, path: Path) -> None:
        """Open a project in place of the one that is open.

        Raises
        ------
        LongtailError
            It cannot be opened; the former project stays open.
        """
        self.adopt(load_project(path))

    def create_project(self, path: Path, task: Task, classes: Sequence[str]) -> None:
        """Make a project and open it; see `Project.create` for what it raises."""
        from ..core.project.store import Project

        project = Project.create(path, task=task, classes=classes)
        self.adopt(Loaded(project, project.catalogue()))

    def adopt(self, loaded: Loaded) -> None:
        """Take over a project that was opened elsewhere, such as in a worker thread."""
        self.project_about_to_change.emit()
        self._let_go()
        project, self.catalogue = loaded.project, loaded.catalogue
        self.project = project
        self.visible_rows = np.arange(len(self.catalogue.ids))
        self._active_class = project.classes[0].id if project.classes else 1
        runs = project.runs()
        self.run_id = next((r.id for r in reversed(runs) if r.state in _KEPT), None)
        self.project_changed.emit()

    def close_project(self) -> None:
        """Close the project; panels have folded their edits before it closes."""
        if self.project is None:
            return
        self._let_go()
        self.project_changed.emit()

    def refresh(self) -> None:
        """Read the catalogue again after cases, labels or splits have changed."""
        project, catalogue = self.project, self.catalogue
        if project is None or catalogue is None:
            return
        if self._aside is None or len(catalogue.ids) <= MOST_AT_ONCE:
            self._show_catalogue(project, project.catalogue())
        elif self._reading:
            self._read_again = True
        else:
            self._reading = True
            self._aside(project.catalogue, partial(self._catalogue_came, project))

    def classes_edited(self) -> None:
        """Say that classes were added, renamed, merged, recoloured or retired."""
        self.classes_changed.emit()
        self.refresh()
        self._read_case_again()

    # --- cases ---

    def show_case(self, case_id: str) -> None:
        """Make `case_id` the case that all panels show."""
        if self.project is None or (self.case is not None and self.case.id == case_id):
            return
        case = self.project.case(case_id)
        self.case_about_to_change.emit()
        self.case = case
        self.case_changed.emit()

    def show_first_case(self) -> None:
        """Show the first case of the list, if there is one; what goes wrong becomes a notice."""
        if self.catalogue is not None and self.visible_rows.size:
            with self.reporting():
                self.show_case(self.catalogue.ids[self.visible_rows[0]])

    def leave_case_of(self, case_ids: Sequence[str]) -> None:
        """Show no case if the one that is shown is among those about to be deleted."""
        if self.case is not None and self.case.id in case_ids:
            self.case_about_to_change.emit()
            self.case = None
            self.case_changed.emit()

    def next_case(self) -> None:
        """Show the next of the cases that the list shows; stay at its end."""
        self._step(1)

    def previous_case(self) -> None:
        """Show the one before; stay at the beginning."""
        self._step(-1)

    def next_unlabelled(self) -> None:
        """Show the next case without labels after this one, going round once."""
        if self.catalogue is None:
            return
        rows = np.roll(self.visible_rows, -self._place() - 1)
        waiting = rows[self.catalogue.status[rows] == _STATUS_UNLABELLED]
        if waiting.size:
            self.show_case(self.catalogue.ids[waiting[0]])
        else:
            self.notify("Every case in the list has labels.")

    def list_cases(self, case_ids: Sequence[str], words: str) -> None:
        """Ask the list to show only these cases; `words` say what they have in common."""
        if case_ids:
            self.cases_asked.emit(tuple(case_ids), words)
        else:
            self.notify(f"No case: {words}.")

    def select_cases(self, case_ids: Sequence[str]) -> None:
        """Select cases in every panel that shows several; none lets go of all."""
        self.cases_selected.emit(tuple(case_ids))

    def ask_alike(self, case_ids: Sequence[str]) -> None:
        """Ask for the cases that a network finds most like these."""
        if not len(self.alike_asked):
            self.notify("Open the panel Embedding under Plugins, Longtail.")
        self.alike_asked.emit(tuple(case_ids))

    def labels_saved(self, case_ids: Sequence[str]) -> None:
        """Say that labels or a status were written: counts and lists are read again."""
        self.refresh()
        if self.case is not None and self.case.id in case_ids:
            self._read_case_again()
        self.labels_changed.emit(tuple(case_ids))

    @property
    def active_class(self) -> int:
        """The id of the class that is drawn or given now."""
        return self._active_class

    @active_class.setter
    def active_class(self, class_id: int) -> None:
        if class_id != self._active_class:
            self._active_class = class_id
            self.active_class_changed.emit(class_id)

    # --- runs and jobs ---

    def choose_run(self, run_id: str | None) -> None:
        """Choose the run whose predictions and results are shown."""
        if run_id != self.run_id:
            self.run_id = run_id
            self.run_changed.emit()

    @property
    def training(self) -> TrackedJob | None:
        """The training that is queued or under way."""
        going = (job for job in self.jobs if job.is_training and job.finished is None)
        return next(going, None)

    def submit(self, job: "Job") -> TrackedJob:
        """Give a job to the backend and follow it."""
        tracked = TrackedJob(job, self.backend.submit(job), self._words(job))
        self.jobs.append(tracked)
        self.job_started.emit(tracked)
        self._driver.watch(tracked, self._take)
        return tracked

    def close(self, leave_running: bool = False) -> None:
        """End: close the project and the backend; with `leave_running` its job goes on alone."""
        self.close_project()
        self._driver.close()
        self.backend.close(leave_running)

    # --- notices ---

    def notify(self, text: str, severity: Severity = "info", action: Action | None = None) -> None:
        """Show a sentence in the window."""
        self.notice.emit(Notice(text, severity, action))

    @contextmanager
    def reporting(self, action: Action | None = None) -> Iterator[None]:
        """Turn an expected failure inside the block into a notice with its reason and remedy."""
        try:
            yield
        except LongtailError as error:
            self.notify(str(error), "error", action)

    # --- inside ---

    def _words(self, job: "Job") -> str:
        """Name a training as people do: its method and its number."""
        from ..core.methods.catalogue import METHODS

        run_id = getattr(job, "run_id", "")
        if self.project is None or not is_training(job):
            return job.title
        try:
            method = METHODS.get(self.project.run(run_id).method).title
        except LongtailError:
            return job.title
        number = re.search(r"\d+", run_id)
        return f"{method}, run {int(number.group())}" if number else f"{method}, {run_id}"

    def _catalogue_came(self, project: "Project", catalogue: "Catalogue") -> None:
        self._reading = False
        self._show_catalogue(project, catalogue)
        if self._read_again:
            self._read_again = False
            self.refresh()

    def _show_catalogue(self, project: "Project", catalogue: "Catalogue") -> None:
        if project is self.project:
            self.catalogue = catalogue
            self.catalogue_changed.emit()

    def _let_go(self) -> None:
        if self.project is None:
            return
        self.case_about_to_change.emit()
        project, self.project = self.project, None
        self.catalogue = self.case = self.run_id = None
        self.visible_rows = np.zeros(0, dtype=np.intp)
        self.jobs = [job for job in self.jobs if job.finished is None]
        self.case_changed.emit()
        project.close()

    def _place(self) -> int:
        if self.catalogue is None or self.case is None:
            return -1
        ids = self.catalogue.ids
        found = (i for i, row in enumerate(self.visible_rows) if ids[row] == self.case.id)
        return next(found, -1)

    def _step(self, by: int) -> None:
        if self.catalogue is None or not self.visible_rows.size:
            return
        place = min(max(self._place() + by, 0), self.visible_rows.size - 1)
        self.show_case(self.catalogue.ids[self.visible_rows[place]])

    def _read_case_again(self) -> None:
        if self.project is not None and self.case is not None:
            self.case = self.project.case(self.case.id)

    def _take(self, tracked: TrackedJob, event: Event) -> None:
        tracked.take(event)
        self.job_event.emit(tracked, event)
        if isinstance(event, Finished):
            self._end(tracked, event)

    def _end(self, tracked: TrackedJob, finished: Finished) -> None:
        if self.project is not None:
            with self.reporting():
                self._record(self.project, tracked.job, finished)
        if finished.outcome is Outcome.FAILED:
            self.notify(f"{tracked.title}: {finished.reason} {finished.remedy}".strip(), "error")
        self.job_finished.emit(tracked, finished)
        if not tracked.job.only_looks:
            self.runs_changed.emit()


_KEPT = ("completed", "stopped")


def _record(project: "Project", job: "Job", finished: Finished) -> None:
    from ..core.jobs.record import record

    record(project, job, finished)
